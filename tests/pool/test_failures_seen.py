"""Each exception that the driver raises to the application is one that a load knows of, even if caught."""

from __future__ import annotations

import contextlib
import sqlite3
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from backends import ODBC, POSTGRESQL, SQLITE3, Driver, on
from pool_bench import Bench, in_thread

from wats_accel.failures import failures_met

POOLED = ("pooled",)
NO_SUCH_TABLE = "SELECT a FROM no_such_table"


def met(action: Callable[[], Any], kind: type[BaseException] | tuple[type[BaseException], ...]) -> int:
    """How many failures this thread meets while an action raises such an exception."""
    before = failures_met()
    with pytest.raises(kind):
        action()
    return failures_met() - before


def not_met(action: Callable[[], Any]) -> bool:
    before = failures_met()
    action()
    return failures_met() == before


@pytest.fixture
def connection(driver: Driver) -> Iterator[Any]:
    made = driver.connect()
    yield made
    with contextlib.suppress(Exception):
        made.close()


# -- statements --------------------------------------------------------------------------------------------


@on(modes=POOLED)
@pytest.mark.parametrize("through", ["connection", "cursor"])
def test_a_statement_that_fails_is_met(driver: Driver, connection: Any, through: str) -> None:
    execute = connection.execute if through == "connection" else connection.cursor().execute
    assert met(lambda: execute(NO_SUCH_TABLE), driver.module.Error)


@on(modes=POOLED)
def test_a_batch_that_fails_is_met(driver: Driver, connection: Any) -> None:
    insert = "INSERT INTO person VALUES (?, ?)"
    cursor = connection.cursor()
    assert met(lambda: cursor.executemany(insert, [(7, "Gus"), (1, "again")]), driver.module.Error)


@on(SQLITE3, modes=POOLED)
def test_a_script_that_fails_is_met(driver: Driver, connection: Any) -> None:
    assert met(lambda: connection.executescript(f"SELECT 1; {NO_SUCH_TABLE}"), driver.module.Error)


@on(modes=POOLED)
def test_what_the_driver_says_of_wrong_arguments_is_met(driver: Driver, connection: Any) -> None:
    assert met(lambda: connection.cursor().execute(), TypeError)
    assert met(lambda: connection.cursor().execute("SELECT ?", 1, 2), (driver.module.Error, TypeError))


@on(modes=POOLED)
def test_what_goes_well_is_not_met(driver: Driver, connection: Any) -> None:
    def use() -> None:
        cursor = connection.cursor()
        assert len(cursor.execute("SELECT * FROM person").fetchall()) == 5
        cursor.execute("UPDATE person SET name = 'Zoe'")
        connection.commit()
        connection.rollback()
        cursor.close()
        driver.connect().close()

    assert not_met(use)


@on(modes=POOLED)
def test_the_end_of_the_rows_is_not_met(driver: Driver, connection: Any) -> None:
    cursor = connection.cursor().execute("SELECT * FROM person")
    assert not_met(lambda: list(cursor))
    assert not_met(lambda: next(cursor, None))
    assert met(lambda: next(cursor), StopIteration) == 0
    assert not_met(cursor.fetchone)


# -- fetching ----------------------------------------------------------------------------------------------


def fetches(cursor: Any) -> dict[str, Callable[[], Any]]:
    return {
        "fetchone": cursor.fetchone,
        "fetchmany": lambda: cursor.fetchmany(2),
        "fetchall": cursor.fetchall,
        "next": lambda: next(cursor),
        "for": lambda: list(cursor),
    }


@on(*ODBC, modes=POOLED)
@pytest.mark.parametrize("how", ["fetchone", "fetchmany", "fetchall", "next", "for"])
def test_a_fetch_that_fails_is_met(driver: Driver, connection: Any, how: str) -> None:
    cursor = connection.cursor()  # nothing has been executed: there are no rows to fetch
    assert met(fetches(cursor)[how], driver.module.Error)


@on(SQLITE3, modes=POOLED)
@pytest.mark.parametrize("how", ["fetchone", "fetchmany", "fetchall", "next", "for"])
def test_a_row_that_cannot_be_read_is_met(driver: Driver, connection: Any, how: str) -> None:
    cursor = connection.execute("SELECT 'a' UNION ALL SELECT CAST(x'ff' AS TEXT)")
    fetch = fetches(cursor)[how]
    assert met(lambda: (fetch(), fetch()), driver.module.Error)  # Python 3.10 reads one row ahead


# -- transactions ------------------------------------------------------------------------------------------


@pytest.fixture
def broken(driver: Driver, connection: Any) -> Any:
    """A connection whose next commit is refused."""
    if driver.is_odbc:
        connection.execute(
            "CREATE TABLE child (parent INTEGER REFERENCES person (id) DEFERRABLE INITIALLY DEFERRED)"
        )
        connection.commit()
    else:
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("CREATE TABLE child (parent REFERENCES person (id) DEFERRABLE INITIALLY DEFERRED)")
        connection.commit()
    connection.execute("INSERT INTO child VALUES (77)")
    return connection


def left(context: Any) -> None:
    with context:
        pass


@on(SQLITE3, POSTGRESQL, modes=POOLED)
def test_a_commit_that_is_refused_is_met(driver: Driver, broken: Any) -> None:
    assert met(broken.commit, driver.module.Error)


@on(SQLITE3, POSTGRESQL, modes=POOLED)
def test_a_with_block_whose_commit_is_refused_is_met(driver: Driver, broken: Any) -> None:
    assert met(lambda: left(broken), driver.module.Error)


@on(POSTGRESQL, modes=POOLED)
@pytest.mark.parametrize("end", ["commit", "__exit__"])
def test_a_cursor_whose_commit_is_refused_is_met(driver: Driver, broken: Any, end: str) -> None:
    cursor = broken.cursor()
    assert met(cursor.commit if end == "commit" else lambda: left(cursor), driver.module.Error)


@on(modes=POOLED)
@pytest.mark.parametrize("call", ["commit", "rollback", "cursor", "execute", "__exit__"])
def test_a_call_on_a_closed_connection_is_met(driver: Driver, connection: Any, call: str) -> None:
    connection.close()
    calls = {"execute": lambda: connection.execute("SELECT 1"), "__exit__": lambda: left(connection)}
    assert met(calls.get(call) or getattr(connection, call), driver.module.Error)


@on(modes=POOLED)
@pytest.mark.parametrize("closed", ["cursor", "connection", "connection, released"])
@pytest.mark.parametrize("call", ["execute", "fetchone", "fetchall"])
def test_a_call_on_a_closed_cursor_is_met(driver: Driver, connection: Any, closed: str, call: str) -> None:
    if closed == "connection, released":
        if driver.is_odbc:
            connection.add_output_converter(1, bytes)
        else:
            connection.create_function("f", 0, int)
    cursor = connection.cursor().execute("SELECT 1")
    (cursor if closed == "cursor" else connection).close()
    calls = {"execute": lambda: cursor.execute("SELECT 1")}
    assert met(calls.get(call) or getattr(cursor, call), driver.module.Error)


@on(*ODBC, modes=POOLED)
def test_leaving_a_with_block_of_an_exception_is_no_failure_of_the_driver(
    driver: Driver, connection: Any
) -> None:
    before = failures_met()
    with pytest.raises(LookupError), connection.cursor():
        raise LookupError
    assert failures_met() == before


# -- attributes --------------------------------------------------------------------------------------------


@on(modes=POOLED)
def test_an_attribute_that_cannot_be_set_is_met(driver: Driver, connection: Any) -> None:
    name, value = ("timeout", "soon") if driver.is_odbc else ("isolation_level", "no such level")
    assert met(lambda: setattr(connection, name, value), (TypeError, ValueError))
    assert met(lambda: setattr(connection.cursor(), "arraysize", "many"), (TypeError, ValueError))


@on(modes=POOLED)
def test_that_there_is_no_such_attribute_is_not_met(driver: Driver, connection: Any) -> None:
    assert not_met(lambda: hasattr(connection, "no_such_attribute"))
    assert not_met(lambda: hasattr(connection.cursor(), "no_such_attribute"))


@on(*ODBC, modes=POOLED)
def test_an_attribute_of_a_closed_connection_is_met(driver: Driver, connection: Any) -> None:
    cursor = connection.cursor()
    connection.close()
    assert not_met(lambda: connection.closed)
    assert met(lambda: connection.autocommit, driver.module.Error)
    assert met(lambda: setattr(connection, "autocommit", True), driver.module.Error)
    assert not_met(lambda: cursor.arraysize)


@on(SQLITE3, modes=POOLED)
def test_a_number_that_a_closed_connection_does_not_give_is_met(driver: Driver, connection: Any) -> None:
    connection.close()
    assert met(lambda: connection.total_changes, driver.module.Error)


# -- threads -----------------------------------------------------------------------------------------------


@on(SQLITE3, modes=POOLED)
@pytest.mark.parametrize("call", ["execute", "cursor", "close", "commit"])
def test_a_thread_that_must_not_use_the_connection_meets_that(
    driver: Driver, connection: Any, call: str
) -> None:
    calls = {"execute": lambda: connection.execute("SELECT 1")}
    here = failures_met()
    assert in_thread(lambda: met(calls.get(call) or getattr(connection, call), driver.module.Error))
    assert failures_met() == here


@on(modes=POOLED)
def test_what_another_thread_meets_is_its_own(driver: Driver) -> None:
    here = failures_met()

    def other() -> int:
        with contextlib.closing(driver.connect()) as connection:
            return met(lambda: connection.execute(NO_SUCH_TABLE), driver.module.Error)

    assert in_thread(other)
    assert failures_met() == here


# -- connecting --------------------------------------------------------------------------------------------


def test_a_connect_that_fails_is_met_pooled_and_bare(bench: Callable[..., Bench], tmp_path: Path) -> None:
    pool = bench(database=str(tmp_path / "no" / "such" / "folder.db"))
    assert met(pool.connect, sqlite3.OperationalError)
    assert met(lambda: pool.connect(factory=sqlite3.Connection), sqlite3.OperationalError)
    assert (pool.stats.bare, pool.stats.opened) == (1, 0)


def test_a_server_that_is_not_there_is_met(
    bench: Callable[..., Bench], odbc: Any, postgresql: Any, private_postgresql: Any
) -> None:
    pool = bench(odbc, f"Driver={{{private_postgresql.DRIVER}}};Server=127.0.0.1;Port=1;Database=none")
    assert met(pool.connect, odbc.Error)


def test_a_connection_of_arguments_that_allow_no_pool_is_no_failure(bench: Callable[..., Bench]) -> None:
    pool = bench()
    assert not_met(lambda: pool.connect(factory=sqlite3.Connection).close())
    assert pool.stats.bare == 1


def test_a_connection_past_the_pool_is_one_since_nobody_watches_it(bench: Callable[..., Bench]) -> None:
    pool = bench(size=1, max_overflow=0, timeout="0s")
    before = failures_met()
    kept = pool.connect()
    assert failures_met() == before
    with contextlib.closing(pool.connect()) as direct:
        assert failures_met() == before + 1
        assert type(direct) is sqlite3.Connection
    kept.close()
    assert not_met(pool.use_and_return)


def test_a_connect_past_the_pool_that_fails_is_met(
    bench: Callable[..., Bench], monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = bench(size=1, max_overflow=0, timeout="0s")
    kept = pool.connect()

    def fail(*args: Any, **kwargs: Any) -> Any:
        raise sqlite3.OperationalError

    monkeypatch.setattr(pool.pool._opener, "_connect", fail)
    assert met(pool.connect, sqlite3.OperationalError) == 2, "that it is past the pool is one in itself"
    kept.close()


# -- what the pool heals -----------------------------------------------------------------------------------


def test_a_dead_connection_that_nobody_gets_is_not_met(
    bench: Callable[..., Bench], odbc: Any, postgresql: Any, empty_postgresql_database: str
) -> None:
    pool = bench(odbc, empty_postgresql_database)
    pool.use_and_return()
    connection = pool.connect()
    pid = connection.execute("SELECT pg_backend_pid()").fetchone()[0]
    connection.rollback()
    connection.close()
    with contextlib.closing(odbc.connect(postgresql.odbc() + ";", autocommit=True)) as admin:
        admin.execute("SELECT pg_terminate_backend(?, 10000)", pid).fetchone()
    assert not_met(lambda: pool.connect().execute("SELECT 1").fetchone())
    assert pool.discarded()["lost"] == 1


def test_a_reset_that_fails_is_not_met(bench: Callable[..., Bench], monkeypatch: pytest.MonkeyPatch) -> None:
    pool = bench()
    connection = pool.connect()

    def fail(raw: Any) -> None:
        raise sqlite3.OperationalError

    monkeypatch.setattr(pool.pool.driver, "roll_back", fail)
    assert not_met(connection.close)
    assert pool.discarded() == {"failed reset": 1}


def test_a_connection_that_its_user_has_broken_is_met_once_and_healed(
    bench: Callable[..., Bench], odbc: Any, empty_postgresql_database: str
) -> None:
    pool = bench(odbc, empty_postgresql_database)
    pool.use_and_return()
    with contextlib.closing(pool.connect()) as connection:
        kill = "SELECT pg_terminate_backend(pg_backend_pid())"
        assert met(lambda: connection.execute(kill), odbc.Error)
        assert met(lambda: connection.execute("SELECT 1"), odbc.Error)
    assert not_met(lambda: pool.connect().execute("SELECT 1").fetchone())


# -- one connection for all threads ------------------------------------------------------------------------


@pytest.fixture
def shared(bench: Callable[..., Bench], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """An application's one connection for all threads; there is room for two."""
    module: Any = ModuleType("app_that_shares")
    database = str(tmp_path / "bench.db")

    class Manager:
        def connection(self) -> Any:
            return sqlite3.connect(database, check_same_thread=False)

    Manager.__module__, Manager.__qualname__ = module.__name__, "Manager"
    module.Manager = Manager
    monkeypatch.setitem(sys.modules, module.__name__, module)
    rules = {"per_thread": ["app_that_shares:Manager.connection"], "timeout": "0s"}
    pool = bench(size=2, max_overflow=0, **rules)
    made = Manager().connection()
    yield made, pool
    with contextlib.suppress(sqlite3.Error):
        made.close()


def test_what_a_shared_connection_raises_is_met(shared: Any) -> None:
    connection, _ = shared
    assert met(lambda: connection.execute(NO_SUCH_TABLE), sqlite3.Error)
    assert met(lambda: setattr(connection, "isolation_level", "no such level"), ValueError)
    assert met(lambda: delattr(connection, "isolation_level"), AttributeError)
    assert not_met(lambda: hasattr(connection, "no_such_attribute"))
    cursor = connection.cursor()
    assert met(lambda: cursor.execute(NO_SUCH_TABLE), sqlite3.Error)
    connection.close()
    assert met(connection.commit, sqlite3.ProgrammingError)
    assert met(lambda: connection.execute("SELECT 1"), sqlite3.ProgrammingError)


def test_a_shared_connection_over_one_past_the_pool_is_watched_all_the_same(shared: Any) -> None:
    connection, pool = shared
    kept = [pool.connect(check_same_thread=False) for _ in range(2)]

    def use() -> tuple[int, int]:
        cursor = connection.execute("SELECT 1")
        assert type(cursor) is sqlite3.Cursor
        return failures_met(), met(lambda: connection.execute(NO_SUCH_TABLE), sqlite3.Error)

    assert in_thread(use) == (1, 1), "that it is past the pool is one in itself"
    for each in kept:
        each.close()
