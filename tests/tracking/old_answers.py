"""Whether the small shop answers as its database does."""

from __future__ import annotations

import sqlite3
from typing import Any

TRUTH = {
    "names": "SELECT name FROM item ORDER BY id",
    "prices": "SELECT price FROM item ORDER BY id",
    "notes": "SELECT text FROM note ORDER BY rowid",
}


def rows(shop: Any, sql: str) -> list[Any]:
    """What the database says, asked past everything that is patched."""
    connection = sqlite3.Connection(shop.database, timeout=5)
    try:
        return connection.execute(sql).fetchall()
    finally:
        connection.close()


def fill(shop: Any, *names: str) -> None:
    """Have these answers stored, and see that they are."""
    for name in names or tuple(TRUTH):
        getattr(shop, name)()
        runs = shop.runs[name]
        getattr(shop, name)()
        assert shop.runs[name] == runs, f"{name} is not cached"


def old_answers(shop: Any) -> set[str]:
    """The methods that do not answer as the database does."""
    return {name for name, sql in TRUTH.items() if getattr(shop, name)() != rows(shop, sql)}
