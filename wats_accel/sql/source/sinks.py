"""Sinks: the methods that give SQL to a driver."""

from __future__ import annotations

import ast
from typing import Final

from wats_accel.sql.source.frames import Arguments, Frame
from wats_accel.sql.source.values import (
    FOREIGN,
    Const,
    Foreign,
    Method,
    Seq,
    Text,
    Value,
    flows_into,
)

SINKS: Final = frozenset(
    {"execute", "executemany", "executescript", "callproc", "execute_many", "executescripts"}
)
"""Methods of connections and cursors that are given SQL, whatever library they are of."""

SOFT_SINKS: Final = frozenset(
    {
        "fetch",
        "fetchrow",
        "fetchval",
        "fetch_all",
        "fetch_one",
        "fetch_val",
        "iterate",
        "copy_expert",
        "copy",
        "mogrify",
    }
    | {
        "read_sql",
        "read_sql_query",
        "read_sql_table",
        "exec_driver_sql",
        "scalar",
        "scalars",
        "select",
        "query",
        "stream",
    }
)
"""Likewise, but with other meanings elsewhere: these count if they are given a text that looks like SQL."""

_SQL_WORDS: Final = frozenset(
    {
        "SELECT",
        "INSERT",
        "UPDATE",
        "DELETE",
        "MERGE",
        "REPLACE",
        "WITH",
        "EXEC",
        "EXECUTE",
        "CALL",
        "CREATE",
        "ALTER",
    }
    | {
        "DROP",
        "TRUNCATE",
        "DECLARE",
        "SET",
        "IF",
        "BEGIN",
        "PRAGMA",
        "VALUES",
        "COPY",
        "UPSERT",
        "{CALL",
        "{",
    }
)
_NAMES: Final = (
    "sql",
    "query",
    "statement",
    "operation",
    "stmt",
    "command",
    "sql_script",
    "procname",
    "procedure",
)


def is_sink(name: str) -> bool:
    """Whether a method of this name is given SQL, for sure or perhaps."""
    return name in SINKS or name in SOFT_SINKS


def send(name: str, arguments: Arguments, frame: Frame, node: ast.expr) -> Value | None:
    """Note what a sink is given; None if it has been given no SQL."""
    sql = arguments.get(0, *_NAMES)
    if sql is None:
        return None
    if name in SOFT_SINKS and not _looks_like_sql(sql):
        return None
    if name not in SOFT_SINKS and _is_surely_none(sql):
        return None
    frame.note_sent(sql, name, node)
    for value in arguments.all():
        frame.note_clock(value)
    return flows_into(FOREIGN, Value((), given=any(value.given for value in arguments.all())))


def _looks_like_sql(value: Value) -> bool:
    return any(isinstance(atom, Text) and first_word(atom) in _SQL_WORDS for atom in value.atoms)


def _is_surely_none(value: Value) -> bool:
    """Whether it is something that no driver takes for SQL."""
    return bool(value.atoms) and all(
        isinstance(atom, Const | Seq) or (isinstance(atom, Foreign) and atom.is_number)
        for atom in value.atoms
    )


def first_word(atom: Text) -> str:
    """The word that a text begins with, in capitals; empty if it is not known."""
    beginning = ""
    for part in atom.parts:
        if not isinstance(part, str):
            break
        beginning += part
        if len(beginning.split()) > 1:
            break
    words = beginning.replace("(", " ").split()
    return words[0].upper() if words else ""


def handed_over(value: Value) -> bool:
    """Whether a sink is handed over as a value: ``run(cursor.execute)``."""
    return any(isinstance(atom, Method) and atom.name in SINKS for atom in value.atoms)
