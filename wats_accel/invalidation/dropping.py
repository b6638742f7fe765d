"""Dropping: entries leave the caches that a pattern names; or these are off until they could be emptied."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress

from wats_accel.cache.elsewhere import tell_dropped
from wats_accel.cache.fences import Fences
from wats_accel.cache.loads import Load, innermost_load
from wats_accel.cache.region import Region
from wats_accel.cache.registry import CacheRegistry
from wats_accel.cache.selection import (
    EVERYTHING,
    IsSecret,
    Selection,
    bound_text,
    nothing_is_secret,
    select,
)
from wats_accel.event_bus import EventBus
from wats_accel.events import Invalidated
from wats_accel.invalidation.rules import Drop, Values
from wats_accel.patterns import ArgumentPart, KeyPattern, Placeholder


class Dropper:
    """Drops entries, and tells of it.

    Args:
        caches: that have them.
        bus: told what was dropped.
    """

    def __init__(self, *, caches: CacheRegistry, bus: EventBus) -> None:
        self._caches = caches
        self._bus = bus
        self._invalidated = bus.channel(Invalidated)

    def drop(self, pattern: KeyPattern, values: Values, *, by: str) -> int:
        """Drop the entries that a bound pattern matches; gives how many there were.

        Raises nothing of its own: a region where it fails is off until it could be emptied.
        """
        try:
            return self._drop([self._bound(pattern, select(pattern, values), values, by)])
        except Exception as error:  # noqa: BLE001 - as it says
            self._quarantine([Drop(pattern, EVERYTHING, pattern.text, by)], error)
            return 0

    def _bound(self, pattern: KeyPattern, selection: Selection, values: Values, by: str) -> Drop:
        return Drop(pattern, selection, self._text(pattern, values), by)

    def _text(self, pattern: KeyPattern, values: Values) -> str:
        """A bound pattern, for those who listen."""
        if not self._invalidated.listeners:
            return ""
        return bound_text(pattern, values, self._is_secret_in(pattern)) if pattern.arguments else pattern.text

    def _is_secret_in(self, pattern: KeyPattern) -> IsSecret:
        """Which arguments of a pattern are secrets of a method that it names, by position or by name."""
        regions = [region for region in self._of(pattern) if region.rules.key.secret]
        if not regions:
            return nothing_is_secret

        def is_secret(position: int, part: ArgumentPart) -> bool:
            name = part.path if isinstance(part, Placeholder) else ""
            return any(region.is_secret(position) or region.rules.key.hides(name) for region in regions)

        return is_secret

    def drop_as_told(self, drops: Iterable[tuple[KeyPattern, Selection]], *, by: str) -> int:
        """Drop what another process has told of; gives how many entries there were.

        Raises nothing of its own: a region where it fails is off until it could be emptied.
        """
        told = [Drop(pattern, selection, pattern.text, by) for pattern, selection in drops]
        try:
            return self._drop_here(told, quietly=True)
        except Exception as error:  # noqa: BLE001 - as it says
            self._quarantine_here(told, error)
            return 0

    def _drop(self, drops: Sequence[Drop], *, quietly: bool = False) -> int:
        # In this order: an answer that is kept for all processes must not be found any more when this one
        # drops what it has. Else it would be taken from there in between, and nobody would drop it again.
        count = 0
        try:
            self._announce(drops)
        finally:
            count = self._drop_here(drops, quietly=quietly)
        return count

    def _announce(self, drops: Iterable[Drop]) -> None:
        """Have other processes drop the same. They may have what this one has not."""
        announcer = self._caches.announcer
        if announcer is not None:
            tell_dropped(announcer, [(drop.pattern, drop.selection) for drop in drops])

    def _drop_here(self, drops: Sequence[Drop], *, quietly: bool) -> int:
        if len(drops) == 1 and len(regions := self._of(drops[0].pattern)) == 1:
            return self._drop_at_once(regions[0], drops[0], quietly=quietly)
        return self._drop_one_by_one(drops, quietly=quietly)

    def _drop_at_once(self, region: Region, drop: Drop, *, quietly: bool) -> int:
        """Drop from one region, in one step: so nobody can load in between, and no fence is needed."""
        try:
            count = region.invalidate(drop.selection, spare=_spared(region, drop))
        except BaseException as error:
            with suppress(BaseException):  # one interrupt is enough
                region.quarantine(f"invalidating it failed: {type(error).__name__}")
            if not isinstance(error, Exception):
                raise  # Ctrl+C and the like are the application's own
            count = 0
        if count or not quietly:
            self._tell(drop, count)
        return count

    def _drop_one_by_one(self, drops: Iterable[Drop], *, quietly: bool) -> int:
        total = 0
        interrupt: BaseException | None = None
        with Fences() as fences:  # none is lifted before everything is dropped
            for drop in drops:
                count = 0
                for region in self._of(drop.pattern):
                    try:
                        count += _drop_from(region, drop, fences)
                    except BaseException as error:  # noqa: BLE001 - what was not dropped must not be served
                        interrupt = interrupt if isinstance(error, Exception) else error
                        with suppress(BaseException):  # one interrupt is enough
                            region.quarantine(f"invalidating it failed: {type(error).__name__}")
                total += count
                if count or not quietly:
                    self._tell(drop, count)
        if interrupt is not None:
            raise interrupt  # Ctrl+C and the like are the application's own
        return total

    def _tell(self, drop: Drop, count: int) -> None:
        if self._invalidated.listeners:
            with suppress(Exception):  # what is left has to be dropped
                self._bus.emit(Invalidated(drop.text, count, drop.by))

    def _named_by(self, patterns: Iterable[KeyPattern]) -> list[Region]:
        """The regions that any of these patterns can mean. Raises nothing: in doubt, a region is meant."""
        known = list(patterns)
        return [region for region in self._caches if any(_may_name(pattern, region) for pattern in known)]

    def _of(self, pattern: KeyPattern) -> list[Region]:
        return self._caches.matching(pattern)

    def _drop_again(self, drops: Iterable[Drop]) -> None:
        try:
            self._drop(list(drops), quietly=True)
        except Exception as error:  # noqa: BLE001 - whoever commits must not be told
            self._quarantine(drops, error)

    def _quarantine(self, drops: Iterable[Drop], error: Exception) -> None:
        drops = list(drops)
        self._quarantine_here(drops, error)
        self._announce(drops)

    def _quarantine_here(self, drops: Iterable[Drop], error: Exception) -> None:
        for region in self._named_by(drop.pattern for drop in drops):
            region.quarantine(f"invalidating it failed: {type(error).__name__}")


def _may_name(pattern: KeyPattern, region: Region) -> bool:
    try:
        return pattern.names(region.rules.namespace, region.rules.method)
    except Exception:  # noqa: BLE001 - what cannot be told must not be kept
        return True


def _drop_from(region: Region, drop: Drop, fences: Fences) -> int:
    fences.raise_around(region, drop.selection)  # point: fenced
    return region.invalidate(drop.selection, spare=_spared(region, drop))


def _spared(region: Region, drop: Drop) -> Load | None:
    return own_load(drop.by) if drop.by == region.rules.target else None


def own_load(write: str) -> Load | None:
    """The load of this thread that a write is itself."""
    # A method that reads and writes at once (get-or-create) ends its load and its write together: what
    # it read is as new as what it wrote. Any other load of this thread began before the write ended.
    load = innermost_load()
    return load if load is not None and load.target == write else None
