"""What stands by itself: a query, an expression, or what nobody can tell anything of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from wats_accel.sql.facts import StatementKind
from wats_accel.sql.reading.expressions import read_expression
from wats_accel.sql.reading.queries import read_query
from wats_accel.sql.reading.reader import Reader
from wats_accel.sql.reading.scopes import Scope

_KINDS: Final[Mapping[str, StatementKind]] = {
    "INSERT": "insert",
    "REPLACE": "insert",
    "UPDATE": "update",
    "DELETE": "delete",
    "MERGE": "merge",
}


def read_lone_query(reader: Reader) -> StatementKind:
    """Read a query or a change that is a statement, or most of one."""
    start = reader.position
    scope = Scope(None)
    read_query(reader, scope, reader.size)
    reader.finish(scope)
    reader.findings.queries.append(reader.tokens[start : min(reader.position, reader.size)])
    return _KINDS.get(scope.verb, "select")


def read_lone_expression(reader: Reader, *stops: str) -> None:
    """Read an expression that belongs to no query."""
    scope = Scope(None)
    reader.controlling = True
    read_expression(reader, scope, reader.size, stops=reader.verbs.union(stops))
    reader.controlling = False
    reader.finish(scope)


def read_unknown(reader: Reader) -> StatementKind:
    """What may do anything."""
    reader.findings.unknown("what a statement runs that is not in the text", "both")
    reader.skip_to_semicolon()
    return "other"
