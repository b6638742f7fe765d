"""A small application: reads of two tables, writes by statements of all kinds. It counts its own runs."""

from __future__ import annotations

import sqlite3
from collections import Counter
from typing import Any

SCHEMA = """
CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT, price INTEGER, seen INTEGER);
CREATE TABLE note (text TEXT, item INTEGER REFERENCES item (id) DEFERRABLE INITIALLY DEFERRED);
INSERT INTO item VALUES (1, 'bolt', 10, 0), (2, 'nut', 5, 0);
"""


class Shop:
    """Each read opens a connection of its own and drops it, as many legacy applications do."""

    def __init__(self, database: str) -> None:
        self.database = database
        self.runs: Counter[str] = Counter()

    def connect(self, **options: Any) -> Any:
        """A connection that commits each statement, unless told otherwise."""
        return sqlite3.connect(self.database, **{"isolation_level": None, "timeout": 5.0, **options})

    def query(self, name: str, sql: str, *values: object) -> list[Any]:
        """The rows of a query that a method runs."""
        self.runs[name] += 1
        connection = self.connect()
        try:
            return [tuple(row) for row in connection.execute(sql, values).fetchall()]
        finally:
            connection.close()

    # reads

    def names(self) -> list[Any]:
        """Of one column."""
        return self.query("names", "SELECT name FROM item ORDER BY id")

    def prices(self) -> list[Any]:
        """Of another one."""
        return self.query("prices", "SELECT price FROM item ORDER BY id")

    def total(self) -> int:
        """Of rows as such."""
        return int(self.query("total", "SELECT COUNT(*) FROM item")[0][0])

    def notes(self) -> list[Any]:
        """Of another table."""
        return self.query("notes", "SELECT text FROM note ORDER BY rowid")

    def listing(self) -> tuple[list[Any], list[Any]]:
        """Made from two other answers."""
        self.runs["listing"] += 1
        return self.names(), self.notes()

    def found_or_made(self, name: str) -> list[Any]:
        """A read that writes when there is nothing to be read."""
        found = self.query("found_or_made", "SELECT id FROM item WHERE name = ?", name)
        if not found:
            self.write("INSERT INTO item (name) VALUES (?)", name)
            found = self.query("found_or_made", "SELECT id FROM item WHERE name = ?", name)
        return found

    def fixed(self) -> int:
        """No statement at all."""
        self.runs["fixed"] += 1
        return self.runs["fixed"]

    # writes

    def write(self, sql: str, *values: object) -> None:
        """One statement, committed at once."""
        connection = self.connect()
        try:
            connection.execute(sql, values)
        finally:
            connection.close()
