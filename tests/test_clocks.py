"""A clock that is given may raise, tell nonsense or go backwards: time goes on, and nothing lives longer."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from wats_accel.breakers import Breaker
from wats_accel.clocks import GuardedClock, guarded_clocks
from wats_accel.event_bus import EventBus
from wats_accel.events import BreakerClosed, BreakerOpened
from wats_accel.testing import FakeClock, accelerated

NONSENSE = [None, "12:00", float("nan"), float("inf"), True, object(), [1.0]]


class _Case:
    """A guarded clock, the computer's own time beside it, and what was told."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, may_go_back: bool = False) -> None:
        self.real = FakeClock(1_000.0)
        monkeypatch.setattr("wats_accel.clocks.time.monotonic", self.real)
        self.shows: Any = 50.0
        self.told: list[Any] = []
        bus = EventBus()
        for kind in (BreakerOpened, BreakerClosed):
            bus.subscribe(kind, self.told.append)
        self.breaker = Breaker("clock", bus=bus, clock=self.real)
        self.now = GuardedClock(self._show, breaker=self.breaker, may_go_back=may_go_back, begin=self.real)

    def _show(self) -> Any:
        if isinstance(self.shows, Exception):
            raise self.shows
        return self.shows


@pytest.fixture
def case(monkeypatch: pytest.MonkeyPatch) -> _Case:
    return _Case(monkeypatch)


def test_a_clock_that_works_is_believed(case: _Case) -> None:
    shown = []
    for case.shows in (50, 50.5, 50.5, 90):
        shown.append(case.now())
    assert shown == [50.0, 50.5, 50.5, 90.0]
    assert case.breaker.failures == 0


def _name_of(nonsense: object) -> str:
    return "an object" if type(nonsense) is object else repr(nonsense)


@pytest.mark.parametrize("nonsense", [*NONSENSE, RuntimeError(), MemoryError()], ids=_name_of)
def test_where_it_fails_the_computers_own_time_counts_on(case: _Case, nonsense: object) -> None:
    assert case.now() == 50.0
    case.shows = nonsense
    case.real.advance(3)
    assert case.now() == 53.0
    case.shows = 60.0
    assert case.now() == 60.0
    assert case.breaker.failures == 1


def test_a_clock_that_never_worked_is_the_computers_own(case: _Case) -> None:
    case.shows = None
    assert case.now() == 1_000.0


def test_one_that_keeps_failing_is_left_alone_told_once_and_tried_again(case: _Case) -> None:
    case.now()
    case.shows = ValueError("12 o'clock")
    for _ in range(20):
        case.now()
    assert case.told == [BreakerOpened("clock", 5, "ValueError", 30.0)]
    case.shows = 51.0
    case.real.advance(29)
    assert case.now() == 79.0, "nobody asks it"
    case.real.advance(1)
    assert case.now() == 79.0, "time does not run backwards"
    case.shows = 53.0
    assert case.now() == 81.0
    assert case.told[1:] == [BreakerClosed("clock")]


def test_it_never_goes_backwards_and_the_time_it_was_set_back_is_not_lost(case: _Case) -> None:
    assert case.now() == 50.0
    case.real.advance(10)
    case.shows = 20.0
    assert case.now() == 60.0
    case.shows = 25.0
    assert case.now() == 65.0
    assert case.breaker.failures == 1


def test_the_time_of_day_may(monkeypatch: pytest.MonkeyPatch) -> None:
    case = _Case(monkeypatch, may_go_back=True)
    assert case.now() == 50.0
    case.shows = 20.0
    assert case.now() == 20.0
    assert case.breaker.failures == 0


def test_threads_that_ask_at_once_count_no_failure(case: _Case) -> None:
    shown: list[float] = []
    case.shows = 0.0

    def ask() -> None:
        for _ in range(200):
            case.shows += 1.0
            shown.append(case.now())

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert min(shown) > 0
    assert len(shown) == 800


def test_the_standard_librarys_clocks_stay_bare() -> None:
    clocks = guarded_clocks(time.monotonic, time.time, bus=EventBus())
    assert (clocks.monotonic, clocks.wall) == (time.monotonic, time.time)
    assert list(clocks.breakers) == []


class Bench:
    """What is cached in these tests."""

    def answer(self) -> int:
        """Another one each time."""
        self.runs = getattr(self, "runs", 0) + 1
        return self.runs


CONFIG = {
    "version": 1,
    "allow_targets": ["test_clocks:*"],
    "cache": {"default_ttl": 60, "namespaces": {"ns": {}}},
    "repositories": [{"target": f"{__name__}:Bench", "cached": {"answer": "ns"}}],
}


@pytest.mark.parametrize(
    "spoil", [lambda: None, lambda: 1 / 0, lambda: float("nan")], ids=["none", "raises", "nan"]
)
def test_calls_are_answered_whatever_the_clock_does(spoil: Callable[[], Any]) -> None:
    clock, spoilt = FakeClock(1_000.0), []

    def given() -> Any:
        return spoil() if spoilt else clock()

    with accelerated(CONFIG, clock=given, wall_clock=given) as accelerator:
        bench = Bench()
        assert [bench.answer(), bench.answer()] == [1, 1]
        spoilt.append(True)
        assert [bench.answer() for _ in range(9)] == [1] * 9
        assert accelerator.stats().breakers["clock"].opened == 1


def test_after_a_jump_backwards_no_entry_lives_longer_than_its_ttl() -> None:
    clock = FakeClock(1_000.0)
    with accelerated(CONFIG, clock=clock):
        bench = Bench()
        assert bench.answer() == 1
        clock.advance(59)
        assert bench.answer() == 1
        clock.now = 0.0
        assert bench.answer() == 1
        clock.advance(1.5)
        assert bench.answer() == 2
