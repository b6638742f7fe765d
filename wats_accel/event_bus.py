"""The bus that carries events from engines to listeners; both know only the bus.

An event that nobody listens to is not built: a sender asks its `Channel` for listeners first.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from wats_accel.events import Event
from wats_accel.forks import begins_anew_when_forked

EventT = TypeVar("EventT", bound=Event)
Listener = Callable[[Any], None]


class Channel(Generic[EventT]):
    """The listeners of one type of event. Ask for `listeners` before building an event."""

    __slots__ = ("listeners",)

    def __init__(self) -> None:
        self.listeners: tuple[Listener, ...] = ()

    def send(self, event: EventT) -> None:
        """Give the event to every listener; one that raises is logged and harms nobody."""
        for listener in self.listeners:
            try:
                listener(event)
            except Exception as error:  # noqa: BLE001 - a listener must never reach the application
                name = getattr(listener, "__qualname__", type(listener).__name__)
                _report_failure(f"listener {name} of {event.name}", error)


def _report_failure(what: str, error: Exception) -> None:
    # The last line of defence: straight to the stdlib, since what failed may be our own log. The text of a
    # foreign exception may hold anything, and the host's handlers may raise as well.
    with contextlib.suppress(Exception):
        logging.getLogger("wats_accel").debug("%s failed: %s", what, type(error).__name__)


class EventBus:
    """Carries events from engines to listeners; engines and listeners know only the bus."""

    def __init__(self) -> None:
        self._channels: dict[type[Event], Channel[Any]] = {}
        self._checkpoints: tuple[Callable[[], None], ...] = ()
        # Of changes; sending takes none. Re-entrant: a signal handler may uninstall in the middle of one.
        self._lock = threading.RLock()
        begins_anew_when_forked(self)

    def begin_anew(self) -> None:
        """In a child process: nobody holds the lock any more."""
        self._lock = threading.RLock()

    def channel(self, event_type: type[EventT]) -> Channel[EventT]:
        """The one channel of this type of event; it may be kept, its listeners change in place."""
        return self._channels.setdefault(event_type, Channel())

    def subscribe(self, event_type: type[EventT], listener: Callable[[EventT], None]) -> None:
        """Add a listener. Adding one twice has no effect."""
        channel = self.channel(event_type)
        with self._lock:
            if listener not in channel.listeners:
                channel.listeners = (*channel.listeners, listener)

    def unsubscribe(self, event_type: type[EventT], listener: Callable[[EventT], None]) -> None:
        """Take a listener away; one that is not there is no error."""
        channel = self.channel(event_type)
        with self._lock:
            channel.listeners = tuple(known for known in channel.listeners if known != listener)

    def emit(self, event: Event) -> None:
        """Send an event that is rare enough to be built without asking first."""
        self.channel(type(event)).send(event)

    def at_checkpoints(self, callback: Callable[[], None]) -> None:
        """Have `callback` run wherever time is not short: at each load and each write.

        That is how a listener to hits adapts (say, to a changed log level) at no cost to hits.
        """
        with self._lock:
            self._checkpoints = (*self._checkpoints, callback)

    def checkpoint(self) -> None:
        """Run what was registered with `at_checkpoints`."""
        for callback in self._checkpoints:
            try:
                callback()
            except Exception as error:  # noqa: BLE001 - as with listeners
                _report_failure("a checkpoint", error)
