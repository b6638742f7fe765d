"""Calls: what a function, a variable or a word that stands for a value says of a statement."""

from __future__ import annotations

from wats_accel.sql.reading import functions
from wats_accel.sql.reading.findings import SESSION_STATE
from wats_accel.sql.reading.reader import Reader

_SYSTEM_SCHEMAS = frozenset({"pg_catalog", "sys", "information_schema", "mysql"})


def note_function(reader: Reader, parts: tuple[str, ...], *, in_from: bool = False) -> None:
    """Note that a function is called; the reader is at its parentheses."""
    name = parts[-1]
    own = len(parts) == 1 or parts[-2] in _SYSTEM_SCHEMAS
    if name in functions.HOSTILE and name not in functions.WHOLE_TABLES:
        reader.findings.unknown("what a function reads or changes that is told by a value", "both")
    elif own and name in functions.RANDOM:
        reader.findings.unknown("a random value", "reads")
    elif own and name in functions.SESSION:
        _note_session(reader, name)
    elif own and name in functions.CLOCK:
        reader.findings.reads_clock = True
    elif not own or not functions.is_builtin(name, reader.dialect, in_from=in_from):
        reader.findings.call(name)


def note_word(reader: Reader, key: str) -> bool:
    """Note what a word without parentheses says. Whether it is such a word."""
    if key in functions.CLOCK_WORDS:
        reader.findings.reads_clock = True
        return reader.dialect != "tsql" or key == "CURRENT_TIMESTAMP"
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
    afterwards = name in functions.AFTERWARDS and bool(reader.findings.kinds)
    if not afterwards:
        reader.findings.unknown(SESSION_STATE, "reads")
