"""The page says what was measured: tables, charts, and everything between the marks and nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn
from xml.etree import ElementTree

import pytest
from latencies import percentile, summary
from macro_charts import charts, draw
from macro_designs import DESIGNS
from macro_plan import OF_THE_RUSH
from macro_report import NoSuchPartError, filled, microseconds, parts, table
from macro_scale import COSTS
from run_macro import PAGE, write


def latencies(first: float) -> dict[str, float]:
    names = ("mean", "p50", "p95", "p99", "max")
    return {"count": 10, **{name: first + number for number, name in enumerate(names, 1)}}


def a_day(design: str, round_trip_ms: float, number: int) -> dict[str, Any]:
    return {
        "design": design,
        "round_trip_ms": round_trip_ms,
        "calls": 12,
        "seconds": 1.25,
        "reads": latencies(10.0 + number),
        "writes": {**latencies(50.0 + number), "count": 2},
        "connections": 1000 + number,
        "selects": 2000 + number,
        "others": 3000 + number,
        "pings": 4000 + number,
        "network": {"connections": 0, "round_trips": 5000 + number, "bytes_up": 0, "bytes_down": 0},
        "different": number,
        "different_methods": {"Users.role": number} if number else {},
        "own": {},
    }


def a_rush(design: str, rate: float, number: int) -> dict[str, Any]:
    return {
        "design": design,
        "rate": rate,
        "calls": 30,
        "seconds": 2.0,
        "threads": 8,
        "latency": latencies(20.0 + number),
        "service": latencies(1.0 + number),
        "connections": 7,
    }


def a_size(kind: str, size: int) -> dict[str, float]:
    return {"size": size, **{cost: 1000.0 * size * place for place, cost in enumerate(COSTS[kind], 1)}}


@pytest.fixture
def results() -> dict[str, Any]:
    """What a run gives, with figures that tell each other apart."""
    return {
        "machine": {"on": "2026-11-26", "processor": "abacus"},
        "versions": {"PostgreSQL": "15"},
        "plan": "whole",
        "seconds": 90.0,
        "trace": {"seed": 1, "hours": 1, "calls": 12},
        "round_trips": {"0": 0.25, "5": 5.5},
        "day": [a_day(design.name, ms, number) for ms in (0, 5) for number, design in enumerate(DESIGNS)],
        "stale": a_day("naive", 0, 3),
        "rush": [a_rush(name, rate, number) for rate in (20, 60) for number, name in enumerate(OF_THE_RUSH)],
        "scale": {kind: [a_size(kind, size) for size in (1, 10)] for kind in COSTS},
    }


def test_a_table_of_the_day_shows_each_count_and_each_latency_of_each_design(results: dict[str, Any]) -> None:
    shown = parts(results)["day"]
    head = "**5 ms**: the first 12 calls of the day, 10 of them reads. A bare `SELECT 1` takes 5.50 ms."
    counts = "1,000 | 2,000 | 3,000 | 4,000 | 5,000"
    times = "12.0 | 13.0 | 14.0 | 52.0 | 53.0 | 54.0 | 1.2"
    assert head in shown
    assert f"| unpatched | {counts} | {times} | 0 of 12 |" in shown
    assert "| cache and pool | 1,003 |" in shown


def test_the_short_table_compares_means_of_all_calls(results: dict[str, Any]) -> None:
    shown = parts(results)["in short"]
    assert "| unpatched | 17.7 | 17.7 | none |" in shown  # (10 * 11 + 2 * 51) / 12
    assert "| naive, as it was | 21.7 (0.8 times) | 21.7 (0.8 times) | **up to 33.3%** |" in shown


def test_answers_that_differ_stand_out_and_are_told_by_method(results: dict[str, Any]) -> None:
    shown = parts(results)["day"]
    assert "| **4 of 12** |" in shown
    assert "- unpatched: none." in shown
    assert "- naive, as it was: 4 of `Users.role`." in shown
    assert "would still give 3 answers that are old: 3 of `Users.role`." in shown


def test_a_table_of_the_rush_shows_both_ways_to_count_a_latency(results: dict[str, Any]) -> None:
    shown = parts(results)["rush"]
    assert "**60 calls a second**: 30 calls on 8 threads." in shown
    assert "| unpatched | 15.0 | 22.0 | 23.0 | 24.0 | 25.0 | 3.00 | 5.00 | 7 |" in shown


def test_tables_of_scale_are_in_microseconds(results: dict[str, Any]) -> None:
    assert "| 10 | 10.0 | 20.0 | 30.0 | 40.0 | 50.0 |" in parts(results)["scale threads"]
    assert [microseconds(value) for value in (12.0, 1_234.0, 98_760.0, 1_234_567.0)] == [
        "0.01",
        "1.23",
        "98.8",
        "1,235",
    ]


def test_the_machine_and_the_versions_are_told(results: dict[str, Any]) -> None:
    told = "on 2026-11-26; processor abacus; PostgreSQL 15. The run took 1.5 minutes."
    assert parts(results)["machine"] == told
    results["plan"] = "quick"
    assert parts(results)["machine"] == f"{told} It was a quick one: its figures have little weight."


def test_a_table_has_its_first_column_to_the_left() -> None:
    assert table(("", "a"), [("x", "1")]) == "|  | a |\n| --- | --: |\n| x | 1 |"


def test_only_what_is_between_the_marks_is_written_anew() -> None:
    page = "before\n<!-- generated: day -->\nold\n\nolder\n<!-- end: day -->\nafter\n"
    once = filled(page, {"day": "new \\1"})
    assert once == "before\n<!-- generated: day -->\nnew \\1\n<!-- end: day -->\nafter\n"
    assert filled(once, {"day": "new \\1"}) == once


@pytest.mark.parametrize(
    "page",
    ["", "<!-- generated: day -->\n", 2 * "<!-- generated: day -->\n<!-- end: day -->\n"],
    ids=["no marks", "no end", "twice"],
)
def test_a_page_without_one_pair_of_marks_is_not_written(page: str) -> None:
    with pytest.raises(NoSuchPartError, match="'day'"):
        filled(page, {"day": "new"})


@pytest.fixture
def _pygal(missing: Callable[[str], NoReturn]) -> None:
    try:
        import pygal  # noqa: F401 - whether it is there
    except ImportError:
        missing("pygal is not installed")


@pytest.mark.usefixtures("_pygal")
def test_the_real_page_has_a_place_for_all_that_is_written(results: dict[str, Any], tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(PAGE.read_text(encoding="utf-8"), encoding="utf-8")
    write(results, page, tmp_path / "results.json")
    text = page.read_text(encoding="utf-8")
    assert all(part in text for part in parts(results).values())
    assert json.loads((tmp_path / "results.json").read_text(encoding="utf-8")) == results
    drawn = {file.name for file in (tmp_path / "benchmarks-macro").iterdir()}
    assert all(f"](benchmarks-macro/{name})" in text for name in drawn)
    assert text.count("](benchmarks-macro/") == len(drawn)


@pytest.mark.usefixtures("_pygal")
def test_charts_are_pictures_of_their_figures_and_the_same_for_the_same_ones(
    results: dict[str, Any], tmp_path: Path
) -> None:
    for chart in charts(results):
        first = draw(chart, tmp_path).read_bytes()
        assert draw(chart, tmp_path).read_bytes() == first
        ElementTree.fromstring(first)
        text = first.decode()
        assert chart.title in text
        assert all(name in text for name in chart.lines)
        assert "<script" not in text


def test_percentiles_are_values_that_were_measured() -> None:
    hundred = [float(number) for number in range(1, 101)]
    assert [percentile(hundred, percent) for percent in (50, 95, 99, 100)] == [50, 95, 99, 100]
    assert percentile([], 50) == 0.0
    shown = summary([0.003, 0.001, 0.002])
    assert (shown["count"], shown["mean"], shown["p50"], shown["max"]) == (3, pytest.approx(2), 2, 3)
