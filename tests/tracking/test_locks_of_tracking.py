"""A lock is never waited for by the thread that holds it, nor by a child of the process."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from old_answers import fill, old_answers

from wats_accel.sql import statement

PATIENCE = 20.0


def ends(call: Callable[[], object]) -> bool:
    """Whether a call comes to an end."""
    thread = threading.Thread(target=call, daemon=True)
    thread.start()
    thread.join(PATIENCE)
    return not thread.is_alive()


def locks(accelerator: Any) -> list[Any]:
    """Those that are held while a statement is looked at for the first time."""
    context = accelerator._assembly.context
    tracker = context.pools.observer
    analyses = tracker._analyses
    return [
        *(statement._memory._lock, context._schema_source._lock, analyses._lock),
        *(tracker._footprints._lock, context.caches.lock),
    ]


@contextmanager
def held(all_locks: list[Any]) -> Iterator[None]:
    """Hold them, in a thread of their own."""
    holding, done = threading.Event(), threading.Event()

    def hold() -> None:
        for lock in all_locks:
            lock.acquire()
        holding.set()
        done.wait(PATIENCE)
        for lock in all_locks:
            lock.release()

    thread = threading.Thread(target=hold)
    thread.start()
    holding.wait(PATIENCE)
    yield
    done.set()
    thread.join()


def test_a_finalizer_may_execute_something_in_the_middle_of_it(accelerate: Any, shop: Any) -> None:
    with accelerate() as accelerator:

        def execute() -> None:
            for lock in locks(accelerator):
                with lock:  # as the garbage collector would find it
                    shop.write(f"UPDATE item SET name = 'x' WHERE {id(lock)} > 0")

        assert ends(execute)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_a_child_waits_for_no_thread_of_its_parent(accelerate: Any, shop: Any) -> None:
    with accelerate() as accelerator:
        fill(shop)
        open_one = shop.connect(isolation_level="DEFERRED", check_same_thread=False)
        thread = threading.Thread(target=open_one.execute, args=("UPDATE note SET text = 'x'",))
        thread.start()
        thread.join()
        with held(locks(accelerator)):
            child = os.fork()
            if child == 0:  # pragma: no cover - in the child
                os._exit(0 if ends(lambda: in_child(shop)) else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        open_one.rollback()
        open_one.close()
        assert old_answers(shop) == set()


def in_child(shop: Any) -> None:  # pragma: no cover - in the child
    """All is cached, and nothing is old: the parent's open transaction is nobody's here."""
    try:
        connection = sqlite3.connect(shop.database, isolation_level=None, timeout=0)
        connection.execute("SELECT name FROM item WHERE 5 > 4").fetchall()
        fill(shop)
    except BaseException:
        os._exit(2)
