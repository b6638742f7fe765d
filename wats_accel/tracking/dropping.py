"""Dropping: what was made from what has changed leaves the caches; a cache where that fails is off."""

from __future__ import annotations

from contextlib import suppress

from wats_accel.cache.elsewhere import tell_changed
from wats_accel.cache.registry import CacheRegistry
from wats_accel.counters import SqlCounters
from wats_accel.event_bus import EventBus
from wats_accel.events import Invalidated
from wats_accel.tracking.readers import Readers
from wats_accel.tracking.seen import Changed


class Dropper:
    """Drops what a change concerns, and tells of it.

    Args:
        caches: that have it.
        readers: know which of them may.
        bus: told what was dropped.
        counters: of that.
    """

    def __init__(
        self, caches: CacheRegistry, readers: Readers, *, bus: EventBus, counters: SqlCounters
    ) -> None:
        self._caches = caches
        self._readers = readers
        self._invalidated = bus.channel(Invalidated)
        self._counters = counters

    def drop(self, changed: Changed) -> int:
        """Drop it in all processes; gives how many entries of this one there were.

        Raises:
            BaseException: a Control-C, or the caches could not be looked through.
        """
        count = 0
        try:
            self._announce(changed)  # first, as with rules
        finally:
            count = self.drop_here(changed)
        return count

    def _announce(self, changed: Changed) -> None:
        announcer = self._caches.announcer
        if announcer is not None:
            both = changed.changes | changed.besides
            tables = None if both.unknown else {t: sorted(cs) for t, cs in both.access.items}
            tell_changed(announcer, tables)

    def drop_here(self, changed: Changed) -> int:
        """Drop it in this process. Gives and raises as `drop`; where a cache fails, it is off."""
        count, failed, interrupt = 0, [], None
        with self._caches.lock:
            concerned = self._readers.concerned_by(changed)
            for region in self._caches:
                if region not in concerned and not len(region.flights):
                    continue
                try:
                    count += region.invalidate_made_from(changed.concerns)
                except BaseException as error:  # noqa: BLE001 - what was not dropped must not be served
                    interrupt = interrupt if isinstance(error, Exception) else error
                    failed.append((region, type(error).__name__))
        for region, error_name in failed:
            with suppress(BaseException):  # one interrupt is enough
                region.quarantine(f"invalidating it failed: {error_name}")
        if count:
            with suppress(Exception):  # all is dropped
                self._tell(changed, count)
        if interrupt is not None:
            raise interrupt  # Ctrl+C and the like are the application's own
        return count

    def _tell(self, changed: Changed, count: int) -> None:
        self._counters.dropping_changes += 1
        self._counters.dropped += count
        if self._invalidated.listeners:
            self._invalidated.send(Invalidated(changed.pattern, count, "; ".join(changed.by)))
