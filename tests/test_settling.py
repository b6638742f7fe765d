"""A look at the stacks of all threads: what it sees, and that nobody can move meanwhile."""

from __future__ import annotations

import gc
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import CodeType

from wats_accel import settling
from wats_accel.settling import calls_under_way

PATIENCE = 30.0


def down(depth: int) -> frozenset[settling.Call]:
    return down(depth - 1) if depth else calls_under_way(is_down)


def is_down(code: CodeType) -> bool:
    return code is down.__code__


def test_each_call_is_seen_however_deep() -> None:
    assert len(down(0)) == 1
    assert len(down(400)) == 401


def test_calls_of_other_threads_are_seen_too() -> None:
    inside, goes_on = threading.Event(), threading.Event()

    def elsewhere() -> None:
        inside.set()
        assert goes_on.wait(PATIENCE)

    thread = threading.Thread(target=elsewhere)
    thread.start()
    assert inside.wait(PATIENCE)
    (call,) = calls_under_way(lambda code: code is elsewhere.__code__)
    assert call[0] == thread.ident
    goes_on.set()
    thread.join(PATIENCE)
    assert not calls_under_way(lambda code: code is elsewhere.__code__)


def test_no_garbage_is_collected_in_the_middle_of_a_stack() -> None:
    """A finalizer could give other threads a turn, and a stack that changes has crashed the interpreter."""
    with collections_in_a_stack() as seen:
        assert len(down(100)) == 101
    assert seen == []
    assert gc.isenabled()


def test_a_collector_that_is_off_stays_off() -> None:
    gc.disable()
    try:
        down(1)
        assert not gc.isenabled()
    finally:
        gc.enable()


@contextmanager
def collections_in_a_stack() -> Iterator[list[str]]:
    """Collections are as frequent as can be; gives those that begin while a stack is looked at."""
    seen: list[str] = []

    def note(phase: str, info: dict[str, int]) -> None:
        if sys._getframe(1).f_code is settling._stack_of.__code__:
            seen.append(phase)

    before = gc.get_threshold()
    gc.callbacks.append(note)
    gc.set_threshold(1, 1, 1)
    try:
        yield seen
    finally:
        gc.set_threshold(*before)
        gc.callbacks.remove(note)
