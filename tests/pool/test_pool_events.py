"""What a pool tells: events and their fields, figures that add up, log lines; no secret in any of them."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import pytest
from pool_bench import POOL_EVENTS, Bench, benched, in_thread

from wats_accel import pool_events
from wats_accel.testing import accelerated

NAME = "sqlite3:connect"


def kinds(pool: Bench) -> list[str]:
    return [type(event).__name__ for event in pool.events]


# -- events ------------------------------------------------------------------------------------------------


def test_a_life_of_a_connection_in_events(bench: Callable[..., Bench]) -> None:
    pool = bench(recycle="1m")
    connection = pool.connect()
    pool.clock.advance(7)
    connection.close()
    pool.connect().close()
    pool.clock.advance(60)
    pool.connect().close()
    assert kinds(pool) == [
        *("PoolConnected", "PoolCheckedOut", "PoolCheckedIn"),
        *("PoolCheckedOut", "PoolCheckedIn"),
        *("PoolDiscarded", "PoolConnected", "PoolCheckedOut", "PoolCheckedIn"),
    ]
    assert {event.pool for event in pool.events} == {NAME}
    assert [event.reused for event in pool.sent(pool_events.PoolCheckedOut)] == [False, True, False]
    assert [event.held_seconds for event in pool.sent(pool_events.PoolCheckedIn)] == [7.0, 0.0, 0.0]
    assert pool.sent(pool_events.PoolDiscarded) == [pool_events.PoolDiscarded(NAME, "recycled")]
    assert all(event.connect_seconds > 0 for event in pool.sent(pool_events.PoolConnected))
    assert all(event.wait_seconds >= 0 for event in pool.sent(pool_events.PoolCheckedOut))


def test_events_have_the_names_that_are_documented() -> None:
    assert [kind.name for kind in POOL_EVENTS] == [
        *("accel.pool_connected", "accel.pool_checked_out", "accel.pool_checked_in"),
        *("accel.pool_discarded", "accel.pool_exhausted", "accel.pool_leak_suspected"),
    ]


def test_an_event_that_nobody_listens_to_is_not_built(
    bench: Callable[..., Bench], monkeypatch: pytest.MonkeyPatch
) -> None:
    from wats_accel.pool import connection_pool

    def forbidden(*args: Any) -> Any:
        raise AssertionError

    names = ("PoolConnected", "PoolCheckedOut", "PoolCheckedIn", "PoolDiscarded")
    pool = bench(recycle="1m")
    for kind in POOL_EVENTS:
        pool.accelerator._bus.unsubscribe(kind, pool.events.append)
    for name in names:
        assert hasattr(connection_pool, name)
    monkeypatch.setattr(pool_events.PoolCheckedOut, "__init__", forbidden)
    monkeypatch.setattr(pool_events.PoolCheckedIn, "__init__", forbidden)
    pool.use_and_return()
    pool.use_and_return()
    assert pool.stats.reused == 1


# -- figures -----------------------------------------------------------------------------------------------


def test_the_figures_of_a_pool_add_up(bench: Callable[..., Bench]) -> None:
    pool = bench(size=2, max_overflow=1, timeout="0s", linger="0s", recycle="1h")
    held = pool.connections(4)  # one of them directly
    sqlite3.connect(":memory:").close()  # one bare
    assert asdict(pool.stats) == {
        **asdict(pool.stats),
        "pools": 1,
        "size": 2,
        "checked_out": 3,
        "idle": 0,
        "overflow": 1,
        "opened": 3,
        "reused": 0,
        "direct": 1,
        "bare": 1,
        "exhausted": 1,
        "leaks": 0,
        "discarded": {},
    }
    for connection in held:
        connection.close()
    pool.connect().execute("PRAGMA foreign_keys = ON")
    pool.clock.advance(3_600)
    pool.use_and_return()
    pool.pool.lost(pool.connect()._accel_lease)
    stats = pool.stats
    assert (stats.checked_out, stats.idle, stats.overflow) == (0, 1, 0)
    assert stats.discarded == {"overflow": 1, "session state: PRAGMA": 1, "recycled": 1}
    assert stats.opened == stats.idle + stats.checked_out + sum(stats.discarded.values()) == 4
    assert stats.opened + stats.reused == len(pool.sent(pool_events.PoolCheckedOut))
    assert len(pool.sent(pool_events.PoolCheckedOut)) == len(pool.sent(pool_events.PoolCheckedIn))
    assert stats.discarded == pool.discarded()
    assert stats.opened == len(pool.sent(pool_events.PoolConnected))


def test_times_are_sums_of_what_the_events_say(bench: Callable[..., Bench]) -> None:
    pool = bench()
    for _ in range(5):
        pool.use_and_return(3)
    waited = sum(event.wait_seconds for event in pool.sent(pool_events.PoolCheckedOut))
    connected = sum(event.connect_seconds for event in pool.sent(pool_events.PoolConnected))
    assert pool.stats.wait_seconds == pytest.approx(waited)
    assert pool.stats.connect_seconds == pytest.approx(connected)
    assert pool.stats.connect_seconds > 0


def test_what_its_user_keeps_is_no_longer_the_pools(bench: Callable[..., Bench]) -> None:
    pool = bench(size=1, max_overflow=1, timeout="0s")
    connection = pool.connect()
    connection.create_function("mine", 0, lambda: 1)
    assert (pool.stats.checked_out, pool.stats.idle, pool.discarded()) == (1, 0, {"user's own": 1})
    another = pool.connect()
    assert (pool.stats.opened, pool.stats.checked_out) == (2, 2)
    assert type(pool.connect()) is sqlite3.Connection  # it counts, for as long as it is open
    connection.close()
    another.close()
    assert (pool.stats.checked_out, pool.stats.idle) == (0, 1)


def test_figures_are_ready_for_json(bench: Callable[..., Bench]) -> None:
    import json

    pool = bench()
    pool.use_and_return()
    told = json.loads(json.dumps(pool.accelerator.stats().as_dict()))["pools"]
    assert told.keys() == {NAME}
    assert (told[NAME]["opened"], told[NAME]["idle"], told[NAME]["discarded"]) == (1, 1, {})


# -- lines -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rules", "line"),
    [
        ({}, "Connection Pool initialized (size=5, overflow=10)"),
        ({"size": 2, "max_overflow": 0}, "Connection Pool initialized (size=2, overflow=0)"),
    ],
)
def test_it_is_said_that_the_pool_is_ready(
    rules: dict[str, int], line: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "wats_accel")
    with accelerated({"version": 1, "pool": [{"connect": NAME, **rules}]}):
        pass
    assert [record.levelname for record in caplog.records if record.message == line] == ["INFO"]


def test_each_event_has_its_line(bench: Callable[..., Bench], caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "wats_accel")
    pool = bench(size=1, max_overflow=0, timeout="0s", leak_after="1m", recycle="1m")
    held = pool.connect()
    pool.connect().close()
    pool.clock.advance(60)
    pool.pooled.report_leaks()
    held.close()
    pool.connect().close()
    lines = {(record.levelname, record.message.split(" (")[0]) for record in caplog.records}
    assert lines >= {
        ("DEBUG", f"Connection opened: {NAME}"),
        ("DEBUG", f"Connection checked out: {NAME}"),
        ("DEBUG", f"Connection checked in: {NAME}"),
        ("DEBUG", f"Connection discarded: {NAME}"),
        ("WARNING", f"Connection Pool exhausted: {NAME}"),
        ("WARNING", f"Connection leak suspected: {NAME}"),
    }


# -- secrets -----------------------------------------------------------------------------------------------

SECRET = "hunter2-and-more"


def everything_said(pool: Bench, caplog: pytest.LogCaptureFixture) -> str:
    """All that anybody could read of what the pool knows of itself."""
    pooled = pool.pooled
    things: list[Any] = [pooled, *pooled.pools, pooled.driver, pooled.rules, pooled.counters, pool.events]
    for one in pooled.pools:
        things += [
            one._opener,
            one._opener._arguments,
            one._opener._for_pool,
            one._queue,
            one._queue._pool,
            one._queue._pool.status(),
        ]
        things += [*one.leases.values()]
    text = [repr(thing) + str(thing) for thing in things]
    text += [f"{record.getMessage()} {record.__dict__}" for record in caplog.records]
    text += [repr(pool.accelerator.problems), repr(pool.accelerator.stats().as_dict())]
    return "\n".join(text)


def test_neither_arguments_nor_values_are_told_anywhere(
    odbc: Any, empty_postgresql_database: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    database = empty_postgresql_database.replace("PWD=none", f"PWD={SECRET}")
    assert SECRET in database
    rules = {"size": 1, "max_overflow": 1, "timeout": "0s", "leak_after": "1s", "pre_ping": "always"}
    with benched(odbc, database, **rules) as pool:
        pool.use_and_return()
        held = pool.connections(2)
        held[0].execute("SELECT ?", SECRET).fetchone()
        in_thread(pool.connect).close()
        with pytest.raises(odbc.Error):
            held[0].execute(f"SELECT '{SECRET}' FROM nowhere")
        held[1].execute(f"SELECT set_config('application_name', '{SECRET}', false)")
        pool.clock.advance(5)
        pool.pooled.report_leaks()
        said = everything_said(pool, caplog)
        for connection in held:
            connection.close()
        pool.connect().close()
        said += everything_said(pool, caplog)
    assert "Connection checked out" in said
    assert SECRET not in said
    assert database not in said


def test_a_connect_that_fails_is_told_by_the_driver_alone(
    odbc: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    database = f"DRIVER={{No such driver}};UID=me;PWD={SECRET}"
    with benched(odbc, database) as pool:
        with pytest.raises(odbc.Error) as caught:
            pool.connect()
        assert SECRET not in everything_said(pool, caplog)
        assert SECRET not in str(caught.value)


def test_why_there_is_no_pool_is_told_without_what_was_asked_for(
    bench: Callable[..., Bench], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from wats_accel.pool import pooled_connect

    caplog.set_level(logging.DEBUG)

    def broken(*args: Any, **kwargs: Any) -> Any:
        raise RuntimeError(f"cannot make a pool of {args} {kwargs} {SECRET}")

    pool = bench()
    monkeypatch.setattr(pooled_connect, "ConnectionPool", broken)
    for _ in range(2):
        connection = pool.connect()
        assert type(connection) is sqlite3.Connection
        connection.close()
    (problem,) = pool.accelerator.problems
    assert problem.message == "no pool: RuntimeError"
    assert SECRET not in everything_said(pool, caplog)
    assert pool.database not in "".join(record.getMessage() for record in caplog.records)
