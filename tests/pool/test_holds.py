"""A hold calls back once, after all finalizers of the same garbage, in whatever thread that happens."""

from __future__ import annotations

import gc
import sqlite3
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable
from typing import Any

import pytest
from pool_bench import Bench, in_thread

from wats_accel.pool import holds
from wats_accel.pool.holds import hold


class Node:
    """What an application's object may be: it holds something, and has a finalizer."""

    def __init__(self, said: list[str], name: str, **kept: Any) -> None:
        self.said, self.name, self.kept = said, name, kept

    def __del__(self) -> None:
        self.said.append(self.name)


def test_a_hold_calls_back_once_it_is_dropped() -> None:
    said: list[str] = []
    held = hold(lambda: said.append("end"))
    gc.collect()
    assert said == []
    again = held
    del held
    assert said == []
    del again
    assert said == ["end"]


def test_a_hold_leaves_nothing_behind() -> None:
    before = len(holds._endings)
    some = [hold(lambda: None) for _ in range(100)]
    assert len(holds._endings) == before + 100
    del some
    assert len(holds._endings) == before


@pytest.mark.parametrize("order", ["hold first", "hold last"])
def test_a_hold_in_a_cycle_calls_back_after_all_its_finalizers(order: str) -> None:
    said: list[str] = []
    ending = hold(lambda: said.append("end"))
    first, second = Node(said, "node"), Node(said, "node")
    if order == "hold first":
        first.kept["hold"] = ending
    first.kept["other"], second.kept["other"] = second, first
    if order == "hold last":
        second.kept["hold"] = ending
    del first, second, ending
    gc.collect()
    assert said == ["node", "node", "end"]


def test_a_finalizer_may_use_what_a_hold_of_the_same_garbage_holds() -> None:
    said: list[str] = []
    open_things = {"connection"}

    class Careful:
        def __init__(self) -> None:
            self.loop = self
            self.hold = hold(lambda: open_things.clear())

        def __del__(self) -> None:
            said.append("saved" if open_things else "too late")

    Careful()
    gc.collect()
    assert (said, open_things) == (["saved"], set())


def test_a_finalizer_that_brings_its_object_back_keeps_the_hold() -> None:
    said: list[str] = []
    saved: list[Any] = []

    class Undead:
        def __init__(self) -> None:
            self.hold = hold(lambda: said.append("end"))
            self.loop = self

        def __del__(self) -> None:
            saved.append(self)

    Undead()
    gc.collect()
    assert said == []
    saved[0].loop = None
    saved.clear()
    gc.collect()
    assert said == ["end"]


def test_an_ending_that_raises_harms_nobody() -> None:
    def fail() -> None:
        raise RuntimeError("an ending's own")

    said: list[str] = []
    first, second = hold(fail), hold(lambda: said.append("end"))
    del first
    del second
    assert said == ["end"]


def test_a_hold_may_be_dropped_in_any_thread() -> None:
    said: list[int] = []
    kept = [hold(lambda: said.append(threading.get_ident()))]
    in_thread(kept.clear)
    assert len(said) == 1
    assert said != [threading.get_ident()]


def test_what_is_held_dies_with_its_hold() -> None:
    kept = Node([], "kept")
    gone = weakref.ref(kept)
    ending = hold(kept.said.clear)
    del kept
    ending2 = hold(gone)
    del ending, ending2
    assert gone() is None


# -- leases ------------------------------------------------------------------------------------------------


def test_an_applications_finalizer_may_still_commit(bench: Callable[..., Bench]) -> None:
    pool = bench()
    pool.connect().execute("CREATE TABLE t (n)")

    class UnitOfWork:
        def __init__(self) -> None:
            self.connection = pool.connect()
            self.cursor = self.connection.cursor()
            self.cursor.execute("INSERT INTO t VALUES (1)")
            self.loop = self

        def __del__(self) -> None:
            self.cursor.execute("INSERT INTO t VALUES (2)")
            self.connection.commit()

    UnitOfWork()
    gc.collect()
    assert pool.connect().execute("SELECT n FROM t ORDER BY n").fetchall() == [(1,), (2,)]
    gc.collect()
    assert pool.stats.checked_out == 0


def test_a_connection_comes_back_while_an_exception_is_on_its_way(bench: Callable[..., Bench]) -> None:
    pool = bench()

    def fail() -> None:
        cursor = pool.connect().cursor()
        cursor.execute("SELECT nonsense")

    try:
        fail()
    except sqlite3.OperationalError as error:
        assert pool.stats.checked_out == 1  # its traceback may be looked at
        kept = error
    assert pool.stats.checked_out == 1
    del kept
    assert (pool.stats.checked_out, pool.stats.idle) == (0, 1)


def test_a_thread_that_dies_gives_back_what_it_had(bench: Callable[..., Bench]) -> None:
    pool = bench()

    local = threading.local()

    def die() -> None:
        local.connection = pool.connect(check_same_thread=False)
        local.cursor = pool.connect(check_same_thread=False).cursor()
        raise LookupError

    for _ in range(10):
        with pytest.raises(LookupError):
            in_thread(die)
    gc.collect()
    assert (pool.stats.checked_out, pool.stats.opened) == (0, 2)


def test_at_the_end_of_the_interpreter_nothing_is_said(tmp_path: Any) -> None:
    script = """
import sqlite3, sys
import wats_accel
wats_accel.install({"version": 1, "pool": [{"connect": "sqlite3:connect"}]}, strict=True)
class Node: pass
node = Node()
node.loop, node.cursor = node, sqlite3.connect(sys.argv[1]).cursor()
kept = [sqlite3.connect(sys.argv[1]).execute("SELECT 1") for _ in range(10)]
sys.modules["kept"] = kept
"""
    command = [sys.executable, "-c", script, str(tmp_path / "a.db")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
