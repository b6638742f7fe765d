"""The registry: all pooled `connect` callables of one accelerator."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from wats_accel.breakers import Breakers
from wats_accel.event_bus import EventBus
from wats_accel.pool.connection_pool import ConnectionPool
from wats_accel.pool.observing import Observer
from wats_accel.pool.pooled_connect import PooledConnect
from wats_accel.pool.rules import PoolRules
from wats_accel.targets import Target


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
        self.observer: Observer | None = None

    def add(self, rules: PoolRules, report: Callable[[str], None]) -> PooledConnect:
        """A pooled `connect` for these rules; `report` is told, once, if there can be no pool."""
        pooled = PooledConnect(
            rules,
            bus=self._bus,
            clock=self._clock,
            report=report,
            siblings=self._all_pools,
            breaker=self._breakers.of(f"pool {rules.target}"),
        )
        pooled.observer = self.observer
        self._known.append(pooled)
        return pooled

    def observe(self, observer: Observer) -> None:
        """Have `observer` told of each call on each connection that any `connect` gives from now on."""
        self.observer = observer
        for pooled in self._known:
            pooled.observer = observer

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
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)
