"""Slots: how many connections of one pool may be out at a time."""

from __future__ import annotations

import queue


def slots(count: int) -> queue.SimpleQueue[None]:
    """A queue whose put() may be called from a finalizer, in the middle of anything."""
    made: queue.SimpleQueue[None] = queue.SimpleQueue()
    for _ in range(count):
        made.put(None)
    return made
