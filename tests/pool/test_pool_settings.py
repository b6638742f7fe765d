"""What the rules of a pool do: how many, how old, how often asked, in which order, made how clean."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from typing import Any

import pytest
from pool_bench import PATIENCE, Bench, benched

from wats_accel import events
from wats_accel.pool.dialects import Sqlite


@pytest.fixture
def pings(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The connections that were asked whether they are alive; they are."""
    asked: list[Any] = []

    def is_alive(self: Any, raw: Any) -> bool:
        asked.append(raw)
        return True

    monkeypatch.setattr(Sqlite, "is_alive", is_alive)
    return asked


def raw(connection: Any) -> Any:
    """The driver's own connection behind one of the pool's."""
    return connection._accel_raw


# -- how many ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("size", "max_overflow"), [(1, 0), (1, 2), (3, 0), (2, 3)])
def test_size_and_overflow_are_the_most_that_are_open(
    bench: Callable[..., Bench], size: int, max_overflow: int
) -> None:
    pool = bench(size=size, max_overflow=max_overflow, timeout="0s", linger="0s")
    held = pool.connections(size + max_overflow + 2)
    assert [type(connection) is sqlite3.Connection for connection in held].count(True) == 2
    assert (pool.stats.opened, pool.stats.checked_out, pool.stats.overflow) == (
        *(size + max_overflow,) * 2,
        max_overflow,
    )
    for connection in held:
        connection.close()
    assert (pool.stats.idle, pool.stats.overflow) == (size, 0)
    assert pool.discarded() == ({"overflow": max_overflow} if max_overflow else {})


def test_a_busy_time_does_not_open_one_connection_after_another(bench: Callable[..., Bench]) -> None:
    pool = bench(size=1, max_overflow=3, linger="1m")
    for _ in range(20):
        pool.use_and_return(4)
        pool.clock.advance(59)
    assert (pool.stats.opened, pool.discarded()) == (4, {})
    pool.clock.advance(1)
    for _ in range(5):
        pool.use_and_return()
    assert (pool.stats.idle, pool.discarded()) == (1, {"overflow": 3})


def test_few_pools_are_kept_of_many(bench: Callable[..., Bench], tmp_path: Any) -> None:
    pool = bench()
    held = sqlite3.connect(tmp_path / "0.db")
    for number in range(1, 120):
        pool.clock.advance(1)
        sqlite3.connect(tmp_path / f"{number}.db").close()
    assert (pool.stats.pools, pool.stats.idle, pool.stats.checked_out) == (50, 49, 1)
    assert pool.discarded() == {"not used": 70}
    for number in (119, 80, 0):  # the last ones, and the one in use
        pool.clock.advance(1)
        sqlite3.connect(tmp_path / f"{number}.db").execute("SELECT 1")
    assert (pool.stats.opened, pool.stats.pools) == (121, 50)
    held.close()


# -- how old -----------------------------------------------------------------------------------------------


def test_an_old_connection_is_replaced_when_it_is_asked_for(bench: Callable[..., Bench]) -> None:
    pool = bench(recycle="10m")
    pool.use_and_return()
    pool.clock.advance(599)
    pool.use_and_return()
    assert (pool.stats.opened, pool.discarded()) == (1, {})
    pool.clock.advance(1)
    pool.use_and_return()
    assert (pool.stats.opened, pool.discarded()) == (2, {"recycled": 1})


def test_the_age_counts_from_the_opening_and_not_from_the_last_use(bench: Callable[..., Bench]) -> None:
    pool = bench(recycle="10m")
    for _ in range(10):
        pool.use_and_return()
        pool.clock.advance(60)
    pool.use_and_return()
    assert pool.discarded() == {"recycled": 1}


def test_a_connection_in_use_is_left_alone_however_old_it_is(bench: Callable[..., Bench]) -> None:
    pool = bench(recycle="10m")
    connection = pool.connect()
    pool.clock.advance(100_000)
    assert connection.execute("SELECT 1").fetchone() == (1,)
    connection.close()
    assert pool.stats.opened == 1


def test_without_recycling_any_age_will_do(bench: Callable[..., Bench]) -> None:
    pool = bench(recycle="0s")
    pool.use_and_return()
    pool.clock.advance(10_000_000)
    pool.use_and_return()
    assert pool.stats.opened == 1


# -- how often asked ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "idle", "asked"),
    [("always", 0, 1), ("always", 5, 1), ("never", 10_000, 0), ("30s", 29, 0), ("30s", 30, 1), (0, 0, 1)],
)
def test_a_connection_is_asked_when_the_rule_says_so(
    bench: Callable[..., Bench], pings: list[Any], rule: object, idle: float, asked: int
) -> None:
    pool = bench(pre_ping=rule, recycle="0s")
    pool.use_and_return()
    assert pings == []  # a new one is known to work
    pool.clock.advance(idle)
    pool.use_and_return()
    assert len(pings) == asked


def test_after_a_loss_each_of_the_others_is_asked_once(bench: Callable[..., Bench], pings: list[Any]) -> None:
    pool = bench(pre_ping="never")
    pool.use_and_return(3)
    pool.clock.advance(1)
    pool.pool.lost(pool.connect()._accel_lease)
    pool.clock.advance(1)
    for _ in range(3):
        pool.use_and_return(3)
        pool.clock.advance(1)
    assert len(pings) == len({id(known) for known in pings}) == 3


# -- in which order ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("lifo", [True, False])
def test_the_last_one_that_came_back_is_taken_first_or_last(
    bench: Callable[..., Bench], *, lifo: bool
) -> None:
    pool = bench(lifo=lifo)
    connections = pool.connections(3)
    came_back = [raw(connection) for connection in connections]
    for connection in connections:
        connection.close()
    taken = pool.connections(3)
    assert [came_back.index(raw(one)) for one in taken] == ([2, 1, 0] if lifo else [0, 1, 2])


# -- ahead -------------------------------------------------------------------------------------------------


def opened_ahead(pool: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Use the pool once, and wait for what it opens ahead."""
    threads: list[threading.Thread] = []
    real = threading.Thread.start

    def start(self: threading.Thread) -> None:
        threads.append(self)
        real(self)

    monkeypatch.setattr(threading.Thread, "start", start)
    pool.use_and_return()
    for thread in threads:
        assert thread.daemon
        thread.join(PATIENCE)
        assert not thread.is_alive()


@pytest.mark.parametrize(("min_idle", "idle"), [(0, 1), (3, 3), (9, 4)])
def test_connections_are_opened_ahead_up_to_the_size(
    bench: Callable[..., Bench], monkeypatch: pytest.MonkeyPatch, min_idle: int, idle: int
) -> None:
    pool = bench(size=4, min_idle=min_idle)
    opened_ahead(pool, monkeypatch)
    assert idle <= pool.stats.idle <= idle + 1  # the first user may have come before it
    assert pool.stats.checked_out == 0
    assert pool.pool._slots.free == 14
    before = pool.stats.opened
    held = pool.connections(idle)
    assert pool.stats.opened == before
    assert pool.stats.reused >= idle
    del held


def test_what_goes_wrong_ahead_the_application_meets_itself_and_in_time(
    bench: Callable[..., Bench], monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    pool = bench(database=str(tmp_path / "none" / "a.db"), min_idle=3)
    with pytest.raises(sqlite3.OperationalError, match="unable to open"):
        opened_ahead(pool, monkeypatch)
    for thread in threading.enumerate():
        if thread.name == "wats-accel-pool":
            thread.join(PATIENCE)
    assert (pool.pool._slots.free, pool.stats.idle) == (15, 0)


# -- made how clean ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reset", "statement", "why"),
    [
        ("auto", "SELECT 1", None),
        ("rollback", "SELECT 1", None),
        ("full", "SELECT 1", "no full reset"),
        ("auto", "PRAGMA foreign_keys = ON", "session state: PRAGMA"),
        ("rollback", "PRAGMA foreign_keys = ON", "session state: PRAGMA"),
        ("full", "PRAGMA foreign_keys = ON", "session state: PRAGMA"),
    ],
)
def test_sqlite_has_no_full_reset_and_a_tainted_connection_is_discarded(
    bench: Callable[..., Bench], reset: str, statement: str, why: str | None
) -> None:
    pool = bench(reset=reset)
    pool.connect().execute(statement).fetchall()
    assert pool.discarded() == ({why: 1} if why else {})
    assert pool.connect().execute("PRAGMA foreign_keys").fetchone() == (0,)


@pytest.mark.parametrize(
    ("reset", "statement", "discarded"),
    [
        ("auto", "SELECT 1", {}),
        ("auto", "SET search_path TO nowhere", {}),
        ("rollback", "SELECT 1", {}),
        ("rollback", "SET search_path TO nowhere", {"session state: SET": 1}),
        ("full", "SELECT 1", {}),
        ("full", "SET search_path TO nowhere", {}),
    ],
)
def test_postgresql_is_reset_as_the_rule_says(
    odbc: Any, empty_postgresql_database: str, reset: str, statement: str, discarded: dict[str, int]
) -> None:
    with benched(odbc, empty_postgresql_database, reset=reset, size=1) as pool:
        pool.use_and_return()  # the first close is a real one
        pool.events.clear()
        connection = pool.connect()
        connection.execute(statement)
        connection.commit()
        connection.close()
        assert pool.discarded() == discarded
        found = pool.connect().execute("SHOW search_path").fetchone()[0]
        assert found == '"$user", public'


def test_an_insert_is_forgotten(odbc: Any, empty_postgresql_database: str) -> None:
    with benched(odbc, empty_postgresql_database) as pool:
        pool.use_and_return()
        first = pool.connect()
        first.execute("CREATE TABLE t (id SERIAL)")
        first.execute("INSERT INTO t DEFAULT VALUES")
        first.commit()
        first.close()
        with pytest.raises(odbc.Error, match="lastval is not yet defined"):
            pool.connect().execute("SELECT lastval()")


# -- off and on --------------------------------------------------------------------------------------------


def test_a_pool_that_is_not_enabled_leaves_connect_alone() -> None:
    original = sqlite3.connect
    with benched(sqlite3, "", enabled=False) as pool:
        assert sqlite3.connect is original
        assert pool.accelerator.stats().pools == {}
        assert pool.sent(events.FeatureInitialized) == []


@pytest.mark.parametrize("pattern", ["sqlite3:connect", "all", "connect", "sqlite*"])
def test_a_pool_can_be_switched_off_and_on_while_it_runs(bench: Callable[..., Bench], pattern: str) -> None:
    pool = bench()
    held = pool.connect()
    pool.use_and_return()
    assert pool.accelerator.disable(pattern) == 1
    bare = pool.connect()
    assert type(bare) is sqlite3.Connection
    bare.close()
    assert held.execute("SELECT 1").fetchone() == (1,)
    held.close()
    assert pool.accelerator.enable(pattern) == 1
    assert type(pool.connect()) is not sqlite3.Connection
    assert (pool.stats.opened, pool.stats.reused) == (2, 1)


def test_a_pattern_that_names_no_pool_switches_none(bench: Callable[..., Bench]) -> None:
    pool = bench()
    assert pool.accelerator.disable("pyodbc:connect") == 0
    assert type(pool.connect()) is not sqlite3.Connection


def test_the_environment_switches_a_pool_off(tmp_path: Any) -> None:
    from wats_accel.runtime import Accelerator

    config = {"version": 1, "pool": [{"connect": "sqlite3:connect"}]}
    accelerator = Accelerator(config, strict=True, environ={"WATS_ACCEL_DISABLE": "sqlite3:connect"})
    accelerator.install()
    try:
        connection = sqlite3.connect(tmp_path / "a.db")
        assert type(connection) is sqlite3.Connection
        connection.close()
    finally:
        accelerator.uninstall()
