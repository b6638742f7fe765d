"""Whatever breaks around a cached method: its caller gets what the method gives, which runs at most once."""

from __future__ import annotations

import sqlite3
import sys
from typing import Any

import pytest

from wats_accel.cache import loads

PLACES = [
    "wats_accel.cache.keys.KeyMaker.key",
    "wats_accel.cache.keys.KeyMaker.texts",
    "wats_accel.cache.keys.KeyMaker.label",
    "wats_accel.cache.region.Region.lookup",
    "wats_accel.cache.region.Region.settle",
    "wats_accel.cache.region.Region.keep",
    "wats_accel.cache.region.Region.why_not_keep",
    "wats_accel.cache.region.Region.note_bypass",
    "wats_accel.cache.region.Region.discard",
    "wats_accel.cache.switches.Switches.broke",
    "wats_accel.cache.copying.Snapshot.give",
    "wats_accel.cache.loads.Load.rest_on",
    "wats_accel.cache.flights.Flights.board",
    "wats_accel.cache.flights.Flights.land",
    "wats_accel.cache.loading.take_snapshot",
    "wats_accel.cache.loading.enter_load",
    "wats_accel.cache.loading.leave_load",
    "wats_accel.cache.loading.failures_met",
    "wats_accel.cache.loading.note_failure",
    "wats_accel.cache.loading.is_writing",
    "wats_accel.cache.loading.tell_outer_load",
    "wats_accel.cache.writers.Writers.why_keep_away",
    "wats_accel.wrappers.cached_method.begin",
    "wats_accel.wrappers.cached_method.finish",
    "wats_accel.wrappers.cached_method.fail",
    "wats_accel.wrappers.cached_method.end",
    "wats_accel.wrappers.cached_method.runs_here",
    "wats_accel.wrappers.bypassing.innermost_load",
    "wats_accel.wrappers.bypassing.spoil_loads",
    "wats_accel.breakers.Breaker.failed",
    "wats_accel.breakers.Breaker.may_try",
    "wats_accel.event_bus.EventBus.checkpoint",
    "wats_accel.event_bus.EventBus.emit",
]
ERRORS = [RuntimeError, MemoryError, RecursionError]


@pytest.fixture
def repository(app: Any) -> Any:
    """A class over a dictionary; `runs` lists the calls that reached a method."""

    @app.add
    class Repository:
        def __init__(self) -> None:
            self.rows: dict[int, str] = {1: "a", 2: "b"}
            self.runs: list[str] = []

        def get(self, key: int) -> list[str]:
            self.runs.append(f"get {key}")
            return [self.rows[key]]

        def all(self) -> list[list[str]]:
            self.runs.append("all")
            return [self.get(key) for key in self.rows]

        def put(self, key: int, value: str) -> None:
            self.rows[key] = value

        def me(self) -> list[Any]:
            self.runs.append("me")
            return [self]

    return Repository


CACHED = {"get": "rows", "all": "lists", "me": "rows"}
INVALIDATES = {"put": ["rows:get:{key}", "lists:*"]}


def check(known: Any) -> None:
    """Calls of all sorts; each answer is the right one, and no call runs a method twice."""
    for call, expected in (
        (lambda: known.get(1), [known.rows[1]]),
        (lambda: known.get(1), [known.rows[1]]),
        (known.all, [[value] for value in known.rows.values()]),
        (known.all, [[value] for value in known.rows.values()]),
    ):
        del known.runs[:]
        assert call() == expected
        assert len(known.runs) == len(set(known.runs)), known.runs
    with pytest.raises(KeyError) as raised:
        known.get(3)
    assert raised.value.__context__ is None


@pytest.mark.parametrize(
    ("place", "error"), [(place, ERRORS[number % 3]) for number, place in enumerate(PLACES)]
)
def test_the_caller_gets_what_the_method_gives(
    app: Any, repository: Any, place: str, error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> Any:
        raise error

    with app.accelerated(CACHED, INVALIDATES):
        known = repository()
        check(known)
        with monkeypatch.context() as patch:
            patch.setattr(place, fail)
            for value in "cdefg":
                check(known)
                known.put(1, value)
                check(known)
        known.put(1, "h")
        check(known)
        app.clock.advance(1_000)
        known.put(1, "i")
        check(known)
        assert not loads.stacks or place.endswith(("end", "leave_load"))


def test_an_answer_that_refers_back_to_its_repository_is_not_copied_with_it(
    app: Any, repository: Any
) -> None:
    with app.accelerated(CACHED) as accelerator:
        known = repository()
        known.connection = sqlite3.connect(":memory:")
        try:
            assert known.me()[0] is known
            assert known.me()[0] is known
            assert accelerator.stats().total.not_stored == {"uncopyable": 2}
        finally:
            known.connection.close()


def test_a_copy_of_another_type_is_given_to_nobody(app: Any) -> None:
    class Shy(list[int]):
        copies = 0

        def __deepcopy__(self, memo: object) -> Any:
            Shy.copies += 1
            return Shy(self) if Shy.copies == 1 else 5

    @app.add
    def numbers() -> Shy:
        return Shy([1, 2])

    with app.accelerated({"numbers": "rows"}, target=""):
        assert [type(app.module.numbers()) for _ in range(3)] == [Shy] * 3


def test_a_method_that_recurses_to_the_limit_raises_as_ever_and_leaves_nothing(app: Any) -> None:
    @app.add
    def deep(number: int) -> int:
        return 1 + app.module.deep(number + 1)

    with app.accelerated({"deep": "rows"}, target=""):
        before = sys.getrecursionlimit()
        sys.setrecursionlimit(600)
        try:
            with pytest.raises(RecursionError):
                app.module.deep(0)
        finally:
            sys.setrecursionlimit(before)
        assert not loads.stacks
