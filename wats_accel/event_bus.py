"""The bus that carries events from engines to listeners; both know only the bus.

An event that nobody listens to is not built: a sender asks its `Channel` for listeners first.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Iterator
from typing import Any, Generic, Protocol, TypeVar

from wats_accel.events import Event
from wats_accel.forks import begins_anew_when_forked
from wats_accel.records import record

EventT = TypeVar("EventT", bound=Event)
Listener = Callable[[Any], None]


class ListenerBreaker(Protocol):
    """What says whether a listener is told of events, or has failed too often."""

    @property
    def closed(self) -> bool:
        """Whether all is well."""
        ...

    def may_try(self) -> bool:
        """Whether it is to be told once more."""
        ...

    def failed(self, error: BaseException | str) -> bool:
        """Note that it has raised."""
        ...

    def worked(self) -> None:
        """Note that it has not."""
        ...


@record(slots=True, eq=False)
class _Resting:
    """A listener that is told of nothing for a while, or on trial."""

    listener: Listener
    breaker: ListenerBreaker
    channels: list[Channel[Any]]
    on_trial: bool = False


class Channel(Generic[EventT]):
    """The listeners of one type of event. Ask for `listeners` before building an event.

    Args:
        failed: told of a listener that has raised, and what.
        resting: the listeners that have failed too often; those on trial are told of events again.
    """

    __slots__ = ("_failed", "_resting", "listeners")

    def __init__(
        self,
        failed: Callable[[Listener, Event, Exception], None] | None = None,
        resting: list[_Resting] | None = None,
    ) -> None:
        self.listeners: tuple[Listener, ...] = ()
        self._failed = failed or _report_listener
        self._resting = [] if resting is None else resting

    def send(self, event: EventT) -> None:
        """Give the event to every listener; one that raises harms nobody. Raises nothing of its own."""
        for listener in self.listeners:
            try:
                self._tell(listener, event)
            except Exception as error:  # noqa: BLE001 - as below
                _report_failure("telling of an event", error)

    def _tell(self, listener: Listener, event: EventT) -> None:
        try:
            listener(event)
            if self._resting:
                self._end_trial(listener)
        except Exception as error:  # noqa: BLE001 - a listener must never reach the application
            self._failed(listener, event, error)

    def _end_trial(self, listener: Listener) -> None:
        for known in list(self._resting):
            if known.on_trial and known.listener == listener:
                self._resting.remove(known)
                known.breaker.worked()


def _name_of(listener: object) -> str:
    try:
        return str(getattr(listener, "__qualname__", type(listener).__name__))
    except Exception:  # noqa: BLE001 - a foreign object may have attributes that raise
        return type(listener).__name__


def _report_listener(listener: Listener, event: Event, error: Exception) -> None:
    _report_failure(f"listener {_name_of(listener)} of {event.name}", error)


def _report_failure(what: str, error: Exception) -> None:
    # The last line of defence: straight to the stdlib, since what failed may be our own log. The text of a
    # foreign exception may hold anything, and the host's handlers may raise as well.
    with contextlib.suppress(Exception):
        logging.getLogger("wats_accel").debug("%s failed: %s", what, type(error).__name__)


class _Here(threading.local):
    held: list[Event] | None = None
    """What is sent later; None: nothing is."""


class EventBus:
    """Carries events from engines to listeners; engines and listeners know only the bus."""

    def __init__(self) -> None:
        self._channels: dict[type[Event], Channel[Any]] = {}
        self._checkpoints: tuple[Callable[[], None], ...] = ()
        # Of changes; sending takes none. Re-entrant: a signal handler may uninstall in the middle of one.
        self._lock = threading.RLock()
        self._breaker_of: Callable[[str], ListenerBreaker] | None = None
        self._resting: list[_Resting] = []
        self._here = _Here()
        begins_anew_when_forked(self)

    def rest_listeners(self, breaker_of: Callable[[str], ListenerBreaker]) -> None:
        """Have listeners that keep raising be told of nothing for a while, then tried at a checkpoint.

        Args:
            breaker_of: gives the breaker of a part by its name.
        """
        self._breaker_of = breaker_of

    def begin_anew(self) -> None:
        """In a child process: nobody holds the lock any more."""
        self._lock = threading.RLock()

    def channel(self, event_type: type[EventT]) -> Channel[EventT]:
        """The one channel of this type of event; it may be kept, its listeners change in place."""
        known = self._channels.get(event_type)
        if known is None:
            known = self._channels.setdefault(event_type, Channel(self._failed, self._resting))
        return known

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
            for resting in self._resting:
                if resting.listener == listener:
                    resting.channels = [known for known in resting.channels if known is not channel]

    def emit(self, event: Event) -> None:
        """Send an event that is rare enough to be built without asking first. Raises nothing of its own."""
        try:
            self._send(event)
        except Exception as error:  # noqa: BLE001 - as with listeners
            _report_failure("sending an event", error)

    def _send(self, event: Event) -> None:
        if self._here.held is None:
            self.channel(type(event)).send(event)
        else:
            self._here.held.append(event)

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Have what this thread emits in the ``with`` block be sent at its end.

        For blocks that hold a lock: a log handler has one as well, and calls what needs ours.
        """
        before, self._here.held = self._here.held, []
        try:
            yield
        finally:
            events, self._here.held = self._here.held, before
            for event in events:
                self.emit(event)

    def at_checkpoints(self, callback: Callable[[], None]) -> None:
        """Have `callback` run wherever time is not short: at each load and each write.

        That is how a listener to hits adapts (say, to a changed log level) at no cost to hits.
        """
        with self._lock:
            self._checkpoints = (*self._checkpoints, callback)

    def not_at_checkpoints(self, callback: Callable[[], None]) -> None:
        """End what `at_checkpoints` began; a callback that is not there is no error."""
        with self._lock:
            self._checkpoints = tuple(known for known in self._checkpoints if known != callback)

    def checkpoint(self) -> None:
        """Run what was registered with `at_checkpoints`. Raises nothing of its own."""
        if self._resting:
            self._try_again()
        for callback in self._checkpoints:
            try:
                callback()
            except Exception as error:  # noqa: BLE001 - as with listeners
                _report_failure("a checkpoint", error)

    # -- listeners that fail ---------------------------------------------------------------------------

    def _failed(self, listener: Listener, event: Event, error: Exception) -> None:
        _report_listener(listener, event, error)
        self.failed(listener, error)

    def failed(self, listener: Listener, error: Exception) -> None:
        """Note that a listener has failed; if too often, it is left alone for a while. Raises nothing."""
        try:
            if self._breaker_of is not None:
                breaker = self._breaker_of(f"listener {_name_of(listener)}")
                breaker.failed(error)
                if not breaker.closed:
                    self._rest(listener, breaker)
        except Exception as own:  # noqa: BLE001 - the listener is told on, and fails on
            _report_failure("a breaker", own)

    def _rest(self, listener: Listener, breaker: ListenerBreaker) -> None:
        with self._lock:
            before = [known for known in self._resting if known.listener == listener]
            channels = [known for known in self._channels.values() if listener in known.listeners]
            for known in before:
                self._resting.remove(known)
                channels += [channel for channel in known.channels if channel not in channels]
            for channel in channels:
                channel.listeners = tuple(known for known in channel.listeners if known != listener)
            self._resting.append(_Resting(listener, breaker, channels))

    def _try_again(self) -> None:
        try:
            for known in list(self._resting):
                if not known.on_trial and known.breaker.may_try():
                    known.on_trial = True
                    with self._lock:
                        for channel in known.channels:
                            if known.listener not in channel.listeners:
                                channel.listeners = (*channel.listeners, known.listener)
        except Exception as error:  # noqa: BLE001 - as with listeners
            _report_failure("a breaker", error)
