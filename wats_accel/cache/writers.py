"""Writers: the threads that are inside a write, or have changes that are not committed yet."""

from __future__ import annotations

import threading
from threading import get_ident

from wats_accel.transactions import Transaction


class Writers:
    """Keeps a writing thread away from the cache of what it writes.

    Until its write ends, and the transaction that the write has left open, it must see its own uncommitted
    rows, and nobody else may.
    """

    def __init__(self) -> None:
        self.count = 0  # read without the lock: whoever writes himself has added to it before
        # Re-entrant: a finalizer of the application's may write in the middle of it.
        self._lock = threading.RLock()
        self._depths: dict[int, int] = {}
        self._uncommitted: list[tuple[int, Transaction]] = []

    def enter(self) -> None:
        """Note that this thread begins a write."""
        here = get_ident()
        with self._lock:
            self._depths[here] = self._depths.get(here, 0) + 1
            self._count()

    def leave(self) -> None:
        """Note that this thread has ended a write."""
        here = get_ident()
        with self._lock:
            depth = self._depths.pop(here, 0) - 1
            if depth > 0:
                self._depths[here] = depth
            self._count()

    def await_end(self, transaction: Transaction) -> None:
        """Note that this thread's changes are in a transaction that is still open."""
        entry = get_ident(), transaction
        with self._lock:
            if entry not in self._uncommitted:
                self._uncommitted.append(entry)
            self._count()

    def _count(self) -> None:
        # A transaction may be ended by the garbage collector, which can only mark it.
        self._uncommitted = [known for known in self._uncommitted if not known[1].over]
        self.count = len(self._depths) + len(self._uncommitted)

    @property
    def here(self) -> str | None:
        """Why this thread must keep away from the cache, if it must."""
        here = get_ident()
        if here in self._depths:
            return "inside_a_write"
        with self._lock:
            self._count()
            own = any(thread == here for thread, _ in self._uncommitted)
        return "uncommitted_changes" if own else None


class _Depth(threading.local):
    value = 0


_depth = _Depth()


def enter_write() -> None:
    """Note that this thread is inside a patched write."""
    _depth.value += 1


def leave_write() -> None:
    """Note that it has left one."""
    _depth.value -= 1


def is_writing() -> bool:
    """Whether this thread is inside a patched write, whatever that drops."""
    return _depth.value > 0
