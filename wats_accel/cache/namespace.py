"""A namespace: methods whose entries share bounds on their number and size."""

from __future__ import annotations

import threading

from wats_accel.cache.entries import Departure, Entry
from wats_accel.cache.eviction import S3FifoQueue

_LOOKS_EACH = 2  # entries at which each one that is stored has a look

Departures = list[tuple[Entry, Departure]]


class Namespace:
    """The room that the entries of some methods share.

    Args:
        name: as in readable keys and patterns.
        max_entries: how many entries all its methods may have together; 0 for no bound.
        max_bytes: how many bytes these may take, as `sizing` estimates them; 0 for no bound.
        lock: of all namespaces of an accelerator. Freeing a value may run foreign code that calls a cached
            method of another namespace; with a lock for each, two threads could wait for each other.
    """

    def __init__(
        self, name: str, *, max_entries: int, max_bytes: int = 0, lock: threading.RLock | None = None
    ) -> None:
        self.name = name
        self.max_entries = max_entries
        self.max_bytes = max_bytes
        self.lock = threading.RLock() if lock is None else lock
        self._admitted = 0  # entries, so far
        self._admitted_before = 0
        self._live = 0
        self._bytes = 0
        self._queue = S3FifoQueue()

    def begin_anew(self, lock: threading.RLock) -> None:
        """In a child process: nobody holds the lock any more, so there is a new one."""
        self.lock = lock

    def fits(self, size: int) -> bool:
        """Whether an entry of this many bytes has room when all others leave. If not, do not admit it."""
        return not self.max_bytes or size <= self.max_bytes

    def admit(self, entry: Entry, *, replaced: Entry | None, now: float) -> Departures:
        """Take in an entry that was put in its store; gives those that had to leave since.

        Besides those that make room for it, a bounded slice of what is over leaves too: memory comes back
        by and by, with neither a pause nor a thread.

        Args:
            entry: it has a place in its store already.
            replaced: the one whose place it took, if any.
            now: by the cache's clock.
        """
        self._live += replaced is None
        self._bytes += entry.size - (0 if replaced is None else replaced.size)
        self._admitted += 1
        try:
            departures = self.sweep(now, _LOOKS_EACH)
            if self._live > self.max_entries or self.max_bytes:
                while self._is_full(entry) and (victim := self._queue.victim(now)):
                    self._take_out(*victim, departures)
            return departures
        finally:
            # After the others have made room, lest it be the one that goes.
            self._queue.append(entry)

    def is_idle(self) -> bool:
        """Whether it has entries, and none has been stored since this was asked before."""
        before, self._admitted_before = self._admitted_before, self._admitted
        return before == self._admitted and self._live > 0

    def sweep(self, now: float, looks: int = 2 * _LOOKS_EACH) -> Departures:
        """Let a bounded slice of what is over leave; gives what has left."""
        departures: Departures = []
        if not self._live:  # then nothing is queued either
            return departures
        over = self._queue.sweep(now, looks)
        while over:
            entry, why = over.pop(0)
            try:
                self._take_out(entry, why, departures)
            except BaseException:
                for left, _ in over:  # a store that failed has them still
                    self._queue.append(left)
                raise
        return departures

    def dropped(self, count: int, size: int = 0) -> None:
        """Note that this many entries, of so many bytes together, were taken out of their stores."""
        self._live -= count
        self._bytes -= size
        if not self._live:
            self._queue.clear()

    def _is_full(self, newcomer: Entry) -> bool:
        """Whether there is no room for an entry that has been counted, and is not in the queue."""
        # A store may lose entries by itself; then less lives than was counted, at most the whole queue.
        live = min(self._live, len(self._queue) + 1)
        size = min(self._bytes, self._queue.bytes + newcomer.size)
        return live > self.max_entries > 0 or size > self.max_bytes > 0

    def _take_out(self, entry: Entry, why: Departure, departures: Departures) -> None:
        try:
            entry.owner.remove(entry)
        except BaseException:
            self._queue.append(entry)  # a store that failed has it still
            raise
        departures.append((entry, why))
