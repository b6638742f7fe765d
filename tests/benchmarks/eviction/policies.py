"""Eviction policies in their shortest exact form, for the simulation. All keys are of the same size."""

from __future__ import annotations

import heapq
from collections import OrderedDict
from collections.abc import Sequence
from itertools import count
from typing import Protocol


class Policy(Protocol):
    """A cache of keys without values."""

    def request(self, key: int) -> bool:
        """Ask for a key, and keep it when it was not there; gives whether it was."""
        ...

    def discard(self, key: int) -> None:
        """Drop a key because of a write or its TTL, if it is there."""
        ...


class Fifo:
    """The oldest goes, however often it is used."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._queue: OrderedDict[int, None] = OrderedDict()

    def request(self, key: int) -> bool:
        if key in self._queue:
            return True
        if len(self._queue) == self._capacity:
            self._queue.popitem(last=False)
        self._queue[key] = None
        return False

    def discard(self, key: int) -> None:
        self._queue.pop(key, None)


class Lru(Fifo):
    """The least recently used goes. Each hit moves an entry, so each hit needs a lock."""

    def request(self, key: int) -> bool:
        hit = super().request(key)
        self._queue.move_to_end(key)
        return hit


class Clock:
    """Second chance: what was hit since its last turn goes to the back once more (Corbató, 1968)."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._queue: OrderedDict[int, bool] = OrderedDict()

    def request(self, key: int) -> bool:
        if key in self._queue:
            self._queue[key] = True
            return True
        if len(self._queue) == self._capacity:
            self._evict()
        self._queue[key] = False
        return False

    def _evict(self) -> None:
        while True:
            key, visited = self._queue.popitem(last=False)
            if not visited:
                return
            self._queue[key] = False

    def discard(self, key: int) -> None:
        self._queue.pop(key, None)


class Sieve:
    """A hand goes from the oldest to the newest; what was hit stays where it is (Zhang et al., NSDI 2024).

    What the hand has passed is in `_behind`, what it has still to see in `_ahead`.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._behind: OrderedDict[int, bool] = OrderedDict()
        self._ahead: OrderedDict[int, bool] = OrderedDict()

    def request(self, key: int) -> bool:
        for part in (self._ahead, self._behind):
            if key in part:
                part[key] = True
                return True
        if len(self._ahead) + len(self._behind) == self._capacity:
            self._evict()
        self._ahead[key] = False
        return False

    def _evict(self) -> None:
        evicted = False
        while not evicted or not self._ahead:
            if not self._ahead:
                self._ahead, self._behind = self._behind, self._ahead
                if evicted:
                    return
            key, visited = self._ahead.popitem(last=False)
            if visited:
                self._behind[key] = False
            else:
                evicted = True

    def discard(self, key: int) -> None:
        self._ahead.pop(key, None)
        self._behind.pop(key, None)


class S3Fifo:
    """A small queue on probation, a main queue, and a memory of keys that failed (Yang et al., SOSP 2023).

    Args:
        capacity: of both queues together; a tenth is the small one's.
        most_hits: how far an entry counts its hits.
        to_main: how many of them take it from the small queue to the main one.
    """

    def __init__(self, capacity: int, *, most_hits: int = 3, to_main: int = 2) -> None:
        self._small_capacity = max(1, capacity // 10)
        self._capacity = capacity
        self._most_hits = most_hits
        self._to_main = to_main
        self._small: OrderedDict[int, int] = OrderedDict()
        self._main: OrderedDict[int, int] = OrderedDict()
        self._ghost: OrderedDict[int, None] = OrderedDict()

    def request(self, key: int) -> bool:
        for part in (self._small, self._main):
            if key in part:
                part[key] = min(part[key] + 1, self._most_hits)
                return True
        while len(self._small) + len(self._main) >= self._capacity:
            self._evict()
        if key in self._ghost:
            del self._ghost[key]
            self._main[key] = 0
        else:
            self._small[key] = 0
        return False

    def _evict(self) -> None:
        if len(self._small) < self._small_capacity and self._main:
            self._evict_from_main()
            return
        key, hits = self._small.popitem(last=False)
        if hits >= self._to_main:
            self._main[key] = 0
            return
        self._ghost[key] = None
        if len(self._ghost) > self._capacity - self._small_capacity:
            self._ghost.popitem(last=False)

    def _evict_from_main(self) -> None:
        while True:
            key, hits = self._main.popitem(last=False)
            if not hits:
                return
            self._main[key] = hits - 1

    def discard(self, key: int) -> None:
        self._small.pop(key, None)
        self._main.pop(key, None)


class S3FifoOneBit(S3Fifo):
    """S3-FIFO whose hit sets a flag and counts nothing."""

    def __init__(self, capacity: int) -> None:
        super().__init__(capacity, most_hits=1, to_main=1)


class TwoQueues:
    """2Q: a FIFO for newcomers, an LRU for those who came back after they left it (Johnson, Shasha, 1994)."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._new_capacity = max(1, capacity // 4)
        self._remembered_capacity = max(1, capacity // 2)
        self._new: OrderedDict[int, None] = OrderedDict()
        self._remembered: OrderedDict[int, None] = OrderedDict()
        self._proven: OrderedDict[int, None] = OrderedDict()

    def request(self, key: int) -> bool:
        if key in self._proven:
            self._proven.move_to_end(key)
            return True
        if key in self._new:
            return True
        if len(self._new) + len(self._proven) == self._capacity:
            self._evict()
        if key in self._remembered:
            del self._remembered[key]
            self._proven[key] = None
        else:
            self._new[key] = None
        return False

    def _evict(self) -> None:
        if self._proven and len(self._new) <= self._new_capacity:
            self._proven.popitem(last=False)
            return
        key, _ = self._new.popitem(last=False)
        self._remembered[key] = None
        if len(self._remembered) > self._remembered_capacity:
            self._remembered.popitem(last=False)

    def discard(self, key: int) -> None:
        self._new.pop(key, None)
        self._proven.pop(key, None)


class Optimum:
    """What is needed last goes (Belady, 1966). It knows the future: the bound for all others.

    Args:
        capacity: how many keys it may keep.
        requests: all keys that will be asked for, in order.
    """

    def __init__(self, capacity: int, requests: Sequence[int]) -> None:
        self._capacity = capacity
        self._next_use = _next_uses(requests)
        self._position = count()
        self._needed_at: dict[int, int] = {}
        self._farthest: list[tuple[int, int]] = []

    def request(self, key: int) -> bool:
        hit = key in self._needed_at
        if not hit and len(self._needed_at) == self._capacity:
            self._evict()
        needed_at = self._next_use[next(self._position)]
        self._needed_at[key] = needed_at
        heapq.heappush(self._farthest, (-needed_at, key))
        return hit

    def _evict(self) -> None:
        while True:
            needed_at, key = heapq.heappop(self._farthest)
            if self._needed_at.get(key) == -needed_at:
                del self._needed_at[key]
                return

    def discard(self, key: int) -> None:
        self._needed_at.pop(key, None)


def _next_uses(requests: Sequence[int]) -> list[int]:
    """For each request, the position of the next one of the same key."""
    never = len(requests)
    following: dict[int, int] = {}
    next_uses = [never] * never
    for position in range(never - 1, -1, -1):
        next_uses[position] = following.get(requests[position], never)
        following[requests[position]] = position
    return next_uses
