"""In whatever order threads go on: where writes have their rules, no comparison tells of a difference."""

from __future__ import annotations

import functools
import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import pytest
from actors import point
from cache_scenarios import OPERATIONS, READS
from exploration import Scenario, ScheduleFailedError, explore
from history_check import check
from noted_application import NotedApplication
from pointed_package import live_package
from scheduler import Run

from wats_accel.cache import checking
from wats_accel.cache.loads import stacks

Kinds = Sequence[str]
TRUST: dict[str, Mapping[str, Any]] = {"shadow": {"shadow": True}, "verify": {"verify_share": 1.0}}
WRITES = ("invalidate exact", "invalidate pattern", "invalidate namespace")


@pytest.fixture(autouse=True, scope="module")
def _points() -> Iterator[None]:
    """The points in the sources, and waits that the scheduler sees."""
    with live_package():
        yield


def _compare(app: NotedApplication, me: str) -> None:
    """What the background does meanwhile."""
    for _ in range(2):
        point("background.begins")
        app.renewals.run()


def scenario(kinds: Kinds, trust: str, figures: Counter[str]) -> Scenario:
    """Some operations, on an application whose entries are compared; and the check of what that has told."""
    kind_of = {f"{number} {kind}": kind for number, kind in enumerate(kinds, 1)}
    writers = [name for name, kind in kind_of.items() if kind in WRITES]
    app = NotedApplication(writers, wait_seconds=3_600.0, trust=TRUST[trust])
    app.get("warm"), app.list()
    app.get("warm"), app.list()

    def verify(run: Run) -> None:
        app.renewals.run()
        for region in (app.rows, app.lists):
            figures["verified"] += region.counters.verified
            figures["inconclusive"] += region.counters.inconclusive
            assert not region.counters.differences, "a right entry is called wrong"
            assert not len(region.flights), "a load is still registered"
        assert not stacks, "a thread is still inside a load"
        assert not check(app.history)

    operations = OPERATIONS | {"compare": _compare}
    actors = {name: functools.partial(operations[kind], app, name) for name, kind in kind_of.items()}
    return Scenario(actors, verify)


PAIRS = list(itertools.product(READS, WRITES))
Record = Callable[[str, object], None]


@pytest.mark.soak
@pytest.mark.parametrize("trust", TRUST)
@pytest.mark.parametrize("kinds", PAIRS, ids=", ".join)
def test_no_right_entry_is_called_wrong(
    trust: str, kinds: tuple[str, ...], soak: bool, record_property: Record
) -> None:
    figures: Counter[str] = Counter()
    explored = 0
    for third in ("", *READS, *WRITES) if soak else ("",):
        actors = [*kinds, *filter(None, (third, "compare" if trust == "verify" else ""))]
        setup = functools.partial(scenario, actors, trust, figures)
        explored += explore(setup, preemptions=2 if soak and not third else 1)
    record_property("schedules", explored)
    assert figures["verified"] > 0


@pytest.mark.parametrize("trust", TRUST)
def test_without_the_conditions_some_schedule_calls_a_right_entry_wrong(
    trust: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checking, "_why_inconclusive", lambda *_: None)
    kinds = ["hit", "invalidate pattern", *(["compare"] if trust == "verify" else [])]
    with pytest.raises(ScheduleFailedError, match="a right entry is called wrong"):
        explore(lambda: scenario(kinds, trust, Counter()), preemptions=2)
