"""The page of benchmarks says what was measured, and leaves alone what was written by hand."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from benchmarks_page import BEGIN, END, generated, goals_of, missed, verdict, write
from goals import GOALS, Figure, Figures, Goal
from remarks import NO_WORDS, REMARKS
from run_of_benchmarks import Row, Run, read

PAGE = Path(__file__).parents[2] / "docs" / "benchmarks.md"
RATIO = Goal("key", "what", "group", 2.0, over="other")


def figures(own: Sequence[float], other: Sequence[float] = ()) -> Figures:
    return {"group": {"wats_accel": Figure(own), "other": Figure(other)}}


def run(measured: Figures, **rows: list[Row]) -> Run:
    return Run(measured, "a machine", "2026-11-26", 0.5, rows, ("Python",))


def test_a_ratio_is_taken_round_by_round() -> None:
    # The computer was three times as slow in the second round, for both.
    least, median = RATIO.measured(figures([2.0, 6.0, 3.0], [1.0, 3.0, 1.0])) or (0, 0)
    assert (least, median) == (2.0, 2.0)


def test_what_stands_around_is_taken_away() -> None:
    above = Goal("key", "what", "group", 6.0, minus="other", unit="µs")
    assert above.measured(figures([7e-6, 9e-6], [1e-6, 1e-6])) == pytest.approx((6.0, 7.0))


@pytest.mark.parametrize("group", ["group", "another"])
def test_what_was_not_measured_has_no_figure(group: str) -> None:
    assert Goal("key", "what", group, 2.0, over="nobody").measured(figures([1.0], [1.0])) is None


@pytest.mark.parametrize(
    ("at_least", "value", "holds"),
    [(False, 2.0, True), (False, 2.1, False), (True, 2.0, True), (True, 1.9, False)],
)
def test_a_goal_is_a_bound_from_above_or_from_below(at_least: bool, value: float, holds: bool) -> None:
    assert Goal("key", "what", "group", 2.0, at_least=at_least).holds(value) is holds


def test_a_goal_holds_when_both_figures_keep_to_it() -> None:
    assert verdict(True, True) == "yes"
    assert verdict(True, False) == "by the min only"
    assert verdict(False, True) == "by the median only"
    assert verdict(False, False) == "**no**"


@pytest.mark.parametrize(
    ("goal", "value", "holds"),
    [
        ("≤ 50 µs", 50.0, True),
        ("<= 1,000", 1001.0, False),
        (40, 39.5, True),
        (">= 0.85", 0.8, False),
        ("≥ 0.85", 0.9, True),
        ("O(1)", None, None),
        ("", 3.0, None),
        (None, 3.0, None),
    ],
)
def test_the_goal_of_another_script_is_read_as_it_writes_it(
    goal: Any, value: Any, holds: bool | None
) -> None:
    row = Row.of({"name": "what", "goal": goal, "value": value, "unit": "µs", "peer": None})
    assert row.holds(row.median) is holds


def test_no_two_goals_have_one_key() -> None:
    assert len({goal.key for goal in GOALS}) == len(GOALS)


def test_what_falls_short_is_named_with_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("run_of_benchmarks.GOALS", [RATIO])
    slow = run(figures([3.0], [1.0]), startup=[Row.of({"name": "install", "goal": 40, "value": 50})])
    assert missed(slow) == [("key", "what"), ("install", "install")]
    assert f"- **what**: {NO_WORDS}" in generated(slow, {}, {})
    monkeypatch.setitem(REMARKS, "key", "It has to look twice.")
    assert "- **what**: It has to look twice." in generated(slow, {}, {})
    assert "All goals hold." in generated(run(figures([2.0], [1.0])), {}, {})


def test_the_run_before_stands_beside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("run_of_benchmarks.GOALS", [RATIO])
    before = goals_of(run(figures([3.0], [2.0])))
    assert "| what | ≤ 2 times | 1 | 1 | yes | 1.5 |" in generated(run(figures([1.0], [1.0])), before, {})


def test_what_is_written_by_hand_stays(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"by hand\n{BEGIN}\nold\n{END}\nby hand, too\n", encoding="utf-8")
    write(page, "new")
    assert page.read_text(encoding="utf-8") == f"by hand\n{BEGIN}\n\nnew\n{END}\nby hand, too\n"


def test_a_page_without_marks_is_left_alone(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("by hand\n", encoding="utf-8")
    with pytest.raises(ValueError, match="no marks"):
        write(page, "new")
    assert page.read_text(encoding="utf-8") == "by hand\n"


def test_the_page_has_its_marks() -> None:
    assert PAGE.read_text(encoding="utf-8").count(BEGIN) == PAGE.read_text(encoding="utf-8").count(END) == 1


def test_figures_are_those_that_pytest_benchmark_saved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("run_of_benchmarks._versions", lambda: ["Python"])
    saved = {
        "machine_info": {"cpu": {"brand_raw": "a processor", "count": 2}, "system": "Linux", "machine": "x"},
        "datetime": "2026-11-26T21:00:00",
        "benchmarks": [
            {"group": "a", "extra_info": {"peer": "one"}, "stats": {"data": [1.0, 2.0, 4.0]}},
            {"group": "a", "extra_info": {"peer": "two", "bytes": 120.0}, "stats": {"data": [9.0]}},
        ],
    }
    path = tmp_path / "saved.json"
    path.write_text(json.dumps(saved), encoding="utf-8")
    found = read(path, 0.5, {})
    assert (found.machine, found.date) == ("a processor, 2 cores, Linux x", "2026-11-26")
    assert (found.figures["a"]["one"].least, found.figures["a"]["one"].median) == (1.0, 2.0)
    assert found.figures["a"]["two"].median == 120.0
