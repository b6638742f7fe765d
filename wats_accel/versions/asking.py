"""Asking: one statement on a connection that commits by itself."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from typing import Any


def commit_by_itself(connection: Any) -> None:
    """Have no transaction stay open after a statement: in it, a snapshot would stay the same for ever.

    DB-API modules agree on the attribute; sqlite3 before Python 3.12 has none, and begins no transaction
    for what is only read.
    """
    if hasattr(connection, "autocommit"):
        connection.autocommit = True


def rows_of(connection: Any, statement: str, values: Sequence[object] = ()) -> list[Sequence[Any]]:
    """All rows that a statement gives."""
    with closing(connection.cursor()) as cursor:
        # Some drivers take an empty list of values for values.
        cursor.execute(statement, values) if values else cursor.execute(statement)
        return list(cursor.fetchall())


def run(connection: Any, statement: str) -> None:
    """Run a statement whose rows, if it gives any, are of no interest."""
    with closing(connection.cursor()) as cursor:
        cursor.execute(statement)
