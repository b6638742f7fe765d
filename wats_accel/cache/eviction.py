"""Eviction: which entry goes when a namespace is full.

Second chance (Corbató, 1968: "A Paging Experiment with the Multics System"): entries queue in the
order in which they came; one that was hit since it last stood at the head goes to the back once
more, one that was not is evicted. A hit only sets a flag, so hits take no lock.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from wats_accel.cache.entries import Entry, Leftovers

_SWEEP_SLICE = 4
_SLACK = 64


class SecondChanceQueue:
    """The queue of one namespace's entries. Called under the namespace's lock."""

    def __init__(self) -> None:
        self._queue: deque[Entry] = deque()
        self._leftovers = Leftovers()

    def __len__(self) -> int:
        return len(self._queue)

    def append(self, entry: Entry) -> None:
        """Take a new entry in, and free a slice of what has been forgotten before."""
        self._leftovers.free_a_slice()
        self._queue.append(entry)

    def clear(self) -> None:
        """Forget all entries, without visiting them one by one."""
        forgotten, self._queue = self._queue, deque()
        self._leftovers.add(forgotten, forgotten.pop)

    def victim(self) -> Entry | None:
        """Take out the live entry that has to go; None when no live entry is left."""
        while self._queue:
            entry = self._queue.popleft()
            if not entry.owner.holds(entry):
                continue
            if not entry.visited:
                return entry
            entry.visited = False
            self._queue.append(entry)
        return None

    def sweep(self, live: int, now: float, *, ordered: bool) -> Iterator[Entry]:
        """Look at a few entries from the head: forget dead ones, give expired ones to be removed.

        A live entry at the head must not keep the dead and expired ones behind it. It goes to the back
        while more than half of the queue is dead, and always where nothing is ever evicted.

        Args:
            live: how many live entries the namespace has.
            now: by the cache's clock.
            ordered: whether eviction needs the queue in order.
        """
        for _ in range(_SWEEP_SLICE):
            if not self._queue:
                return
            entry = self._queue[0]
            if not entry.owner.holds(entry):
                self._queue.popleft()
            elif entry.expires_at <= now:
                yield self._queue.popleft()
            elif not ordered or len(self._queue) > 2 * live + _SLACK:
                self._queue.rotate(-1)
            else:
                return
