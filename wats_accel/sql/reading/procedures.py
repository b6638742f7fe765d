"""Procedures: EXEC, CALL and what may stand behind them."""

from __future__ import annotations

from typing import Final

from wats_accel.sql.reading.expressions import read_expression
from wats_accel.sql.reading.lexer import END, LITERAL, PARAMETER, VARIABLE
from wats_accel.sql.reading.reader import Reader
from wats_accel.sql.reading.scopes import Scope
from wats_accel.sql.reading.words import words

_DEEPEST: Final = 3  # texts that run texts
_DYNAMIC: Final = "SQL that is made while it runs"
_RUNNING_TEXTS: Final = words(
    "sp_executesql sp_execute sp_prepexec sp_prepare sp_msforeachtable sp_msforeachdb "
    "xp_execresultset sp_sqlexec sp_cursoropen"
)


def read_procedure_call(reader: Reader, parent: Scope, end: int) -> None:
    """Read ``EXEC @result = dbo.p @a = 1, 2``; the reader is at EXEC, EXECUTE or CALL."""
    reader.position += 1
    if reader.token.kind in (VARIABLE, PARAMETER) and reader.ahead() == "=":
        reader.position += 2
    if reader.key == "(" and reader.tokens[min(reader.closing(), reader.size) + 1].key not in ("AT", "AS"):
        _read_text(reader, reader.position + 1, ")")
    elif reader.key in ("(", "IMMEDIATE", "AS") or reader.token.kind in (VARIABLE, LITERAL, PARAMETER):
        reader.findings.unknown(_DYNAMIC, "both")
    elif reader.names_follow(end):
        read_call(reader, end)
    else:
        reader.doubt()
    read_expression(reader, Scope(parent), end, stops=reader.verbs)
    while reader.accept("OUTPUT", "OUT", "READONLY", ","):
        read_expression(reader, Scope(parent), end, stops=reader.verbs)
    if reader.key == "WITH" and reader.ahead() in ("RECOMPILE", "RESULT"):
        reader.position += 2
        reader.skip("SETS", "NONE", "UNDEFINED")
        reader.skip_group()


def _read_text(reader: Reader, position: int, end: str) -> None:
    """Read the SQL that is run if it is one literal and nothing else."""
    token, following = reader.tokens[position], reader.tokens[position + 1]
    is_whole = following.key in (end, ";") or following.kind == END or following.key in reader.verbs
    if token.kind == LITERAL and is_whole and reader.depth < _DEEPEST:
        reader.text(reader, token.text)
    else:
        reader.findings.unknown(_DYNAMIC, "both")


def read_call(reader: Reader, end: int) -> None:
    """Read a procedure's name and note the call."""
    name = reader.chain(end)[-1]
    if name == "sp_rename":
        reader.findings.unknown("what has another name now", "writes")
    elif name == "sp_executesql":
        named = reader.token.kind == VARIABLE and reader.ahead() == "="
        _read_text(reader, reader.position + 2 * named, ",")
    elif name in _RUNNING_TEXTS:
        reader.findings.unknown(_DYNAMIC, "both")
    else:
        reader.findings.call(name, procedure=True)
    if reader.key == ";" and reader.tokens[reader.position + 1].kind == "number":
        reader.position += 2  # the number of one of several procedures of that name
