"""Readers: which methods have been seen to read what, so that a change finds those it concerns at once.

Called under the caches' lock, which storing takes as well: what an entry was made from is noted before the
entry is there. It is not forgotten when the entry goes, so that a method may be looked at in vain.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from wats_accel.cache.region import Region
from wats_accel.tracking.seen import Changed, Seen, remember

_MOST_FOOTPRINTS: Final = 4_096  # of one region
NOBODY: frozenset[Region] = frozenset()


class Readers:
    """The footprints of each region's answers, so far."""

    def __init__(self) -> None:
        self._footprints: dict[Region, set[object]] = {}
        self._all: dict[Region, Seen] = {}
        self._found: dict[Changed, tuple[int, frozenset[Region]]] = {}
        self._number = 0  # of footprints that were new to a region

    def note(self, region: Region, footprint: object) -> None:
        """Note what an answer was made from; None: nobody has seen it."""
        known = self._footprints.setdefault(region, set())
        if footprint in known:
            return
        self._number += 1
        if len(known) >= _MOST_FOOTPRINTS:  # of an application that makes ever new tables
            self._unite(region, known)
        known.add(footprint)
        if isinstance(footprint, Seen):
            before = self._all.get(region)
            self._all[region] = footprint if before is None else before | footprint

    def _unite(self, region: Region, known: set[object]) -> None:
        """Of a great many remember their union: a change that concerns one of them concerns it."""
        unseen = {footprint for footprint in known if not isinstance(footprint, Seen)}
        known.clear()
        known |= unseen
        if region in self._all:
            known.add(self._all[region])

    def keep(self, regions: Iterable[Region]) -> None:
        """Forget all regions but these."""
        still = set(regions)
        for region in [known for known in self._footprints if known not in still]:
            del self._footprints[region]
            self._all.pop(region, None)
        self._found.clear()

    def concerned_by(self, changed: Changed) -> frozenset[Region]:
        """The regions that may have answers which a change concerns."""
        number, found = self._found.get(changed, (-1, NOBODY))
        if number != self._number:
            found = frozenset(
                region for region, known in self._footprints.items() if any(map(changed.concerns, known))
            )
            remember(self._found, changed, (self._number, found))
        return found

    def all_of(self, region: Region) -> Seen | None:
        """All that a region's answers were made from, so far; None if none of it was seen."""
        return self._all.get(region)
