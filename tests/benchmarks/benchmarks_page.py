"""The generated part of docs/benchmarks.md; what stands around it is written by hand, and stays."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from charts import Chart
from goals import WATS, Figure
from remarks import NO_WORDS, REMARKS
from run_of_benchmarks import Row, Run

BEGIN: Final = "<!-- written by make bench: begin -->"
END: Final = "<!-- written by make bench: end -->"
Before = Mapping[str, Mapping[str, float]]
"""By the key of a goal: min and median of the run that was saved before."""


def verdict(by_least: bool | None, by_median: bool | None) -> str:
    """Whether a goal holds, in words."""
    if by_least is None or by_median is None:
        return ""
    if by_least and by_median:
        return "yes"
    if by_least or by_median:
        return f"by the {'min' if by_least else 'median'} only"
    return "**no**"


def number(value: float | None) -> str:
    """With three digits that say something."""
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def time(seconds: float) -> str:
    """In a unit that suits it."""
    for scale, unit in ((1e9, "ns"), (1e6, "µs"), (1e3, "ms")):
        if seconds * scale < 1000:
            return f"{number(seconds * scale)} {unit}"
    return f"{number(seconds)} s"


def _head(run: Run) -> Iterator[str]:
    load = f"{number(run.load)} processes wanted to run on each core when it began"
    yield f"Measured on {run.date}: {run.machine}. {load}."
    yield ""
    yield f"{', '.join(run.versions)}."


def _goals(run: Run, before: Before) -> Iterator[str]:
    yield "| what | goal | min | median | holds | last time, median |"
    yield "|---|--:|--:|--:|---|--:|"
    for goal, least, median in run.goals():
        holds = verdict(goal.holds(least), goal.holds(median))
        past = number(before.get(goal.key, {}).get("median"))
        yield f"| {goal.what} | {goal.text} | {number(least)} | {number(median)} | {holds} | {past} |"


def missed(run: Run) -> list[tuple[str, str]]:
    """What does not hold by both figures: the key, and what it is about."""
    ours = [
        (goal.key, goal.what)
        for goal, least, median in run.goals()
        if not (goal.holds(least) and goal.holds(median))
    ]
    others = [
        (row.name, row.name)
        for rows in run.rows.values()
        for row in rows
        if False in (row.holds(row.least), row.holds(row.median))
    ]
    return ours + others


def _missed(run: Run) -> Iterator[str]:
    found = missed(run)
    if not found:
        yield "All goals hold."
    for key, what in found:
        yield f"- **{what}**: {REMARKS.get(key, NO_WORDS)}"


def _group(group: str, peers: Mapping[str, Figure], chart: Chart | None) -> Iterator[str]:
    in_bytes = group.startswith("memory")
    quickest = min(figure.median for figure in peers.values())
    yield "| | min | median | median ÷ the least one |"
    yield "|---|--:|--:|--:|"
    for peer, figure in sorted(peers.items(), key=lambda item: item[1].median):
        least, median = (
            (number(figure.least), number(figure.median))
            if in_bytes
            else (time(figure.least), time(figure.median))
        )
        name = f"**{peer}**" if peer.startswith(WATS) else peer
        yield f"| {name} | {least} | {median} | {number(figure.median / quickest)} |"
    if chart is not None:
        yield ""
        yield f"![{chart.title}](benchmarks/{chart.name}.svg)"


def _others(rows: list[Row]) -> Iterator[str]:
    yield "| what | whose | goal | min | median | unit | holds |"
    yield "|---|---|--:|--:|--:|---|---|"
    for row in rows:
        holds = verdict(row.holds(row.least), row.holds(row.median))
        yield (
            f"| {row.name} | {row.peer} | {row.goal} | {number(row.least)} | {number(row.median)} "
            f"| {row.unit} | {holds} |"
        )


def generated(run: Run, before: Before, charts: Mapping[str, Chart]) -> str:
    """What goes between the marks."""
    lines = [*_head(run), "", "## Goals", "", *_goals(run, before), ""]
    lines += ["## What falls short", "", *_missed(run), ""]
    for name, rows in run.rows.items():
        lines += [f"## {name.replace('_', ' ').capitalize()}", "", *_others(rows), ""]
    lines += ["## Everything that was measured", ""]
    for group, peers in run.figures.items():
        lines += [f"### {group.capitalize()}", "", *_group(group, peers, charts.get(group)), ""]
    return "\n".join(lines)


def write(page: Path, text: str) -> None:
    """Put it between the marks.

    Raises:
        ValueError: the page has no marks.
    """
    whole = page.read_text(encoding="utf-8")
    head, begin, rest = whole.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{page.name} has no marks {BEGIN} and {END}")
    page.write_text(f"{head}{BEGIN}\n\n{text}\n{END}{tail}", encoding="utf-8")


def goals_of(run: Run) -> dict[str, dict[str, float]]:
    """What is saved for the next run to be compared with."""
    return {goal.key: {"min": least, "median": median} for goal, least, median in run.goals()}
