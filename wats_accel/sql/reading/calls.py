"""Calls: what a function, a variable or a word that stands for a value says of a statement."""

from __future__ import annotations

import re

from wats_accel.sql.access import name_of
from wats_accel.sql.reading import functions
from wats_accel.sql.reading.findings import SESSION_STATE
from wats_accel.sql.reading.lexer import LITERAL, Token
from wats_accel.sql.reading.reader import Reader

_OBJECT = re.compile(r"[\w.#\[\]]+")
_ACTING = frozenset({"select", "insert", "update", "delete", "merge", "procedure"})
_OF_SERVER = frozenset({"sysprocesses", "syslockinfo", "processlist", "v$session", "v$lock"})
_SYSTEM_SCHEMAS = frozenset({"pg_catalog", "sys", "information_schema", "mysql"})


def note_function(reader: Reader, parts: tuple[str, ...], *, in_from: bool = False) -> None:
    """Note that a function is called; the reader is at its parentheses."""
    name = parts[-1]
    own = len(parts) == 1 or parts[-2] in _SYSTEM_SCHEMAS
    if name in functions.HOSTILE and name not in functions.WHOLE_TABLES:
        reader.findings.unknown("what a function reads or changes that is told by a value", "both")
    elif own and name in functions.RANDOM:
        reader.findings.unknown("a random value", "reads")
    elif own and reader.dialect == "sqlite" and name.startswith("pragma_"):
        reader.findings.unknown("what a PRAGMA reads", "reads")
    elif own and name in functions.OF_OBJECTS and _note_object(reader):
        pass
    elif own and name in functions.SESSION:
        _note_session(reader, name)
    elif own and _tells_time(reader, name):
        reader.findings.reads_clock = True
    elif not own or not functions.is_builtin(name, reader.dialect, in_from=in_from):
        reader.findings.call(name)


def _note_object(reader: Reader) -> bool:
    """OBJECT_ID('name') and the like: what there is of that table. Whether the name is told, and noted."""
    token = reader.tokens[reader.position + 1]
    if token.kind != LITERAL or not _OBJECT.fullmatch(token.text):
        return False
    name = name_of(token.text.rpartition(".")[2].strip("[]"))
    if not name.startswith("#"):
        reader.findings.read(name)
    return True


def tells_of_server(parts: tuple[str, ...]) -> bool:
    """Whether a table shows what a server does, which changes without a statement."""
    schema, name = parts[-2] if len(parts) > 1 else "", parts[-1]
    return name in _OF_SERVER or schema == "performance_schema" or (schema == "sys" and name[:3] == "dm_")


def _tells_time(reader: Reader, name: str) -> bool:
    """Whether a function looks at the clock; some do only without all of their arguments."""
    most = functions.WITHOUT_ARGUMENTS.get(name)
    return name in functions.CLOCK or (most is not None and _arguments(reader) <= most)


def _arguments(reader: Reader) -> int:
    """How many arguments are in the parentheses that are next."""
    depth, commas = 0, 0
    tokens = reader.tokens[reader.position + 1 : reader.closing()]
    for token in tokens:
        depth += (token.key == "(") - (token.key == ")")
        commas += token.key == "," and not depth
    return commas + 1 if tokens else 0


def note_literal(reader: Reader, token: Token) -> None:
    """Note that a literal tells the time: 'now', which others than these take for a text."""
    if reader.dialect in ("postgres", "sqlite", "") and token.name.strip() in functions.CLOCK_LITERALS:
        reader.findings.reads_clock = True


def note_word(reader: Reader, key: str) -> bool:
    """Note what a word without parentheses says. Whether it is such a word."""
    if key in functions.CLOCK_WORDS:
        reader.findings.reads_clock = True
        return key in functions.CLOCK_WORDS_OF.get(reader.dialect, ())
    if key in functions.SESSION_WORDS or (
        key == "USER" and reader.dialect in ("tsql", "postgres", "oracle") and reader.ahead() != "("
    ):
        _note_session(reader, key.lower())
        return True
    return False


def note_variable(reader: Reader, text: str) -> None:
    """Note what a variable says: @@ROWCOUNT and its like."""
    if text.startswith("@@") and text.lower() not in ("@@version", "@@servername"):
        _note_session(reader, text.lower())


def is_method(reader: Reader, name: str) -> bool:
    """Whether what is called behind a point is a method of a value."""
    return reader.dialect in ("tsql", "") and name in functions.XML_METHODS


def _note_session(reader: Reader, name: str) -> None:
    kinds = reader.findings.kinds
    afterwards = reader.controlling and not _ACTING.isdisjoint(kinds)
    if not (afterwards and name in functions.AFTERWARDS):
        reader.findings.unknown(SESSION_STATE, "reads")
