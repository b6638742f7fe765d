"""Counters of one cached method, of pools, of statements: plain numbers that are added to and read.

They are added to without a lock. ``x += 1`` on an attribute is not interrupted by a thread switch on
CPython 3.10 and newer with the GIL; without the GIL an increment may rarely be lost, which a statistic
can bear and the hit path's speed is worth.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import field

from wats_accel.records import record


@record(slots=True)
class Counters:
    """What has happened to one cached method so far. Times are in seconds."""

    hits: int = 0
    misses: int = 0
    joined: int = 0
    loads: int = 0
    load_failures: int = 0
    load_seconds: float = 0.0
    stored: int = 0
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
    not_stored: Counter[str] = field(default_factory=Counter)
    bypassed: Counter[str] = field(default_factory=Counter)
    shared: Counter[str] = field(default_factory=Counter)


@record(slots=True)
class PoolCounters:
    """What has happened to the pools of one `connect` so far. Times are in seconds."""

    opened: int = 0
    reused: int = 0
    direct: int = 0
    bare: int = 0
    exhausted: int = 0
    leaks: int = 0
    wait_seconds: float = 0.0
    connect_seconds: float = 0.0
    discarded: Counter[str] = field(default_factory=Counter)


@record(slots=True)
class SharedCounters:
    """What has happened between this process and others so far. Times are in seconds."""

    mode: str = "off"
    why_isolated: str = "not connected yet"
    members: int = 0
    sent: int = 0
    received: int = 0
    waiting: int = 0
    isolations: int = 0
    timeouts: int = 0
    dropped_everything: int = 0
    echoes: int = 0
    echo_seconds: float = 0.0
    longest_echo_seconds: float = 0.0
    silent_seconds: float | None = None


@record(slots=True)
class FollowingCounters:
    """What has been asked of the database so far, and what it has told. Times are in seconds."""

    why_lost: str = "not asked yet"
    polls: int = 0
    poll_seconds: float = 0.0
    changes: int = 0
    losses: int = 0
    dropped_everything: int = 0


@record(slots=True)
class SqlCounters:
    """What the statements that were seen have changed so far, and what that has dropped."""

    changes: int = 0
    unknown_changes: int = 0
    dropping_changes: int = 0
    dropped: int = 0
