"""Slots: how many connections may be out at a time, and waiting for one of them to come back."""

from __future__ import annotations

import gc
import math
import queue
from collections.abc import Callable

_SLICE_SECONDS = 1.0
_COLLECT_EVERY_SECONDS = 1.0
_YOUNG = 1
"""The generations of objects that were made lately: few, and quickly looked through."""


class Slots:
    """The slots of one pool.

    Args:
        limit: how many there are.
        clock: seconds, never going backwards.
    """

    def __init__(self, limit: int, clock: Callable[[], float]) -> None:
        self._limit = limit
        self._clock = clock
        self._collected_at = -math.inf
        # A finalizer may put one back in the middle of anything: so none with a lock in Python.
        self._free: queue.SimpleQueue[None] = queue.SimpleQueue()
        for _ in range(limit):
            self._free.put(None)

    @property
    def free(self) -> int:
        """How many could be taken."""
        return self._free.qsize()

    @property
    def taken(self) -> int:
        """How many are out."""
        return self._limit - self.free

    def take_at_once(self) -> bool:
        """Take one that is free now; False if none is."""
        return self._take_within(0.0)

    def take_within(self, seconds: float) -> bool:
        """Wait for so long; in slices, since somebody may make garbage of a connection meanwhile."""
        while True:
            self._collect_garbage()
            if self._take_within(min(seconds, _SLICE_SECONDS)):
                return True
            seconds -= _SLICE_SECONDS
            if seconds <= 0:
                return False

    def put_back(self) -> None:
        """Put back one that was taken."""
        self._free.put(None)

    def _take_within(self, seconds: float) -> bool:
        try:
            self._free.get(True, seconds) if seconds > 0 else self._free.get_nowait()
        except queue.Empty:
            return False
        return True

    def _collect_garbage(self) -> None:
        """Some may be held by nothing but garbage, such as a traceback; all of it takes long to look for."""
        now = self._clock()
        if now - self._collected_at < _COLLECT_EVERY_SECONDS:
            gc.collect(_YOUNG)
            return
        self._collected_at = now
        gc.collect()
