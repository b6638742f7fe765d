"""Procedures: EXEC, CALL and what may stand behind them."""

from __future__ import annotations

from typing import Final

from wats_accel.sql.reading.expressions import read_expression
from wats_accel.sql.reading.lexer import LITERAL, PARAMETER, VARIABLE
from wats_accel.sql.reading.reader import Reader
from wats_accel.sql.reading.scopes import Scope
from wats_accel.sql.reading.words import words

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
    if (
        reader.key == "("
        or reader.token.kind in (VARIABLE, LITERAL, PARAMETER)
        or reader.key in ("IMMEDIATE", "AS")
    ):
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


def read_call(reader: Reader, end: int) -> None:
    """Read a procedure's name and note the call."""
    name = reader.chain(end)[-1]
    if name == "sp_rename":
        reader.findings.unknown("what has another name now", "writes")
    elif name in _RUNNING_TEXTS:
        reader.findings.unknown(_DYNAMIC, "both")
    else:
        reader.findings.call(name, procedure=True)
    if reader.key == ";" and reader.tokens[reader.position + 1].kind == "number":
        reader.position += 2  # the number of one of several procedures of that name
