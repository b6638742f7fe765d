"""The log: events become lines of the stdlib logger ``wats_accel``, through the host's own handlers.

Nothing global is configured: no root logger, no `structlog.configure`.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import logging
import threading
from collections import deque
from collections.abc import Callable, MutableMapping
from dataclasses import asdict
from typing import Any, Literal

import structlog

from wats_accel import events, pool_events
from wats_accel.event_bus import EventBus
from wats_accel.events import Event
from wats_accel.forks import uncut_by_forks
from wats_accel.telemetry.trust import many, shadow_text, verified_text

LOGGER = "wats_accel"

_LEVELS = (logging.DEBUG, logging.INFO, logging.WARNING)
_EARLY_LINES = 200

_LineOf = Callable[[Any], str]

# The level and the sentence of each event. Maintainers search their logs for these very words.
_LINES: dict[type[Event], tuple[int, _LineOf]] = {
    events.Hit: (logging.DEBUG, lambda event: f"Cache HIT: {event.key}"),
    events.Miss: (logging.DEBUG, lambda event: f"Cache MISS: {event.key}"),
    events.Joined: (
        logging.DEBUG,
        lambda event: f"Cache JOINED: {event.key} (waited {event.wait_seconds * 1e3:.1f} ms)",
    ),
    events.Stored: (
        logging.DEBUG,
        lambda event: f"Cache STORED: {event.key} ({event.load_seconds * 1e3:.1f} ms)",
    ),
    events.NotStored: (logging.DEBUG, lambda event: f"Cache NOT STORED: {event.key} ({event.why})"),
    events.LoadFailed: (logging.DEBUG, lambda event: f"Cache LOAD FAILED: {event.key} ({event.error})"),
    events.ServedStale: (
        logging.WARNING,
        lambda event: f"Cache STALE: {event.key} ({event.why}; {event.age_seconds:.0f}s old)",
    ),
    events.RefreshFailed: (logging.INFO, lambda event: f"Cache REFRESH FAILED: {event.key} ({event.why})"),
    events.ValidUntilFailed: (
        logging.WARNING,
        lambda event: f"Not cached, valid_until failed: {event.target} ({event.error})",
    ),
    events.Bypassed: (logging.DEBUG, lambda event: f"Cache BYPASSED: {event.target} ({event.why})"),
    events.Expired: (logging.DEBUG, lambda event: f"Cache entry expired: {event.target}"),
    events.Evicted: (logging.DEBUG, lambda event: f"Cache entry evicted: {event.target}"),
    events.Orphaned: (logging.DEBUG, lambda event: f"Cache entry orphaned: {event.target}"),
    events.Invalidated: (
        logging.INFO,
        lambda event: f"Invalidated {event.count} cache entries matching {event.pattern!r}",
    ),
    events.Patched: (logging.DEBUG, lambda event: f"Patched {event.target}"),
    events.Unpatched: (logging.DEBUG, lambda event: f"Unpatched {event.target}"),
    events.RuleSkipped: (logging.WARNING, lambda event: f"Rule skipped: {event.problem}"),
    events.ConfigUnused: (logging.WARNING, lambda event: f"Configuration not used: {event.problem}"),
    events.CacheSuspended: (
        logging.WARNING,
        lambda event: f"No longer cached, to stay fresh: {event.target} ({event.why})",
    ),
    pool_events.PoolConnected: (
        logging.DEBUG,
        lambda event: f"Connection opened: {event.pool} ({event.connect_seconds * 1e3:.1f} ms)",
    ),
    pool_events.PoolCheckedOut: (
        logging.DEBUG,
        lambda event: f"Connection checked out: {event.pool} ({'reused' if event.reused else 'new'})",
    ),
    pool_events.PoolCheckedIn: (
        logging.DEBUG,
        lambda event: f"Connection checked in: {event.pool} (held {event.held_seconds * 1e3:.1f} ms)",
    ),
    pool_events.PoolDiscarded: (
        logging.DEBUG,
        lambda event: f"Connection discarded: {event.pool} ({event.why})",
    ),
    pool_events.PoolExhausted: (
        logging.WARNING,
        lambda event: (
            f"Connection Pool exhausted: {event.pool} (waited {event.waited_seconds:g}s, "
            f"{'opening an unpooled connection' if event.then == 'direct' else 'still waiting'})"
        ),
    ),
    pool_events.PoolLeakSuspected: (
        logging.WARNING,
        lambda event: (
            f"Connection leak suspected: {event.pool} (held {event.held_seconds:.0f}s, "
            f"taken at {' < '.join(reversed(event.stack))})"
        ),
    ),
    events.PluginFailed: (
        logging.DEBUG,  # it is a problem as well, and that one is a warning
        lambda event: f"Plugin {event.plugin!r} failed in {event.during}: {event.error}",
    ),
    events.BreakerOpened: (
        logging.WARNING,
        lambda event: (
            f"Left alone for {event.pause_seconds:g}s after {many(event.failures, 'failure')}: "
            f"{event.part} ({event.error})"
        ),
    ),
    events.BreakerClosed: (logging.INFO, lambda event: f"Works again: {event.part}"),
    events.BackplaneConnected: (
        logging.INFO,
        lambda event: f"Backplane connected: {many(event.members, 'member')}",
    ),
    events.BackplaneIsolated: (
        logging.WARNING,
        lambda event: f"Backplane isolated: {event.why}; no answer older than {event.bound_seconds:g}s",
    ),
    events.FollowingBegun: (
        logging.INFO,
        lambda event: f"Following the database: {many(event.tables, 'table')}, {event.unwatched} unwatched",
    ),
    events.FollowingLost: (
        logging.WARNING,
        lambda event: (
            f"Not following the database: {event.why}; no answer older than {event.bound_seconds:g}s"
        ),
    ),
    events.ConfigReloaded: (
        logging.INFO,
        lambda event: (
            f"Configuration reloaded: {event.added} added, {event.changed} changed, "
            f"{event.removed} removed, {event.kept} kept"
        ),
    ),
    events.ConfigRejected: (
        logging.WARNING,
        lambda event: f"Configuration not reloaded, the one before stays in effect: {event.problem}",
    ),
    events.AnswerDiffers: (
        logging.WARNING,
        lambda event: f"Cache DIFFERS: {event.key} ({event.how}; {event.during})",
    ),
    events.MethodChanged: (
        logging.WARNING,
        lambda event: (
            f"Method changed since it was locked: {event.target} ({event.what}; {event.action}):"
            " look at it, then run 'wats-accel lock'"
        ),
    ),
    events.FeatureInitialized: (logging.INFO, lambda event: event.summary),
    events.Initialized: (logging.INFO, lambda event: "Performance optimizations initialized successfully"),
    events.StatsSummary: (logging.INFO, lambda event: f"Cache stats: {_figures(event)}"),
    events.TrustSummary: (logging.INFO, lambda event: _trust(event)),
}


def _level_of(event: Event) -> int:
    if isinstance(event, events.Invalidated) and not event.count:
        return logging.DEBUG  # a write that found nothing to drop is no news
    if isinstance(event, events.MethodChanged) and event.action == "bypass":
        return logging.DEBUG  # it is a rule left out as well, and that is a warning
    return _LINES[type(event)][0]


def _trust(event: events.TrustSummary) -> str:
    if event.shadow:
        return f"Cache in the shadow: {event.method} {shadow_text(event)}"
    return f"Cache verified: {event.method} ({verified_text(event)})"


def _figures(event: events.StatsSummary) -> dict[str, Any]:
    return {
        "size": event.size,
        "hits": event.hits,
        "misses": event.misses,
        "hit_rate": round(event.hit_rate, 2),
    }


class EventLog:
    """Writes events to the log for as long as it is open.

    Lines that come before the host has set up its logging are kept, and written once it has: a
    maintainer looks for the first ones above all.

    Args:
        bus: where the events come from.
        style: one sentence, or one JSON object, for each event.
        level: of the logger while the log is open; None leaves it to the host.
    """

    def __init__(
        self, bus: EventBus, *, style: Literal["text", "json"] = "text", level: str | None = None
    ) -> None:
        self._bus = bus
        self._stdlib = logging.getLogger(LOGGER)
        self._logger = structlog.wrap_logger(
            self._stdlib,
            processors=[_as_json if style == "json" else _as_text],
            wrapper_class=structlog.stdlib.BoundLogger,
            cache_logger_on_first_use=False,
        ).bind()
        self._level = level
        self._level_before = logging.NOTSET
        self._heard = dict.fromkeys(_LEVELS, False)
        self._early: deque[Event] = deque(maxlen=_EARLY_LINES)
        self._open = self._is_to_be_closed = False
        self._in_thread = threading.local()

    def open(self) -> None:
        """Set the level, if one is asked for, and listen."""
        self._open = self._is_to_be_closed = True
        self._bus.at_checkpoints(self._adapt)
        self._level_before = self._stdlib.level
        if self._level:
            self._stdlib.setLevel(self._level.upper())
        self._adapt()

    def close(self) -> None:
        """Stop listening, and give the logger its level back."""
        if not self._is_to_be_closed:
            return
        self._write_early_lines()
        if self._early:  # nothing may come any more that would write them: an accelerator that gave up
            atexit.register(self._write_early_lines)
        self._open = False
        self._bus.not_at_checkpoints(self._adapt)
        for level in _LEVELS:
            self._listen(level, wanted=False)
        if self._level and self._stdlib.level == logging.getLevelName(self._level.upper()):
            self._stdlib.setLevel(self._level_before)  # unless the host has set another since
        self._is_to_be_closed = False  # last: after a Control-C it is closed once more

    def hand_over(self, successor: EventLog) -> None:
        """Close, and leave to `successor` what could not be written yet."""
        successor._early.extend(self._early)
        self._early.clear()
        self.close()

    def _adapt(self) -> None:
        """Listen to those events only whose level is on: what nobody reads is not even built."""
        if not self._open:
            return
        ready = self._is_ready()
        is_wanted = self._stdlib.isEnabledFor if ready else logging.INFO.__le__
        for level, heard in self._heard.items():
            if is_wanted(level) != heard:
                self._listen(level, wanted=not heard)
        if ready and self._early:
            self._write_early_lines()

    def _listen(self, level: int, *, wanted: bool) -> None:
        self._heard[level] = wanted
        change = self._bus.subscribe if wanted else self._bus.unsubscribe
        for event_type, (own_level, _) in _LINES.items():
            if own_level == level:
                change(event_type, self._take)

    def _is_ready(self) -> bool:
        """Whether there are handlers, and none whose stream is closed.

        Of such a handler the stdlib would print a traceback on standard error, for each line of ours. At
        exit it is common, and the application itself says nothing any more.
        """
        logger: logging.Logger | None = self._stdlib
        found = False
        while logger is not None:
            for handler in logger.handlers:
                found = True
                if _is_closed(handler):
                    return False
            logger = logger.parent if logger.propagate else None
        return found

    def _take(self, event: Event) -> None:
        if self._is_ready():
            self._write_early_lines()
            self._write(event)
            return
        self._early.append(event)
        if _LINES[type(event)][0] >= logging.WARNING and not self._stdlib.hasHandlers():
            self._write(event)  # to standard error, as the stdlib does without handlers

    def _write_early_lines(self) -> None:
        if not self._early:
            return
        with contextlib.suppress(IndexError):  # another thread has written the last one
            while self._early and self._is_ready():
                self._write(self._early.popleft())

    def _write(self, event: Event) -> None:
        # A handler that writes to the database calls a patched method, and that sends the next event.
        if getattr(self._in_thread, "writing", False):
            return
        self._in_thread.writing = True
        try:
            level, (_, line) = _level_of(event), _LINES[type(event)]
            if not self._stdlib.isEnabledFor(level):  # that of one event is lower than that of its kind
                return
            with uncut_by_forks:
                self._logger.log(level, event.name, message=line(event), fields=asdict(event))
        except Exception as error:  # noqa: BLE001 - there is no better place to say that the log is broken
            self._bus.failed(self._take, error)
        finally:
            self._in_thread.writing = False


def _is_closed(handler: logging.Handler) -> bool:
    try:
        return getattr(getattr(handler, "stream", None), "closed", False) is True
    except Exception:  # noqa: BLE001 - a stream of the application's may be anything
        return False


def _in_one_line(text: str, escape: Callable[[str], str]) -> str:
    """`text` with what could forge a line, or upset a terminal, in an escaped form."""
    if text.isprintable():
        return text
    return "".join(known if known.isprintable() else escape(known) for known in text)


def _as_text(logger: Any, method: str, event: MutableMapping[str, Any]) -> tuple[tuple[str], dict[str, Any]]:
    return (_in_one_line(event["message"], _python_escape),), {"stacklevel": _STACK}


def _python_escape(character: str) -> str:
    return ascii(character)[1:-1]


def _json_escape(character: str) -> str:
    return json.dumps(character)[1:-1]


_render = structlog.processors.JSONRenderer(ensure_ascii=False, default=str)
_STACK = 5
"""From the stdlib's logger back to `EventLog._write`, so that a log names our file and not structlog's."""


def _as_json(logger: Any, method: str, event: MutableMapping[str, Any]) -> tuple[tuple[str], dict[str, Any]]:
    flat = {"event": event["event"], "message": event["message"], **event["fields"]}
    rendered = str(_render(logger, method, flat))
    return (_in_one_line(rendered, _json_escape),), {"stacklevel": _STACK}
