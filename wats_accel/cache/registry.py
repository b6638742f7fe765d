"""All cached methods of one accelerator, found by namespace, method or target."""

from __future__ import annotations

import contextlib
import fnmatch
import itertools
import threading
import time
from collections.abc import Collection, Iterator

from wats_accel.breakers import Breakers
from wats_accel.cache import flights, loads
from wats_accel.cache.background import Background
from wats_accel.cache.elsewhere import Announcer, Bounds, Follower
from wats_accel.cache.entries import Store
from wats_accel.cache.guarded_store import GuardedStore
from wats_accel.cache.memory_store import MemoryStore
from wats_accel.cache.namespace import Namespace
from wats_accel.cache.region import Clock, Region, report_departures
from wats_accel.cache.region_rules import RegionRules
from wats_accel.cache.succession import PlannedCaches, StoreFactory, begin_again, begin_empty, bound
from wats_accel.errors import TargetError
from wats_accel.event_bus import EventBus
from wats_accel.forks import begins_anew_when_forked
from wats_accel.patterns import KeyPattern
from wats_accel.settling import Settling
from wats_accel.targets import Target

_MOST_REMEMBERED = 1_000
"""Patterns of which it is remembered which regions they name: people may make up ever new ones."""


def _no_store(namespace: str, target: str) -> Store | None:
    return None


def _guarded(store: Store | None) -> Store:
    if store is None:  # an empty store is falsy
        return MemoryStore()
    return store if type(store) is MemoryStore else GuardedStore(store)


class CacheRegistry:
    """Makes regions and finds them again.

    Args:
        clock: seconds, never going backwards.
        bus: where regions send their events.
        store_factory: gives each region the store for its entries.
        wall_clock: seconds since the epoch, for answers that are valid until a known moment.
        breakers: one for each method; by default they are this registry's own.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        bus: EventBus,
        store_factory: StoreFactory = _no_store,
        wall_clock: Clock = time.time,
        breakers: Breakers | None = None,
    ) -> None:
        self.background = Background()
        self.wall_clock = wall_clock
        self.bounds = Bounds()
        self.is_over = False
        self.announcer: Announcer | None = None  # told of whatever is dropped, for other processes
        self.follower: Follower | None = None  # asks the database what others have changed
        self.unsealed: frozenset[str] = frozenset()  # namespaces whose answers leave this process in clear
        self._lock = threading.RLock()
        self._clock = clock
        self._bus = bus
        self._breakers = breakers or Breakers(bus=bus, clock=clock)
        self._store_factory = store_factory
        self._namespaces: dict[str, Namespace] = {}
        self._regions: dict[str, Region] = {}
        self._planned: PlannedCaches | None = None
        self._matching: dict[tuple[str, str], list[Region]] = {}  # by the namespace and method of a pattern
        self._turns = itertools.count()
        begins_anew_when_forked(self)
        bus.at_checkpoints(self.sweep)

    def drop_everything(self) -> None:
        """Drop all entries, and fence off all loads. Raises nothing: a region where it fails is off."""
        for region in self:
            try:
                region.invalidate()
            except Exception as error:  # noqa: BLE001 - what was not dropped must not be served
                with contextlib.suppress(Exception):
                    region.quarantine(f"invalidating it failed: {type(error).__name__}")

    def now(self) -> float:
        """The time by the clock of all caches, in seconds."""
        return self._clock()

    @property
    def lock(self) -> threading.RLock:
        """Of everything that changes any region: whoever holds it sees all of them at one moment."""
        return self._lock

    def namespace(self, name: str, *, max_entries: int = 0, max_bytes: int = 0) -> Namespace:
        """The namespace of this name; made, with these bounds, when it is asked for first."""
        if self._planned is not None:
            self._planned.bounds.setdefault(name, (max_entries, max_bytes))
        if name not in self._namespaces:
            self._namespaces[name] = Namespace(
                name, max_entries=max_entries, max_bytes=max_bytes, lock=self._lock
            )
        return self._namespaces[name]

    def add(self, rules: RegionRules) -> Region:
        """Make the region of one cached method.

        Raises:
            TargetError: the method has one already; of two, writes would drop only one.
        """
        planned = self._planned
        regions = self._regions if planned is None else planned.regions
        if rules.target in regions:
            raise TargetError(f"{rules.target} is cached already")
        running = self._regions.get(rules.target)
        adopted = None if planned is None else planned.adopted(running, rules)
        region = self._made(rules) if adopted is None else adopted  # an empty one is falsy
        regions[rules.target] = region
        self._matching = {}
        return region

    def _made(self, rules: RegionRules) -> Region:
        factory = self._store_factory if self._planned is None else self._planned.store_factory
        store = factory(rules.namespace, rules.target)
        return Region(
            rules,
            space=self.namespace(rules.namespace),
            store=_guarded(store),
            clock=self._clock,
            bus=self._bus,
            wall_clock=self.wall_clock,
            breaker=self._breakers.of(f"cache {rules.namespace}:{rules.method}"),
            bounds=self.bounds,
        )

    def of_target(self, target: str) -> Region | None:
        """The region of a target such as ``package.module:Class.method``."""
        return self._regions.get(target)

    def matching(self, pattern: KeyPattern) -> list[Region]:
        """The regions whose entries a key pattern can match."""
        found = self._matching.get((pattern.namespace, pattern.method))
        return self._looked_up(pattern) if found is None else found

    def _looked_up(self, pattern: KeyPattern) -> list[Region]:
        known = self._matching  # before the regions are looked at: with these it becomes another one
        if not known:
            known.update(self._by_name())
        if pattern.names_one:
            return known.get((pattern.namespace, pattern.method), [])
        found = [region for region in self if pattern.names(region.rules.namespace, region.rules.method)]
        if len(known) < _MOST_REMEMBERED + len(self):
            known[pattern.namespace, pattern.method] = found
        return found

    def _by_name(self) -> dict[tuple[str, str], list[Region]]:
        found: dict[tuple[str, str], list[Region]] = {}
        for region in self:
            found.setdefault((region.rules.namespace, region.rules.method), []).append(region)
        return found

    def named(self, pattern: str) -> list[Region]:
        """The regions that a maintainer means: by namespace, ``users:*``, or by target, in globs."""
        return [region for region in self if _is_named(region.rules, pattern)]

    def sweep(self) -> None:
        """Let a few entries leave that are over, of one namespace after another.

        Each namespace does so whenever something is stored in it. This is for those where nothing is.
        """
        spaces = list(self._namespaces.values())
        space = spaces[next(self._turns) % len(spaces)] if spaces else None
        if space is not None and space.is_idle():
            with space.lock:
                departures = space.sweep(self._clock())
            report_departures(departures)

    # -- other rules while the application is at work --------------------------------------------------

    def plan(self, *, adopts: bool, store_factory: StoreFactory) -> None:
        """Have what is added from now on be planned only, until `take_effect` or `abandon`.

        Args:
            adopts: whether regions stay, with all they have, whose rules are the same.
            store_factory: gives those that are new their stores.
        """
        self._planned = PlannedCaches(adopts, store_factory)

    def abandon(self) -> None:
        """Forget what was planned."""
        planned, self._planned = self._planned, None
        if planned is not None:
            self._forget_empty_namespaces()

    def take_effect(self, settling: Settling, redone: Collection[str]) -> None:
        """Put what was planned into effect, in one step for whoever holds the lock or finds regions.

        Regions that are not in the plan retire. What is new keeps nothing until `settling` is over.

        Args:
            settling: says when no write is under way that began before it was patched.
            redone: the targets of regions that stay, but have to be empty: other writes drop them now.
        """
        planned, self._planned = self._planned, None
        if planned is None:
            return
        with self._lock:
            before, after = self._regions, planned.regions
            # First these: a write that ends in between drops from regions that are in effect.
            gone = [region for region in before.values() if after.get(region.rules.target) is not region]
            for region in gone:
                region.retire()
            unsized = [name for name in planned.bounds if not self._bound(name, *planned.bounds[name])]
            stays = set(after.values()) & set(before.values())
            for region in set(after.values()) - stays:
                begin_empty(region, settling, before.get(region.rules.target))
            self._regions, self._store_factory = after, planned.store_factory
            self._matching = {}
            begin_again(
                stays, settling, lambda it: it.rules.target in redone or it.rules.namespace in unsized
            )
            self._forget_empty_namespaces()

    def _bound(self, name: str, max_entries: int, max_bytes: int) -> bool:
        return bound(self._namespaces[name], max_entries, max_bytes)

    def _forget_empty_namespaces(self) -> None:
        used = {region.rules.namespace for region in self}
        self._namespaces = {name: space for name, space in self._namespaces.items() if name in used}

    @property
    def planned(self) -> tuple[Region, ...]:
        """The regions that are planned; those in effect if none are."""
        return tuple(self if self._planned is None else self._planned.regions.values())

    def begin_anew(self) -> None:
        """Be empty, in a child process, with no thread at work."""
        flights.begin_anew()
        loads.begin_anew()
        self.background.begin_anew()
        self._lock = threading.RLock()
        for namespace in self._namespaces.values():
            namespace.begin_anew(self._lock)
        for region in self:
            region.begin_anew()

    def close(self) -> None:
        """Stop caching, and forget everything."""
        self._bus.not_at_checkpoints(self.sweep)
        self.background.close()
        for region in self:
            try:
                region.close()
            except Exception:  # noqa: BLE001 - the others are to be closed all the same
                region.active = False  # whoever has a bound method from before gets no answer from it

    def end(self) -> None:
        """Tell threads that act for these caches that they are over, whatever a plugin has left running."""
        self.is_over = True

    def __iter__(self) -> Iterator[Region]:
        return iter(list(self._regions.values()))

    def __len__(self) -> int:
        return len(self._regions)


def _is_named(rules: RegionRules, pattern: str) -> bool:
    readable = f"{rules.namespace}:{rules.method}"
    return (
        pattern in ("all", rules.namespace)
        or fnmatch.fnmatchcase(readable, pattern)
        or fnmatch.fnmatchcase(f"{readable}:", pattern)  # users:get_user_role:* names the method too
        or Target.parse(rules.target).matches(pattern)
    )
