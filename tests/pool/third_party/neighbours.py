"""Careless neighbours: each opens a connection, leaves something of its own in it, and goes away."""

from __future__ import annotations

import contextlib
import itertools
import sqlite3
from collections.abc import Callable
from typing import Any

Mess = Callable[[Any], object]
"""Does something to a connection; what it returns is kept for as long as the neighbour is there."""

_NUMBERS = "WITH RECURSIVE n(x) AS (VALUES (1) UNION ALL SELECT x + 1 FROM n LIMIT 100) SELECT x FROM n"


def _begin(connection: Any) -> None:
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("CREATE TABLE neighbour (note TEXT, data BLOB)")
    connection.executemany("INSERT INTO neighbour VALUES (?, zeroblob(9))", [("one",), ("two",), ("three",)])


# -- what the session keeps until it ends ------------------------------------------------------------------


def _own_row_factory(connection: Any) -> None:
    connection.row_factory = lambda cursor, row: "a row of the neighbour's"


def _own_text_factory(connection: Any) -> None:
    connection.text_factory = lambda text: "a text of the neighbour's"


def _functions(connection: Any) -> None:
    for name, arguments in (("abs", 1), ("length", 1), ("lower", 1), ("typeof", 1)):
        connection.create_function(name, arguments, lambda value: "the neighbour's")


def _aggregate(connection: Any) -> None:
    class Last:
        def step(self, *values: Any) -> None:
            """Take no notice."""

        def finalize(self) -> str:
            return "the neighbour's"

    for name in ("count", "sum", "max"):
        connection.create_aggregate(name, 1, Last)


def _collation(connection: Any) -> None:
    connection.create_collation("nocase", lambda one, other: 0)
    connection.create_collation("mycoll", lambda one, other: 0)


def _authorizer(connection: Any) -> None:
    allowed = (sqlite3.SQLITE_TRANSACTION, sqlite3.SQLITE_PRAGMA)
    connection.set_authorizer(lambda action, *facts: int(action not in allowed))


def _progress_handler(connection: Any) -> None:
    connection.set_progress_handler(lambda: 1, 1)


def _trace(connection: Any) -> None:
    connection.set_trace_callback(lambda statement: None)


def _limit(connection: Any) -> None:
    connection.setlimit(sqlite3.SQLITE_LIMIT_SQL_LENGTH, 10)
    connection.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, 0)


def _configuration(connection: Any) -> None:
    newer: Any = sqlite3  # 3.12
    connection.setconfig(newer.SQLITE_DBCONFIG_ENABLE_TRIGGER, False)
    connection.setconfig(newer.SQLITE_DBCONFIG_ENABLE_FKEY, True)


def _another_database(connection: Any) -> None:
    other = sqlite3.Connection(":memory:")
    other.execute("CREATE TABLE test (of_the_neighbour)")
    connection.deserialize(other.serialize())
    other.close()


def _attached(connection: Any) -> None:
    connection.execute("ATTACH ':memory:' AS attached")
    connection.execute("CREATE TABLE attached.test (of_the_neighbour)")
    connection.commit()


def _pragmas(connection: Any) -> None:
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA case_sensitive_like = ON")
    connection.executescript(
        "PRAGMA temp_store = MEMORY; PRAGMA recursive_triggers = ON; PRAGMA query_only = ON"
    )


def _temporary(connection: Any) -> None:
    connection.execute("CREATE TEMPORARY TABLE test (of_the_neighbour)")
    connection.execute("CREATE TEMP VIEW foo AS SELECT 'the neighbour''s'")
    connection.commit()


# -- what a pool can undo ----------------------------------------------------------------------------------


def _insert(connection: Any) -> None:
    _begin(connection)


def _savepoint(connection: Any) -> None:
    connection.execute("SAVEPOINT neighbour")
    connection.execute("CREATE TABLE neighbour (note TEXT)")


def _blob(connection: Any) -> object:
    _begin(connection)
    return connection.blobopen("neighbour", "data", 1)


def _half_read(connection: Any) -> object:
    cursor = connection.execute(_NUMBERS)
    cursor.fetchone()
    return cursor


def _half_read_of_a_table(connection: Any) -> object:
    _begin(connection)
    cursor = connection.cursor()
    cursor.execute("SELECT note FROM neighbour")
    return cursor, next(cursor)


def _half_dumped(connection: Any) -> object:
    _begin(connection)
    dump = connection.iterdump()
    next(dump)
    return dump


def _half_copied(connection: Any) -> None:
    def stop(*facts: Any) -> None:
        raise RuntimeError

    _begin(connection)
    with contextlib.closing(sqlite3.Connection(":memory:")) as target:
        connection.backup(target, pages=1, progress=stop)


def _errors(connection: Any) -> None:
    _begin(connection)
    for wrong in ("SELECT nothing", "INSERT INTO neighbour (rowid) VALUES (1)", "SELECT FROM"):
        with contextlib.suppress(sqlite3.Error):
            connection.execute(wrong)


def _failed_with(connection: Any) -> None:
    with connection:
        _begin(connection)
        raise RuntimeError


def _cursor_settings(connection: Any) -> object:
    cursor = connection.execute(_NUMBERS)
    cursor.arraysize = 99
    cursor.row_factory = sqlite3.Row
    return cursor


def _settings(connection: Any) -> None:
    connection.row_factory = sqlite3.Row
    connection.text_factory = bytes
    connection.isolation_level = "EXCLUSIVE"
    _begin(connection)


def _no_transactions(connection: Any) -> None:
    connection.isolation_level = None
    connection.text_factory = bytearray
    _begin(connection)


def _autocommit(connection: Any) -> None:
    if hasattr(connection, "autocommit"):  # 3.12
        connection.autocommit = True
    _begin(connection)


def _no_autocommit(connection: Any) -> None:
    if hasattr(connection, "autocommit"):
        connection.autocommit = False
    else:
        connection.execute("BEGIN IMMEDIATE")
    connection.execute("CREATE TABLE neighbour (note TEXT)")


LASTING: tuple[Mess, ...] = (
    _own_row_factory, _own_text_factory, _functions, _aggregate, _collation, _authorizer, _progress_handler,
    _trace, _limit, _configuration, _another_database, _attached, _pragmas, _temporary,
)  # fmt: skip
PASSING: tuple[Mess, ...] = (
    _insert, _savepoint, _blob, _half_read, _half_read_of_a_table, _half_dumped, _half_copied, _errors,
    _failed_with, _cursor_settings, _settings, _no_transactions, _autocommit, _no_autocommit,
)  # fmt: skip


def come_and_go(connect: Callable[[], Any], number: int) -> None:
    """One neighbour that leaves what lasts, and then all that leave what passes.

    With a pool that has nothing against it they all have the same connection, and the next one to connect
    has it after them. Another lasting mess behind the first would hide it: for that the pool might part with
    the connection.

    What one cannot do (in a database that may only be read, say) it leaves.

    Args:
        connect: opens a connection.
        number: which of the messes that last; they take turns.
    """
    messes = (LASTING[number % len(LASTING)], *PASSING)
    for mess, closes in zip(messes, itertools.cycle((True, False))):
        with contextlib.suppress(sqlite3.Error, RuntimeError, AttributeError):
            _visit(connect(), mess, closes)


def _visit(connection: Any, mess: Mess, closes: bool) -> None:
    # One of sqlite3's own that is dropped would keep its locks until the garbage collector finds it.
    is_bare = type(connection) is connection.__class__
    try:
        kept = mess(connection)
    finally:
        if closes or is_bare:
            connection.close()
    del kept
