"""The application: registers in a table, each overwritten as a whole; and what speeds it up.

The database numbers the writes of a register: a row is locked from the update to the commit, so the order of
the versions is that of the commits. Whoever knows the version of an answer knows which writes it contains.
"""

from __future__ import annotations

import threading
import time
from contextlib import ExitStack, closing
from typing import Any

import pyodbc

SCHEMA = """
DROP TABLE IF EXISTS register;
CREATE TABLE register (id INTEGER PRIMARY KEY, version BIGINT NOT NULL, token BIGINT NOT NULL);
"""

VERSION_TABLE = "version-table"
_LIST_SECONDS = 0.02

Row = tuple[int, int, int]
"""The number of a register, its version, and the token that its last writer has put there."""


class Spent(threading.local):
    """How long this thread was inside the application's own code, in nanoseconds."""

    nanoseconds = 0
    runs = 0


spent = Spent()


class Registers:
    """The usual repository.

    Args:
        database: the ODBC string.
    """

    def __init__(self, database: str) -> None:
        self.database = database

    def read(self, number: int) -> Row:
        """One register."""
        began = time.monotonic_ns()
        try:
            with closing(pyodbc.connect(self.database)) as connection:
                found = connection.execute("SELECT id, version, token FROM register WHERE id = ?", number)
                row = found.fetchone()
                return int(row[0]), int(row[1]), int(row[2])
        finally:
            _note(began)

    def read_all(self) -> list[Row]:
        """All of them, in the order of their numbers."""
        began = time.monotonic_ns()
        try:
            with closing(pyodbc.connect(self.database)) as connection:
                found = connection.execute("SELECT id, version, token FROM register ORDER BY id")
                return [(int(row[0]), int(row[1]), int(row[2])) for row in found.fetchall()]
        finally:
            _note(began)

    def list_of(self, name: str) -> list[Row]:
        """A list that is the same for everybody, under one of several names; it takes a while."""
        began = time.monotonic_ns()
        try:
            with closing(pyodbc.connect(self.database)) as connection:
                found = connection.execute("SELECT id, version, token FROM register ORDER BY id")
                time.sleep(_LIST_SECONDS)
                return [(int(row[0]), int(row[1]), int(row[2])) for row in found.fetchall()]
        finally:
            _note(began)

    def write(self, number: int, token: int) -> int:
        """Overwrite a register; gives the version that it has then."""
        began = time.monotonic_ns()
        try:
            with closing(pyodbc.connect(self.database)) as connection:
                connection.execute(
                    "UPDATE register SET version = version + 1, token = ? WHERE id = ?", token, number
                )
                found = connection.execute("SELECT version FROM register WHERE id = ?", number).fetchone()
                connection.commit()
                return int(found[0])
        finally:
            _note(began)


def _note(began: int) -> None:
    spent.nanoseconds += time.monotonic_ns() - began
    spent.runs += 1


def open_connections(database: str, count: int) -> None:
    """Have a pool open so many, and each of them run a statement."""
    with ExitStack() as opened:
        for _ in range(count):
            connection = opened.enter_context(closing(pyodbc.connect(database)))
            connection.execute("SELECT count(*) FROM register").fetchone()


def create(database: str, registers: int) -> None:
    """The table, with that many registers, all of version 0."""
    with closing(pyodbc.connect(database, autocommit=True)) as connection:
        for statement in SCHEMA.strip().split(";"):
            if statement.strip():
                connection.execute(statement)
        connection.cursor().executemany(
            "INSERT INTO register VALUES (?, 0, 0)", [(n,) for n in range(registers)]
        )


def watch(database: str) -> None:
    """Have the database keep versions of the table."""
    from wats_accel.versions.ddl import script

    with closing(pyodbc.connect(database, autocommit=True)) as connection:
        for statement in script("postgresql", ["register"]).statements:
            connection.execute(statement)


def configuration(
    mode: str, tier: str, url: str, *, times: dict[str, str], connections: int, plugin: str
) -> dict[str, Any]:
    """What accelerates it.

    Args:
        mode: `rules` or `sql`.
        tier: `shared` or `backplane-only`; or `version-table`: then the database is followed, and no server.
        url: of the server, or of the database that is followed.
        times: of the section `shared` or `freshness`.
        connections: that each process may have.
        plugin: the file of a plugin.
    """
    document: dict[str, Any] = {
        "version": 1,
        "invalidation": mode,
        "plugins": {"load": [plugin]},
        "pool": [{"connect": "pyodbc:connect", "size": connections, "max_overflow": 0, "timeout": "30s"}],
        "cache": {"namespaces": {"registers": {"ttl": "10m"}, "lists": {"ttl": "10m"}}},
        "repositories": [
            {
                "target": "cluster_registers:Registers",
                "scope": "self.database",
                "cached": {"read": "registers", "read_all": "registers", "list_of": "lists"},
                "invalidates": {
                    "write": ["registers:read:{number}", "registers:read_all:*", "lists:list_of:*"]
                },
            }
        ],
    }
    if tier == VERSION_TABLE:
        document["freshness"] = {
            "dialect": "postgresql",
            "connect": "pyodbc:connect",
            "connection": url,
            "poll": "200ms",
            "isolated_ttl": times["isolated_ttl"],
        }
    else:
        document["shared"] = {
            "url": url, "prefix": "cluster", "tier": tier, "arguments_in_clear": True, **times
        }  # fmt: skip
    if tier == "shared":
        document["shared"]["namespaces"] = ["registers", "lists"]
    if mode == "sql":
        document["sql"] = {"tables": {"register": ["id", "version", "token"]}}
    return document
