"""A listener, or a log handler, that keeps raising is told of nothing for a while; nobody else notices."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from wats_accel.breakers import Breakers
from wats_accel.event_bus import EventBus
from wats_accel.events import BreakerClosed, BreakerOpened, Expired, Invalidated, RuleSkipped
from wats_accel.telemetry.logs import EventLog
from wats_accel.telemetry.stats import CacheStats
from wats_accel.telemetry.summary import PeriodicSummary
from wats_accel.testing import FakeClock

EVENT, OTHER = Expired("app:get"), Invalidated("ns:*", 1, "app:put")


class _Case:
    def __init__(self) -> None:
        self.clock, self.bus = FakeClock(), EventBus()
        self.breakers = Breakers(bus=self.bus, clock=self.clock)
        self.bus.rest_listeners(self.breakers.of)
        self.told: list[Any] = []
        for kind in (BreakerOpened, BreakerClosed):
            self.bus.subscribe(kind, self.told.append)


@pytest.fixture
def case() -> _Case:
    return _Case()


class _Listener:
    """One whose failures are at hand."""

    def __init__(self) -> None:
        self.calls = 0
        self.error: Exception | None = RuntimeError("a secret")

    def hear(self, event: object) -> None:
        """Be told, and raise."""
        self.calls += 1
        if self.error is not None:
            raise self.error


def test_one_that_keeps_raising_is_told_of_nothing_for_a_while_then_tried_at_a_checkpoint(
    case: _Case,
) -> None:
    listener, heard = _Listener(), list[Any]()
    for kind in (Expired, Invalidated):
        case.bus.subscribe(kind, listener.hear)
        case.bus.subscribe(kind, heard.append)
    for _ in range(9):
        case.bus.emit(EVENT)
    case.bus.emit(OTHER)
    assert listener.calls == 5
    assert len(heard) == 10
    assert case.told == [BreakerOpened("listener _Listener.hear", 5, "RuntimeError", 30.0)]
    case.bus.checkpoint()
    case.bus.emit(EVENT)
    assert listener.calls == 5
    listener.error = None
    case.clock.advance(30)
    case.bus.emit(EVENT)
    assert listener.calls == 5, "only a checkpoint looks"
    case.bus.checkpoint()
    case.bus.emit(OTHER)
    case.bus.emit(EVENT)
    assert listener.calls == 7
    assert case.told[1:] == [BreakerClosed("listener _Listener.hear")]


def test_one_that_fails_its_trial_rests_for_longer(case: _Case) -> None:
    listener = _Listener()
    case.bus.subscribe(Expired, listener.hear)
    for _ in range(5):
        case.bus.emit(EVENT)
    for wait, calls in ((30, 6), (59, 6), (1, 7)):
        case.clock.advance(wait)
        case.bus.checkpoint()
        case.bus.emit(EVENT)
        case.bus.emit(EVENT)
        assert listener.calls == calls


def test_one_that_was_taken_away_meanwhile_is_not_brought_back(case: _Case) -> None:
    listener = _Listener()
    case.bus.subscribe(Expired, listener.hear)
    for _ in range(5):
        case.bus.emit(EVENT)
    case.bus.unsubscribe(Expired, listener.hear)
    case.clock.advance(30)
    case.bus.checkpoint()
    case.bus.emit(EVENT)
    assert listener.calls == 5


def test_one_whose_name_raises_harms_nobody(case: _Case) -> None:
    class Nameless:
        def __getattr__(self, name: str) -> Any:
            raise RuntimeError(name)

        def __call__(self, event: object) -> None:
            raise RuntimeError

    case.bus.subscribe(Expired, Nameless())
    for _ in range(6):
        case.bus.emit(EVENT)
    assert [event.part for event in case.told] == ["listener Nameless"]


# -- the log -----------------------------------------------------------------------------------------------


@pytest.fixture
def logger() -> Iterator[logging.Logger]:
    """The logger of the package, with handlers of the test's own."""
    known = logging.getLogger("wats_accel")
    before = known.handlers[:], known.propagate
    known.handlers, known.propagate = [], False
    yield known
    known.handlers, known.propagate = before[0], before[1]


def test_a_handler_that_raises_on_each_record_is_switched_off_and_tried_again(
    case: _Case, logger: logging.Logger
) -> None:
    written: list[str] = []

    class Broken(logging.Handler):
        error: Exception | None = OSError("the disk is full")

        def emit(self, record: logging.LogRecord) -> None:
            written.append(record.getMessage())
            if self.error is not None:
                raise self.error

    handler = Broken()
    logger.addHandler(handler)
    log = EventLog(case.bus, level="info")
    log.open()
    try:
        for _ in range(20):
            case.bus.emit(OTHER)
        assert len(written) <= 6  # and the line that tells of it
        assert case.breakers.of("listener EventLog._take").opened == 1
        handler.error = None
        case.clock.advance(30)
        case.bus.checkpoint()
        del written[:]
        case.bus.emit(OTHER)
        assert written[0].startswith("Invalidated 1 cache entries")
    finally:
        log.close()


@pytest.mark.parametrize("gone", ["stdout and stderr", "handlers"])
def test_without_anything_to_write_to_the_log_harms_nobody(
    case: _Case, logger: logging.Logger, gone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if gone == "handlers":
        handler = logging.NullHandler()
        logger.addHandler(handler)
        handler.close()
    else:
        monkeypatch.setattr(sys, "stdout", None)
        monkeypatch.setattr(sys, "stderr", None)
    log = EventLog(case.bus, level="info")
    log.open()
    for _ in range(3):
        case.bus.emit(OTHER)
        case.bus.emit(RuleSkipped("a warning"))
    log.close()
    assert not case.told


# -- threads -----------------------------------------------------------------------------------------------


def test_without_a_thread_there_is_no_summary_and_that_is_told_once(
    case: _Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    problems: list[Any] = []
    case.bus.subscribe(RuleSkipped, problems.append)
    monkeypatch.setattr(threading.Thread, "start", fail)
    summary = PeriodicSummary(CacheStats, case.bus, every_seconds=60)
    summary.start()
    summary.stop()
    assert [event.problem for event in problems] == ["logging.summary_every: no thread starts (RuntimeError)"]
