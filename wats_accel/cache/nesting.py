"""Nesting: what a load must know of the loads that run inside it."""

from __future__ import annotations

from wats_accel.cache.loads import Load, innermost_load, spoil_loads
from wats_accel.cache.region import Region
from wats_accel.failures import note_failure


def tell_outer_load(region: Region, load: Load, why_not: str | None) -> None:
    """What the load inside which this one ran must know of it."""
    outer = innermost_load()
    if outer is None:
        return
    if load.entry is not None:
        outer.rest_on(load.entry)
    elif why_not in ("overtaken", "uncommitted_changes", "being_written", "settling"):
        spoil_loads(why_not)
    elif why_not == "unless_result":
        note_failure()
    else:
        outer.rest_on_all_of(load)
        rest_on_version(region, outer, load.version, load.began_at)


def rest_on_version(region: Region, outer: Load, version: int, began_at: float) -> None:
    """Have a load rest on an answer of this region's method that was not stored.

    Args:
        region: of the method.
        outer: the load that got the answer.
        version: the region's, before the method ran.
        began_at: when that was.
    """
    if region.is_retired:
        outer.objection = outer.objection or "overtaken"  # of its version nobody counts any more
        return
    lifetime = region.rules.ages.lifetime(began_at, region.rules.ttl_seconds)
    outer.expires_by = min(outer.expires_by, lifetime.fresh_until)
    outer.gone_by = min(outer.gone_by, lifetime.expires_at)
    outer.read(region.declared)
    outer.rest_on_version(region, version)
