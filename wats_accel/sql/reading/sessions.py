"""Sessions: SET, DECLARE, cursors, and what else neither reads nor changes data by itself."""

from __future__ import annotations

from wats_accel.sql.facts import StatementKind
from wats_accel.sql.reading.beginnings import begins_query
from wats_accel.sql.reading.expressions import read_parenthesis
from wats_accel.sql.reading.lexer import NAME, PARAMETER, VARIABLE, WORD
from wats_accel.sql.reading.reader import Reader
from wats_accel.sql.reading.scopes import Scope
from wats_accel.sql.reading.standalone import read_lone_expression, read_lone_query, read_unknown
from wats_accel.sql.reading.words import SOFT_TSQL_VERBS, TSQL_VERBS


def read_setting(reader: Reader) -> StatementKind:
    """SET, DECLARE, PRINT and the like: expressions, perhaps with subqueries."""
    reader.position += 1
    if reader.token.kind in (VARIABLE, PARAMETER):
        read_lone_expression(reader)
        while reader.accept(","):
            read_lone_expression(reader)
    else:
        _skip_option(reader)
    return "session"


def _skip_option(reader: Reader) -> None:
    """NOCOUNT ON, TRANSACTION ISOLATION LEVEL READ UNCOMMITTED, search_path = ..."""
    while reader.position < reader.size and reader.key != ";":
        if reader.batches and (reader.key in TSQL_VERBS or reader.key in SOFT_TSQL_VERBS):
            return
        if reader.key in ("ENABLE", "DISABLE") and reader.ahead() == "TRIGGER":
            return
        if reader.key == "(":
            scope = Scope(None)
            read_parenthesis(reader, scope, reader.size)
            reader.finish(scope)
        else:
            reader.position += 1


def read_declare(reader: Reader) -> StatementKind:
    """DECLARE @x INT = ..., @t TABLE (...), c CURSOR FOR SELECT ..."""
    reader.position += 1
    while reader.position < reader.size and reader.key != ";":
        if reader.token.kind == VARIABLE and "TABLE" in (reader.ahead(), reader.ahead(2)):
            reader.findings.temporary.add(reader.token.name)
            reader.position += 2 if reader.ahead() == "TABLE" else 3
            reader.skip_group()
        elif _is_cursor(reader):
            reader.cursors = True
            while reader.position < reader.size and reader.key not in ("FOR", "IS", ";"):
                reader.position += 1
            reader.position += 1
            if begins_query(reader):
                read_lone_query(reader)
            return "session"
        else:
            read_lone_expression(reader, ",")
        if not reader.accept(","):
            break
    return "session"


def _is_cursor(reader: Reader) -> bool:
    return any(reader.ahead(count) == "CURSOR" for count in range(1, 6)) and reader.token.kind in (
        WORD,
        NAME,
    )


def read_fetch(reader: Reader) -> StatementKind:
    """FETCH, MOVE: rows of a cursor."""
    if not reader.cursors:
        reader.findings.unknown("what a cursor reads that was opened elsewhere", "reads")
    read_harmless(reader)
    return "session"


def read_jump(reader: Reader) -> StatementKind:
    """GOTO: behind its label another one may stand."""
    reader.position += 1
    reader.position += int(reader.token.kind in (WORD, NAME))
    return "session"


def read_harmless(reader: Reader) -> StatementKind:
    """What neither reads nor changes data."""
    if reader.key == "WAITFOR" and reader.ahead() == "(":
        return read_unknown(reader)  # RECEIVE takes messages out of a queue
    reader.position += 1
    if reader.batches:
        read_lone_expression(reader)
        while reader.accept(",", "INTO", "FROM", "WITH", "FOR"):
            read_lone_expression(reader)
    else:
        reader.skip_to_semicolon()
    return "session"


def read_return(reader: Reader) -> StatementKind | None:
    """RETURN of a procedure."""
    reader.position += 1
    read_lone_expression(reader)
    return "session"
