"""When all connections are taken: who waits, who gets one of his own, and that nobody waits for himself."""

from __future__ import annotations

import gc
import queue
import sqlite3
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pool_bench import PATIENCE, Bench, in_thread

from wats_accel.pool import slots
from wats_accel.pool_events import PoolExhausted


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long callers were ready to wait for a slot; the waiting itself is left out."""
    seconds: list[float] = []

    def at_once(self: Any, wanted: float) -> bool:
        seconds.append(wanted)
        try:
            self._free.get_nowait()
        except queue.Empty:
            return False
        return True

    monkeypatch.setattr(slots.Slots, "_take_within", at_once)
    return seconds


def is_bare(connection: Any) -> bool:
    return type(connection) is sqlite3.Connection


def small(bench: Callable[..., Bench], **rules: Any) -> Bench:
    """A pool of two connections."""
    return bench(size=1, max_overflow=1, **rules)


# -- direct ------------------------------------------------------------------------------------------------


def test_after_the_time_out_a_connection_is_opened_past_the_pool(
    bench: Callable[..., Bench], waits: list[float]
) -> None:
    pool = small(bench, timeout="7s")
    held = pool.connections(2)
    waits.clear()
    another = in_thread(lambda: pool.connect(check_same_thread=False))  # another pool: nothing is exhausted
    assert not is_bare(another)
    another.close()
    waits.clear()
    another = in_thread(pool.connect)
    assert is_bare(another)
    assert waits == [0.0] + [1.0] * 7  # in slices, with a look for garbage before each
    assert [type(event) for event in pool.events if isinstance(event, PoolExhausted)] == [PoolExhausted]
    assert pool.sent(PoolExhausted) == [PoolExhausted("sqlite3:connect", 7.0, "direct")]
    assert (pool.stats.exhausted, pool.stats.direct, pool.stats.opened) == (1, 1, 3)
    assert [is_bare(connection) for connection in held] == [False, False]


def test_a_connection_past_the_pool_is_the_drivers_own_to_the_end(bench: Callable[..., Bench]) -> None:
    pool = small(bench, timeout="0s")
    held = pool.connections(2)
    direct = pool.connect()
    direct.execute("CREATE TABLE t (n)")
    direct.close()
    assert pool.stats.checked_out == 2
    with pytest.raises(sqlite3.ProgrammingError, match="thread"):
        in_thread(pool.connect).execute("SELECT 1")
    for connection in held:
        connection.close()
    assert (pool.stats.checked_out, pool.stats.idle) == (0, 2)


def test_it_is_logged_that_the_pool_is_exhausted(
    bench: Callable[..., Bench], caplog: pytest.LogCaptureFixture
) -> None:
    pool = small(bench, timeout="0s")
    held = pool.connections(3)
    assert [
        (record.levelname, record.message) for record in caplog.records if "exhausted" in record.message
    ] == [
        ("WARNING", "Connection Pool exhausted: sqlite3:connect (waited 0s, opening an unpooled connection)")
    ]
    del held


def test_without_a_pool_that_is_full_nobody_waits(bench: Callable[..., Bench], waits: list[float]) -> None:
    pool = small(bench)
    for _ in range(5):
        pool.use_and_return(2)
    assert set(waits) == {0.0}
    assert pool.sent(PoolExhausted) == []


# -- wait --------------------------------------------------------------------------------------------------


def test_who_waits_gets_the_connection_that_comes_back(bench: Callable[..., Bench]) -> None:
    pool = small(bench, timeout="0s", on_exhausted="wait")
    first, second = pool.connections(2)
    waiting = threading.Event()
    pool.accelerator._bus.subscribe(PoolExhausted, lambda event: waiting.set())
    got: list[Any] = []

    def take() -> None:
        got.append(is_bare(pool.connect()))

    thread = threading.Thread(target=take, daemon=True)
    thread.start()
    assert waiting.wait(PATIENCE)
    first.close()
    thread.join(PATIENCE)
    assert got == [False]
    assert {event.then for event in pool.sent(PoolExhausted)} == {"wait"}
    assert (pool.stats.opened, pool.stats.direct) == (2, 0)
    second.close()


def test_who_waits_says_so_again_and_again_and_goes_on_waiting(
    bench: Callable[..., Bench], monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = small(bench, timeout="3s", on_exhausted="wait")
    held = in_thread(lambda: pool.connections(2))
    asked: list[float] = []

    def impatient(self: Any, seconds: float) -> bool:
        asked.append(seconds)
        if len(asked) == 11:
            held.pop()
        return real(self, 0.0)

    real = slots.Slots._take_within
    monkeypatch.setattr(slots.Slots, "_take_within", impatient)
    assert not is_bare(pool.connect())
    assert asked == [0.0] + [1.0] * 10
    assert [event.waited_seconds for event in pool.sent(PoolExhausted)] == [3.0] * 3
    assert pool.stats.exhausted == 3


def test_threads_that_wait_never_share_a_connection(bench: Callable[..., Bench]) -> None:
    pool = bench(size=2, max_overflow=1, timeout="1h", on_exhausted="wait")
    begin = threading.Barrier(8, timeout=PATIENCE)
    in_use: dict[int, int] = {}
    most: list[int] = []

    def work() -> None:
        begin.wait()
        for _ in range(200):
            connection = pool.connect()
            raw = id(connection._accel_raw)
            assert in_use.setdefault(raw, threading.get_ident()) == threading.get_ident()
            most.append(len(in_use))
            connection.execute("SELECT 1").fetchone()
            del in_use[raw]
            connection.close()

    failed: list[BaseException] = []

    def guarded() -> None:
        try:
            work()
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=guarded, daemon=True) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert not any(thread.is_alive() for thread in threads)
    assert (failed, max(most) <= 3, pool.stats.opened, pool.stats.direct) == ([], True, 3, 0)


def test_two_threads_that_hold_one_of_each_pool_do_not_wait_for_each_other(
    bench: Callable[..., Bench],
) -> None:
    pool = bench(size=1, max_overflow=0, timeout="1h", on_exhausted="wait")
    both_hold_one = threading.Barrier(2, timeout=PATIENCE)

    def work(first: dict[str, Any], then: dict[str, Any]) -> None:
        held = pool.connect(**first)
        both_hold_one.wait()
        assert held is not pool.connect(**then)

    one: dict[str, Any] = {"timeout": 1.0}
    two: dict[str, Any] = {"timeout": 2.0}
    threads = [threading.Thread(target=work, args=pair, daemon=True) for pair in ((one, two), (two, one))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert not any(thread.is_alive() for thread in threads)
    assert pool.stats.direct >= 1


# -- the same thread ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("rule", ["direct", "wait"])
def test_a_thread_that_holds_a_connection_never_waits_for_another(
    bench: Callable[..., Bench], waits: list[float], rule: str
) -> None:
    pool = bench(size=1, max_overflow=0, timeout="1h", on_exhausted=rule)
    held = pool.connect()
    nested = pool.connect()
    assert (is_bare(held), is_bare(nested)) == (False, True)
    assert set(waits) == {0.0}
    assert pool.sent(PoolExhausted) == [PoolExhausted("sqlite3:connect", 0.0, "direct")]


def test_threads_that_hold_one_each_and_want_another_do_not_wait_for_each_other(
    bench: Callable[..., Bench],
) -> None:
    pool = bench(size=2, max_overflow=0, timeout="1h", on_exhausted="wait")
    both = threading.Barrier(2, timeout=PATIENCE)

    def take_two() -> tuple[bool, bool]:
        first = pool.connect()
        both.wait()
        second = pool.connect()
        both.wait()
        return is_bare(first), is_bare(second)

    told: list[Any] = []
    threads = [threading.Thread(target=lambda: told.append(take_two()), daemon=True) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert told == [(False, True)] * 2


def test_a_connection_that_another_thread_uses_counts_for_the_one_that_took_it(
    bench: Callable[..., Bench],
) -> None:
    pool = bench(size=1, max_overflow=0, timeout="0s")
    held = in_thread(pool.connect)
    assert is_bare(pool.connect())
    del held
    assert not is_bare(pool.connect())


# -- garbage -----------------------------------------------------------------------------------------------


class Loop:
    """Garbage that only the collector can find."""

    def __init__(self, connection: Any) -> None:
        self.connection, self.loop = connection, self


@pytest.fixture
def collections(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """How often the pool has had all garbage collected; the collector does nothing by itself."""
    counted: list[int] = []
    real = gc.collect

    def counting(generation: int = 2) -> int:
        counted.extend([generation] * (generation == 2))
        return real(generation)

    monkeypatch.setattr(gc, "collect", counting)
    gc.disable()
    yield counted
    gc.enable()


def test_what_only_garbage_holds_is_found_before_anybody_waits(
    bench: Callable[..., Bench], collections: list[int]
) -> None:
    pool = small(bench, timeout="1h")
    for connection in pool.connections(2):
        Loop(connection)
    del connection
    assert pool.stats.checked_out == 2
    assert not is_bare(pool.connect())
    assert (len(collections), pool.stats.exhausted, pool.stats.opened) == (1, 0, 2)


def test_what_becomes_garbage_while_somebody_waits_is_found(
    bench: Callable[..., Bench], monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = bench(size=1, max_overflow=0, timeout="1h", on_exhausted="wait")
    held = in_thread(pool.connect)
    real = slots.Slots._take_within

    def impatient(self: Any, seconds: float) -> bool:
        if seconds:
            holders.clear()
            pool.clock.advance(2)
        return real(self, 0.0)

    holders = [Loop(held)]
    del held
    monkeypatch.setattr(slots.Slots, "_take_within", impatient)
    assert not is_bare(pool.connect())


def test_the_traceback_of_an_exception_gives_back_what_it_held(
    bench: Callable[..., Bench], collections: list[int]
) -> None:
    pool = small(bench, timeout="1h")

    def fail() -> None:
        cursor = pool.connect().cursor()
        try:
            cursor.execute("SELECT nonsense")
        except sqlite3.OperationalError as error:
            kept = error  # a cycle: the frame holds the error, and that the frame
            raise LookupError from kept

    for _ in range(20):
        with pytest.raises(LookupError):
            fail()
    assert (pool.stats.direct, pool.stats.opened) == (0, 2)
    assert len(collections) == 1  # of all garbage: what was made lately is found sooner


def test_garbage_is_looked_for_once_a_second_and_not_at_every_connect(
    bench: Callable[..., Bench], collections: list[int]
) -> None:
    pool = small(bench, timeout="0s")
    held = pool.connections(2)
    for _ in range(50):
        pool.connect().close()
    assert len(collections) == 1
    pool.clock.advance(0.5)
    pool.connect().close()
    assert len(collections) == 1
    pool.clock.advance(0.5)
    for _ in range(50):
        pool.connect().close()
    assert (len(collections), pool.stats.direct) == (2, 101)
    del held
