"""The queue of idle connections, interrupted wherever it can be: by collections, listeners and keyboards."""

from __future__ import annotations

import gc
import itertools
import sqlite3
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pool_bench import PATIENCE, Bench, in_thread

from wats_accel.events import Event
from wats_accel.pool import cleansing, connection_pool, connection_queue, fitness, lease, slots
from wats_accel.pool_events import PoolCheckedIn, PoolCheckedOut, PoolConnected, PoolDiscarded, PoolExhausted


class Loop:
    """Garbage that only the collector can find, and a connection in it."""

    def __init__(self, *kept: Any) -> None:
        self.kept, self.loop = kept, self


def in_order(pool: Bench) -> bool:
    """Whether all slots are there, and no connection is out or lost."""
    gc.collect()
    limit = pool.pooled.rules.limit
    return (pool.stats.checked_out, pool.pool._slots.taken) == (0, 0) and pool.stats.idle <= limit


@pytest.fixture
def interrupted() -> Iterator[Callable[[Callable[[], None]], list[int]]]:
    """Has something done at every line of the queue's code, and of what is around it; counts how often."""
    counted: list[int] = []
    ours = (connection_queue, connection_pool, lease, fitness, cleansing, slots)
    places = (*(str(module.__file__) for module in ours), "sqlalchemy/pool/", "sqlalchemy/util/queue.py")

    def start(action: Callable[[], None]) -> list[int]:
        active = False

        def trace(frame: Any, event: str, argument: Any) -> Any:
            nonlocal active
            name = frame.f_code.co_filename.replace("\\", "/")
            if not any(place.replace("\\", "/") in name for place in places):
                return None
            if event == "line" and not active:
                active = True
                counted.append(1)
                try:
                    action()
                finally:
                    active = False
            return trace

        sys.settrace(trace)
        return counted

    before = sys.gettrace()
    yield start
    sys.settrace(before)


def test_a_lease_that_ends_at_any_line_of_the_queue_comes_back(
    bench: Callable[..., Bench], interrupted: Callable[[Callable[[], None]], list[int]]
) -> None:
    pool = bench(size=2, max_overflow=2, linger="0s", timeout="1h")
    garbage: list[Any] = []
    pool.use_and_return(2)

    def end_a_lease() -> None:
        if garbage:
            garbage.pop().close()

    counted = interrupted(end_a_lease)
    for _ in range(30):
        garbage.append(pool.connect())
        pool.connect().close()
        pool.connect().cursor().close()
    sys.settrace(None)
    garbage.clear()
    assert len(counted) > 1_000
    assert in_order(pool)
    assert pool.stats.direct == 0
    assert max(pool.stats.idle, pool.stats.opened - sum(pool.stats.discarded.values())) <= 2


def test_a_collection_at_any_line_of_the_queue_loses_nothing(
    bench: Callable[..., Bench], interrupted: Callable[[Callable[[], None]], list[int]]
) -> None:
    pool = bench(size=2, max_overflow=2, linger="0s", timeout="1h")
    pool.use_and_return(2)
    counted = interrupted(lambda: gc.collect(0))
    for _ in range(30):
        Loop(pool.connect())
        Loop(pool.connect(), Loop(pool.connect().cursor()))
    sys.settrace(None)
    assert len(counted) > 1_000
    assert in_order(pool)
    assert pool.stats.direct == 0


def test_a_lease_of_another_pool_that_ends_in_there_comes_back_as_well(
    bench: Callable[..., Bench], interrupted: Callable[[Callable[[], None]], list[int]], tmp_path: Any
) -> None:
    pool = bench(size=2, max_overflow=2, timeout="1h")
    other = str(tmp_path / "other.db")
    garbage: list[Any] = []

    def end_a_lease() -> None:
        if garbage:
            garbage.pop().close()

    interrupted(end_a_lease)
    for database in itertools.islice(itertools.cycle([pool.database, other]), 60):
        garbage.append(sqlite3.connect(database))
        sqlite3.connect(pool.database).close()
        sqlite3.connect(other).close()
    sys.settrace(None)
    garbage.clear()
    assert pool.stats.checked_out == 0
    assert [one._slots.free for one in pool.pooled.pools] == [4, 4]


def test_two_threads_that_end_each_others_leases_in_two_queues_do_not_wait_for_each_other(
    bench: Callable[..., Bench], tmp_path: Any
) -> None:
    pool = bench(size=1, max_overflow=30, timeout="1h", linger="0s")
    databases = pool.database, str(tmp_path / "other.db")
    begin = threading.Barrier(4, timeout=PATIENCE)

    def work(mine: str, other: str) -> None:
        begin.wait()
        for _ in range(300):
            Loop(sqlite3.connect(other, check_same_thread=False))
            sqlite3.connect(mine, check_same_thread=False).close()
            gc.collect(0)

    threads = [
        threading.Thread(target=work, args=pair, daemon=True) for pair in (databases, databases[::-1]) * 2
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert not any(thread.is_alive() for thread in threads)
    gc.collect()
    assert (pool.stats.checked_out, [one._slots.free for one in pool.pooled.pools]) == (0, [31, 31])


# -- listeners ---------------------------------------------------------------------------------------------


POOL_EVENTS = (
    *(PoolConnected, PoolCheckedOut, PoolCheckedIn, PoolDiscarded),
    PoolExhausted,
)


@pytest.mark.parametrize("kind", POOL_EVENTS)
def test_a_listener_that_raises_loses_nothing(bench: Callable[..., Bench], kind: type[Event]) -> None:
    pool = bench(size=1, max_overflow=1, linger="0s", timeout="0s")

    def fail(event: Event) -> None:
        raise RuntimeError("a listener's own")

    pool.accelerator._bus.subscribe(kind, fail)
    for _ in range(5):
        pool.use_and_return(3)
    assert in_order(pool)
    assert (pool.stats.direct, pool.stats.exhausted) == (5, 5)


def test_a_listener_may_connect_and_close_itself(bench: Callable[..., Bench]) -> None:
    pool = bench(size=2, max_overflow=2, linger="0s", timeout="0s")
    busy = False

    def connect(event: Event) -> None:
        nonlocal busy
        if not busy:
            busy = True
            pool.connect().execute("SELECT 1").fetchone()
            busy = False

    for kind in POOL_EVENTS:
        pool.accelerator._bus.subscribe(kind, connect)
    for _ in range(5):
        pool.use_and_return(3)
    assert in_order(pool)


# -- keyboards ---------------------------------------------------------------------------------------------


_BETWEEN = frozenset({"_lent", "_lend_in_slot", "_take_slot", "take_at_once", "_take_within", "_lease"})
"""Functions in which a slot has just been taken, and is held by nothing yet but the return value.

Nor is SQLAlchemy's copy of the standard library's queue looked at: Python itself does not promise that a
lock is given back by whom Control-C meets between taking it and the block that it is for.
"""


def interrupted_at(action: Callable[[], Any], at: int | None) -> int:
    """Do something, with Control-C pressed at one line of the pool's code; gives how many lines there are."""
    count = 0
    folder = connection_queue.__file__.rpartition("connection_queue")[0]

    def trace(frame: Any, event: str, argument: Any) -> Any:
        nonlocal count
        name = frame.f_code.co_filename
        if (not name.startswith(folder) and "sqlalchemy" not in name) or name.endswith("util/queue.py"):
            return None
        if event == "line" and frame.f_code.co_name not in _BETWEEN:
            count += 1
            if count - 1 == at:
                raise KeyboardInterrupt
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        action()
    except KeyboardInterrupt:
        pass
    finally:
        sys.settrace(before)
    return count


@pytest.mark.parametrize("first", [True, False], ids=["a new connection", "an idle one"])
def test_control_c_at_any_line_of_a_checkout_loses_nothing(
    bench: Callable[..., Bench], *, first: bool
) -> None:
    pool = bench(size=2, max_overflow=1, timeout="0s")
    pool.use_and_return(2)
    kept: list[Any] = []

    def checkout(at: int | None) -> int:
        if first:
            pool.pool._queue._pool.dispose()
        # In a thread, since an exception out of a trace function may upset what CPython keeps of exceptions.
        lines = int(in_thread(lambda: interrupted_at(lambda: kept.extend(pool.connections(2)), at)))
        kept.clear()
        return lines

    lines = checkout(None)
    assert lines > 100
    for at in range(lines):
        checkout(at)
        assert in_order(pool), at
    assert not connection_queue.is_busy_here()
    assert pool.stats.direct == 0
    assert pool.connect().execute("SELECT 1").fetchone() == (1,)


def test_control_c_while_a_connection_comes_back_costs_that_connection(
    bench: Callable[..., Bench], monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = bench(size=1, max_overflow=1, timeout="0s")
    connection = pool.connect()
    connection.execute("CREATE TABLE t (n)")
    connection.execute("INSERT INTO t VALUES (1)")

    def interrupted(*args: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(connection_pool, "cleanse", interrupted)
        with pytest.raises(KeyboardInterrupt):
            connection.close()
    assert pool.discarded() == {"interrupted": 1}
    assert in_order(pool)
    assert pool.connect().execute("SELECT * FROM t").fetchall() == []


def test_a_connect_that_is_interrupted_gives_its_slot_back(
    bench: Callable[..., Bench], monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = bench(size=1, max_overflow=1, timeout="0s")
    pool.use_and_return()
    pool.pool._queue._pool.dispose()

    def interrupted(*args: Any, **kwargs: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(pool.pool._opener, "_connect", interrupted)
    for _ in range(5):
        with pytest.raises(KeyboardInterrupt):
            pool.connect()
    monkeypatch.undo()
    assert in_order(pool)
    assert [connection.execute("SELECT 1").fetchone() for connection in pool.connections(2)] == [(1,), (1,)]
    assert pool.stats.direct == 0


def test_a_ping_that_is_interrupted_costs_the_connection(
    bench: Callable[..., Bench], monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = bench()
    pool.use_and_return()

    def interrupted(raw: Any) -> bool:
        raise KeyboardInterrupt

    monkeypatch.setattr(pool.pool._fitness.dialect, "is_alive", interrupted)
    with pytest.raises(KeyboardInterrupt):
        pool.connect()
    assert pool.discarded() == {"interrupted": 1}
    assert in_order(pool)
