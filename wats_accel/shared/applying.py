"""Applying: what other processes tell of leaves the caches of this one."""

from __future__ import annotations

from contextlib import suppress
from typing import Protocol, runtime_checkable

from wats_accel.cache.elsewhere import Tables
from wats_accel.cache.footprints import Footprint
from wats_accel.cache.registry import CacheRegistry
from wats_accel.event_bus import EventBus
from wats_accel.events import BackplaneConnected, BackplaneIsolated
from wats_accel.invalidation import Invalidator
from wats_accel.shared.messages import Message

BY = "another process"


@runtime_checkable
class FollowsTables(Protocol):
    """What knows which answers were made from which tables: a tracker."""

    def drop_as_told(self, tables: Tables | None, /) -> int:
        """Drop what was made from them; None: any. Raises nothing."""
        ...

    def footprint_of(self, tables: Tables, /) -> Footprint:
        """The footprint of what was made from them elsewhere."""
        ...

    def tables_of(self, footprint: Footprint, /) -> Tables | None:
        """The other way round; None if nobody knows."""
        ...

    def spelled_out(self, tables: Tables, /) -> Tables:
        """The same, with all known columns of a table where any of them may be meant."""
        ...


class Applier:
    """Applies messages. Implements the backplane's `Listener`; raises nothing.

    Args:
        caches: of this process.
        invalidator: drops by patterns.
        bus: told when this process is connected or isolated.
        bound_seconds: how old answers may become while it is isolated, to be told.
    """

    def __init__(
        self, caches: CacheRegistry, invalidator: Invalidator, bus: EventBus, *, bound_seconds: float
    ) -> None:
        self._caches = caches
        self._invalidator = invalidator
        self._bus = bus
        self._bound_seconds = bound_seconds
        self._has_ended = False
        self.tables: FollowsTables | None = None  # where statements are seen

    def told(self, message: Message, /) -> None:
        """Drop what a message means."""
        try:
            if message.everything or (message.tables is not None and self.tables is None):
                self._caches.drop_everything()
                return
            if message.drops:
                self._invalidator.drop_as_told(message.drops, by=BY)
            if message.tables is not None and self.tables is not None:
                self.tables.drop_as_told(message.tables)
        except Exception:  # noqa: BLE001 - what was not dropped must not be served
            self._caches.drop_everything()

    def bounded(self, seconds: float | None, /) -> None:
        """Have answers that are loaded from now on live so long at most."""
        if not self._has_ended:
            self._caches.bounds.set(self, seconds)

    def end(self) -> None:
        """Bound nothing any more, whatever is told of a step that is under way."""
        self._has_ended = True
        self._caches.bounds.set(self, None)

    def connected(self, members: int, /) -> None:
        """Tell that all is known."""
        with suppress(Exception):
            self._bus.emit(BackplaneConnected(members))

    def isolated(self, why: str, /) -> None:
        """Tell that not all is known."""
        with suppress(Exception):
            self._bus.emit(BackplaneIsolated(why, self._bound_seconds))
