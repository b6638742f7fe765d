"""A table of 200 rows and 12 columns, as WATS shows its connections."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

ROWS = 200
_COLUMNS = (
    *("id INTEGER", "name VARCHAR(80)", "address VARCHAR(40)", "account VARCHAR(40)", "word VARCHAR(40)"),
    *("team VARCHAR(40)", "kind VARCHAR(10)", "note VARCHAR(80)", "client VARCHAR(80)", "extra VARCHAR(40)"),
    *("port INTEGER", "active INTEGER"),
)
QUERY = "SELECT * FROM measured ORDER BY id"


def rows() -> list[tuple[Any, ...]]:
    """What stands in the table; no two texts are one object."""
    return [
        (
            *(number, f"server {number}", f"10.0.0.{number % 256}", f"account {number}", f"word {number}"),
            *(f"team {number % 9}", "rdp", f"note {number}", f"client {number % 30}", None),
            *(3389 + number % 5, number % 2),
        )
        for number in range(ROWS)
    ]


def names() -> list[str]:
    """Of its columns."""
    return [column.partition(" ")[0] for column in _COLUMNS]


def create(connect: Callable[[], Any]) -> None:
    """Make the table."""
    with contextlib.closing(connect()) as connection:
        cursor = connection.cursor()
        cursor.execute(f"CREATE TABLE measured ({', '.join(_COLUMNS)})")
        cursor.executemany(f"INSERT INTO measured VALUES ({', '.join('?' * len(_COLUMNS))})", rows())
        connection.commit()
