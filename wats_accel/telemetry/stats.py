"""Statistics: the figures of one moment, for each method, each namespace and all together.

What is counted has the same name in `counters`. Here it stands in the order in which people read it, with
what follows from it, and does not change any more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, field
from typing import Any

from wats_accel.records import record


@record(frozen=True, slots=True)
class Figures:
    """Some of them, by name."""

    def as_dict(self) -> dict[str, Any]:
        """All figures, ready for JSON."""
        return asdict(self)


@record(frozen=True, slots=True)
class CacheStats(Figures):
    """Figures at one moment. Times are in seconds, `hit_rate` in percent.

    `saved_seconds` is what the hits would have taken as loads: hits times the mean time of a load. Of the
    misses, `joined` did not run the method either: another call was running it already. `verified` counts
    comparisons with the method's own answer, of a sample and in the shadow together; `shadow_hits` are calls
    that would have been hits, `shadow_stale` those of them that would have got another answer.
    """

    hits: int = 0
    misses: int = 0
    joined: int = 0
    loads: int = 0
    load_failures: int = 0
    load_seconds: float = 0.0
    saved_seconds: float = 0.0
    stored: int = 0
    not_stored: Mapping[str, int] = field(default_factory=dict)
    bypassed: Mapping[str, int] = field(default_factory=dict)
    shared: Mapping[str, int] = field(default_factory=dict)
    invalidated: int = 0
    expired: int = 0
    evicted: int = 0
    orphaned: int = 0
    served_stale: int = 0
    refreshed: int = 0
    refresh_failures: int = 0
    revalidated: int = 0
    verified: int = 0
    differences: int = 0
    inconclusive: int = 0
    shadow_hits: int = 0
    shadow_stale: int = 0
    shadow_saved_seconds: float = 0.0
    size: int = 0

    @property
    def hit_rate(self) -> float:
        """Hits in percent of hits and misses; 0 when there was neither."""
        asked = self.hits + self.misses
        return 100.0 * self.hits / asked if asked else 0.0

    def as_dict(self) -> dict[str, Any]:
        """All figures, ready for JSON."""
        return {**asdict(self), "hit_rate": round(self.hit_rate, 2)}


@record(frozen=True, slots=True)
class PoolStats(Figures):
    """Figures of the pools of one `connect` at one moment. Times are in seconds.

    Attributes:
        pools: how many there are: one for each set of connect arguments.
        size: how many idle connections each may keep.
        checked_out: connections in use.
        idle: connections that wait for a user.
        overflow: connections open beyond the size.
        opened: connections that the driver was asked for.
        reused: how often one was lent again.
        direct: how often all were taken, and the driver's own was given.
        bare: how often arguments did not allow a pool, and the driver's own was given.
        exhausted: how often somebody waited in vain.
        leaks: leases that were reported.
        wait_seconds: spent waiting for one to come back.
        connect_seconds: spent opening.
        discarded: connections parted with, by reason.
    """

    pools: int = 0
    size: int = 0
    checked_out: int = 0
    idle: int = 0
    overflow: int = 0
    opened: int = 0
    reused: int = 0
    direct: int = 0
    bare: int = 0
    exhausted: int = 0
    leaks: int = 0
    wait_seconds: float = 0.0
    connect_seconds: float = 0.0
    discarded: Mapping[str, int] = field(default_factory=dict)


@record(frozen=True, slots=True)
class SqlStats(Figures):
    """Figures of the statements that were seen, where the SQL decides what is dropped; else all are 0.

    Attributes:
        changes: statements, and other calls of the driver, that change something.
        unknown_changes: those of them of which nobody knows what they change. They concern every answer.
        dropping_changes: changes, or transactions, that have dropped something.
        dropped: entries that these have dropped.
    """

    changes: int = 0
    unknown_changes: int = 0
    dropping_changes: int = 0
    dropped: int = 0


@record(frozen=True, slots=True)
class SharedStats(Figures):
    """What this process and others tell each other; ``off`` where it is no member. Times are in seconds.

    Attributes:
        mode: ``connected``: all is known. ``doubting``: another process is missing. ``isolated``: the server
            cannot be reached. In the last two no answer gets older than the configured bound.
        why_isolated: why it is not connected.
        members: processes that the server knows, this one among them.
        sent: messages of this process.
        received: messages of others.
        waiting: messages that could not be sent yet.
        isolations: how often it was not connected any more.
        timeouts: how often the server did not answer a call of the application in time.
        dropped_everything: how often nobody knew what others had dropped.
        delay_seconds: from sending a message to having it back, on the average; others hear of it as fast.
        longest_delay_seconds: at most.
        silent_seconds: since the last message of another; None if there was none.
    """

    mode: str = "off"
    why_isolated: str = ""
    members: int = 0
    sent: int = 0
    received: int = 0
    waiting: int = 0
    isolations: int = 0
    timeouts: int = 0
    dropped_everything: int = 0
    delay_seconds: float = 0.0
    longest_delay_seconds: float = 0.0
    silent_seconds: float | None = None


@record(frozen=True, slots=True)
class FollowingStats(Figures):
    """What was asked of the database, and what it has told. Times are in seconds.

    Attributes:
        why_lost: why no answer is vouched for; empty while all is well.
        polls: questions that were answered.
        poll_seconds: that these took, together.
        changes: answers that told of a change.
        losses: how often it did not answer any more.
        dropped_everything: how often nobody knew what had changed.
    """

    why_lost: str = "not followed"
    polls: int = 0
    poll_seconds: float = 0.0
    changes: int = 0
    losses: int = 0
    dropped_everything: int = 0


@record(frozen=True, slots=True)
class BreakerStats(Figures):
    """One circuit breaker at one moment. `retry_in_seconds` is how long its part is left alone yet."""

    state: str = "closed"
    failures: int = 0
    opened: int = 0
    retry_in_seconds: float = 0.0


@record(frozen=True, slots=True)
class Stats:
    """Figures of a whole accelerator: the cache in total, by namespace, by method; the pools; the SQL.

    `breakers` has those parts only that have failed at least once. `not_cached` has the methods that are not
    answered from the cache right now, and why.
    """

    total: CacheStats
    namespaces: Mapping[str, CacheStats]
    methods: Mapping[str, CacheStats]
    pools: Mapping[str, PoolStats] = field(default_factory=dict)
    sql: SqlStats = field(default_factory=SqlStats)
    breakers: Mapping[str, BreakerStats] = field(default_factory=dict)
    not_cached: Mapping[str, str] = field(default_factory=dict)
    shared: SharedStats = field(default_factory=SharedStats)
    following: FollowingStats = field(default_factory=FollowingStats)

    def as_dict(self) -> dict[str, Any]:
        """All figures, ready for JSON."""
        return {
            "total": self.total.as_dict(),
            "namespaces": {name: stats.as_dict() for name, stats in self.namespaces.items()},
            "methods": {target: stats.as_dict() for target, stats in self.methods.items()},
            "pools": {target: stats.as_dict() for target, stats in self.pools.items()},
            "sql": self.sql.as_dict(),
            "breakers": {part: stats.as_dict() for part, stats in self.breakers.items()},
            "not_cached": dict(self.not_cached),
            "shared": self.shared.as_dict(),
            "following": self.following.as_dict(),
        }
