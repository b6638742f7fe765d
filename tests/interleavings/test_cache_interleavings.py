"""In whatever order threads go on: no read is stale, time runs backwards for nobody, nothing else breaks."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterator, Sequence

import pytest
from cache_scenarios import OPERATIONS, scenario
from exploration import explore
from named_points import live_points, modules_of
from scheduler_locks import SchedulerEvent

from wats_accel.cache import flights

Kinds = Sequence[str]
Recorder = Callable[[str, object], None]


@pytest.fixture(autouse=True, scope="module")
def _points() -> Iterator[None]:
    """The points in the sources, and waits that the scheduler sees."""
    with live_points(*modules_of("wats_accel")), pytest.MonkeyPatch.context() as patch:
        patch.setattr(flights, "Event", functools.partial(SchedulerEvent, "flight.done"))
        yield


def combinations(size: int) -> pytest.MarkDecorator:
    """All choices of so many operations, the same one more than once among them."""
    chosen = itertools.combinations_with_replacement(OPERATIONS, size)
    return pytest.mark.parametrize("kinds", list(chosen), ids=", ".join)


@pytest.mark.soak
@combinations(2)
def test_two_operations_at_once_keep_the_guarantee(
    kinds: Kinds, soak: bool, record_property: Recorder
) -> None:
    explored = explore(lambda: scenario(kinds), preemptions=4 if soak else 3)
    record_property("schedules", explored)


@pytest.mark.soak
@combinations(3)
def test_three_operations_at_once_keep_the_guarantee(
    kinds: Kinds, soak: bool, record_property: Recorder
) -> None:
    explored = explore(lambda: scenario(kinds), preemptions=2 if soak else 1)
    record_property("schedules", explored)
