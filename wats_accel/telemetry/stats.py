"""Statistics: snapshots of counters, for each method, each namespace and all together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

from wats_accel.counters import Counters


@dataclass(frozen=True, slots=True)
class CacheStats:
    """Figures at one moment. Times are in seconds, `hit_rate` in percent.

    `saved_seconds` is what the hits would have taken as loads: hits times the mean time of a load.
    """

    hits: int = 0
    misses: int = 0
    loads: int = 0
    load_failures: int = 0
    load_seconds: float = 0.0
    saved_seconds: float = 0.0
    stored: int = 0
    not_stored: Mapping[str, int] = field(default_factory=dict)
    bypassed: Mapping[str, int] = field(default_factory=dict)
    invalidated: int = 0
    expired: int = 0
    evicted: int = 0
    size: int = 0

    @property
    def hit_rate(self) -> float:
        """Hits in percent of hits and misses; 0 when there was neither."""
        asked = self.hits + self.misses
        return 100.0 * self.hits / asked if asked else 0.0

    def as_dict(self) -> dict[str, Any]:
        """All figures, ready for JSON."""
        return {**asdict(self), "hit_rate": round(self.hit_rate, 2)}


@dataclass(frozen=True, slots=True)
class Stats:
    """Figures of a whole accelerator: in total, by namespace, and by target of the method."""

    total: CacheStats
    namespaces: Mapping[str, CacheStats]
    methods: Mapping[str, CacheStats]

    def as_dict(self) -> dict[str, Any]:
        """All figures, ready for JSON."""
        return {
            "total": self.total.as_dict(),
            "namespaces": {name: stats.as_dict() for name, stats in self.namespaces.items()},
            "methods": {target: stats.as_dict() for target, stats in self.methods.items()},
        }


class Counted(Protocol):
    """Whatever has counters and a size: the cache of one method."""

    @property
    def counters(self) -> Counters:
        """Its counters."""
        ...

    def __len__(self) -> int: ...


def snapshot(counted: Iterable[tuple[str, str, Counted]]) -> Stats:
    """Statistics of ``(namespace, target, counters and size)`` of each method."""
    methods: dict[str, CacheStats] = {}
    groups: dict[str, list[CacheStats]] = {}
    for namespace, target, source in counted:
        methods[target] = _of_method(source.counters, _size(source))
        groups.setdefault(namespace, []).append(methods[target])
    namespaces = {name: _sum(group) for name, group in groups.items()}
    return Stats(_sum(methods.values()), namespaces, methods)


def _size(source: Counted) -> int:
    try:
        return len(source)
    except Exception:  # noqa: BLE001 - a store of a plugin's may raise anything
        return 0


def _of_method(counters: Counters, size: int) -> CacheStats:
    mean = counters.load_seconds / counters.loads if counters.loads else 0.0
    return CacheStats(
        hits=counters.hits,
        misses=counters.misses,
        loads=counters.loads,
        load_failures=counters.load_failures,
        load_seconds=counters.load_seconds,
        saved_seconds=counters.hits * mean,
        stored=counters.stored,
        not_stored=dict(counters.not_stored),
        bypassed=dict(counters.bypassed),
        invalidated=counters.invalidated,
        expired=counters.expired,
        evicted=counters.evicted,
        size=size,
    )


_ADDED = (
    "hits", "misses", "loads", "load_failures", "load_seconds", "saved_seconds", "stored",
    "invalidated", "expired", "evicted", "size",
)  # fmt: skip


def _sum(parts: Iterable[CacheStats]) -> CacheStats:
    known = list(parts)
    added: dict[str, Any] = {name: sum(getattr(part, name) for part in known) for name in _ADDED}
    reasons: dict[str, Any] = {
        name: dict(sum((Counter(getattr(part, name)) for part in known), Counter()))
        for name in ("not_stored", "bypassed")
    }
    return CacheStats(**added, **reasons)
