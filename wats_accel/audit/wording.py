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


def evidence_of(label: str, sources: Iterable[Source]) -> tuple[Evidence, ...]:
    """A few of the statements, each with its place.

    Of those that differ only in the words of one dialect or another, the first.
    """
    unique: dict[object, Source] = {}
    for source in sources:
        facts = source.statement.facts
        written = frozenset((write.table, write.columns) for write in facts.writes)
        unique.setdefault((source.statement.place, facts.reads, written), source)
    shown = [
        Evidence(label, source.statement.place, _shortened(source.statement.text))
        for source in unique.values()
    ]
    return tuple(shown[:_MOST_STATEMENTS])


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST_TEXT else f"{text[:_LONGEST_TEXT]} …"
