"""Flights: the loads of one method that are under way, and who waits for them.

A load that an invalidation has overtaken may have read the database before the write: its answer goes
to its own caller, is not stored, and nobody joins it any more. Every load is registered before it begins,
so an invalidation finds either the load (and marks it) or the entry that it stored (and drops it); there
is no third case.

That callers of one key share one load is known as single-flight, after the Go package of that name.
"""

from __future__ import annotations

import itertools
import threading
from threading import Event, get_ident

from wats_accel.cache.entries import Key
from wats_accel.cache.footprints import Concerned
from wats_accel.cache.loads import Load
from wats_accel.cache.selection import Selection


class Flights:
    """The loads of one region. Called under the namespace's lock, but for `wait_for`."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._running: set[Load] = set()
        self._by_key: dict[Key, Load] = {}
        self._fences: list[Selection] = []

    def __len__(self) -> int:
        return len(self._running)

    def register(self, load: Load) -> None:
        """Note a load that is about to begin, so that invalidations find it; nobody joins it."""
        load.number = next(self._numbers)
        if self._fences:
            load.overtaken = any(fence.matches(load.texts) for fence in self._fences)
        self._running.add(load)

    def board(self, load: Load) -> None:
        """Register a load that is about to begin; from here on others may join it."""
        self.register(load)
        if not load.overtaken:
            self._by_key.setdefault(load.key, load)

    def of_key(self, key: Key) -> Load | None:
        """The load to join instead of beginning one."""
        return self._by_key.get(key)

    @staticmethod
    def join(load: Load) -> None:
        """Have `wait_for` possible. Few loads are waited for, so that none has an event of its own."""
        if load.done is None:
            load.done = Event()

    def give_up(self, load: Load) -> None:
        """Have nobody join a load any more: it takes too long."""
        if self._by_key.get(load.key) is load:
            del self._by_key[load.key]

    def land(self, load: Load) -> None:
        """End a load, and wake those who wait for it."""
        self._running.discard(load)
        if self._by_key.get(load.key) is load:
            del self._by_key[load.key]
        if load.done is not None:
            load.done.set()

    def overtake(self, selection: Selection, spare: Load | None) -> None:
        """Mark the loads of what is selected; nobody joins them from here on."""
        for load in tuple(self._running):
            if load is not spare and selection.matches(load.texts):
                self.mark(load)

    def overtake_made_from(self, concerned: Concerned) -> bool:
        """Mark the loads that have read what is concerned; gives whether there were any."""
        found = False
        for load in tuple(self._running):
            if load.ticket is not None:
                load.ticket.note_change(concerned)
            if concerned(load.footprint):
                found = True
                self.mark(load)
        return found

    def mark(self, load: Load) -> None:
        """Have the answer of a load not be kept; nobody joins it from here on."""
        load.overtaken = True
        self.give_up(load)

    def raise_fence(self, selection: Selection) -> None:
        """Have each load of what is selected overtaken from its beginning."""
        self._fences.append(selection)

    def lift_fence(self, selection: Selection) -> None:
        """End what `raise_fence` began."""
        self._fences.remove(selection)


# -- waiting ---------------------------------------------------------------------------------------------

_waiting: dict[int, Load] = {}
"""For which load each thread waits."""
# Re-entrant: a finalizer of the application's may call a cached method in the middle of it.
_lock = threading.RLock()


def wait_for(load: Load, seconds: float, waiting: Load | None = None) -> bool:
    """Wait until a load has ended; False if it has not, or never would.

    Two threads whose loads need each other's answers would wait for ever. So whoever would close such a
    circle does not begin to wait.

    Args:
        load: that is under way.
        seconds: how long, at most.
        waiting: the load that wants its answer. It stays marked as waiting by whatever interrupts that.
    """
    here = get_ident()
    with _lock:
        if _waits_for(load, here):
            return False
        before = _waiting.get(here)
        _waiting[here] = load
    try:
        if load.done is None:
            return False
        _mark(waiting, waits=True)
        has_ended = load.done.wait(seconds)
        _mark(waiting, waits=False)
        return has_ended
    finally:
        with _lock:
            if before is None:
                _waiting.pop(here, None)
            else:
                _waiting[here] = before


def _mark(load: Load | None, *, waits: bool) -> None:
    if load is not None:
        load.waits = waits


def _waits_for(load: Load, thread: int) -> bool:
    """Whether a load's thread waits, through others, for one that `thread` runs."""
    seen: set[int] = set()
    while load.thread != thread:
        following = _waiting.get(load.thread)
        if following is None or _has_landed(following) or load.thread in seen:
            return False
        seen.add(load.thread)
        load = following
    return True


def _has_landed(load: Load) -> bool:
    # A Control-C may leave a thread in the books that waits no longer; once the load is over it shows.
    return load.done is not None and load.done.is_set()


def begin_anew() -> None:
    """In a child process: the other threads are gone, and with them what they waited for."""
    global _lock
    _lock = threading.RLock()
    _waiting.clear()
