"""A region: the cache of one method, from key to value, with TTL, fence, isolation and counters."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from wats_accel.cache.copying import CopyMode, Uncopyable, take_snapshot
from wats_accel.cache.entries import Departure, Entry, Key, Store
from wats_accel.cache.index import EntryIndexes
from wats_accel.cache.keys import KeyRules
from wats_accel.cache.loads import Load, enter_load, leave_load
from wats_accel.cache.namespace import Departures, Namespace
from wats_accel.cache.results import ResultLiteral, same_result
from wats_accel.cache.scopes import ScopeNumbers
from wats_accel.cache.selection import EVERYTHING, Selection
from wats_accel.cache.texts import Texts
from wats_accel.cache.writers import Writers
from wats_accel.counters import Counters
from wats_accel.events import (
    Bypassed,
    CacheSuspended,
    Event,
    EventBus,
    Evicted,
    Expired,
    Hit,
    LoadFailed,
    Miss,
    NotStored,
    Stored,
)

Clock = Callable[[], float]
"""Seconds, never going backwards; `time.monotonic` unless a test says otherwise."""

_FOREVER = float("inf")


@dataclass(frozen=True, slots=True)
class RegionRules:
    """What the configuration says of one cached method. `ttl_seconds` 0: until invalidated."""

    namespace: str
    method: str
    target: str
    ttl_seconds: float
    key: KeyRules = KeyRules()
    copy_mode: CopyMode = "auto"
    unless_results: tuple[ResultLiteral, ...] = ()


class Region:
    """The cache of one method. Its promise: what a write has overtaken is never given to a later call.

    `lookup` takes no lock. Everything that changes the region does, so that a load that stores and
    an invalidation always see each other.
    """

    def __init__(
        self, rules: RegionRules, *, space: Namespace, store: Store, clock: Clock, bus: EventBus
    ) -> None:
        self.rules = rules
        self.prefix = f"{rules.namespace}:{rules.method}"  # of readable keys
        self.counters = Counters()
        self.scopes = ScopeNumbers()
        self.active = True
        self.on_hit = bus.channel(Hit)
        self.on_miss = bus.channel(Miss)
        self._on_stored = bus.channel(Stored)
        self._on_not_stored = bus.channel(NotStored)
        self._bus = bus
        self._clock = clock
        self._enabled = True
        self._suspended: str | None = None
        self._store = store
        self._space = space
        self.writers = Writers()
        self._loads: set[Load] = set()
        self._fences: list[Selection] = []
        self._indexes = EntryIndexes(store.entries)

    # -- one call ----------------------------------------------------------------------------------

    def lookup(self, key: Key) -> Entry | None:
        """The entry of this key if there is one that has not expired."""
        entry = self._store.get(key)
        if entry is None:
            return None
        if entry.expires_at <= self._clock():
            self._expire(entry)
            return None
        entry.visited = True
        return entry

    def begin(self, key: Key, texts: Texts, label: Callable[[], str]) -> Load:
        """Register a load of this key by the calling thread; counts a miss.

        Follow it by exactly one of `finish` and `fail`.

        Args:
            key: of the call.
            texts: its arguments in the loose form by which invalidation compares them.
            label: makes the readable key.
        """
        load = Load(self.rules.target, key, texts, label, started=time.perf_counter(), began_at=self._clock())
        with self._space.lock:
            self._bury_dead_instances()
            load.overtaken = any(fence.matches(texts) for fence in self._fences)
            self._loads.add(load)
        enter_load(load)
        self.counters.misses += 1
        self._bus.checkpoint()
        return load

    def finish(self, load: Load, result: object, *, objection: str | None = None) -> None:
        """End a load that gave `result`: store it, unless there is a reason not to.

        Raises nothing of its own: the caller gets the answer, stored or not.

        Args:
            load: what `begin` gave.
            result: the method's answer; it stays the caller's own, and may be changed by him.
            objection: a reason of the caller's for not storing it.
        """
        leave_load(load)
        seconds = time.perf_counter() - load.started
        self.counters.loads += 1
        self.counters.load_seconds += seconds
        try:
            why_not = objection or self._store_result(load, result)
        except Exception:  # noqa: BLE001 - stores and values are foreign code
            why_not = "store_failed"
        finally:
            with self._space.lock:
                self._loads.discard(load)
        if why_not:
            self._report_not_stored(load, why_not)
        else:
            self._report_stored(load, seconds)

    def fail(self, load: Load, error: BaseException) -> None:
        """End a load that raised."""
        leave_load(load)
        with self._space.lock:
            self._loads.discard(load)
        self.counters.load_failures += 1
        if self._bus.channel(LoadFailed).listeners:
            self._bus.emit(LoadFailed(load.label(), self.rules.target, type(error).__name__))

    def note_bypass(self, why: str) -> None:
        """Count a call that went straight to the method."""
        self.counters.bypassed[why] += 1
        if self._bus.channel(Bypassed).listeners:
            self._bus.emit(Bypassed(self.rules.target, why))

    # -- dropping ----------------------------------------------------------------------------------

    def invalidate(self, selection: Selection = EVERYTHING, *, spare: Load | None = None) -> int:
        """Drop what is selected, and fence off the loads of it that are under way.

        Args:
            selection: which entries; all of them by default.
            spare: the one load that this invalidation does not concern, since it ends with it.

        Returns:
            how many entries were dropped.
        """
        with self._space.lock:
            for load in tuple(self._loads):
                if load is not spare and selection.matches(load.texts):
                    load.overtaken = True
            count = self._drop(selection)
        self.counters.invalidated += count
        return count

    @contextlib.contextmanager
    def fenced(self, selection: Selection) -> Iterator[None]:
        """Have no load of what is selected stored that begins during the ``with`` block.

        A write may drop entries of several regions, one after another. A load that begins meanwhile may
        find in one of them, as a hit of a method that it calls, what is about to be dropped there.
        """
        with self._space.lock:
            self._fences.append(selection)
        try:
            yield
        finally:
            with self._space.lock:
                self._fences.remove(selection)

    def _drop(self, selection: Selection) -> int:
        if not selection.conditions:
            return self._drop_all()
        candidates = self._indexes.candidates(selection)
        doomed = [entry for entry in candidates if selection.matches(entry.texts)]
        for entry in doomed:
            self.remove(entry)
        return len(doomed)

    def _drop_all(self) -> int:
        count = self._store.clear()
        self._indexes.clear()
        self._space.dropped(count)
        return count

    # -- storing -----------------------------------------------------------------------------------

    def _store_result(self, load: Load, result: object) -> str | None:
        if any(same_result(result, literal) for literal in self.rules.unless_results):
            return "unless_result"
        try:
            snapshot = take_snapshot(result, self.rules.copy_mode)
        except Uncopyable:
            return "uncopyable"
        expires_at = load.began_at + self.rules.ttl_seconds if self.rules.ttl_seconds else _FOREVER
        entry = Entry(load.key, load.texts, snapshot, expires_at, self, began_at=load.began_at)
        with self._space.lock:
            if load.overtaken:
                return "overtaken"
            if not self.active:
                return "switched_off"
            held = self._store.get(load.key)
            if held is not None and held.began_at > load.began_at:
                return "overtaken"  # by a later load: time must not run backwards for later readers
            departures = self._admit(entry)
        for departed, why in departures:
            departed.owner.note_departure(why)
        return None

    def _report_stored(self, load: Load, seconds: float) -> None:
        self.counters.stored += 1
        if self._on_stored.listeners:
            self._on_stored.send(Stored(load.label(), self.rules.target, seconds))

    def _report_not_stored(self, load: Load, why: str) -> None:
        self.counters.not_stored[why] += 1
        if self._on_not_stored.listeners:
            self._on_not_stored.send(NotStored(load.label(), self.rules.target, why))

    def _admit(self, entry: Entry) -> Departures:
        self._bury_dead_instances()
        try:
            replaced = self._store.put(entry)
        except BaseException:
            # Whether it has the entry nobody knows: the indexes are made anew from what it says it has.
            self._indexes.forget()
            raise
        self._indexes.add(entry, replaced=replaced)
        return self._space.admit(entry, replaced=replaced is not None, now=self._clock())

    def _bury_dead_instances(self) -> None:
        # Entries of an instance that is gone can never be found again; here they give their memory back.
        while self.scopes.dead:
            for entry in self._indexes.of_scope(self.scopes.dead.popleft()):
                self.remove(entry)

    # -- entries that leave (the namespace's queue calls these) ---------------------------------------

    def holds(self, entry: Entry) -> bool:
        """Whether the entry is still the one to be found under its key."""
        return self._store.get(entry.key) is entry

    def remove(self, entry: Entry) -> None:
        """Take an entry out, if it is still there. Called under the namespace's lock."""
        if not self.holds(entry):
            return
        self._store.remove(entry.key)
        self._indexes.discard(entry)
        self._space.dropped(1)

    def note_departure(self, why: Departure) -> None:
        """Count and report an entry that left by itself."""
        if why == "expired":
            self.counters.expired += 1
            event: Event = Expired(self.rules.target)
        else:
            self.counters.evicted += 1
            event = Evicted(self.rules.target)
        self._bus.emit(event)

    def _expire(self, entry: Entry) -> None:
        with self._space.lock:
            found = self.holds(entry)
            self.remove(entry)
        if found:
            self.note_departure("expired")

    # -- switches ------------------------------------------------------------------------------------

    def switch(self, *, enabled: bool) -> None:
        """Turn caching of this method off or on. Invalidation goes on meanwhile, so both are safe."""
        with self._space.lock:
            self._enabled = enabled
            self._settle()

    def suspend(self, why: str) -> None:
        """Stop caching this method for good: it could not be kept fresh. Raises nothing of its own."""
        with self._space.lock:
            known, self._suspended = self._suspended, self._suspended or why
            self._settle()
        if known is None:
            self._bus.emit(CacheSuspended(self.rules.target, why))
        # A store that fails keeps its entries, but nobody is answered from it any more.
        with contextlib.suppress(Exception):
            self.invalidate()

    def close(self) -> None:
        """Stop caching and forget everything, without counting it. Raises nothing of its own."""
        with self._space.lock, contextlib.suppress(Exception):
            self._enabled = False
            self._settle()
            self._drop_all()

    @property
    def suspended(self) -> str | None:
        """Why this method is not cached although its rule asks for it, if so."""
        return self._suspended

    def _settle(self) -> None:
        self.active = self._enabled and self._suspended is None

    # -- figures -------------------------------------------------------------------------------------

    def __len__(self) -> int:
        with self._space.lock:
            try:
                self._bury_dead_instances()
                return len(self._store)
            except Exception:  # noqa: BLE001 - a figure is not worth an exception
                return 0
