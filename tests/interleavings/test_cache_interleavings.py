"""In whatever order threads go on: no read is stale, time runs backwards for nobody, nothing else breaks.

Each test walks through all schedules with a bounded number of preemptions, and tells their number.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterator, Sequence

import pytest
from cache_scenarios import OPERATIONS, READS, scenario
from exploration import Scenario, ScheduleFailedError, explore, of_the_share, run
from pointed_package import live_package
from scheduler import Limits, Run
from scheduler_locks import SchedulerEvent
from strategies import Until, to_end, until

from wats_accel.cache import registry
from wats_accel.cache.entries import Entry
from wats_accel.cache.flights import Flights
from wats_accel.cache.region import Region
from wats_accel.cache.writers import Writers

Kinds = Sequence[str]
Record = Callable[[str, object], None]


@pytest.fixture(autouse=True, scope="module")
def points() -> Iterator[frozenset[str]]:
    """The points in the sources, and waits that the scheduler sees."""
    with live_package() as names:
        yield names


def choices(size: int) -> list[tuple[str, ...]]:
    """All choices of so many operations, the same one more than once among them."""
    return list(itertools.combinations_with_replacement(OPERATIONS, size))


@pytest.mark.soak
@pytest.mark.parametrize("kinds", choices(2), ids=", ".join)
def test_two_operations_at_once_keep_the_guarantee(kinds: Kinds, soak: bool, record_property: Record) -> None:
    explored = explore(lambda: scenario(kinds), preemptions=4 if soak else 2)
    record_property("schedules", explored)


@pytest.mark.soak
@pytest.mark.parametrize("kinds", choices(3), ids=", ".join)
def test_three_operations_at_once_keep_the_guarantee(
    kinds: Kinds, soak: bool, record_property: Record
) -> None:
    explored = explore(lambda: scenario(kinds), preemptions=2 if soak else int(of_the_share(kinds)))
    record_property("schedules", explored)


@pytest.mark.parametrize("kinds", [k for k in choices(2) if READS.keys() & set(k)], ids=", ".join)
def test_the_guarantee_holds_for_those_who_tire_of_waiting(kinds: Kinds, record_property: Record) -> None:
    explored = explore(lambda: scenario(kinds, patient=False), preemptions=2, limits=Limits(hasty=True))
    record_property("schedules", explored)


@pytest.mark.parametrize(
    ("broken", "method", "kinds", "complaint"),
    [
        (Flights, "overtake", ["load or join", "invalidate namespace"], "stale"),
        (Writers, "why_keep_away", ["hit", "nested load", "invalidate pattern"], "backwards"),
        (Entry, "breach", ["nested load", "invalidate exact"], "stale"),
        (Region, "quarantine", ["invalidate pattern", "store failure"], "stale"),
        (SchedulerEvent, "set", ["load or join", "load or join"], "nobody wakes"),
    ],
)
def test_without_a_part_of_the_cache_some_schedule_breaks_the_guarantee(
    broken: type, method: str, kinds: Kinds, complaint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broken, method, lambda *args, **kwargs: None)
    # A guard would hide what a store has not dropped, so that this part of the cache is not missed.
    monkeypatch.setattr(registry, "GuardedStore", lambda store: store)
    with pytest.raises(ScheduleFailedError, match=complaint):
        explore(lambda: scenario(kinds), preemptions=2)


def test_a_store_that_fails_when_a_joined_answer_is_judged_reaches_nobody() -> None:
    schedule: list[str | Until] = [
        until("1 nested load", "about-to-store"),  # the row
        "1 nested load",
        until("1 nested load", "about-to-store"),  # the list
        until("2 nested load", "wait for flight.done"),
        to_end("1 nested load"),
        until("3 store failure", "store.fails"),
        to_end("2 nested load"),
    ]
    run(lambda: scenario(["nested load", "nested load", "store failure"]), schedule)


OF_SQL = {"change-seen", "change-done", "committed"}
"""The points that nothing comes to here: see `test_sql_interleavings`."""


def test_every_point_in_the_sources_is_come_to(points: frozenset[str]) -> None:
    reached: set[str] = set()

    def noting(kinds: Kinds) -> Scenario:
        def note(done: Run) -> None:
            reached.update(step.point for step in done.steps)

        return Scenario(scenario(kinds).actors, note)

    joined_and_overtaken = "load or join", "load or join", "invalidate exact"
    for kinds in [*choices(2), joined_and_overtaken]:
        explore(functools.partial(noting, kinds), preemptions=1)
    assert points - OF_SQL <= reached
