"""Succession: the caches that a reload plans beside those in effect, and what becomes of each of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import field

from wats_accel.cache.entries import Store
from wats_accel.cache.namespace import Namespace
from wats_accel.cache.region import Region
from wats_accel.cache.region_rules import RegionRules
from wats_accel.records import record
from wats_accel.settling import Settling

StoreFactory = Callable[[str, str], Store | None]
"""``(namespace, target) -> store``; None to leave the choice to the default, a `MemoryStore`."""


@record(slots=True)
class PlannedCaches:
    """Caches that are to be in effect soon.

    Attributes:
        adopts: whether a region in effect may be taken over if its rules are equal.
        store_factory: gives new regions their stores.
        regions: by target: new ones, and those that are taken over.
        bounds: of each namespace: the most entries, the most bytes.
    """

    adopts: bool
    store_factory: StoreFactory
    regions: dict[str, Region] = field(default_factory=dict)
    bounds: dict[str, tuple[int, int]] = field(default_factory=dict)

    def adopted(self, running: Region | None, rules: RegionRules) -> Region | None:
        """The region in effect, if it may stay so under these rules: then its entries stay, too."""
        if not self.adopts or running is None or running.is_given_up:
            return None
        return running if running.rules == rules else None


def bound(space: Namespace, max_entries: int, max_bytes: int) -> bool:
    """Give a namespace other bounds; gives whether its entries can stay. Called under the lock."""
    has_sizes = space.max_bytes > 0 or not max_bytes  # without a bound nobody asks for an entry's size
    space.max_entries, space.max_bytes = max_entries, max_bytes
    return has_sizes


def begin_empty(region: Region, settling: Settling, before: Region | None) -> None:
    """Have a region that takes effect keep nothing for now; what its store has is not its own.

    Args:
        region: that takes effect.
        settling: until it is over nothing is kept.
        before: the one of the same method, if there was one; its figures go on.
    """
    region.settling = settling
    if before is not None and before.rules.namespace == region.rules.namespace:
        region.counters = before.counters
    region.begin_anew()
    region.switch(enabled=True)  # unless its breaker is open, from before


def begin_again(
    regions: Iterable[Region], settling: Settling, is_concerned: Callable[[Region], bool]
) -> None:
    """Have those regions that are concerned drop all they have, and keep nothing for now."""
    for region in regions:
        if is_concerned(region):
            with region.lock:
                region.settling = settling
            try:
                region.invalidate()
            except Exception as error:  # noqa: BLE001 - what was not dropped must not be served
                region.quarantine(f"emptying it failed: {type(error).__name__}")
