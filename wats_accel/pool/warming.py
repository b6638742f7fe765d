"""Warming up: connections that are opened ahead, in the background."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from wats_accel.pool.connection_queue import ConnectionQueue
from wats_accel.pool.slots import Slots

if TYPE_CHECKING:
    from sqlalchemy.pool import ConnectionPoolEntry as Entry


def open_ahead(queue: ConnectionQueue, slots: Slots, count: int, is_closed: Callable[[], bool]) -> None:
    """Begin to open so many connections ahead, in a thread that keeps nothing alive."""
    thread = threading.Thread(
        target=_open, args=(queue, slots, count, is_closed), name="wats-accel-pool", daemon=True
    )
    with contextlib.suppress(RuntimeError):  # the interpreter is about to end, or there are no more threads
        thread.start()


def _open(queue: ConnectionQueue, slots: Slots, count: int, is_closed: Callable[[], bool]) -> None:
    taken: list[Entry] = []
    taken_slots = 0
    # Whatever goes wrong, the application will meet it itself when it connects.
    with contextlib.suppress(Exception):
        while len(taken) < count and not is_closed() and slots.take_at_once():
            taken_slots += 1
            taken.append(queue.take())
    for entry in taken:
        with contextlib.suppress(Exception):
            entry.info.pop("is_new", None)
            queue.give_back(entry)
    for _ in range(taken_slots):
        slots.put_back()
