"""Snapshots: the counters of all parts at one moment, as statistics."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sized
from dataclasses import fields
from typing import Any, Protocol

from wats_accel.breakers import Breaker
from wats_accel.counters import Counters, FollowingCounters, PoolCounters, SharedCounters, SqlCounters
from wats_accel.telemetry.stats import (
    BreakerStats,
    CacheStats,
    FollowingStats,
    PoolStats,
    SharedStats,
    SqlStats,
    Stats,
)

AnyCounters = Counters | FollowingCounters | PoolCounters | SharedCounters | SqlCounters


class Counted(Protocol):
    """Whatever has counters and a size: the cache of one method."""

    @property
    def counters(self) -> Counters:
        """Its counters."""
        ...

    @property
    def why_off(self) -> str | None:
        """Why no call is answered, in words; None while calls are."""
        ...

    def __len__(self) -> int: ...


class CountedPools(Protocol):
    """Whatever has pools, and counters of what happened to them."""

    @property
    def counters(self) -> PoolCounters:
        """Their counters."""
        ...

    @property
    def pools(self) -> Sized:
        """One for each set of connect arguments."""
        ...

    @property
    def size(self) -> int:
        """How many idle connections each may keep."""
        ...

    @property
    def checked_out(self) -> int:
        """Connections in use."""
        ...

    @property
    def idle(self) -> int:
        """Connections that wait for a user."""
        ...

    @property
    def overflow(self) -> int:
        """Connections open beyond the size."""
        ...


def snapshot(
    counted: Iterable[tuple[str, str, Counted]],
    pools: Iterable[tuple[str, CountedPools]] = (),
    sql: SqlCounters | None = None,
    breakers: Iterable[Breaker] = (),
    shared: SharedCounters | None = None,
    following: FollowingCounters | None = None,
) -> Stats:
    """Statistics of ``(namespace, target, counters and size)`` of each method, and of ``(target, pools)``.

    `sql` are the counters of the statements, if somebody has seen them; `shared` those of the backplane, and
    `following` those of who asks the database.
    """
    methods: dict[str, CacheStats] = {}
    groups: dict[str, list[CacheStats]] = {}
    not_cached: dict[str, str] = {}
    for namespace, target, source in counted:
        methods[target] = _of_method(source.counters, _size(source))
        groups.setdefault(namespace, []).append(methods[target])
        if (why := source.why_off) is not None:
            not_cached[target] = why
    namespaces = {name: _sum(group) for name, group in groups.items()}
    return Stats(
        _sum(methods.values()),
        namespaces,
        methods,
        {target: _of_pools(source) for target, source in pools},
        SqlStats() if sql is None else SqlStats(**_figures(sql)),
        {breaker.part: _of_breaker(breaker) for breaker in breakers if breaker.failures},
        not_cached,
        SharedStats() if shared is None else _of_shared(shared),
        FollowingStats() if following is None else FollowingStats(**_figures(following)),
    )


def _of_shared(counters: SharedCounters) -> SharedStats:
    known = _figures(counters)
    echoes, seconds = known.pop("echoes"), known.pop("echo_seconds")
    longest = known.pop("longest_echo_seconds")
    return SharedStats(
        **known, delay_seconds=seconds / echoes if echoes else 0.0, longest_delay_seconds=longest
    )


def _of_breaker(breaker: Breaker) -> BreakerStats:
    return BreakerStats(breaker.state, breaker.failures, breaker.opened, breaker.retry_in_seconds)


def _of_pools(source: CountedPools) -> PoolStats:
    return PoolStats(
        pools=len(source.pools),
        size=source.size,
        checked_out=source.checked_out,
        idle=source.idle,
        overflow=source.overflow,
        **_figures(source.counters),
    )


def _figures(counters: AnyCounters) -> dict[str, Any]:
    """All that was counted, by name; what goes by reasons does not go on changing."""
    figures = {known.name: getattr(counters, known.name) for known in fields(counters)}
    return {name: dict(told) if isinstance(told, Counter) else told for name, told in figures.items()}


def _size(source: Counted) -> int:
    try:
        return len(source)
    except Exception:  # noqa: BLE001 - a store of a plugin's may raise anything
        return 0


def _of_method(counters: Counters, size: int) -> CacheStats:
    mean = counters.load_seconds / counters.loads if counters.loads else 0.0
    return CacheStats(**_figures(counters), saved_seconds=counters.hits * mean, size=size)


_REASONS = ("not_stored", "bypassed", "shared")


def _sum(parts: Iterable[CacheStats]) -> CacheStats:
    known = list(parts)
    added_names = [known.name for known in fields(CacheStats) if known.name not in _REASONS]
    added: dict[str, Any] = {name: sum(getattr(part, name) for part in known) for name in added_names}
    reasons: dict[str, Any] = {
        name: dict(sum((Counter(getattr(part, name)) for part in known), Counter())) for name in _REASONS
    }
    return CacheStats(**added, **reasons)
