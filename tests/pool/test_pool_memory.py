"""A pool does not grow with the work that it does: lease after lease, of all kinds."""

from __future__ import annotations

import gc
import itertools
import random
import sqlite3
import sys
from collections.abc import Callable
from typing import Any

import pytest
from pool_bench import POOL_EVENTS, Bench

from wats_accel.pool import connection_queue, holds

WHOLE, SHARE = 200_000, 20_000
SEED = 20261124
ALLOWED_BLOCKS = 1_000
"""What caches of the interpreter and the like may take; one object kept of twenty cycles would be more."""


def closed(pool: Bench) -> None:
    pool.connect().close()


def dropped(pool: Bench) -> None:
    pool.connect()


def only_the_cursor_kept(pool: Bench) -> None:
    pool.connect().cursor().execute("SELECT 1").fetchone()


def left_in_a_transaction(pool: Bench) -> None:
    pool.connect().execute("INSERT INTO t VALUES (1)")


def committed(pool: Bench) -> None:
    with pool.connect() as connection:
        connection.execute("DELETE FROM t")


def with_a_changed_setting(pool: Bench) -> None:
    pool.connect().row_factory = sqlite3.Row


def with_an_error(pool: Bench) -> None:
    try:
        pool.connect().execute("SELECT nonsense")
    except sqlite3.OperationalError as error:
        kept = error  # noqa: F841 - makes a cycle of the traceback


def in_a_cycle(pool: Bench) -> None:
    loop: list[Any] = [pool.connect()]
    loop.append(loop)


def half_read(pool: Bench) -> None:
    next(iter(pool.connect().execute("VALUES (1), (2)")))


def after_the_close(pool: Bench) -> None:
    connection = pool.connect()
    connection.close()
    try:
        connection.execute("SELECT 1")
    except sqlite3.ProgrammingError:
        return


KINDS: tuple[Callable[[Bench], None], ...] = (
    *(closed, dropped, only_the_cursor_kept, committed, with_a_changed_setting, with_an_error),
    *(in_a_cycle, half_read, after_the_close, left_in_a_transaction),
)


def cycles(pool: Bench, count: int) -> None:
    """So many leases of all kinds, in an order that is the same each time."""
    chosen = random.Random(SEED)
    for kind in itertools.islice(iter(lambda: chosen.choice(KINDS), None), count):
        kind(pool)
    gc.collect()


def blocks() -> int:
    """How many blocks of memory Python uses now."""
    gc.collect()
    return sys.getallocatedblocks()


def tables(pool: Bench) -> tuple[int, ...]:
    """The sizes of all that the pool keeps."""
    return (
        len(holds._endings),
        len(connection_queue._later),
        len(pool.pooled._pools),
        len(pool.pool.leases),
        pool.pool._slots.free,
        len(pool.pool._queue._why),
        pool.pool._queue._pool.checkedin(),
    )


@pytest.mark.soak
@pytest.mark.timeout(1_000)
def test_no_memory_is_kept_over_many_leases(bench: Callable[..., Bench], *, soak: bool) -> None:
    pool = bench(size=2, max_overflow=2)
    for kind in POOL_EVENTS:
        pool.accelerator._bus.unsubscribe(kind, pool.events.append)  # the bench keeps them all
    setup = pool.connect()
    setup.execute("PRAGMA journal_mode = WAL")  # of the file: the disk has less to do
    setup.execute("CREATE TABLE t (n)")
    setup.close()
    cycles(pool, SHARE // 10)
    before, sizes = blocks(), tables(pool)
    cycles(pool, WHOLE if soak else SHARE)
    assert tables(pool) == sizes
    assert blocks() - before < ALLOWED_BLOCKS
    assert pool.stats.checked_out == 0
    assert pool.stats.opened - sum(pool.stats.discarded.values()) == pool.stats.idle <= 4


def test_ever_new_arguments_keep_a_bounded_memory(bench: Callable[..., Bench]) -> None:
    pool = bench()
    for kind in POOL_EVENTS:
        pool.accelerator._bus.unsubscribe(kind, pool.events.append)

    def use(numbers: range) -> None:
        for number in numbers:
            pool.connect(timeout=float(number)).close()

    use(range(1, 100))
    before = blocks()
    use(range(100, 500))
    assert blocks() - before < ALLOWED_BLOCKS
    assert (pool.stats.pools, pool.stats.idle) == (50, 50)
