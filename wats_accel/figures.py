"""Figures: what all parts of a configuration in effect have counted so far."""

from __future__ import annotations

from wats_accel.assembly import Assembly
from wats_accel.counters import SqlCounters
from wats_accel.telemetry.snapshots import snapshot
from wats_accel.telemetry.stats import Stats


def figures_of(assembly: Assembly) -> Stats:
    """The statistics of what an assembly has made.

    Raises:
        Exception: some part, of a plugin perhaps, cannot tell its own.
    """
    regions, pools = assembly.context.caches, assembly.context.pools
    counters = getattr(pools.observer, "counters", None)
    return snapshot(
        ((region.rules.namespace, region.rules.target, region) for region in regions),
        ((pooled.rules.target, pooled) for pooled in pools),
        counters if isinstance(counters, SqlCounters) else None,
        assembly.context.breakers,
        None if regions.announcer is None else regions.announcer.figures(),
        None if regions.follower is None else regions.follower.figures(),
    )
