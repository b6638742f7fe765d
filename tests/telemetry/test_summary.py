"""The summary goes out in intervals in which the cache was used, and its thread keeps nothing alive."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from wats_accel.event_bus import EventBus
from wats_accel.events import StatsSummary
from wats_accel.telemetry.stats import CacheStats
from wats_accel.telemetry.summary import PeriodicSummary, summary_of


class Listener:
    """Keeps what it hears, and can be waited for."""

    def __init__(self, bus: EventBus) -> None:
        self.heard: list[StatsSummary] = []
        self.called = threading.Event()
        bus.subscribe(StatsSummary, self)

    def __call__(self, event: StatsSummary) -> None:
        self.heard.append(event)
        self.called.set()


@pytest.fixture
def listener(bus: EventBus) -> Listener:
    return Listener(bus)


@pytest.fixture
def bus() -> EventBus:
    return EventBus()


def threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "wats-accel-summary"]


@pytest.fixture(autouse=True)
def _no_thread_is_left() -> Iterator[None]:
    yield
    for thread in threads():
        thread.join(timeout=10)
    assert threads() == []


def test_the_event_carries_the_figures_of_the_whole_cache() -> None:
    assert summary_of(CacheStats(hits=3, misses=1, size=2)) == StatsSummary(2, 3, 1, 75.0)


def test_a_summary_is_sent_only_if_the_cache_was_used_since_the_last_one(
    bus: EventBus, listener: Listener
) -> None:
    figures = [CacheStats(), CacheStats(hits=1), CacheStats(hits=1), CacheStats(hits=1, misses=1)]
    given = iter(figures)
    summary = PeriodicSummary(lambda: next(given), bus, every_seconds=60)
    for _ in figures:
        summary.send_if_used()
    assert [(event.hits, event.misses) for event in listener.heard] == [(1, 0), (1, 1)]


def test_each_interval_is_looked_at_by_a_daemon_thread_that_stops(bus: EventBus, listener: Listener) -> None:
    summary = PeriodicSummary(lambda: CacheStats(hits=1), bus, every_seconds=0.001)
    summary.start()
    (thread,) = threads()
    assert thread.daemon
    assert listener.called.wait(timeout=10)
    summary.stop()
    thread.join(timeout=10)
    assert not thread.is_alive()
    assert len(listener.heard) == 1


def test_an_interval_longer_than_the_platform_can_wait_is_no_error(bus: EventBus) -> None:
    summary = PeriodicSummary(CacheStats, bus, every_seconds=1e300)
    summary.start()
    (thread,) = threads()
    assert thread.is_alive()
    summary.stop()
