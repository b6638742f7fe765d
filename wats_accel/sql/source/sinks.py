"""Sinks: the methods that give SQL to a driver."""

from __future__ import annotations

import ast
import re
import sys
from typing import Final

from wats_accel.sql.source.frames import Arguments, Frame
from wats_accel.sql.source.names import MUTATORS
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
    {"fetch", "fetchrow", "fetchval", "fetch_all", "fetch_one", "fetch_val", "iterate"}
    | {"copy_expert", "copy", "mogrify", "read_sql", "read_sql_query", "read_sql_table"}
    | {"exec_driver_sql", "scalar", "scalars", "select", "query", "stream"}
)
"""Likewise, but with other meanings elsewhere: these count if they are given a text that looks like SQL."""

_SQL_WORDS: Final = frozenset(
    {"SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "REPLACE", "WITH", "EXEC", "EXECUTE"}
    | {"CALL", "CREATE", "ALTER", "DROP", "TRUNCATE", "DECLARE", "SET", "IF", "BEGIN", "PRAGMA"}
    | {"VALUES", "COPY", "UPSERT", "{CALL", "{"}
)
SQL: Final = re.compile(
    r"\s*(?:SELECT\s.*\sFROM\s|INSERT\s+INTO\s|UPDATE\s+\S+\s+SET\s|DELETE\s+FROM\s"
    r"|MERGE\s+INTO\s|EXEC\s+\w)",
    re.IGNORECASE | re.DOTALL,
)
"""A text that is hardly anything else."""

_HARMLESS: Final = MUTATORS | frozenset(
    {"debug", "info", "warning", "warn", "error", "exception", "critical", "log", "print"}
    | {"write", "format", "join", "startswith", "endswith", "match", "search", "sub", "count"}
    | {"index", "find", "get", "split", "put", "set"}
)
_OWN: Final = sys.stdlib_module_names - {"sqlite3"}

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


def send_elsewhere(name: str, arguments: Arguments, frame: Frame, node: ast.expr) -> None:
    """Note SQL that is given to something that nobody knows: it is hardly given to it for nothing.

    Args:
        name: of a function outside the tree, with dots, or of a method of an unknown object.
        arguments: of the call.
        frame: where that is.
        node: the call.
    """
    first, _, last = name.rpartition(".")
    if last in _HARMLESS or is_own(name) or (first and last[:1].isupper()):
        return
    for value in arguments.all():
        texts = [atom for atom in value.atoms if isinstance(atom, Text)]
        if any(SQL.match(_with_something(text)) for text in texts):
            frame.note_sent(Value(tuple(texts), value.clock, value.given), last, node)


def is_own(name: str) -> bool:
    """Whether a function outside the tree is one of Python's own, which keep what they are given as it is."""
    first, _, others = name.partition(".")
    return bool(others) and first in _OWN


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
    """Whether it begins as SQL does; a sentence may begin with the same word, but not in capitals."""
    texts = [_with_something(atom) for atom in value.atoms if isinstance(atom, Text)]
    words = [text.replace("(", " ").split()[:1] for text in texts]
    return any(SQL.match(text) for text in texts) or any(
        word[0] in _SQL_WORDS or word[0].upper() in ("{CALL", "PRAGMA") for word in words if word
    )


def _with_something(text: Text) -> str:
    """A text with something in the place of what is not known."""
    return "".join(part if isinstance(part, str) else "x" for part in text.parts)


def _is_surely_none(value: Value) -> bool:
    """Whether it is something that no driver takes for SQL."""
    return bool(value.atoms) and all(
        isinstance(atom, Const | Seq) or (isinstance(atom, Foreign) and atom.is_number)
        for atom in value.atoms
    )


def handed_over(value: Value) -> bool:
    """Whether a sink is handed over as a value: ``run(cursor.execute)``."""
    return any(isinstance(atom, Method) and atom.name in SINKS for atom in value.atoms)
