"""Events become the lines that maintainers look for, in the host's own log and in nobody's way."""

from __future__ import annotations

import io
import json
import logging
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog

from wats_accel import events
from wats_accel.event_bus import EventBus
from wats_accel.events import Event
from wats_accel.pool_events import (
    PoolCheckedIn,
    PoolCheckedOut,
    PoolConnected,
    PoolDiscarded,
    PoolExhausted,
    PoolLeakSuspected,
)
from wats_accel.telemetry.logs import _LINES, EventLog

HIT = events.Hit("connections:select_all:jefferson", "app:Repo.select_all")
MISS = events.Miss("connections:select_all:jefferson", "app:Repo.select_all")
INVALIDATED = events.Invalidated("connections:*", 5, "app:Repo.update")
SKIPPED = events.RuleSkipped("wats.yaml:3:1: cached.one: there is none")

EVERY_LINE = [
    (HIT, "DEBUG", "Cache HIT: connections:select_all:jefferson"),
    (MISS, "DEBUG", "Cache MISS: connections:select_all:jefferson"),
    (events.Stored("a:b", "t", 0.0123), "DEBUG", "Cache STORED: a:b (12.3 ms)"),
    (events.NotStored("a:b", "t", "overtaken"), "DEBUG", "Cache NOT STORED: a:b (overtaken)"),
    (events.LoadFailed("a:b", "t", "OSError"), "DEBUG", "Cache LOAD FAILED: a:b (OSError)"),
    (events.Joined("k", "t", 0.0125), "DEBUG", "Cache JOINED: k (waited 12.5 ms)"),
    (events.ServedStale("k", "t", "OSError", 75.2), "WARNING", "Cache STALE: k (OSError; 75s old)"),
    (events.RefreshFailed("k", "t", "OSError"), "INFO", "Cache REFRESH FAILED: k (OSError)"),
    (
        events.ValidUntilFailed("t", "OSError"),
        "WARNING",
        "Not cached, valid_until failed: t (OSError)",
    ),
    (events.Bypassed("t", "no_key"), "DEBUG", "Cache BYPASSED: t (no_key)"),
    (events.Expired("t"), "DEBUG", "Cache entry expired: t"),
    (events.Evicted("t"), "DEBUG", "Cache entry evicted: t"),
    (events.Orphaned("t"), "DEBUG", "Cache entry orphaned: t"),
    (INVALIDATED, "INFO", "Invalidated 5 cache entries matching 'connections:*'"),
    (events.Patched("t"), "DEBUG", "Patched t"),
    (events.Unpatched("t"), "DEBUG", "Unpatched t"),
    (SKIPPED, "WARNING", "Rule skipped: wats.yaml:3:1: cached.one: there is none"),
    (events.ConfigUnused("a.yaml: no file"), "WARNING", "Configuration not used: a.yaml: no file"),
    (
        events.BreakerOpened("cache a:b", 5, "OSError", 30.0),
        "WARNING",
        "Left alone for 30s after 5 failures: cache a:b (OSError)",
    ),
    (events.BreakerClosed("cache a:b"), "INFO", "Works again: cache a:b"),
    (events.BackplaneConnected(3), "INFO", "Backplane connected: 3 members"),
    (
        events.BackplaneIsolated("TimeoutError", 30.0),
        "WARNING",
        "Backplane isolated: TimeoutError; no answer older than 30s",
    ),
    (events.FollowingBegun(2, 0), "INFO", "Following the database: 2 tables, 0 unwatched"),
    (
        events.FollowingLost("TimeoutError", 30.0),
        "WARNING",
        "Not following the database: TimeoutError; no answer older than 30s",
    ),
    (
        events.ConfigReloaded(1, 2, 3, 4),
        "INFO",
        "Configuration reloaded: 1 added, 2 changed, 3 removed, 4 kept",
    ),
    (
        events.ConfigRejected("a.yaml:1:1: x"),
        "WARNING",
        "Configuration not reloaded, the one before stays in effect: a.yaml:1:1: x",
    ),
    (
        events.AnswerDiffers("a:b:1", "t", "3 items, not 2", "verify"),
        "WARNING",
        "Cache DIFFERS: a:b:1 (3 items, not 2; verify)",
    ),
    (
        events.TrustSummary("n:get", "t", True, 88, 310, 3, 2, 312, 3, 4.1234),
        "INFO",
        "Cache in the shadow: n:get would have answered 312 of 400 calls (78 %), saved 4.1 s, 3 stale",
    ),
    (
        events.TrustSummary("n:get", "t", False, 88, 57, 0, 0, 0, 0, 0.0),
        "INFO",
        "Cache verified: n:get (57 hits: 0 differences)",
    ),
    (
        events.MethodChanged("t", "its SQL", "warn"),
        "WARNING",
        "Method changed since it was locked: t (its SQL; warn): look at it, then run 'wats-accel lock'",
    ),
    (
        events.MethodChanged("t", "its SQL", "bypass"),
        "DEBUG",
        "Method changed since it was locked: t (its SQL; bypass): look at it, then run 'wats-accel lock'",
    ),
    (events.CacheSuspended("t", "why"), "WARNING", "No longer cached, to stay fresh: t (why)"),
    (PoolConnected("db:connect", 0.0071), "DEBUG", "Connection opened: db:connect (7.1 ms)"),
    (PoolCheckedOut("db:connect", 0.0, True), "DEBUG", "Connection checked out: db:connect (reused)"),
    (PoolCheckedOut("db:connect", 0.0, False), "DEBUG", "Connection checked out: db:connect (new)"),
    (PoolCheckedIn("db:connect", 0.5), "DEBUG", "Connection checked in: db:connect (held 500.0 ms)"),
    (PoolDiscarded("db:connect", "lost"), "DEBUG", "Connection discarded: db:connect (lost)"),
    (
        PoolExhausted("db:connect", 10.0, "direct"),
        "WARNING",
        "Connection Pool exhausted: db:connect (waited 10s, opening an unpooled connection)",
    ),
    (
        PoolExhausted("db:connect", 0.0, "wait"),
        "WARNING",
        "Connection Pool exhausted: db:connect (waited 0s, still waiting)",
    ),
    (
        PoolLeakSuspected("db:connect", 301.0, ("run.py:3 in main", "repo.py:9 in read")),
        "WARNING",
        "Connection leak suspected: db:connect (held 301s, taken at repo.py:9 in read < run.py:3 in main)",
    ),
    (events.PluginFailed("p", "loading", "OSError"), "DEBUG", "Plugin 'p' failed in loading: OSError"),
    (
        events.FeatureInitialized("cache", "Cache system initialized (default TTL=300s)"),
        "INFO",
        "Cache system initialized (default TTL=300s)",
    ),
    (events.Initialized(6, 0, 0), "INFO", "Performance optimizations initialized successfully"),
    (
        events.StatsSummary(47, 2341, 156, 93.7525),
        "INFO",
        "Cache stats: {'size': 47, 'hits': 2341, 'misses': 156, 'hit_rate': 93.75}",
    ),
]


@pytest.fixture
def bus() -> EventBus:
    return EventBus()


@pytest.fixture
def opened(bus: EventBus, logger: logging.Logger) -> Iterator[Callable[..., EventLog]]:
    """Open a log on the bus; closed after the test."""
    logs: list[EventLog] = []

    def open_log(**options: Any) -> EventLog:
        logs.append(EventLog(bus, **options))
        logs[-1].open()
        return logs[-1]

    yield open_log
    for log in logs:
        log.close()


# -- lines -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("event", "level", "line"), EVERY_LINE, ids=[type(event).__name__ for event, _, _ in EVERY_LINE]
)
def test_each_event_has_its_line_in_the_hosts_format(
    set_up: Any, bus: EventBus, opened: Any, event: Event, level: str, line: str
) -> None:
    host = set_up(logging.DEBUG)
    opened()
    bus.emit(event)
    (written,) = host.lines
    assert f" [{level}] logs.py:" in written
    assert written.endswith(f" - {line}")


def test_every_event_that_is_logged_has_a_test_above() -> None:
    assert set(_LINES) == {type(event) for event, _, _ in EVERY_LINE}


@pytest.mark.parametrize(
    ("event", "line"),
    [(event, line) for event, _, line in EVERY_LINE],
    ids=[event.name for event, _, _ in EVERY_LINE],
)
def test_in_json_each_line_is_an_object_with_event_message_and_fields(
    set_up: Any, bus: EventBus, opened: Any, event: Event, line: str
) -> None:
    host = set_up(logging.DEBUG)
    opened(style="json")
    bus.emit(event)
    (written,) = host.messages
    read = json.loads(written)
    assert (read.pop("event"), read.pop("message")) == (event.name, line)
    fields = {name: getattr(event, name) for name in type(event).__slots__}
    assert read == json.loads(json.dumps(fields))


@pytest.mark.parametrize("style", ["text", "json"])
@pytest.mark.parametrize("sign", ["\n", "\r", "\x1b[31m", "\x00", "\x85", "\u2028", "\udc80", "\u202e"])
def test_nothing_in_an_event_can_forge_a_line_or_upset_a_terminal(
    host: Any, bus: EventBus, opened: Any, style: str, sign: str
) -> None:
    opened(style=style)
    forged = f"users:*{sign}2026-01-01 [INFO] app.py:1 - all is well"
    bus.emit(events.RuleSkipped(forged))
    (written,) = host.lines
    assert written.isprintable()
    if style == "json":
        assert json.loads(host.messages[0])["problem"] == forged


def test_letters_of_all_languages_stay_readable(host: Any, bus: EventBus, opened: Any) -> None:
    opened(style="json")
    bus.emit(events.RuleSkipped("größe über 東京"))
    assert "größe über 東京" in host.lines[0]


# -- levels ----------------------------------------------------------------------------------------------


def listened(bus: EventBus, event_type: type[Event]) -> bool:
    return bool(bus.channel(event_type).listeners)


def test_hits_are_not_listened_to_unless_debug_is_on(set_up: Any, bus: EventBus, opened: Any) -> None:
    set_up(logging.INFO)
    opened()
    assert not listened(bus, events.Hit)
    assert not listened(bus, events.Miss)
    assert listened(bus, events.Invalidated)


def test_a_level_that_the_host_changes_is_noticed_at_the_next_checkpoint(
    host: Any, root: logging.Logger, bus: EventBus, opened: Any
) -> None:
    opened()
    root.setLevel(logging.DEBUG)
    bus.checkpoint()
    bus.emit(HIT)
    root.setLevel(logging.ERROR)
    bus.checkpoint()
    assert not any(listened(bus, event_type) for event_type in _LINES)
    assert host.messages == ["Cache HIT: connections:select_all:jefferson"]


def test_a_level_of_its_own_is_set_while_open_and_taken_back(
    host: Any, logger: logging.Logger, bus: EventBus, opened: Any
) -> None:
    logger.setLevel(logging.WARNING)
    log = opened(level="debug")
    assert logger.level == logging.DEBUG
    bus.emit(HIT)
    log.close()
    assert logger.level == logging.WARNING
    assert len(host.lines) == 1


def test_a_level_that_the_host_has_set_since_stays(logger: logging.Logger, host: Any, opened: Any) -> None:
    log = opened(level="debug")
    logger.setLevel(logging.ERROR)
    log.close()
    assert logger.level == logging.ERROR


def test_without_a_level_of_its_own_the_logger_is_not_touched(
    host: Any, logger: logging.Logger, opened: Any
) -> None:
    log = opened()
    logger.setLevel(logging.ERROR)
    log.close()
    assert logger.level == logging.ERROR


# -- life ------------------------------------------------------------------------------------------------


def test_after_closing_nobody_listens(set_up: Any, bus: EventBus, opened: Any) -> None:
    host = set_up(logging.DEBUG)
    log = opened()
    log.close()
    log.close()
    bus.emit(HIT)
    bus.checkpoint()
    assert host.lines == []
    assert not any(listened(bus, event_type) for event_type in _LINES)


def test_opened_once_more_it_writes_each_line_once(host: Any, bus: EventBus, opened: Any) -> None:
    log = opened()
    log.close()
    log.open()
    bus.emit(INVALIDATED)
    assert len(host.lines) == 1


def test_neither_structlog_nor_the_root_logger_is_configured(
    host: Any, root: logging.Logger, bus: EventBus, opened: Any
) -> None:
    before = root.level, list(root.handlers), structlog.get_config()
    opened(level="debug", style="json")
    bus.emit(HIT)
    assert (root.level, list(root.handlers), structlog.get_config()) == before
    assert not structlog.is_configured()


def test_a_host_that_configures_structlog_does_not_change_our_lines(
    host: Any, bus: EventBus, opened: Any
) -> None:
    opened()
    structlog.configure(processors=[structlog.processors.JSONRenderer()])
    try:
        bus.emit(INVALIDATED)
    finally:
        structlog.reset_defaults()
    assert host.messages == ["Invalidated 5 cache entries matching 'connections:*'"]


def test_a_write_that_found_nothing_to_drop_is_logged_at_debug(host: Any, bus: EventBus, opened: Any) -> None:
    opened(level="debug")
    bus.emit(events.Invalidated("connections:*", 0, "app:Repo.update"))
    bus.emit(INVALIDATED)
    assert ["[DEBUG]" in line for line in host.lines] == [True, False]


# -- before the host has configured logging -----------------------------------------------------------------


def test_early_lines_are_written_once_the_host_has_handlers(
    logger: logging.Logger, set_up: Any, bus: EventBus, opened: Any
) -> None:
    opened()
    bus.emit(events.FeatureInitialized("cache", "first"))
    bus.emit(events.FeatureInitialized("cache", "second"))
    host = set_up()
    bus.emit(INVALIDATED)
    assert host.messages == ["first", "second", "Invalidated 5 cache entries matching 'connections:*'"]


def test_the_next_checkpoint_writes_them_too(set_up: Any, bus: EventBus, opened: Any) -> None:
    opened()
    bus.emit(events.FeatureInitialized("cache", "first"))
    host = set_up()
    bus.checkpoint()
    bus.checkpoint()
    assert host.messages == ["first"]


def test_early_lines_obey_the_hosts_level(set_up: Any, bus: EventBus, opened: Any) -> None:
    opened()
    bus.emit(events.FeatureInitialized("cache", "first"))
    bus.emit(SKIPPED)
    host = set_up(logging.WARNING)
    bus.checkpoint()
    assert host.messages == ["Rule skipped: wats.yaml:3:1: cached.one: there is none"]


def test_early_hits_are_not_kept(logger: logging.Logger, bus: EventBus, opened: Any) -> None:
    opened()
    assert not listened(bus, events.Hit)


def test_a_successor_writes_what_could_not_be_written_yet_in_its_own_style(
    set_up: Any, bus: EventBus, opened: Any
) -> None:
    provisional = opened()
    bus.emit(events.FeatureInitialized("cache", "first"))
    successor = EventLog(bus, style="json")
    provisional.hand_over(successor)
    successor.open()
    host = set_up()
    bus.checkpoint()
    successor.close()
    assert [json.loads(line)["message"] for line in host.messages] == ["first"]


def test_an_early_warning_goes_to_standard_error_at_once(
    logger: logging.Logger, bus: EventBus, opened: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    opened()
    bus.emit(INVALIDATED)
    bus.emit(SKIPPED)
    assert capsys.readouterr().err == "Rule skipped: wats.yaml:3:1: cached.one: there is none\n"


def test_lines_that_no_handler_ever_wanted_are_forgotten_at_closing(
    logger: logging.Logger, bus: EventBus, opened: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    opened().close()
    bus.emit(INVALIDATED)
    assert capsys.readouterr().err == ""


def test_without_standard_error_nothing_is_lost_or_raised(
    set_up: Any, bus: EventBus, opened: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened()
    monkeypatch.setattr(sys, "stderr", None)  # as in a window program without a console
    bus.emit(SKIPPED)
    host = set_up()
    bus.checkpoint()
    assert len(host.lines) == 1


# -- what handlers do --------------------------------------------------------------------------------------


class Handler(logging.Handler):
    """A handler of the host's that does whatever a test wants."""

    def __init__(self, action: Callable[[], object]) -> None:
        super().__init__()
        self._action = action
        self.calls = 0

    def emit(self, record: logging.LogRecord) -> None:
        self.calls += 1
        self._action()


def _raise() -> None:
    raise OSError("the disk is full")


@pytest.mark.parametrize("level", [logging.DEBUG, logging.INFO], ids=["debug", "info"])
def test_a_handler_that_raises_reaches_nobody(
    root: logging.Logger, set_up: Any, bus: EventBus, opened: Any, level: int
) -> None:
    set_up(level)
    handler = Handler(_raise)
    root.handlers = [handler]
    opened()
    bus.emit(INVALIDATED)
    bus.checkpoint()
    bus.emit(INVALIDATED)
    assert handler.calls == 2


def test_early_lines_are_safe_from_such_a_handler_too(
    root: logging.Logger, set_up: Any, bus: EventBus, opened: Any
) -> None:
    log = opened()
    bus.emit(INVALIDATED)
    set_up()
    root.handlers = [Handler(_raise)]
    bus.checkpoint()
    log.close()


def test_a_handler_that_causes_events_does_not_log_for_ever(
    root: logging.Logger, set_up: Any, bus: EventBus, opened: Any
) -> None:
    set_up()
    handler = Handler(lambda: bus.emit(INVALIDATED))  # say, one that writes to the patched database
    root.handlers = [handler]
    opened()
    bus.emit(INVALIDATED)
    bus.emit(INVALIDATED)
    assert handler.calls == 2


def test_a_stream_that_cannot_write_a_character_gets_an_escaped_one(
    root: logging.Logger, set_up: Any, bus: EventBus, opened: Any
) -> None:
    set_up()
    stream = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="\n")
    root.handlers = [logging.StreamHandler(stream)]
    opened()
    bus.emit(events.RuleSkipped("\udcff"))
    stream.flush()
    assert stream.buffer.getvalue() == b"Rule skipped: \\udcff\n"  # type: ignore[attr-defined]  # a BytesIO
