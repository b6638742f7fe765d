"""A region: the entries of one cached method: found, kept, dropped, counted."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Hashable
from typing import Final

from wats_accel.breakers import Breaker
from wats_accel.cache.elsewhere import Bounds, Tier
from wats_accel.cache.entries import Departure, Entry, Home, Key, Store, StoreFaultError
from wats_accel.cache.flights import Flights
from wats_accel.cache.footprints import Concerned, Footprint, Watch
from wats_accel.cache.holdings import Holdings
from wats_accel.cache.loads import Load
from wats_accel.cache.memory_store import MemoryStore
from wats_accel.cache.namespace import Departures, Namespace
from wats_accel.cache.premises import Breach
from wats_accel.cache.region_rules import RegionRules
from wats_accel.cache.scopes import ScopeNumbers
from wats_accel.cache.selection import EVERYTHING, Selection
from wats_accel.cache.switches import Switches
from wats_accel.cache.texts import Texts
from wats_accel.cache.writers import Writers
from wats_accel.counters import Counters
from wats_accel.event_bus import EventBus
from wats_accel.events import Bypassed, Event, Evicted, Expired, Hit, Miss, Orphaned, Stored
from wats_accel.settling import Settling

Clock = Callable[[], float]
"""Seconds, never going backwards; `time.monotonic` unless a test says otherwise."""

Renewal = Callable[["Region", Entry], float]
"""Until when an entry is good, by the cache's clock, as far as others know. It raises nothing."""

_DEPARTED: Final[dict[Departure, Callable[[str], Event]]] = {
    "expired": Expired,
    "evicted": Evicted,
    "orphaned": Orphaned,
}

_WHY_NOT_KEPT: Final[dict[Breach, str]] = {
    "expired": "expired_already",
    "orphaned": "overtaken",
    "being_written": "being_written",
}


class Region(Switches):
    """The cache of one method. Its promise: what a write has overtaken is never given to a later call.

    `lookup` takes no lock. Everything that changes the region does, so that a load that stores and
    an invalidation always see each other.
    """

    def __init__(
        self,
        rules: RegionRules,
        *,
        space: Namespace,
        store: Store,
        clock: Clock,
        bus: EventBus,
        wall_clock: Clock = time.time,
        breaker: Breaker | None = None,
        bounds: Bounds | None = None,
    ) -> None:
        part = f"cache {rules.namespace}:{rules.method}"
        super().__init__(rules, bus, breaker or Breaker(part, bus=bus, clock=clock))
        self.prefix = f"{rules.namespace}:{rules.method}"  # of readable keys
        self.counters = Counters()
        self.scopes = ScopeNumbers()
        self.clock = clock
        self.wall_clock = wall_clock
        self.on_hit = bus.channel(Hit)
        self.on_miss = bus.channel(Miss)
        self.on_stored = bus.channel(Stored)
        self.flights = Flights()
        self.writers = Writers()
        # Which argument nobody may read, by its position in readable keys. While the method has not been
        # looked at, any may be one.
        self.is_secret: Callable[[int], bool] = lambda _: bool(rules.key.secret)
        self.is_retired = False
        self.settling: Settling | None = None  # until it is over nothing is kept: the rules are new
        self.bounds = bounds or Bounds()
        self.tier: Tier | None = None  # where other processes find its answers, too
        self.renewal: Renewal | None = None  # says until when answers are good that are too old
        self.watch: Watch | None = None  # who is asked what loads have read
        self.declared: Footprint | None = None  # what each load reads besides what is seen
        self.version = 0  # of invalidations seen; rises before anything is dropped
        self._store = store
        self._space = space
        self._holdings = Holdings(store, space)
        self.holds = self._holdings.holds
        self._home: Home = (self, None)  # of the entry that was stored last

    @property
    def memory(self) -> MemoryStore | None:
        """The store, if it is the one in this process; a plugin's may be anything."""
        return self._store if type(self._store) is MemoryStore else None

    @property
    def lock(self) -> threading.RLock:
        """The namespace's: of everything that changes the region."""
        return self._space.lock

    @property
    def counts_bytes(self) -> bool:
        """Whether anybody asks for the size of entries."""
        return self._space.max_bytes > 0

    # -- finding ---------------------------------------------------------------------------------------

    def lookup(self, key: Key) -> Entry | None:
        """The entry that answers a call of this key, if that can be told without a lock."""
        entry = self._store.get(key)
        if entry is None or entry.due_at <= self.clock():  # point: entry-found
            return None
        if entry.premises and entry.breach():
            return None
        entry.visited = True
        return entry

    def settle(self, key: Key, departures: Departures) -> Entry | None:
        """The entry of this key, fresh or not, if it is of any use; one that is of none leaves.

        Called under the lock; hand `departures` to `report` without it.
        """
        entry = self._store.get(key)
        if entry is None:
            return None
        why = entry.why_over(self.clock())
        if why is None:
            return entry if entry.breach() is None else None
        self.remove(entry)
        departures.append((entry, why))
        return None

    # -- keeping ---------------------------------------------------------------------------------------

    def home_of(self, scope: Hashable) -> Home:
        """What the entries of a scope share: most that follow each other are of one."""
        home = self._home
        if home[1] != scope:
            home = self._home = (self, scope)
        return home

    def why_not_keep(self, entry: Entry, load: Load) -> str | None:
        """Why the answer of a load that has ended must not be kept. Called under the lock."""
        if load.overtaken:
            return "overtaken"
        if self.settling is not None and self.is_settling():
            return "settling"
        if self.writers.under_way and self.is_being_written(load.texts):
            return "being_written"  # it may have read what is taken back, where dirty reads are allowed
        if not self.active:
            return "switched_off"
        unwatched = None if self.watch is None else self.watch.why_not_keep(self, load)
        if unwatched is not None:
            return unwatched
        if entry.size and not self._space.fits(entry.size):
            return "too_large"
        now = self.clock()
        if load.number < self._holdings.latest:
            held = self._store.get(load.key)
            if held is not None and held.number > load.number and held.why_over(now) is None:
                return "overtaken"  # by a later load: time must not run backwards for later readers
        if entry.due_at > now and not entry.premises:  # most are
            return None
        breach = "expired" if entry.expires_at <= now else entry.breach()
        return _WHY_NOT_KEPT[breach] if breach else None

    def keep(self, entry: Entry) -> Departures:
        """Store an entry; gives those that had to leave. Called under the lock."""
        if self.scopes.dead:
            self.bury_dead_instances()
        return self._holdings.put(entry, self.clock())

    def bury_dead_instances(self) -> None:
        """Give back the entries of instances that are gone: nobody finds them again. Under the lock."""
        while self.scopes.dead:
            self._holdings.remove_scope(self.scopes.dead.popleft())

    # -- dropping --------------------------------------------------------------------------------------

    def expect_by_footprint(self) -> None:
        """Be ready to drop entries by what they were made from; raises as the next one."""
        with self.lock:
            self._holdings.expect_footprints()

    def expect_by_argument(self, position: int) -> None:
        """Be ready to drop entries by the argument at a position, without a look at all of them.

        Raises:
            Exception: the store cannot tell which entries it has. Then that is tried again when it is needed.
        """
        with self.lock:
            self._holdings.expect_argument(position)

    def invalidate(self, selection: Selection = EVERYTHING, *, spare: Load | None = None) -> int:
        """Drop what is selected, and fence off the loads of it that are under way.

        Args:
            selection: which entries; all of them by default.
            spare: the one load that this invalidation does not concern, since it ends with it.

        Returns:
            how many entries were dropped.
        """
        with self.lock:
            self.version += 1
            self.flights.overtake(selection, spare)
            count = self._holdings.remove_selected(selection)
        self.counters.invalidated += count
        return count

    def invalidate_made_from(self, concerned: Concerned) -> int:
        """Drop what was made from what has changed, and fence off the loads that have read it.

        Args:
            concerned: whether the change concerns what was made from a footprint.

        Returns:
            how many entries were dropped. No other entry is looked at.
        """
        with self.lock:
            known = self._holdings.footprints()
            doomed = [footprint for footprint in known if concerned(footprint)]
            overtaken = self.flights.overtake_made_from(concerned)
            declared = self.declared is not None and concerned(self.declared)
            self.version += bool(doomed or overtaken or declared)
            if doomed and doomed == known:
                count = self._holdings.clear()
            else:
                count = self._holdings.remove_made_from(doomed)
        self.counters.invalidated += count
        return count

    # -- entries that leave (the namespace's queue calls these) ---------------------------------------

    def is_settling(self) -> bool:
        """Whether writes may be under way that were called before anything was put around them."""
        if self.settling is not None and self.settling.is_over():
            self.settling = None
        return self.settling is not None

    def renew(self, entry: Entry, now: float) -> bool:
        """Whether an entry that is too old is as good as new: then it lives on."""
        if self.renewal is None or entry.premises:
            return False
        good_until = self.renewal(self, entry)
        if good_until <= now:
            return False
        entry.live_until(good_until)
        self.counters.revalidated += 1
        return True

    def is_being_written(self, texts: Texts | None) -> bool:
        """Whether a write is under way that concerns reads with these argument texts; None: any reads."""
        return bool(self.writers.under_way) and self.writers.why_keep_away(lambda: texts) is not None

    def vouches_for(self, entry: Entry) -> bool:
        """Whether an answer that was made from this entry may be given."""
        # A store that failed to drop an entry may have it still. Then nobody knows what it is worth.
        return self.suspended is None and self.holds(entry)

    def remove(self, entry: Entry) -> None:
        """Take an entry out, if it is still there. Called under the lock."""
        self._holdings.remove(entry)

    def discard(self, entry: Entry | None) -> None:
        """Take out an entry that is of no use after all. Raises nothing of its own."""
        with self.lock, contextlib.suppress(Exception):  # of a store that fails
            if entry is not None:
                self.remove(entry)

    def note_departure(self, why: Departure) -> None:
        """Count and report an entry that left by itself."""
        setattr(self.counters, why, getattr(self.counters, why) + 1)
        self.bus.emit(_DEPARTED[why](self.rules.target))

    def note_bypass(self, why: str) -> None:
        """Count a call that went straight to the method."""
        self.counters.bypassed[why] += 1
        if self.bus.channel(Bypassed).listeners:
            self.bus.emit(Bypassed(self.rules.target, why))

    # -- beginning and end ---------------------------------------------------------------------------

    def close(self) -> None:
        """Stop caching and forget everything, without counting it. Raises nothing of its own."""
        self._enabled = self.active = False  # at once: what follows may fail
        with self.lock, contextlib.suppress(Exception):
            self._enabled = False  # if somebody has switched it on meanwhile
            self._settle_switches()
            self._holdings.clear()

    def retire(self) -> None:
        """Stop caching for good, since the rules are others now; loads under way are kept by nobody.

        Calls that began before, and methods that somebody holds, run as without a cache.
        """
        with self.lock:
            self.is_retired = True
            self.version += 1
            self.flights.overtake(EVERYTHING, None)
            self.close()

    def begin_anew(self) -> None:
        """Be empty, in a child process: a thread of the parent may have stopped between two steps."""
        self.flights = Flights()
        self.writers.begin_anew()
        self.scopes.begin_anew()
        try:
            self._holdings.begin_anew()
        except Exception as error:  # noqa: BLE001 - what a store still has nobody can trust
            self.quarantine(f"emptying it in a child process failed: {type(error).__name__}")

    def overtake_everything(self) -> None:
        """Have nothing kept that is under way, nor what was made from any answer. Under the lock."""
        self.version += 1
        self.flights.overtake(EVERYTHING, None)

    def begin_from_empty(self) -> None:
        """Drop everything. Called under the lock.

        Raises:
            Exception: the store could not do it.
        """
        self.counters.invalidated += self._holdings.begin_anew()
        if len(self._holdings):
            raise StoreFaultError("a store that was emptied has entries still")

    # -- figures -------------------------------------------------------------------------------------

    def __len__(self) -> int:
        with self.lock:
            try:
                self.bury_dead_instances()
                return len(self._holdings)
            except Exception:  # noqa: BLE001 - a figure is not worth an exception
                return 0


def report_departures(departures: Departures) -> None:
    """Count and report entries that left by themselves. Called without a lock."""
    for entry, why in departures:
        entry.owner.note_departure(why)
