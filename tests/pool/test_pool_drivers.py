"""The pool's own work on every driver: re-use, limits, uninstalling and being switched off in the middle."""

from __future__ import annotations

import gc
import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from backends import POSTGRESQL, SQLITE3, SQLITE_ODBC
from pool_bench import PATIENCE, Bench

Make = Callable[..., Bench]


@pytest.fixture(params=[SQLITE3, SQLITE_ODBC, POSTGRESQL])
def pool(request: pytest.FixtureRequest, bench: Make, tmp_path: Path) -> Iterator[Make]:
    """Makes the `connect` of one driver after another pooled; what a driver needs once is behind it."""
    module: Any = sqlite3
    database: Any = str(tmp_path / "a.db")
    if request.param != SQLITE3:
        module = request.getfixturevalue("odbc")
        in_file = request.getfixturevalue("sqlite_odbc")
        database = f"{in_file(tmp_path / 'a.db')};Timeout=2000"
    if request.param == POSTGRESQL:
        database = request.getfixturevalue("empty_postgresql_database")

    def make(**rules: Any) -> Bench:
        made = bench(module, database, **rules)
        made.use_and_return()
        made.use_and_return()
        made.events.clear()
        return made

    yield make
    gc.collect()


# Not SQLite over ODBC, whose driver crashes by itself when several threads connect and close.
in_several_threads = pytest.mark.parametrize("pool", [SQLITE3, POSTGRESQL], indirect=True)


def one(connection: Any) -> int:
    return int(connection.execute("SELECT 1").fetchone()[0])


def test_a_query_for_each_connection_opens_none_but_the_first(pool: Make) -> None:
    made = pool()
    before = made.stats.opened
    for _ in range(50):
        cursor = made.connect().cursor()
        assert cursor.execute("SELECT 1").fetchone()[0] == 1
        del cursor
    gc.collect()
    assert (made.stats.opened, made.discarded()) == (before, {})
    assert (made.stats.idle, made.stats.checked_out) == (1, 0)


def test_nobody_gets_more_than_the_limit_and_nobody_less_than_bare(pool: Make) -> None:
    made = pool(size=1, max_overflow=2, timeout="0s")
    held = made.connections(5)
    assert [one(connection) for connection in held] == [1] * 5
    assert (made.stats.checked_out, made.stats.direct, made.stats.exhausted) == (3, 2, 2)
    for connection in held:
        connection.close()
    assert (made.stats.checked_out, made.stats.idle) == (0, 3)


def test_autocommit_is_what_the_driver_begins_with(pool: Make) -> None:
    made = pool()
    name, changed = ("autocommit", True) if made.module is not sqlite3 else ("isolation_level", None)
    before, opened = getattr(made.connect(), name), made.stats.opened
    for _ in range(3):
        connection = made.connect()
        assert getattr(connection, name) == before != changed
        setattr(connection, name, changed)
        del connection
    assert (made.stats.opened, made.discarded()) == (opened, {})


@in_several_threads
def test_connections_that_end_in_other_threads_come_back(pool: Make) -> None:
    made = pool()

    def work() -> None:
        for _ in range(20):
            one(made.connect())

    threads = [threading.Thread(target=work, daemon=True) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    gc.collect()
    assert not any(thread.is_alive() for thread in threads)
    assert (made.stats.checked_out, made.stats.direct) == (0, 0)
    assert made.stats.opened <= 6


def in_the_middle(made: Bench, action: Callable[[], Any], *, times: int = 40) -> list[BaseException]:
    """Do something while four threads connect, query and drop; gives what they raised."""
    begun = threading.Barrier(5, timeout=PATIENCE)
    enough = threading.Event()
    raised: list[BaseException] = []

    def work() -> None:
        begun.wait()
        try:
            rounds = 0
            while rounds < times or not enough.is_set():
                rounds += 1
                connection = made.connect()
                assert one(connection) == 1
        except BaseException as error:
            raised.append(error)

    threads = [threading.Thread(target=work, daemon=True) for _ in range(4)]
    for thread in threads:
        thread.start()
    begun.wait()
    action()
    enough.set()
    for thread in threads:
        thread.join(PATIENCE)
    assert not any(thread.is_alive() for thread in threads)
    return raised


@in_several_threads
def test_uninstalling_in_the_middle_disturbs_nobody(pool: Make) -> None:
    made = pool()
    pooled = made.pooled
    assert in_the_middle(made, made.accelerator.uninstall) == []
    gc.collect()
    assert (pooled.checked_out, pooled.idle) == (0, 0)
    assert pooled.counters.opened == sum(pooled.counters.discarded.values())


@in_several_threads
def test_switching_off_and_on_in_the_middle_disturbs_nobody(pool: Make) -> None:
    made = pool()

    def switch() -> None:
        for _ in range(50):
            made.accelerator.disable("all")
            made.accelerator.enable("all")

    assert in_the_middle(made, switch) == []
    gc.collect()
    assert (made.stats.checked_out, made.stats.direct) == (0, 0)
