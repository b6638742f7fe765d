"""Servers that go away and come back: what the application sees is what it would have seen bare, and once."""

from __future__ import annotations

import contextlib
import gc
import traceback
from collections.abc import Callable
from typing import Any

import pytest
from pool_bench import Bench

MY_PID = "SELECT pg_backend_pid()"


def pid(connection: Any) -> int:
    """Of the server's process for a connection."""
    found = int(connection.execute(MY_PID).fetchone()[0])
    connection.rollback()
    return found


@pytest.fixture
def admin(odbc: Any, postgresql: Any) -> Any:
    """A bare connection that ends others."""
    connection = odbc.connect(postgresql.odbc(), autocommit=True)
    yield connection
    connection.close()


@pytest.fixture
def end(admin: Any) -> Callable[..., None]:
    """Has the server end the sessions of these processes, and waits until they are gone."""

    def end(*pids: int) -> None:
        for number in pids:
            # With a time-out in milliseconds it says whether the process is gone.
            assert admin.execute("SELECT pg_terminate_backend(?, 10000)", number).fetchone()[0]

    return end


@pytest.fixture
def pool(bench: Callable[..., Bench], odbc: Any, empty_postgresql_database: str) -> Callable[..., Bench]:
    """Makes pyodbc's `connect` to PostgreSQL pooled."""

    def make(**rules: Any) -> Bench:
        made = bench(odbc, empty_postgresql_database, **rules)
        made.use_and_return()  # the first close is a real one
        made.events.clear()
        return made

    return make


def idle_pids(pool: Bench, count: int) -> list[int]:
    """So many connections are idle; the processes behind them."""
    connections = pool.connections(count)
    pids = [pid(connection) for connection in connections]
    for connection in connections:
        connection.close()
    return pids


def raised_by(action: Callable[[], Any]) -> BaseException | None:
    """What an action raises."""
    try:
        action()
    except Exception as error:
        return error
    return None


# -- found before it is handed out -------------------------------------------------------------------------


def test_a_dead_connection_is_found_before_it_is_handed_out(
    pool: Callable[..., Bench], end: Callable[..., None]
) -> None:
    made = pool()
    dead = idle_pids(made, 1)
    end(*dead)
    assert pid(made.connect()) not in dead
    assert made.discarded() == {"lost": 1}


def test_where_one_is_dead_none_of_the_others_is_handed_out_dead(
    pool: Callable[..., Bench], end: Callable[..., None]
) -> None:
    made = pool(pre_ping="1h")
    dead = idle_pids(made, 3)
    made.clock.advance(1)
    held = made.connect()
    end(*dead)
    assert raised_by(lambda: held.execute("SELECT 1")) is not None
    made.clock.advance(1)
    assert not {pid(connection) for connection in made.connections(3)} & {*dead}
    held.close()
    assert made.discarded() == {"lost": 3}


def test_of_many_idle_ones_those_that_live_are_kept(
    pool: Callable[..., Bench], end: Callable[..., None]
) -> None:
    made = pool()
    first, second, third = idle_pids(made, 3)
    end(second)
    after = [pid(connection) for connection in made.connections(3)]
    assert {first, third} < {*after}
    assert second not in after
    assert made.discarded() == {"lost": 1}


def test_a_connection_is_not_asked_before_it_was_idle_for_so_long(
    pool: Callable[..., Bench], end: Callable[..., None]
) -> None:
    made = pool(pre_ping="30s")
    dead = idle_pids(made, 1)
    end(*dead)
    made.clock.advance(29)
    unlucky = made.connect()
    assert raised_by(lambda: unlucky.execute("SELECT 1")) is not None
    unlucky.close()
    dead = idle_pids(made, 1)
    end(*dead)
    made.clock.advance(30)
    assert pid(made.connect()) not in dead


# -- replaced on the first error ---------------------------------------------------------------------------


def test_the_error_is_the_drivers_own_and_the_next_connection_works(
    pool: Callable[..., Bench], odbc: Any, end: Callable[..., None], empty_postgresql_database: str
) -> None:
    made = pool()

    def sees(connect: Callable[..., Any]) -> list[Any]:
        connection = connect(empty_postgresql_database)
        end(pid(connection))
        errors = [raised_by(lambda: connection.execute("SELECT 1")), raised_by(connection.rollback)]
        told = [(type(error), *getattr(error, "args", ())) for error in errors]
        connection.close()
        return [*told, raised_by(connection.close) is None]

    assert sees(odbc.connect) == sees(odbc.connect.__wrapped__)
    assert made.connect().execute("SELECT 1").fetchone()[0] == 1
    assert made.discarded() == {"lost": 1}


def test_work_on_a_connection_that_died_is_not_said_to_be_done(
    pool: Callable[..., Bench], admin: Any, end: Callable[..., None]
) -> None:
    made = pool()
    admin.execute("CREATE TABLE note (words TEXT)")
    connection = made.connect()
    connection.execute("INSERT INTO note VALUES ('lost')")
    number = int(connection.execute(MY_PID).fetchone()[0])
    end(number)
    assert raised_by(connection.commit) is not None
    assert admin.execute("SELECT COUNT(*) FROM note").fetchone()[0] == 0


def test_a_cursor_that_fails_takes_its_connection_along(
    pool: Callable[..., Bench], end: Callable[..., None]
) -> None:
    made = pool()

    def fail() -> bool:
        connection = made.connect()
        cursor = connection.cursor()
        end(pid(connection))
        return raised_by(lambda: cursor.execute("SELECT 1")) is not None

    assert fail()
    gc.collect()
    assert (made.stats.idle, made.discarded()) == (0, {"lost": 1})


def test_a_session_that_a_time_out_ended_is_lost(pool: Callable[..., Bench], admin: Any) -> None:
    made = pool(pre_ping="never")
    connection = made.connect()
    (number,) = connection.execute(MY_PID).fetchone()
    connection.execute("SET idle_in_transaction_session_timeout = 1")
    still_there = "SELECT COUNT(*) FROM pg_stat_activity, pg_sleep(0.01) WHERE pid = ?"
    while admin.execute(still_there, number).fetchone()[0]:
        pass  # the server will end it
    assert raised_by(lambda: connection.execute("SELECT 1")) is not None
    connection.close()
    made.connect().execute("SELECT 1")
    assert made.discarded() == {"lost": 1}


def test_an_error_that_may_be_harmless_costs_a_ping_and_no_connection(pool: Callable[..., Bench]) -> None:
    made = pool()
    connection = made.connect()
    before = pid(connection)
    connection.execute("SET LOCAL statement_timeout = 1")
    error = raised_by(lambda: connection.execute("SELECT pg_sleep(10)"))
    assert error is not None
    assert error.args[0] == "57014"
    connection.close()
    after = made.connect()
    assert after.execute("SHOW statement_timeout").fetchone()[0] == "0"
    assert (pid(after), made.discarded()) == (before, {})


def test_a_ping_on_the_way_back_warns_of_the_others(
    pool: Callable[..., Bench], end: Callable[..., None]
) -> None:
    made = pool(pre_ping="never")
    dead = idle_pids(made, 3)
    made.clock.advance(1)
    connection = made.connect()
    connection._accel_lease.doubt = "unclear"  # as after an error that may be anything
    end(*dead)
    connection.close()
    made.clock.advance(1)
    assert not {pid(connection) for connection in made.connections(3)} & {*dead}


# -- servers stopped and started ---------------------------------------------------------------------------


@pytest.fixture
def own(bench: Callable[..., Bench], odbc: Any, restartable_postgresql: Any) -> Callable[..., Bench]:
    """Makes pyodbc's `connect` to a server of the test's own pooled."""

    def make(**rules: Any) -> Bench:
        made = bench(odbc, restartable_postgresql.odbc(), **rules)
        made.use_and_return()
        made.events.clear()
        return made

    return make


def test_a_restart_costs_the_application_no_error_if_nothing_was_in_use(
    own: Callable[..., Bench], restartable_postgresql: Any
) -> None:
    made = own()
    before = idle_pids(made, 3)
    restartable_postgresql.stop()
    restartable_postgresql.start()
    assert not {pid(connection) for connection in made.connections(3)} & {*before}
    assert made.discarded() == {"lost": 3}


def test_a_server_that_is_down_is_the_drivers_own_exception_and_the_pool_recovers(
    own: Callable[..., Bench], odbc: Any, restartable_postgresql: Any
) -> None:
    made = own(size=1, max_overflow=1, timeout="0s")
    held = made.connect()
    made.use_and_return()
    restartable_postgresql.stop()
    bare = raised_by(lambda: odbc.connect.__wrapped__(made.database))
    for _ in range(20):  # the slot comes back each time: nobody is said to be exhausted, nobody goes direct
        error = raised_by(made.connect)
        assert (type(error), error and error.args) == (type(bare), bare and bare.args)
        assert error is not None
        assert (error.__context__, error.__cause__) == (None, None)
        text = "".join(traceback.format_exception(error))
        assert "During handling" not in text
    assert (made.stats.direct, made.stats.checked_out, made.stats.idle) == (0, 1, 0)
    assert raised_by(lambda: held.execute("SELECT 1")) is not None
    restartable_postgresql.start()
    held.close()
    assert {type(pid(connection)) for connection in made.connections(2)} == {int}
    assert (made.stats.direct, made.stats.exhausted) == (0, 0)


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_each_connection_in_use_shows_one_error_after_a_restart(
    own: Callable[..., Bench], restartable_postgresql: Any, mode: str
) -> None:
    made = own(pre_ping="never")
    connections = made.connections(3)
    for connection in connections:
        connection.execute("SELECT 1").fetchone()
    restartable_postgresql.stop(mode)
    restartable_postgresql.start()
    made.clock.advance(1)
    errors = 0
    while connections:
        connection = connections.pop()
        errors += raised_by(lambda: connection.execute("SELECT 1")) is not None  # noqa: B023 - called at once
        connection.close()
        # A new one never fails, whether it was idle, or came back dead without anybody having noticed.
        assert made.connect().execute("SELECT 1").fetchone()[0] == 1
    assert errors == 3


def test_connections_that_came_back_dead_unnoticed_are_suspect_as_well(
    own: Callable[..., Bench], restartable_postgresql: Any
) -> None:
    made = own(pre_ping="never")
    noticed, *unnoticed = made.connections(3)
    for connection in unnoticed:
        connection.execute("SELECT 1").fetchone()
    restartable_postgresql.stop()
    restartable_postgresql.start()
    made.clock.advance(1)
    assert raised_by(lambda: noticed.execute("SELECT 1")) is not None
    made.clock.advance(1)
    while unnoticed:
        with contextlib.suppress(Exception):  # it may well have noticed
            unnoticed.pop().close()
    noticed.close()
    made.clock.advance(1)
    for connection in made.connections(3):
        assert connection.execute("SELECT 1").fetchone()[0] == 1


# -- connects that fail ------------------------------------------------------------------------------------


def test_failing_connects_never_exhaust_the_pool(bench: Callable[..., Bench], tmp_path: Any) -> None:
    place = tmp_path / "later" / "a.db"
    made = bench(database=str(place), size=1, max_overflow=1, timeout="0s")
    for _ in range(50):
        error = raised_by(made.connect)
        assert str(error) == "unable to open database file"
    assert (made.stats.exhausted, made.stats.direct, made.stats.checked_out) == (0, 0, 0)
    place.parent.mkdir()
    assert len({type(connection).__name__ for connection in made.connections(2)}) == 1
    assert (made.stats.opened, made.stats.direct) == (2, 0)
