"""SQLite as an oracle: its authoriser is told of every table and column that a statement touches."""

from __future__ import annotations

import contextlib
import re
import sqlite3
from collections.abc import Iterator, Sequence
from random import Random

from statement_words import Relation
from truth import Seen, Truth


class RefusedError(Exception):
    """SQLite does not take the statement."""


def _defines(statement: str, name: str) -> bool:
    """Whether there is a CTE of that name."""
    pattern = rf"{re.escape(name)}[\]\"`]?\s*(\([^()]*\)\s*)?AS\s*(MATERIALIZED\s*)?\("
    return re.search(pattern, statement, re.IGNORECASE) is not None


def _quoted(name: str) -> str:
    return f'"{name}"'


def _allow(*_: object) -> int:
    return sqlite3.SQLITE_OK


class SqliteOracle:
    """A database in memory with some tables, which tells what statements do.

    In every other table the key is what SQLite calls the row's id, too.
    """

    def __init__(self, tables: Sequence[Relation]) -> None:
        self._names = {table.name.casefold() for table in tables}
        self._seen = Seen()
        self._connection = sqlite3.connect(":memory:", isolation_level=None)
        random = Random(len(tables))
        for table in tables:
            key, *others = map(_quoted, table.columns)
            kind = random.choice(("INTEGER PRIMARY KEY", "INTEGER UNIQUE"))
            self._connection.execute(
                f"CREATE TABLE {_quoted(table.name)} ({key} {kind}, {', '.join(others)})"
            )
            values = ", ".join(str(number) for number, _ in enumerate(table.columns))
            self._connection.execute(f"INSERT INTO {_quoted(table.name)} VALUES ({values})")

    def also(self, *definitions: str) -> None:
        """Execute what defines more than tables."""
        for definition in definitions:
            self._connection.execute(definition)

    def close(self) -> None:
        """Let the database go."""
        self._connection.close()

    def truth(self, statement: str) -> Truth:
        """Execute one statement, tell what it does, and undo it.

        Raises:
            RefusedError: it is none.
        """
        self._seen = Seen()
        with self._watched():
            try:
                self._connection.execute(statement).fetchall()
            except sqlite3.IntegrityError:
                pass  # it was taken, and what it does is told before it runs
            except sqlite3.Error as error:
                raise RefusedError(str(error)) from error
        for name in self._names:
            # Of a CTE that is only counted the authoriser is told as of a table.
            if not self._seen.reads.get(name, {""}) and _defines(statement, name):
                del self._seen.reads[name]
        return self._seen.truth()

    @contextlib.contextmanager
    def _watched(self) -> Iterator[None]:
        self._connection.execute("BEGIN")
        self._connection.set_authorizer(self._note)
        try:
            yield
        finally:
            self._connection.set_authorizer(_allow)  # None is refused before Python 3.11
            if self._connection.in_transaction:  # OR ROLLBACK has ended it
                self._connection.execute("ROLLBACK")

    def _note(self, action: int, table: str | None, column: str | None, *_: str | None) -> int:
        # Table-valued functions and the list of all tables are nobody's.
        if table is not None and table.casefold() in self._names:
            if action == sqlite3.SQLITE_READ:
                self._seen.read(table, column or "")
            elif action == sqlite3.SQLITE_UPDATE:
                self._seen.updates.setdefault(table, set()).add(column or "")
            elif action == sqlite3.SQLITE_INSERT:
                self._seen.others.add((table, "insert"))
            elif action == sqlite3.SQLITE_DELETE:
                self._seen.others.add((table, "delete"))
        return sqlite3.SQLITE_OK
