"""Leases that are out for long are reported once, with the place that took them, and cost nothing else."""

from __future__ import annotations

import functools
import inspect
import sqlite3
import threading
import traceback
from collections.abc import Callable
from typing import Any

import pytest
from pool_bench import PATIENCE, Bench, in_thread

from wats_accel import events, pool_events
from wats_accel.pool import connection_pool, leaks


class Repository:
    """An application's own."""

    def __init__(self, pool: Bench) -> None:
        self.pool = pool

    def open(self) -> Any:
        return self.pool.connect()

    @classmethod
    def open_by_class(cls, pool: Bench) -> Any:
        return cls(pool).open()

    @staticmethod
    def open_statically(pool: Bench) -> Any:
        return pool.connect()

    @property
    def opened(self) -> Any:
        return self.pool.connect()

    @functools.cached_property
    def opened_once(self) -> Any:
        return self.pool.connect()


def suspected(pool: Bench) -> list[Any]:
    return pool.sent(pool_events.PoolLeakSuspected)


def test_a_lease_that_is_out_for_too_long_is_reported_once(bench: Callable[..., Bench]) -> None:
    pool = bench(leak_after="60s")
    held = pool.connect()
    pool.clock.advance(59)
    assert pool.pooled.report_leaks() == 0
    pool.clock.advance(1)
    assert [pool.pooled.report_leaks() for _ in range(3)] == [1, 0, 0]
    (event,) = suspected(pool)
    assert (event.pool, event.held_seconds) == ("sqlite3:connect", 60.0)
    assert pool.stats.leaks == 1
    held.close()
    pool.clock.advance(100)
    assert pool.pooled.report_leaks() == 0


def test_each_lease_is_reported_for_itself(bench: Callable[..., Bench]) -> None:
    pool = bench(leak_after="60s")
    first = pool.connect()
    pool.clock.advance(30)
    second = pool.connect(timeout=3.0)  # of another pool
    pool.clock.advance(30)
    assert pool.pooled.report_leaks() == 1
    pool.clock.advance(30)
    assert pool.pooled.report_leaks() == 1
    del first
    first = pool.connect()
    pool.clock.advance(60)
    assert pool.pooled.report_leaks() == 1
    assert pool.stats.leaks == 3
    del first, second


def test_the_stack_begins_where_the_application_called(bench: Callable[..., Bench]) -> None:
    pool = bench(leak_after="1s")
    cursor = Repository(pool).open().cursor()
    pool.clock.advance(1)
    pool.pooled.report_leaks()
    (event,) = suspected(pool)
    line = inspect.getsourcelines(Repository.open)[1] + 1
    *_, caller, opened, helper = event.stack
    assert helper.startswith(inspect.getsourcefile(Bench) or "")
    assert helper.endswith(" in connect")
    assert opened == f"{__file__}:{line} in open"
    assert caller.endswith(f" in {test_the_stack_begins_where_the_application_called.__name__}")
    assert not [frame for frame in event.stack if "wats_accel" in frame.replace("\\", "/")]
    del cursor


def test_the_log_names_the_place(bench: Callable[..., Bench], caplog: pytest.LogCaptureFixture) -> None:
    pool = bench(leak_after="2m")
    held = Repository(pool).open()
    pool.clock.advance(150)
    pool.pooled.report_leaks()
    (record,) = [record for record in caplog.records if "leak" in record.message]
    assert record.levelname == "WARNING"
    assert record.message.startswith("Connection leak suspected: sqlite3:connect (held 150s, taken at ")
    line = inspect.getsourcelines(Repository.open)[1] + 1
    assert f" < {__file__}:{line} in open < " in record.message
    held.close()


# -- what is meant to be held ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "patterns",
    [
        f"{__name__}:Repository.open",
        "*:Repository.open",
        "*:Repository.*",
        [f"{__name__}:nobody", f"{__name__}:Repository.op?n"],
    ],
    ids=repr,
)
def test_what_is_declared_as_long_lived_is_not_reported(
    bench: Callable[..., Bench], patterns: object
) -> None:
    pool = bench(leak_after="1s", long_lived=patterns)
    declared = Repository(pool).open()
    pool.clock.advance(100)
    assert pool.pooled.report_leaks() == 0
    other = in_thread(pool.connect)
    pool.clock.advance(100)
    assert pool.pooled.report_leaks() == 1
    del declared, other


@pytest.mark.parametrize("name", ["open_by_class", "open_statically", "opened", "opened_once"])
def test_methods_of_all_kinds_can_be_named(bench: Callable[..., Bench], name: str) -> None:
    pool = bench(leak_after="1s", long_lived=f"*:Repository.{name}")
    mine = Repository(pool)
    held = {
        "open_by_class": mine.open_by_class(pool),
        "open_statically": mine.open_statically(pool),
        "opened": mine.opened,
        "opened_once": mine.opened_once,
    }
    pool.clock.advance(100)
    assert pool.pooled.report_leaks() == len(held) - 1
    assert [known for known, one in held.items() if not one._accel_lease.reported] == [name]
    held.clear()


def test_a_function_further_out_may_be_named(bench: Callable[..., Bench]) -> None:
    pool = bench(leak_after="1s", long_lived=f"{__name__}:{_outermost.__name__}")
    held = _outermost(lambda: Repository(pool).open())
    pool.clock.advance(100)
    assert pool.pooled.report_leaks() == 0
    del held


def _outermost(action: Callable[[], Any]) -> Any:
    return action()


# -- what it costs -----------------------------------------------------------------------------------------


def test_when_it_is_off_no_stack_is_taken_and_no_thread_watches(
    bench: Callable[..., Bench], monkeypatch: pytest.MonkeyPatch
) -> None:
    def forbidden(*args: Any) -> Any:
        raise AssertionError

    monkeypatch.setattr(connection_pool, "taken_at", forbidden)
    monkeypatch.setattr(connection_pool, "is_called_by", forbidden)
    monkeypatch.setattr(traceback, "walk_stack", forbidden)
    pool = bench(long_lived="*")
    held = pool.connect()
    assert held._accel_lease.stack is None
    pool.clock.advance(1_000_000)
    assert pool.pooled.report_leaks() == 0
    assert "wats-accel-leaks" not in {thread.name for thread in threading.enumerate()}
    held.close()


def test_the_source_is_read_only_for_what_is_reported(
    bench: Callable[..., Bench], monkeypatch: pytest.MonkeyPatch
) -> None:
    import linecache

    pool = bench(leak_after="1h")
    read: list[str] = []
    monkeypatch.setattr(linecache, "getline", lambda name, *args: read.append(name) or "")
    monkeypatch.setattr(linecache, "updatecache", lambda name, *args: read.append(name) or [])
    pool.use_and_return()
    assert read == []


def test_a_lease_that_is_reported_keeps_nothing_of_the_application_alive(bench: Callable[..., Bench]) -> None:
    import gc
    import weakref

    pool = bench(leak_after="1s")

    def open_with_a_local() -> tuple[Any, Any]:
        local = Repository(pool)
        return weakref.ref(local), local.open()

    gone, held = open_with_a_local()
    pool.clock.advance(1)
    assert pool.pooled.report_leaks() == 1
    gc.collect()
    assert gone() is None
    held.close()


# -- watching ----------------------------------------------------------------------------------------------


class Watched:
    """Whose leaks are reported from a thread."""

    def __init__(self) -> None:
        self.asked = threading.Event()

    def report_leaks(self) -> int:
        self.asked.set()
        return 0


def watchers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "wats-accel-leaks"]


@pytest.fixture
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is watched is asked all the time."""
    monkeypatch.setattr(leaks, "_SHORTEST_INTERVAL_SECONDS", 0.001)


@pytest.mark.usefixtures("often")
def test_a_thread_asks_from_time_to_time_until_it_is_stopped() -> None:
    watched = Watched()
    stop = leaks.watch(watched, 0.002)
    (thread,) = watchers()
    assert thread.daemon
    assert watched.asked.wait(PATIENCE)
    stop()
    thread.join(PATIENCE)
    assert not thread.is_alive()


@pytest.mark.usefixtures("often")
@pytest.mark.parametrize("asked", [False, True])
def test_a_thread_ends_when_what_it_watches_is_gone(*, asked: bool) -> None:
    watched = Watched()
    leaks.watch(watched, 0.002)
    (thread,) = watchers()
    if asked:
        assert watched.asked.wait(PATIENCE)
    del watched
    thread.join(PATIENCE)
    assert not thread.is_alive()


@pytest.mark.usefixtures("often")
def test_a_pool_is_watched_from_its_first_connection_on(bench: Callable[..., Bench]) -> None:
    pool = bench(leak_after="2ms")
    assert watchers() == []
    said = threading.Event()
    pool.accelerator._bus.subscribe(pool_events.PoolLeakSuspected, lambda event: said.set())
    held = pool.connect()
    pool.clock.advance(1)
    assert said.wait(PATIENCE)
    assert type(held) is not sqlite3.Connection
    held.close()


@pytest.mark.usefixtures("often")
def test_a_failing_report_does_not_end_the_watching(bench: Callable[..., Bench]) -> None:
    pool = bench(leak_after="2ms")
    said = threading.Semaphore(0)

    def fail(event: events.Event) -> None:
        said.release()
        raise RuntimeError("a listener's own")

    pool.accelerator._bus.subscribe(pool_events.PoolLeakSuspected, fail)
    for _ in range(2):
        held = pool.connect()
        pool.clock.advance(1)
        assert said.acquire(timeout=PATIENCE)
        held.close()
