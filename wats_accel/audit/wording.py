"""Wording: tables, columns and statements as the source spells them."""

from __future__ import annotations

import re
from collections.abc import Iterable

from wats_accel.audit.finding import Evidence
from wats_accel.sql.access import ANY, Access
from wats_accel.sql.source.knowledge import Source

_MOST_COLUMNS = 4
_MOST_STATEMENTS = 3
_LONGEST_TEXT = 2_000


def spelt(name: str, texts: Iterable[str]) -> str:
    """A casefolded name as one of the texts spells it; as it is if none does."""
    word = re.compile(rf"(?<!\w){re.escape(name)}(?!\w)", re.IGNORECASE)
    return next((found[0] for text in texts if (found := word.search(text))), name)


def tables_text(by: Access, sources: Iterable[Source]) -> str:
    """Tables with the columns that matter: ``Grupo_WTS`` or ``Usuario_WTS (Nome, Ativo)``."""
    texts = [source.statement.text for source in sources]
    return ", ".join(_table_text(table, by.columns(table), texts) for table in by)


def _table_text(table: str, columns: Iterable[str], texts: list[str]) -> str:
    name = spelt(table, texts)
    named = sorted(columns)
    if ANY in named or not named:
        return name
    shown = [spelt(column, texts) for column in named[:_MOST_COLUMNS]]
    more = ["…"] if len(named) > _MOST_COLUMNS else []
    return f"{name} ({', '.join([*shown, *more])})"


def indirect_tables(by: Access, writing: Iterable[Source]) -> list[str]:
    """The tables that no statement names as written: a cascade, a trigger or a procedure reaches them."""
    named = {write.table for source in writing for write in source.statement.facts.writes}
    return [table for table in by if table not in named]


def evidence_of(label: str, sources: Iterable[Source]) -> tuple[Evidence, ...]:
    """A few of the statements, each with its place."""
    unique = dict.fromkeys((source.statement.place, source.statement.text) for source in sources)
    shown = [
        Evidence(label, place, text if len(text) <= _LONGEST_TEXT else f"{text[:_LONGEST_TEXT]} …")
        for place, text in unique
    ]
    return tuple(shown[:_MOST_STATEMENTS])
