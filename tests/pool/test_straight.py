"""Calls that only read, and that nobody has to see, go straight to the driver; all others go the long way."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pool_bench import Bench, in_thread
from test_observing import Onlooker

from wats_accel.event_bus import EventBus
from wats_accel.failures import failures_met
from wats_accel.pool.registry import PoolRegistry
from wats_accel.pool.rules import PoolRules
from wats_accel.testing import Fault, failing

SELECT = "SELECT n FROM number ORDER BY n"


@pytest.fixture
def pool(bench: Callable[..., Bench]) -> Bench:
    made = bench()
    connection = made.connect()
    connection.execute("CREATE TABLE number (n INTEGER)")
    connection.executemany("INSERT INTO number VALUES (?)", [(1,), (2,), (3,)])
    connection.commit()
    connection.close()
    return made


def long_ways(action: Callable[[], Any]) -> int:
    """How many calls are looked at before the driver is called."""
    with failing("call.before", Fault.none()) as seen:
        action()
    return seen.passed


def read_in_each_way(cursor: Any) -> list[Any]:
    cursor.execute(SELECT)
    rows = [cursor.fetchone(), *cursor.fetchmany(1), *cursor.fetchall()]
    cursor.execute("SELECT n FROM number WHERE n > ?", (2,))
    return [*rows, next(cursor)]


def test_what_only_reads_goes_straight(pool: Bench) -> None:
    connection = pool.connect()
    cursor, rows = connection.cursor(), []
    assert long_ways(lambda: rows.extend(read_in_each_way(cursor))) == 0
    assert rows == [(1,), (2,), (3,), (3,)]
    assert long_ways(lambda: rows.append(connection.execute(SELECT))) == 0
    assert rows[-1].connection is connection
    assert rows[-1].fetchone() == (1,)


@pytest.mark.parametrize(
    "text", ["INSERT INTO number VALUES (4)", "PRAGMA user_version", "CREATE TEMP TABLE t (n)", "BEGIN"]
)
def test_what_may_leave_something_goes_the_long_way(pool: Bench, text: str) -> None:
    cursor = pool.connect().cursor()
    assert long_ways(lambda: cursor.execute(text)) == 1


def test_with_changes_that_are_not_committed_all_go_the_long_way(pool: Bench) -> None:
    connection = pool.connect()
    cursor = connection.cursor()
    cursor.execute("INSERT INTO number VALUES (4)")
    assert long_ways(lambda: read_in_each_way(cursor)) == 6
    connection.rollback()
    assert long_ways(lambda: read_in_each_way(cursor)) == 0


def test_what_reads_another_threads_uncommitted_changes_counts_as_a_failure(pool: Bench) -> None:
    connection = pool.connect(check_same_thread=False)
    cursor, before = connection.cursor(), failures_met()
    in_thread(lambda: cursor.execute("INSERT INTO number VALUES (4)"))
    connection.cursor().execute(SELECT).fetchall()
    assert failures_met() > before


def test_what_the_driver_raises_is_raised_counted_and_shows_no_arguments(pool: Bench) -> None:
    cursor, before = pool.connect().cursor(), failures_met()
    with pytest.raises(sqlite3.OperationalError, match="no such column") as raised:
        cursor.execute("SELECT nobody FROM number WHERE n = ?", ("secret",))
    assert failures_met() == before + 1
    trace = raised.tb.tb_next
    while trace is not None:
        assert "secret" not in repr(trace.tb_frame.f_locals)
        trace = trace.tb_next


def test_the_end_of_the_rows_is_no_failure(pool: Bench) -> None:
    cursor, before = pool.connect().cursor(), failures_met()
    assert list(cursor.execute(SELECT)) == [(1,), (2,), (3,)]
    assert failures_met() == before


def test_a_thread_that_the_driver_refuses_is_refused(pool: Bench) -> None:
    cursor = pool.connect().cursor()
    cursor.execute(SELECT)
    with pytest.raises(sqlite3.ProgrammingError, match="can only be used in that same thread"):
        in_thread(cursor.fetchall)


def test_a_lease_that_ends_inside_a_call_ends_when_that_returns(pool: Bench) -> None:
    connection = pool.connect(check_same_thread=False)
    (lease,) = (lease for each in pool.pooled.pools for lease in each.leases.values())
    cursor, seen = connection.cursor(), []
    cursor.execute(SELECT)

    class Raw:
        def fetchall(self) -> list[Any]:
            in_thread(connection.close)
            seen.append((lease.ended, lease.entry is not None))
            return []

    object.__setattr__(cursor, "_accel_raw", Raw())
    connection_there = connection._accel_raw
    assert cursor.fetchall() == []
    assert seen == [(True, True)]
    assert (lease.entry, lease.inside) == (None, [])
    assert connection._accel_raw is not connection_there


def test_a_control_c_at_the_end_of_a_call_of_ours_keeps_no_connection_out(pool: Bench) -> None:
    class Interrupted(list[None]):
        def append(self, item: None) -> None:
            super().append(item)
            raise KeyboardInterrupt  # as a signal's handler does when a function returns

    connection = pool.connect()
    cursor, lease = connection.cursor(), connection._accel_lease
    lease.inside = Interrupted()
    assert cursor.execute(SELECT).fetchone() == (1,)
    assert list(lease.inside) == []
    connection.close()
    assert (pool.stats.checked_out, pool.stats.idle) == (0, 1)


def test_what_of_ours_fails_on_the_way_is_met_by_nobody(pool: Bench) -> None:
    cursor = pool.connect().cursor()
    for seam in ("statement.effect", "statement.change", "proxy.dependent"):
        with failing(seam, Fault.raises(RuntimeError)):
            assert cursor.execute(f"{SELECT} -- {seam}").fetchall() == [(1,), (2,), (3,)]
            assert pool.connect().cursor().execute(SELECT).fetchone() == (1,)


# -- with somebody who observes ----------------------------------------------------------------------------


class Loading(Onlooker):
    """Knows which threads load something, and has seen some texts before."""

    def __init__(self) -> None:
        super().__init__()
        self.loading: dict[int, object] = {}
        self.known: set[str] = set()

    def only_reads(self, language: str, sql: str) -> bool:
        return sql in self.known


@pytest.fixture
def onlooker() -> Loading:
    return Loading()


@pytest.fixture
def cursor(onlooker: Loading, sqlite_tables: Path, tmp_path: Path) -> Iterator[Any]:
    file = tmp_path / "seen.db"
    file.write_bytes(sqlite_tables.read_bytes())
    pools = PoolRegistry(bus=EventBus(), clock=lambda: 0.0)
    pools.observe(onlooker)
    connect = pools.add(PoolRules("sqlite3:connect"), onlooker.lost.append).wrap(sqlite3.connect)
    connection = connect(str(file))
    yield connection.cursor()
    connection.close()
    pools.close()


NAMES = "SELECT name FROM person"


def test_a_text_that_the_observer_knows_is_not_shown_while_the_thread_loads_nothing(
    cursor: Any, onlooker: Loading
) -> None:
    cursor.execute(NAMES).fetchall()
    assert (onlooker.told, onlooker.readers) == ([("execute", NAMES)], [])
    onlooker.known.add(NAMES)
    onlooker.loading[threading.get_ident() + 1] = "another thread's"
    assert len(cursor.execute(NAMES).fetchall()) == 5
    assert (onlooker.told, onlooker.readers) == ([("execute", NAMES)], [])


def test_a_thread_that_loads_is_seen_with_texts_and_rows(cursor: Any, onlooker: Loading) -> None:
    onlooker.known.add(NAMES)
    onlooker.loading[threading.get_ident()] = "mine"
    cursor.execute(NAMES).fetchall()
    assert onlooker.told == [("execute", NAMES)]
    assert len(onlooker.readers) == 1


def test_rows_of_a_text_that_was_executed_before_the_load_are_nobodys(cursor: Any, onlooker: Loading) -> None:
    onlooker.known.add(NAMES)
    onlooker.loading[threading.get_ident()] = "mine"
    cursor.execute(NAMES).fetchall()
    del onlooker.loading[threading.get_ident()]
    cursor.execute(NAMES)
    onlooker.loading[threading.get_ident()] = "the next"
    cursor.fetchall()
    assert onlooker.readers[-1] is None
