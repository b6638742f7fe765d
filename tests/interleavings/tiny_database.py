"""A tiny transactional database with a DB-API, on which a thread can be stopped before and after each step.

A real one would have threads wait for its locks where the scheduler does not see it. This one has two tables,
``a`` and ``b``, with one row each; every writer has a column of its own. Readers see what is committed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from actors import point

Row = dict[str, int]


class Error(Exception):
    """The driver's."""


class Database:
    """What is committed."""

    def __init__(self, writers: list[str]) -> None:
        self.tables: dict[str, Row] = {table: dict.fromkeys(writers, 0) for table in "ab"}

    def connect(self, *, autocommit: bool = True) -> Connection:
        """A connection, as a driver's `connect` gives it."""
        return Connection(self, autocommit=autocommit)


class Connection:
    """What is not committed yet, if it does not commit each statement."""

    def __init__(self, database: Database, *, autocommit: bool) -> None:
        self.autocommit = autocommit
        self._database = database
        self._uncommitted: dict[str, Row] = {}

    @property
    def in_transaction(self) -> bool:
        """Whether there is something to be committed."""
        return bool(self._uncommitted)

    def cursor(self) -> Cursor:
        """What executes."""
        return Cursor(self)

    def commit(self) -> None:
        """Show it to everybody, all at once."""
        point("database.commit")
        for table, changed in self._uncommitted.items():
            self._database.tables[table] |= changed
        self._uncommitted = {}
        point("database.was committed")

    def rollback(self) -> None:
        """Forget it."""
        point("database.roll back")
        self._uncommitted = {}

    def close(self) -> None:
        """Forget what is not committed."""
        self._uncommitted = {}

    def read(self, table: str) -> Row:
        """What is committed, and its own."""
        point("database.read")
        row = self._database.tables[table] | self._uncommitted.get(table, {})
        point("database.was read")
        return row

    def raise_by_one(self, table: str, column: str) -> None:
        """Change one column."""
        point("database.write")
        known = self._database.tables[table] | self._uncommitted.get(table, {})
        self._uncommitted.setdefault(table, {})[column] = known[column] + 1
        if self.autocommit:
            self._database.tables[table] |= self._uncommitted.pop(table)
        point("database.was written")


class Cursor:
    """Knows two statements: ``SELECT * FROM a`` and ``UPDATE a SET w = w + 1``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._row: Mapping[str, int] = {}

    def execute(self, sql: str) -> Cursor:
        """Do what a text says."""
        words = sql.split()
        if words[0] == "SELECT":
            self._row = self._connection.read(words[3])
        else:
            self._connection.raise_by_one(words[1], words[3])
        return self

    def fetchone(self) -> Any:
        """The row that was read."""
        return self._row

    def close(self) -> None:
        """Nothing is held."""
