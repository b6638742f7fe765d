"""The registry: all pooled `connect` callables of one accelerator."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from wats_accel.breakers import Breakers
from wats_accel.event_bus import EventBus
from wats_accel.targets import Target

if TYPE_CHECKING:
    from wats_accel.pool.connection_pool import ConnectionPool
    from wats_accel.pool.observing import Observer
    from wats_accel.pool.pooled_connect import PooledConnect
    from wats_accel.pool.rules import PoolRules


class PoolRegistry:
    """Makes the pools and finds them again.

    Args:
        bus: told what happens in them.
        clock: seconds, never going backwards.
        breakers: say which `connect` has failed too often for reasons of our own.

    Attributes:
        observer: told of each call on each connection; None: nobody is.
    """

    def __init__(
        self, *, bus: EventBus, clock: Callable[[], float], breakers: Breakers | None = None
    ) -> None:
        self._bus = bus
        self._clock = clock
        self._breakers = breakers or Breakers(bus=bus, clock=clock)
        self._known: list[PooledConnect] = []
        self._planned: list[PooledConnect] | None = None
        self._adopts = False
        self._unseen: list[PooledConnect] = []  # whose connections in use nobody sees
        self.observer: Observer | None = None

    def add(self, rules: PoolRules, report: Callable[[str], None]) -> PooledConnect:
        """A pooled `connect` for these rules; `report` is told, once, if there can be no pool."""
        pooled = self._adopted(rules) or self._made(rules, report)
        (self._known if self._planned is None else self._planned).append(pooled)
        return pooled

    def _adopted(self, rules: PoolRules) -> PooledConnect | None:
        if self._planned is None or not self._adopts:
            return None
        return next((pooled for pooled in self._known if pooled.rules == rules), None)

    def _made(self, rules: PoolRules, report: Callable[[str], None]) -> PooledConnect:
        from wats_accel.pool.pooled_connect import PooledConnect  # noqa: PLC0415 - there may be no pool

        pooled = PooledConnect(
            rules,
            bus=self._bus,
            clock=self._clock,
            report=report,
            siblings=self._all_pools,
            breaker=self._breakers.of(f"pool {rules.target}"),
        )
        pooled.observer = self.observer
        for known in self._known:
            if known.rules.target == rules.target:
                # A thread may be inside a method of the one, and connect through the other.
                pooled.per_thread = known.per_thread
        return pooled

    def observe(self, observer: Observer) -> None:
        """Have `observer` told of each call on each connection that any `connect` gives from now on."""
        self.observer = observer
        for pooled in self._known:
            pooled.observer = observer

    # -- other rules while the application is at work --------------------------------------------------

    def plan(self, *, adopts: bool) -> None:
        """Have what is added from now on be planned only, until `take_effect` or `abandon`.

        Args:
            adopts: whether pools stay, with their connections, whose rules are the same.
        """
        self._planned, self._adopts = [], adopts

    def abandon(self) -> None:
        """Forget what was planned."""
        self._planned = None

    def take_effect(self) -> None:
        """Put what was planned into effect: pools that are not in the plan retire."""
        planned, self._planned = self._planned, None
        if planned is None:
            return
        gone = [pooled for pooled in self._known if pooled not in planned]
        self._known = planned
        successors = {pooled.rules.target: pooled for pooled in planned}
        self._unseen = [pooled for pooled in self._unseen if pooled.is_in_use]
        for pooled in gone:
            pooled.retire(successors.get(pooled.rules.target))
            if pooled.observer is None:  # a connection of it may be in use, or be opened right now
                self._unseen.append(pooled)

    @property
    def planned(self) -> tuple[PooledConnect, ...]:
        """Those that are planned; those that there are if none are."""
        return tuple(self._known if self._planned is None else self._planned)

    def has_unseen(self) -> bool:
        """Whether connections are in use that were lent when there was no observer."""
        self._unseen = [pooled for pooled in self._unseen if pooled.is_in_use]
        return bool(self._unseen)

    def _all_pools(self) -> Iterator[ConnectionPool]:
        return (pool for pooled in self._known for pool in pooled.pools)

    def named(self, pattern: str) -> list[PooledConnect]:
        """Those that a target pattern names; ``all`` names all."""
        return [
            pooled
            for pooled in self._known
            if pattern == "all" or Target.parse(pooled.rules.target).matches(pattern)
        ]

    def close(self) -> None:
        """Close them all."""
        for pooled in self._known:
            pooled.close()

    def __iter__(self) -> Iterator[PooledConnect]:
        return iter(list(self._known))

    def __len__(self) -> int:
        return len(self._known)
