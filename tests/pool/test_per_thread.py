"""One connection by name for all threads, one of its own for each: on PostgreSQL, through ODBC."""

from __future__ import annotations

import contextlib
import gc
import pickle
import sys
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest
from backends import outcome
from pool_bench import Bench, benched, in_thread

INSERT = "INSERT INTO note VALUES (?)"


@pytest.fixture
def manager(odbc: Any, empty_postgresql_database: str) -> Iterator[Any]:
    """What an application has: a module with a method that opens one connection, once."""
    module: Any = ModuleType("app_with_one_connection")

    class Manager:
        conn: Any = None

        def connection(self) -> Any:
            if self.conn is None or self.conn.closed:
                self.conn = odbc.connect(empty_postgresql_database)
                self.conn.autocommit = False
            return self.conn

    Manager.__module__, Manager.__qualname__ = module.__name__, "Manager"
    module.Manager = Manager
    sys.modules[module.__name__] = module
    with contextlib.closing(odbc.connect(empty_postgresql_database)) as connection:
        connection.execute("CREATE TABLE note (text VARCHAR(20))")
        connection.commit()
    yield Manager()
    del sys.modules[module.__name__]


@pytest.fixture
def outside(odbc: Any, empty_postgresql_database: str) -> Iterator[Any]:
    """A bare connection to the same database, that sees what is committed."""
    connection = odbc.connect(empty_postgresql_database, autocommit=True)
    yield connection
    connection.close()


@pytest.fixture
def make(
    odbc: Any, empty_postgresql_database: str, outside: Any, manager: Any
) -> Iterator[Callable[..., Bench]]:
    """The pool, with the rule for the manager's method."""
    with contextlib.ExitStack() as stack:

        def build(**rules: Any) -> Bench:
            per_thread = ["app_with_one_connection:Manager.connection"]
            made = benched(odbc, empty_postgresql_database, per_thread=per_thread, **rules)
            return stack.enter_context(made)

        yield build
        manager.conn = None
        gc.collect()


@pytest.fixture
def pool(make: Callable[..., Bench]) -> Bench:
    return make()


@pytest.fixture
def notes(outside: Any) -> Callable[[], list[str]]:
    """What is committed."""
    return lambda: [row[0] for row in outside.execute("SELECT text FROM note ORDER BY text").fetchall()]


def pid(connection: Any) -> int:
    return int(connection.execute("SELECT pg_backend_pid()").fetchone()[0])


# -- transactions ------------------------------------------------------------------------------------------


def test_all_threads_get_one_object_and_each_a_session_of_its_own(pool: Bench, manager: Any) -> None:
    here = manager.connection()
    assert in_thread(manager.connection) is here
    assert pid(here) != in_thread(lambda: pid(manager.connection()))
    assert pid(here) == pid(here)


@pytest.mark.parametrize("end", ["commit", "rollback"])
def test_a_thread_ends_its_own_transaction_and_no_other(
    pool: Bench, manager: Any, notes: Callable[[], list[str]], end: str
) -> None:
    connection = manager.connection()
    connection.execute(INSERT, "mine")

    def other() -> None:
        manager.connection().execute(INSERT, "other's")
        getattr(manager.connection(), end)()

    in_thread(other)
    assert notes() == (["other's"] if end == "commit" else [])
    connection.commit()
    assert notes() == (["mine", "other's"] if end == "commit" else ["mine"])


def test_with_commits_what_the_thread_has_done(
    pool: Bench, manager: Any, notes: Callable[[], list[str]]
) -> None:
    with manager.connection() as connection:
        assert connection is manager.connection()
        connection.execute(INSERT, "kept")
    assert notes() == ["kept"]
    assert outcome(insert_and_raise, manager.connection()).raised is LookupError
    assert notes() == ["kept"]


def insert_and_raise(connection: Any) -> None:
    with connection:
        connection.execute(INSERT, "lost")
        raise LookupError


def test_with_a_cursor_commits_as_the_driver_does(
    pool: Bench, manager: Any, notes: Callable[[], list[str]]
) -> None:
    with manager.connection().cursor() as cursor:
        cursor.execute(INSERT, "kept")
        assert cursor.connection is manager.connection()
    assert notes() == ["kept"]


def test_between_transactions_no_connection_is_out(pool: Bench, manager: Any) -> None:
    for _ in range(3):
        cursor = manager.connection().cursor()
        cursor.execute(INSERT, "x")
        assert pool.stats.checked_out == 1
        manager.connection().commit()
        del cursor
        assert pool.stats.checked_out == 0
    assert pool.stats.opened == 1


@pytest.mark.parametrize("end", ["commit", "rollback", "with"])
def test_a_cursor_ends_the_transaction_as_well(pool: Bench, manager: Any, end: str) -> None:
    cursor = manager.connection().cursor()
    if end == "with":
        with cursor:
            cursor.execute(INSERT, "x")
    else:
        cursor.execute(INSERT, "x")
        getattr(cursor, end)()
    assert pool.stats.checked_out == 1
    del cursor
    assert pool.stats.checked_out == 0


def test_to_end_nothing_takes_no_connection(pool: Bench, manager: Any) -> None:
    connection = manager.connection()
    with connection.cursor() as cursor:
        cursor.execute(INSERT, "x")
    taken = pool.stats.opened + pool.stats.reused
    assert (connection.commit(), connection.rollback()) == (None, None)
    assert pool.stats.opened + pool.stats.reused == taken
    with pytest.raises(TypeError):
        connection.commit("now")


def test_a_block_that_a_cursor_leaves_with_an_exception_ends_nothing(
    pool: Bench, manager: Any, notes: Callable[[], list[str]]
) -> None:
    assert outcome(insert_and_raise, manager.connection().cursor()).raised is LookupError
    gc.collect()
    assert pool.stats.checked_out == 1
    manager.connection().commit()
    assert notes() == ["lost"]


def test_a_cursor_that_is_kept_goes_on_in_the_next_transaction(
    pool: Bench, manager: Any, notes: Callable[[], list[str]]
) -> None:
    connection = manager.connection()
    cursor = connection.cursor()
    cursor.execute(INSERT, "first")
    connection.commit()
    cursor.execute(INSERT, "second")
    connection.execute(INSERT, "third")
    assert notes() == ["first"]
    connection.commit()
    assert notes() == ["first", "second", "third"]


def test_two_cursors_of_one_transaction_are_in_one_session(pool: Bench, manager: Any) -> None:
    one, two = manager.connection().cursor(), manager.connection().cursor()
    one.execute(INSERT, "x")
    assert two.execute("SELECT COUNT(*) FROM note").fetchone()[0] == 1


def test_what_a_thread_leaves_undone_goes_with_it(
    pool: Bench, manager: Any, notes: Callable[[], list[str]]
) -> None:
    in_thread(lambda: manager.connection().execute(INSERT, "forgotten"))
    manager.connection().commit()
    gc.collect()
    assert (notes(), pool.stats.checked_out) == ([], 0)


# -- settings and looks --------------------------------------------------------------------------------------


def test_a_setting_holds_for_all_threads(pool: Bench, manager: Any) -> None:
    connection = manager.connection()
    connection.maxwrite = 1_000
    assert in_thread(lambda: manager.connection().maxwrite) == 1_000
    connection.autocommit = True
    assert in_thread(lambda: manager.connection().autocommit) is True
    in_thread(lambda: manager.connection().execute(INSERT, "at once"))
    assert pool.connect().autocommit is False


def test_it_is_taken_for_the_drivers_connection(pool: Bench, manager: Any, odbc: Any) -> None:
    connection, bare = manager.connection(), pool.connect()
    assert isinstance(connection, odbc.Connection)
    assert type(connection).__name__ == "Connection"
    assert (dir(connection), connection.closed) == (dir(bare), False)
    assert repr(connection).startswith("<pyodbc.Connection object at 0x")
    assert connection.getinfo(odbc.SQL_DBMS_NAME) == "PostgreSQL"
    assert connection.searchescape == bare.searchescape
    with pytest.raises(TypeError, match=r"cannot pickle 'pyodbc\.Connection' object"):
        pickle.dumps(connection)
    with pytest.raises((AttributeError, TypeError)):
        del connection.autocommit


def test_once_closed_it_is_closed_for_all_and_the_application_opens_another(
    pool: Bench, manager: Any, odbc: Any, notes: Callable[[], list[str]]
) -> None:
    connection = manager.connection()
    connection.execute(INSERT, "not committed")
    connection.close()
    assert (connection.closed, in_thread(lambda: connection.closed)) == (True, True)
    with pytest.raises(odbc.ProgrammingError, match="closed connection"):
        connection.execute("SELECT 1")
    with pytest.raises(odbc.ProgrammingError, match="closed connection"):
        connection.commit()
    another = manager.connection()
    assert another is not connection
    another.execute(INSERT, "committed")
    another.commit()
    assert notes() == ["committed"]


# -- trouble -------------------------------------------------------------------------------------------------


def end_session(outside: Any, number: int) -> None:
    outside.execute("SELECT pg_terminate_backend(?, 20000)", number)


def test_a_lost_session_costs_its_thread_one_transaction(
    pool: Bench, manager: Any, odbc: Any, outside: Any, notes: Callable[[], list[str]]
) -> None:
    connection = manager.connection()
    connection.execute(INSERT, "lost")
    end_session(outside, pid(connection))
    with pytest.raises(odbc.Error):
        connection.execute(INSERT, "too late")
    with pytest.raises(odbc.Error):  # as bare: the rest of the transaction must not be taken for a whole one
        connection.execute(INSERT, "later still")
    with contextlib.suppress(odbc.Error):
        connection.rollback()
    connection.execute(INSERT, "next")
    connection.commit()
    assert notes() == ["next"]


def test_who_asks_for_the_connection_again_begins_anew_without_a_rollback(
    pool: Bench, manager: Any, odbc: Any, outside: Any, notes: Callable[[], list[str]]
) -> None:
    manager.connection().execute(INSERT, "lost")
    end_session(outside, pid(manager.connection()))
    with pytest.raises(odbc.Error):
        manager.connection().execute(INSERT, "too late")
    manager.connection().execute(INSERT, "next")
    manager.connection().commit()
    assert notes() == ["next"]


def test_when_all_are_taken_a_thread_gets_the_drivers_own(
    make: Callable[..., Bench], manager: Any, notes: Callable[[], list[str]]
) -> None:
    pool = make(size=1, max_overflow=0, timeout="0s")
    connection = manager.connection()
    held = pool.connect()
    held.execute("SELECT 1")
    connection.execute(INSERT, "direct")
    connection.commit()
    assert (notes(), pool.stats.direct) == (["direct"], 1)


def test_a_manager_that_finds_all_taken_has_the_drivers_own_for_all(
    make: Callable[..., Bench], manager: Any, odbc: Any
) -> None:
    pool = make(size=1, max_overflow=0, timeout="0s")
    held = pool.connect()
    assert type(manager.connection()) is odbc.Connection
    assert in_thread(manager.connection) is manager.connection()
    held.close()
