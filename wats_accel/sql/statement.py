"""Statements: the tables and columns that a text of SQL reads and writes.

The texts are read by a reader of our own, `reading`, which takes what it does not know for more rather
than for less. What the SQL library makes of the same statements is held against it, in `second_opinion`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from wats_accel.sql.access import Columns, union
from wats_accel.sql.facts import Facts, Unknown
from wats_accel.sql.memory import Memory, short
from wats_accel.sql.reading.findings import UNREADABLE
from wats_accel.sql.reading.lexer import Token, readings_of
from wats_accel.sql.reading.statements import read_statements
from wats_accel.sql.second_opinion import add_second_opinion

DIALECTS = ("tsql", "postgres", "sqlite", "mysql", "oracle", "")
"""Names of dialects, as the SQL library has them; empty: none in particular."""

LONGEST: Final = 200_000
"""In characters; longer texts are not read, and may do anything."""

_MOST_TOKENS: Final = 5_000  # of a text that the SQL library is given, too; it would take seconds
_NONE_KNOWN: Final[Mapping[str, Columns]] = {}


def facts_of(sql: str, dialect: str = "", columns: Mapping[str, Columns] | None = None) -> Facts:
    """What a text does. Never raises; remembered by text, bounded.

    Args:
        sql: one statement or several, with parameters of any style.
        dialect: one of `DIALECTS`; an unknown one is read as none in particular.
        columns: the columns of tables, where they are known: then a column without a table's name is
            counted for those that have it only. Names as `access` spells them. It must not change later.
    """
    found = _young.get((sql, dialect, id(columns)))
    return _look(sql, dialect, columns) if found is None else found


_memory: Final = Memory()
_young: Final = _memory.young


def _look(sql: str, dialect: str, columns: Mapping[str, Columns] | None) -> Facts:
    key = (short(sql), dialect, id(columns))
    found = _memory.get(key, columns)
    if found is None:
        found = _facts(sql, dialect if dialect in DIALECTS else "", columns or _NONE_KNOWN)
        _memory.keep(key, found, columns)
    return found


def _facts(sql: str, dialect: str, known: Mapping[str, Columns]) -> Facts:
    if len(sql) > LONGEST:
        return _nobody_knows("a text that is too long to be read")
    try:
        return _together([_read(tokens, dialect, known) for tokens in readings_of(sql, dialect)])
    except Exception:  # noqa: BLE001 - whatever it is, nothing is known then, and its words may be secrets
        return _nobody_knows(UNREADABLE)


def _read(tokens: list[Token], dialect: str, known: Mapping[str, Columns]) -> Facts:
    findings = read_statements(tokens, dialect, known)
    if len(tokens) <= _MOST_TOKENS:
        add_second_opinion(findings, dialect)
    return findings.facts()


def _nobody_knows(what: str) -> Facts:
    return Facts(kinds=("other",), unknowns=(Unknown(what, "both"),), parsed=False)


def _together(parts: list[Facts]) -> Facts:
    """What a text may do that some databases would read in another way than others."""
    if len(parts) == 1:
        return parts[0]
    return Facts(
        kinds=max((part.kinds for part in parts), key=len),
        reads=union(part.reads for part in parts),
        writes=tuple(dict.fromkeys(write for part in parts for write in part.writes)),
        calls=frozenset(call for part in parts for call in part.calls),
        reads_clock=any(part.reads_clock for part in parts),
        unknowns=tuple(dict.fromkeys(unknown for part in parts for unknown in part.unknowns)),
        parsed=all(part.parsed for part in parts),
    )
