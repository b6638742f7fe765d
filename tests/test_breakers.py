"""A part that keeps failing is left alone for a while, then tried once more; every change is told once."""

from __future__ import annotations

import threading

import pytest

from wats_accel.breakers import Breaker, BreakerRules, Breakers
from wats_accel.event_bus import EventBus
from wats_accel.events import BreakerClosed, BreakerOpened, Event
from wats_accel.telemetry.snapshots import snapshot
from wats_accel.testing import FakeClock

RULES = BreakerRules(most_failures=3, within_seconds=60.0, pause_seconds=10.0, longest_pause_seconds=25.0)


class _Case:
    def __init__(self) -> None:
        self.clock = FakeClock()
        self.events: list[Event] = []
        bus = EventBus()
        for kind in (BreakerOpened, BreakerClosed):
            bus.subscribe(kind, self.events.append)
        self.breaker = Breaker("part", bus=bus, clock=self.clock, rules=RULES)

    def fail(self, times: int = 1) -> None:
        for _ in range(times):
            self.breaker.failed(RuntimeError("a secret"))


@pytest.fixture
def case() -> _Case:
    return _Case()


def test_few_failures_change_nothing(case: _Case) -> None:
    case.fail(2)
    assert case.breaker.closed
    assert case.breaker.may_try()
    assert case.events == []


def test_many_failures_open_it_and_that_is_told_once_and_without_the_text(case: _Case) -> None:
    case.fail(5)
    assert not case.breaker.closed
    assert case.events == [BreakerOpened("part", 3, "RuntimeError", 10.0)]


def test_failures_that_are_far_apart_do_not_open_it(case: _Case) -> None:
    for _ in range(20):
        case.fail()
        case.clock.advance(31)
    assert case.breaker.closed


def test_while_it_is_open_nobody_tries_and_after_the_pause_one_does(case: _Case) -> None:
    case.fail(3)
    assert not case.breaker.may_try()
    case.clock.advance(10)
    assert [case.breaker.may_try() for _ in range(3)] == [True, False, False]
    assert case.breaker.state == "half-open"


def test_a_trial_that_works_closes_it(case: _Case) -> None:
    case.fail(3)
    case.clock.advance(10)
    case.breaker.may_try()
    case.breaker.worked()
    assert case.breaker.closed
    assert case.events[1:] == [BreakerClosed("part")]
    case.fail(2)
    assert case.breaker.closed  # and the failures before have been forgotten


def test_each_trial_that_fails_doubles_the_pause_up_to_the_longest(case: _Case) -> None:
    case.fail(3)
    for pause in (10, 20, 25, 25):
        assert case.breaker.retry_in_seconds == pause
        case.clock.advance(pause)
        assert case.breaker.may_try()
        case.fail()
    assert len(case.events) == 1


def test_one_failure_that_is_bad_enough_opens_it_quietly(case: _Case) -> None:
    case.breaker.trip()
    assert (case.breaker.closed, case.breaker.retry_in_seconds, case.breaker.opened) == (False, 10.0, 1)
    case.breaker.trip()
    assert case.breaker.retry_in_seconds == 10.0
    case.clock.advance(10)
    assert case.breaker.may_try()
    case.breaker.trip()
    assert (case.breaker.may_try(), case.breaker.retry_in_seconds) == (False, 20.0)
    assert case.events == []


def test_a_trial_that_nobody_ends_is_followed_by_another(case: _Case) -> None:
    case.fail(3)
    case.clock.advance(10)
    assert case.breaker.may_try()
    case.clock.advance(10)
    assert case.breaker.may_try()


def test_an_old_call_that_ends_well_while_it_is_open_does_not_close_it(case: _Case) -> None:
    case.fail(3)
    case.breaker.worked()
    assert not case.breaker.closed


def test_an_old_call_that_fails_while_it_is_open_does_not_lengthen_the_pause(case: _Case) -> None:
    case.fail(3)
    case.clock.advance(4)
    case.fail(4)
    assert case.breaker.retry_in_seconds == 6


def test_of_threads_that_ask_at_once_one_gets_the_trial(case: _Case) -> None:
    case.fail(3)
    case.clock.advance(10)
    barrier, given = threading.Barrier(8), list[bool]()

    def ask() -> None:
        barrier.wait()
        given.append(case.breaker.may_try())

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(given) == [False] * 7 + [True]


def test_a_listener_that_fails_while_it_is_told_leaves_the_breaker_usable() -> None:
    bus = EventBus()

    def fail(event: BreakerOpened) -> None:
        raise RuntimeError

    bus.subscribe(BreakerOpened, fail)
    breaker = Breaker("part", bus=bus, clock=FakeClock(), rules=RULES)
    assert [breaker.failed("x") for _ in range(4)] == [False, False, True, False]


def test_one_name_has_one_breaker_and_the_statistics_show_those_that_failed() -> None:
    breakers = Breakers(bus=EventBus(), clock=FakeClock(), rules=RULES)
    assert breakers.of("a") is breakers.of("a")
    breakers.of("b").failed("x")
    shown = snapshot([], breakers=breakers).as_dict()["breakers"]
    assert shown == {"b": {"state": "closed", "failures": 1, "opened": 0, "retry_in_seconds": 0.0}}
