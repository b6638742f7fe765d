"""Beginnings: whether a query is next, in parentheses or not."""

from __future__ import annotations

from wats_accel.sql.reading.reader import Reader
from wats_accel.sql.reading.words import CHANGES, QUERIES, SET_OPERATORS


def begins_query(reader: Reader) -> bool:
    """Whether what is next begins a query, or a change that gives rows."""
    key, following = reader.key, reader.ahead()
    if key in QUERIES:
        return not (key == "TABLE" and following == "(")
    return key in CHANGES and following not in ("(", ",", ")", ".", "=")


def holds_query(reader: Reader, close: int) -> bool:
    """Whether the parentheses that are next hold a query, and no tables that are joined or operands."""
    start = reader.position
    depth = 1
    while reader.ahead(depth) == "(":
        depth += 1
    reader.position = start + depth
    found = begins_query(reader)
    reader.position = start + 1
    inner = reader.closing()
    reader.position = start
    if depth == 1 or not found:
        return found
    following = reader.tokens[min(inner + 1, close)].key
    return (
        inner + 1 >= close or following in SET_OPERATORS or following in ("ORDER", "LIMIT", "OFFSET", "FETCH")
    )
