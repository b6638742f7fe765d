"""A namespace: methods whose entries share one bound on their number, and one lock."""

from __future__ import annotations

import threading

from wats_accel.cache.entries import Departure, Entry
from wats_accel.cache.eviction import SecondChanceQueue

Departures = list[tuple[Entry, Departure]]


class Namespace:
    """The room that the entries of some methods share.

    Args:
        name: as in readable keys and patterns.
        max_entries: how many entries all its methods may have together; 0 for no bound.
    """

    def __init__(self, name: str, *, max_entries: int) -> None:
        self.name = name
        self.max_entries = max_entries
        # Re-entrant, since freeing a value may run foreign code that calls a cached method.
        self.lock = threading.RLock()
        self._live = 0
        self._queue = SecondChanceQueue()

    def admit(self, entry: Entry, *, replaced: bool, now: float) -> Departures:
        """Take in an entry that was put in its store; gives those that had to leave since.

        Besides those that make room for it, a bounded slice of what has expired leaves too: memory
        comes back by and by, with neither a pause nor a thread.
        """
        self._queue.append(entry)
        self._live += not replaced
        departures: Departures = []
        for expired in self._queue.sweep(self._live, now, ordered=self.max_entries > 0):
            expired.owner.remove(expired)
            departures.append((expired, "expired"))
        # A store may lose entries by itself; then fewer live than were counted, at most the whole queue.
        while self.max_entries and min(self._live, len(self._queue)) > self.max_entries:
            victim = self._queue.victim()
            if victim is None:
                break
            victim.owner.remove(victim)
            departures.append((victim, "evicted"))
        return departures

    def dropped(self, count: int) -> None:
        """Note that this many entries were taken out of their stores."""
        self._live -= count
        if not self._live:
            self._queue.clear()
