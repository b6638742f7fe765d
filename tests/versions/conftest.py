"""Databases that tell which of their tables have changed: SQLite by two drivers, and PostgreSQL."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from wats_accel.versions.ddl import script
from wats_accel.versions.version_table import VersionTable

SQLITE3, SQLITE_ODBC, POSTGRESQL = "sqlite3", "sqlite-odbc", "postgresql"
_CLEAR = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid();
DROP SCHEMA public CASCADE; CREATE SCHEMA public
"""
_TABLES = (
    "CREATE TABLE person (id INTEGER PRIMARY KEY, name TEXT)",
    "CREATE TABLE pet (id INTEGER PRIMARY KEY, owner INTEGER REFERENCES person (id) ON DELETE CASCADE)",
    "CREATE TABLE stone (id INTEGER PRIMARY KEY)",
)


@dataclass
class Versioned:
    """A database of three tables, of which one test uses what it likes.

    Attributes:
        address: what `connect` is given.
        outside: a connection that stays, for `run`; without one it opens another each time.
    """

    kind: str
    module: Any
    address: Any
    outside: Any = None
    _open: list[Any] = field(default_factory=list)

    @property
    def dialect(self) -> Any:
        return "postgresql" if self.kind == POSTGRESQL else "sqlite"

    def connect(self, *, autocommit: bool = True) -> Any:
        """A connection, closed after the test."""
        if self.module is sqlite3:
            made = sqlite3.connect(self.address, isolation_level=None if autocommit else "", timeout=30)
            made.execute("PRAGMA foreign_keys = ON")
        else:
            made = self.module.connect(self.address, autocommit=autocommit)
        self._open.append(made)
        return made

    def run(self, *statements: str) -> None:
        """On a connection that is nobody else's, as another process would."""
        connection = self.outside or self.connect()
        for statement in statements:
            connection.execute(statement)
        if connection is not self.outside:  # SQLite locks whole files
            connection.close()

    def watch(self, *tables: str, drop: bool = False, name: str = "wats_accel_versions") -> None:
        """Run the script for these tables."""
        self.run(*script(self.dialect, tables, name=name, drop=drop).statements)

    def begin(self, source: Any = None) -> Asked:
        """A source that has begun; by default of the version table."""
        return Asked(VersionTable(self.dialect) if source is None else source, self.connect(autocommit=False))

    def close(self) -> None:
        for connection in self._open:
            with contextlib.suppress(self.module.Error):
                connection.close()


class Asked:
    """A source and its connection: says what is new each time."""

    def __init__(self, source: Any, connection: Any) -> None:
        self.source = source
        self.connection = connection
        self.last = source.begin(connection)

    def poll(self) -> Any:
        """The next answer."""
        self.last = self.source.poll(self.connection)
        return self.last

    def changes(self) -> Any:
        """What has changed since the last answer: the names of tables, or everything."""
        earlier = self.last
        changes = self.poll().changes_since(earlier)
        return "everything" if changes.everything else sorted(changes.tables)


@pytest.fixture(scope="session")
def postgresql_for_versions(odbc: Any, postgresql: Any) -> Iterator[Any]:
    """A connection to a database of these tests' own, and the ODBC string for others."""
    with contextlib.closing(odbc.connect(postgresql.odbc(), autocommit=True)) as connection:
        connection.execute("CREATE DATABASE versioned")
    text: str = postgresql.odbc("versioned")
    with contextlib.closing(odbc.connect(text, autocommit=True)) as connection:
        yield connection, text


@pytest.fixture(params=[SQLITE3, SQLITE_ODBC, POSTGRESQL])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Versioned]:
    """A database with three tables and nothing in them."""
    made = _made(request, request.param, tmp_path / "versioned.db")
    try:
        made.run(*((_CLEAR,) if made.outside else ()), *_TABLES)
        yield made
    finally:
        made.close()


def _made(request: pytest.FixtureRequest, kind: str, file: Path) -> Versioned:
    if kind == SQLITE3:
        return Versioned(kind, sqlite3, str(file))
    module = request.getfixturevalue("odbc")
    if kind == SQLITE_ODBC:
        return Versioned(
            kind, module, request.getfixturevalue("sqlite_odbc")(file) + ";Timeout=30000;FKSupport=1"
        )
    outside, text = request.getfixturevalue("postgresql_for_versions")
    return Versioned(kind, module, text, outside)
