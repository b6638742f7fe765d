"""Where the SQL says what is dropped: in whatever order threads go on, no read is stale or runs backwards."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterator, Sequence

import pytest
from exploration import Scenario, ScheduleFailedError, explore, of_the_share
from pointed_package import live_package
from scheduler import Run
from sql_scenarios import OPERATIONS, READS, sql_scenario

from wats_accel.cache.flights import Flights
from wats_accel.cache.loads import Load
from wats_accel.cache.region import Region
from wats_accel.tracking.tracker import Tracker
from wats_accel.tracking.under_way import UnderWay

Kinds = Sequence[str]
Record = Callable[[str, object], None]


@pytest.fixture(autouse=True, scope="module")
def points() -> Iterator[frozenset[str]]:
    """The points in the sources, and waits that the scheduler sees."""
    with live_package() as names:
        yield names


def choices(size: int) -> list[tuple[str, ...]]:
    """All choices of so many operations, at least one of them a read."""
    every = itertools.combinations_with_replacement(OPERATIONS, size)
    return [kinds for kinds in every if READS.keys() & set(kinds)]


@pytest.mark.soak
@pytest.mark.parametrize("kinds", choices(2), ids=", ".join)
def test_statements_and_reads_at_once_keep_the_guarantee(
    kinds: Kinds, soak: bool, record_property: Record
) -> None:
    explored = explore(lambda: sql_scenario(kinds), preemptions=3 if soak else 2)
    record_property("schedules", explored)


@pytest.mark.soak
@pytest.mark.parametrize("kinds", choices(3), ids=", ".join)
def test_three_at_once_keep_the_guarantee(kinds: Kinds, soak: bool, record_property: Record) -> None:
    explored = explore(lambda: sql_scenario(kinds), preemptions=2 if soak else int(of_the_share(kinds)))
    record_property("schedules", explored)


@pytest.mark.parametrize(
    ("broken", "method", "kinds", "complaint"),
    [
        (Flights, "overtake_made_from", ["load a", "autocommit a"], "stale"),
        (Load, "read", ["load a", "autocommit a"], "stale|not kept"),
        (UnderWay, "enter", ["load a", "load both", "autocommit a"], "backwards"),
        (UnderWay, "add", ["hit b", "commit a and b"], "stale"),
        (Region, "invalidate_made_from", ["hit b", "autocommit b"], "stale"),
        (Tracker, "after", ["hit b", "autocommit b"], "stale|under way"),
    ],
)
def test_without_a_part_of_the_tracking_some_schedule_breaks_the_guarantee(
    broken: type, method: str, kinds: Kinds, complaint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    nothing = {"invalidate_made_from": 0}.get(method)
    monkeypatch.setattr(broken, method, lambda *args, **kwargs: nothing)
    with pytest.raises(ScheduleFailedError, match=complaint):
        explore(lambda: sql_scenario(kinds), preemptions=2)


def test_every_point_of_the_tracking_is_come_to(points: frozenset[str]) -> None:
    reached: set[str] = set()

    def noting(kinds: Kinds) -> Scenario:
        def note(done: Run) -> None:
            reached.update(step.point for step in done.steps)

        return Scenario(sql_scenario(kinds).actors, note)

    for kinds in choices(2):
        explore(functools.partial(noting, kinds), preemptions=0)
    assert {"change-seen", "change-done", "committed"} <= reached & points
