"""Writers: the threads that are inside a write which will drop entries of a region."""

from __future__ import annotations

import threading


class _Depth(threading.local):
    value = 0


class Writers:
    """Keeps a writing thread away from the cache of what it writes.

    Until its write ends it must see its own uncommitted rows, and nobody else may.
    """

    def __init__(self) -> None:
        self.count = 0  # read without the lock: whoever writes himself has added to it before
        self._lock = threading.Lock()
        self._depth = _Depth()

    def enter(self) -> None:
        """Note that this thread begins a write."""
        with self._lock:
            self.count += 1
        self._depth.value += 1

    def leave(self) -> None:
        """Note that this thread has ended a write."""
        self._depth.value -= 1
        with self._lock:
            self.count -= 1

    @property
    def here(self) -> bool:
        """Whether this thread is inside a write."""
        return self._depth.value > 0
