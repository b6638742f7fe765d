"""A small application over sqlite3: the one that the fault matrix runs. It counts the runs of its methods."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Mapping
from typing import Any

from wats_accel.versions.ddl import script

SCHEMA = """
DROP TABLE IF EXISTS book;
DROP TABLE IF EXISTS loan;
CREATE TABLE book (id INTEGER PRIMARY KEY, title TEXT, shelf INTEGER);
CREATE TABLE loan (book INTEGER, reader TEXT);
INSERT INTO book VALUES (1, 'Emma', 1), (2, 'Ulysses', 1), (3, 'Walden', 2);
INSERT INTO loan VALUES (1, 'ada'), (1, 'bob');
"""
_WATCHING = str(script("sqlite", ["book", "loan"]))
BOOKS = (1, 2, 3)
READS = ("title", "listing", "details", "summary", "missing", "opened", "count", "checked", "tried")
WRITES = ("rename", "lend", "rename_badly", "rename_all")


class Shelves:
    """Books on shelves. Each method opens a connection of its own, as many legacy applications do."""

    def __init__(self, database: str) -> None:
        self.database = database
        self.runs: Counter[str] = Counter()
        self.in_title: Any = None  # called in the middle of `title`, once

    def connect(self, **options: Any) -> Any:
        """A connection that commits each statement, unless told otherwise."""
        return sqlite3.connect(self.database, **{"isolation_level": None, "timeout": 0.5, **options})

    def _rows(self, sql: str, *values: object) -> list[Any]:
        connection = self.connect()
        try:
            return connection.execute(sql, values).fetchall()
        finally:
            connection.close()

    # reads

    def title(self, book: int) -> str:
        """An answer that nobody can change."""
        self.runs["title"] += 1
        found = str(self._rows("SELECT title FROM book WHERE id = ?", book)[0][0])
        meanwhile, self.in_title = self.in_title, None
        if meanwhile is not None:
            meanwhile()
        return found

    def listing(self, shelf: int = 1) -> list[dict[str, Any]]:
        """An answer of flat dictionaries."""
        self.runs["listing"] += 1
        rows = self._rows("SELECT id, title FROM book WHERE shelf = ? ORDER BY id", shelf)
        return [{"id": row[0], "title": row[1]} for row in rows]

    def details(self, book: int) -> dict[str, Any]:
        """An answer that needs a deep copy."""
        self.runs["details"] += 1
        readers = {row[0] for row in self._rows("SELECT reader FROM loan WHERE book = ?", book)}
        return {"book": book, "readers": readers, "title": [self._rows("SELECT title FROM book")[0][0]]}

    def summary(self, shelf: int = 1) -> tuple[Any, ...]:
        """An answer that is made from others."""
        self.runs["summary"] += 1
        return tuple((known["id"], self.title(known["id"])) for known in self.listing(shelf))

    def missing(self, book: int) -> Any:
        """A read that always fails in the driver."""
        self.runs["missing"] += 1
        return self._rows("SELECT 1 FROM nowhere WHERE id = ?", book)

    def opened(self) -> int:
        """An answer that is known to change at a certain time."""
        self.runs["opened"] += 1
        return int(self._rows("SELECT COUNT(*) FROM book")[0][0])

    def count(self) -> int:
        """An answer that is renewed ahead of time."""
        self.runs["count"] += 1
        return int(self._rows("SELECT COUNT(*) FROM loan")[0][0])

    def checked(self, book: int) -> list[str]:
        """An answer that is verified each time."""
        self.runs["checked"] += 1
        return [row[0] for row in self._rows("SELECT title FROM book WHERE id = ?", book)]

    def tried(self, book: int) -> list[str]:
        """An answer that is cached in the shadow only."""
        self.runs["tried"] += 1
        return [row[0] for row in self._rows("SELECT title FROM book WHERE id = ?", book)]

    # writes

    def rename(self, book: int, title: str) -> tuple[bool, str]:
        """One statement, committed at once."""
        self.runs["rename"] += 1
        self._rows("UPDATE book SET title = ? WHERE id = ?", title, book)
        return True, "renamed"

    def lend(self, book: int, reader: str) -> tuple[bool, str]:
        """A transaction of two statements."""
        self.runs["lend"] += 1
        connection = self.connect(isolation_level="DEFERRED")
        try:
            connection.execute("INSERT INTO loan VALUES (?, ?)", (book, reader))
            connection.execute("UPDATE book SET title = title || '!' WHERE id = ?", (book,))
            connection.commit()
        finally:
            connection.close()
        return True, "lent"

    def rename_badly(self, book: int, title: str) -> None:
        """A write that has written when it raises."""
        self.runs["rename_badly"] += 1
        self._rows("UPDATE book SET title = ? WHERE id = ?", title, book)
        raise ValueError("it was written all the same", book)

    def rename_all(self, titles: dict[int, str]) -> int:
        """A write that consists of others."""
        self.runs["rename_all"] += 1
        self.title(1)
        return sum(self.rename(book, title)[0] for book, title in titles.items())


def next_change(shelves: Shelves) -> float:
    """When `opened` changes: far from now."""
    return 4_000_000_000.0


def reset(database: str, *, watched: bool = False) -> None:
    """Have the database as it was at first; `watched`: with triggers that note which tables change."""
    connection = sqlite3.Connection(database)
    connection.executescript(f"PRAGMA synchronous = OFF; BEGIN; {SCHEMA} COMMIT;")
    if watched:
        connection.executescript(_WATCHING)
    connection.close()


def config(
    *, pooled: bool, invalidation: str, plugins: list[str], level: str, more: Mapping[str, Any]
) -> dict[str, Any]:
    """The configuration of the application, which is the module ``legacy_app``; `more`: further sections."""
    one = ["books:title:{book}", "books:details:*", "books:listing:*", "books:summary:*"]
    one += ["books:checked:{book}", "books:tried:{book}"]
    return {
        "version": 1,
        "logging": {"level": level, "summary_every": "1h"},
        "plugins": {"load": plugins},
        "pool": [{"connect": "sqlite3:connect", "size": 2, "timeout": 0.05}] if pooled else [],
        "invalidation": invalidation,
        "sql": {"assume_plain_tables": True},
        **more,
        "cache": {
            "default_ttl": 600,
            "wait_timeout": 0.02,
            "namespaces": {
                "books": {"max_entries": 7, "max_bytes": 100_000},
                "other": {"refresh_ahead": 0.5},
            },
        },
        "repositories": [
            {
                "target": "legacy_app:Shelves",
                "scope": "self.database",
                "cached": {
                    **dict.fromkeys(("listing", "summary", "missing"), "books"),
                    "title": {"namespace": "books", "reads": ["book"]},
                    "details": {"namespace": "books", "reads": ["loan", "book"]},
                    "opened": {"namespace": "books", "valid_until": "legacy_app:next_change"},
                    "count": {"namespace": "other", "reads": ["loan"]},
                    "checked": {"namespace": "books", "verify": {"sample": "100%"}},
                    "tried": {"namespace": "books", "shadow": True},
                },
                "invalidates": {
                    "rename": one,
                    "lend": {"patterns": ["books:*", "other:*"], "when": "truthy"},
                    "rename_badly": one,
                    "rename_all": ["books:*"],
                },
            }
        ],
    }
