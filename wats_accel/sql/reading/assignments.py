"""Assignments: what stands behind SET, in UPDATE, MERGE and upserts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from wats_accel.sql.access import ANY
from wats_accel.sql.reading.expressions import read_expression
from wats_accel.sql.reading.lexer import SIGN, VARIABLE
from wats_accel.sql.reading.reader import Reader
from wats_accel.sql.reading.scopes import Scope, Source

_ASSIGNED_ENDS: Final = frozenset({",", "WHEN", "OUTPUT"})


def read_assignments(reader: Reader, scope: Scope, end: int) -> set[tuple[str, ...]]:
    """Read ``a = 1, (b, c) = (2, 3)``. Returns the names that are set; ``*`` if one cannot be told."""
    assigned: set[tuple[str, ...]] = set()
    while reader.position < end:
        assigned |= _read_target(reader, scope, end)
        reader.findings.columns.update(*assigned)
        read_expression(reader, scope, end, stops=_ASSIGNED_ENDS)
        if not reader.accept(","):
            break
    return assigned


def _read_target(reader: Reader, scope: Scope, end: int) -> set[tuple[str, ...]]:
    """Read what stands before the sign that assigns, and that."""
    if reader.token.kind == VARIABLE:
        reader.position += 1
        _read_assigning(reader, scope, end)
        if reader.names_follow(end) and _is_assigned(reader, end):
            return _read_target(reader, scope, end)
        return set()
    if reader.key == "(":
        close = min(reader.closing(), end)
        reader.position += 1
        found = set()
        while reader.position < close:
            if reader.names_follow(close):
                found.add(reader.chain(close))
            else:
                reader.position += 1
        reader.position = min(close + 1, reader.size)
        _read_assigning(reader, scope, end)
        return found
    if not reader.names_follow(end):
        return {(ANY,)}
    parts = reader.chain(end)
    if parts[-1] == "write" and reader.key == "(" and len(parts) > 1:
        return {parts[:-1]}  # .WRITE(...) of SQL Server; what is inside is read next
    if reader.key == "(" or parts == ("row",):
        return {(ANY,)}
    if not (reader.key == "=" or (reader.key == ":" and reader.ahead() == "=")):
        scope.use(parts)
    _read_assigning(reader, scope, end)
    return {parts}


def _is_assigned(reader: Reader, end: int) -> bool:
    """Whether the name that is next is set: @x = name = value."""
    position = reader.position
    reader.chain(end)
    found = reader.key == "="
    reader.position = position
    return found


def _read_assigning(reader: Reader, scope: Scope, end: int) -> None:
    """Read up to the sign, subscripts before it as well."""
    while reader.position < end and reader.key != "=":
        if (reader.key in (",", ";") or reader.token.kind != SIGN) and reader.ahead(-1) != "[":
            return
        reader.position += 1
        if reader.ahead(-1) == "[":
            while reader.position < end and reader.key not in ("]", "=", ";"):
                if reader.names_follow(end):
                    scope.use(reader.chain(end))
                else:
                    reader.position += 1
    if reader.position < end:
        reader.position += 1


def columns_of(assigned: Iterable[tuple[str, ...]], targets: list[Source]) -> frozenset[str]:
    """The columns that are set: of ``a.b`` both, unless the target is called a."""
    names = {source.alias for source in targets} | {source.table for source in targets}
    found: set[str] = set()
    for parts in assigned:
        found.add(parts[-1])
        if len(parts) > 1 and parts[-2] not in names:
            found.update(parts)
    return frozenset(found)
