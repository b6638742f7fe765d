"""Every design is given the same calls, what its answers are is seen, and latencies count all waiting."""

from __future__ import annotations

import pickle
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from macro_database import Database
from macro_designs import DESIGNS
from macro_processes import RunFailedError, run_script
from macro_replay import Replay
from macro_rush import SESSIONS, Arrival, Rush, arrivals
from macro_trace import Change, NewRow, Step, Watcher, Writer, digest, put_example_on_path


@pytest.fixture(scope="module", autouse=True)
def _example() -> Iterator[None]:
    """Its modules can be imported, and are gone again after these tests."""
    before = list(sys.path)
    put_example_on_path()
    try:
        yield
    finally:
        sys.path[:] = before
        for name in list(sys.modules):
            if name.partition(".")[0] in {"src", "simulation"}:
                del sys.modules[name]


def step(method: str, *args: Any, answer: Any = None, changes: tuple[Change, ...] = ()) -> Step:
    given = pickle.dumps((args, {}))
    return Step(0.0, "Users", method, given, digest(answer), method.startswith("get_"), changes)


# -- what callers do to their lists -----------------------------------------------------------------------


def test_what_a_caller_does_to_its_list_is_written_down_and_can_be_done_again() -> None:
    watcher = Watcher()
    given = ["c", "a", "b"]
    watcher.watch(7, given)
    assert list(watcher.changes()) == []
    given.sort()
    given.insert(0, "none")
    given.remove("c")
    (change,) = watcher.changes()
    assert change == Change(7, (NewRow("none"), 1, 2))
    assert list(watcher.changes()) == []
    again = ["c", "a", "b"]
    change.apply(again)
    assert again == given


def test_a_change_of_a_list_that_is_shorter_in_another_design_leaves_out_what_is_not_there() -> None:
    shorter = ["c"]
    Change(0, (2, 0, NewRow("x"), 1)).apply(shorter)
    assert shorter == ["c", "x"]


def test_each_call_is_written_down_with_the_arguments_as_they_were_given_and_the_answer() -> None:
    def get_all(names: list[str]) -> list[str]:
        names.append("changed")
        return ["row"]

    writer = Writer(lambda: 3.0)
    writer.call("Users.get_all", get_all, ["name"]).append("more")
    with pytest.raises(ZeroDivisionError):
        writer.call("Users.change", lambda: 1 / 0)
    first, second = writer.steps
    assert (first.at_seconds, first.repository, first.method) == (3.0, "Users", "get_all")
    assert (first.is_read, second.is_read) == (True, False)
    assert pickle.loads(first.given) == ((["name"],), {})
    assert (first.answer, second.answer) == (digest(["row"]), digest(ZeroDivisionError))
    assert second.changes == (Change(0, (0, NewRow("more"))),)


def test_answers_of_other_types_are_other_answers() -> None:
    assert len({digest(answer) for answer in (1, True, 1.0, "1", (1,), [1], None)}) == 7


# -- the day ----------------------------------------------------------------------------------------------


class StandingTime:
    """The simulated clock."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


class SharedList:
    """Gives every caller the same list, as the naive design does."""

    def __init__(self) -> None:
        self._rows = ["b", "a"]

    def get_all(self) -> list[str]:
        return self._rows


def test_a_list_that_is_shared_is_seen_when_a_caller_changes_it_and_only_then() -> None:
    rows = ["b", "a"]
    steps = [
        step("get_all", answer=rows),
        step("get_all", answer=rows, changes=(Change(0, (1, 0)),)),
    ]
    for callers_change, differing in ((True, ["Users.get_all"]), (False, [])):
        replay = Replay({"Users": SharedList()}, StandingTime(), callers_change=callers_change)
        replay.run(steps)
        assert replay.different == differing
        assert (len(replay.seconds[True]), len(replay.seconds[False])) == (2, 0)


def test_the_same_calls_are_made_with_each_design_and_only_the_naive_one_may_differ(
    postgresql: Any, tmp_path: Path, soak: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("WATS_ACCEL_DISABLE", raising=False)
    database = Database(postgresql, tmp_path)
    try:
        database.fill(seed=1)
        trace = database.live_one_day(seed=1, hours=0.4 if soak else 0.02)
        calls = len(trace.steps)
        for design in DESIGNS if soak else [design for design in DESIGNS if design.name == "both"]:
            options = ("--design", design.name, "--calls", str(calls))
            result = database.run("macro_replay.py", 1.0, *options)
            assert result["calls"] == calls > 5
            assert result["network"]["connections"] >= result["connections"] > 0
            assert result["network"]["round_trips"] > result["selects"] > 0
            assert result["different"] == 0 or design.name in {"naive", "wired"}
    finally:
        database.drop()


def test_a_process_that_fails_is_told_by_its_command() -> None:
    with pytest.raises(RunFailedError, match=r"^macro_scale.py colours 1 1 ended with exit code 1$"):
        run_script("macro_scale.py", "colours", "1", "1")


# -- the rush ---------------------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_arrivals_at_about_the_rate_and_no_transactions() -> None:
    steps = [step("get_all"), step("update_heartbeat"), step("admin_delete_connection")]
    calls = arrivals(steps, rate=50.0, seconds=20.0, seed=4)
    assert calls == arrivals(steps, rate=50.0, seconds=20.0, seed=4)
    assert 900 < len(calls) < 1100
    assert [call.at_seconds for call in calls] == sorted(call.at_seconds for call in calls)
    assert {call.step.method for call in calls} == {"get_all", "update_heartbeat"} <= SESSIONS | {"get_all"}


def test_who_waits_behind_a_slow_call_has_that_wait_in_its_latency() -> None:
    now = 0.0

    def pass_time(seconds: float) -> None:
        nonlocal now
        now += seconds

    def call(one: Step) -> None:
        pass_time(10.0 if one.method == "get_slow" else 1.0)

    calls = [Arrival(0.0, step("get_slow")), Arrival(2.0, step("get_all")), Arrival(30.0, step("get_all"))]
    rush = Rush(calls, call, clock=lambda: now, wait=pass_time)
    assert rush.run(threads=1) == 31.0
    assert rush.latencies == [10.0, 9.0, 1.0]  # the second was to arrive at 2, and began at 10
    assert rush.service_times == [10.0, 1.0, 1.0]


def test_all_calls_are_made_once_by_many_threads() -> None:
    made, lock = [], threading.Lock()

    def call(one: Step) -> None:
        with lock:
            made.append(one.method)

    calls = [Arrival(0.0, step(f"get_{number}")) for number in range(100)]
    Rush(calls, call, clock=lambda: 0.0).run(threads=8)
    assert sorted(made) == sorted(f"get_{number}" for number in range(100))
