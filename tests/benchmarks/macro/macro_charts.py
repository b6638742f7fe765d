"""Draws what was measured: a line for each design or cost, sizes to the right, logarithmic upwards."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from macro_designs import DESIGNS
from macro_scale import COSTS

TITLES: Final = {design.name: design.title for design in DESIGNS}
_COLOURS: Final = (
    "#57606a", "#0969da", "#bc4c00", "#1a7f37", "#cf222e", "#8250df", "#9a6700", "#bf3989", "#1b7c83",
)  # fmt: skip
_SCRIPT: Final = re.compile(rb"<script\b.*?</script>", re.DOTALL)
"""Settings for a script that is not there: this is a picture in a page, and no program."""
_SIZES: Final = {"threads": "threads", "entries": "entries", "methods": "patched methods"}


@dataclass(frozen=True, slots=True)
class Chart:
    """One picture.

    Attributes:
        name: of the file, without ``.svg``.
        unit: of the values; what is 0 cannot be drawn and is left out.
    """

    name: str
    title: str
    x_title: str
    unit: str
    labels: Sequence[str]
    lines: Mapping[str, Sequence[float]]


def charts(results: Mapping[str, Any]) -> Iterator[Chart]:
    """All pictures of a run."""
    for calls in ("reads", "writes"):
        for percentile in ("p50", "p95"):
            yield _of_day(results["day"], calls, percentile)
    yield _of_rush(results["rush"])
    for kind, rows in results["scale"].items():
        yield _of_scale(kind, rows)


def _of_day(days: Sequence[Mapping[str, Any]], calls: str, percentile: str) -> Chart:
    networks = _unique(day["round_trip_ms"] for day in days)
    lines = {
        TITLES[name]: [
            day[calls][percentile] for ms in networks for day in days if _is(day, name, "round_trip_ms", ms)
        ]
        for name in _unique(day["design"] for day in days)
    }
    title = f"{calls.capitalize()}: {percentile} in milliseconds"
    labels = [f"{ms:g} ms" for ms in networks]
    return Chart(f"day-{calls}-{percentile}", title, "round trip", "ms", labels, lines)


def _of_rush(rushes: Sequence[Mapping[str, Any]]) -> Chart:
    rates = _unique(rush["rate"] for rush in rushes)
    lines = {
        TITLES[name]: [
            rush["latency"]["p99"] for rate in rates for rush in rushes if _is(rush, name, "rate", rate)
        ]
        for name in _unique(rush["design"] for rush in rushes)
    }
    title = "p99 of latency from the planned arrival, in milliseconds"
    return Chart("rush-p99", title, "calls a second", "ms", [f"{rate:g}" for rate in rates], lines)


def _of_scale(kind: str, rows: Sequence[Mapping[str, float]]) -> Chart:
    lines = {cost: [row[cost] / 1000 for row in rows] for cost in COSTS[kind]}
    title = f"Cost of one call by number of {_SIZES[kind]}, in microseconds"
    return Chart(f"scale-{kind}", title, _SIZES[kind], "µs", [f"{row['size']:,}" for row in rows], lines)


def _is(row: Mapping[str, Any], design: str, key: str, value: object) -> bool:
    return bool(row["design"] == design and row[key] == value)


def _unique(values: Any) -> list[Any]:
    return list(dict.fromkeys(values))


def draw(chart: Chart, folder: Path) -> Path:
    """Write the picture as SVG; gives the file."""
    import pygal  # only who draws needs it
    from pygal.style import Style

    style = Style(
        background="white",
        plot_background="white",
        colors=_COLOURS,
        title_font_size=16,
        legend_font_size=12,
    )
    picture = pygal.Line(
        title=chart.title,
        x_title=chart.x_title,
        logarithmic=True,
        style=style,
        stroke_style={"width": 2},
        legend_at_bottom=True,
        legend_at_bottom_columns=math.ceil(len(chart.lines) / 2),
        truncate_legend=-1,
        width=800,
        height=480,
        js=(),
        value_formatter=lambda value: f"{_told(value)} {chart.unit}",
    )
    picture.uuid = chart.name  # the same figures give the same file
    picture.x_labels = chart.labels
    picture.y_labels = _scale(chart)
    for name, values in chart.lines.items():
        picture.add(name, [value or None for value in values])
    path = folder / f"{chart.name}.svg"
    path.write_bytes(_SCRIPT.sub(b"", picture.render()) + b"\n")
    return path


def _scale(chart: Chart) -> list[float]:
    """One, two and five of each power of ten that has values; of many powers only the ones."""
    values = [value for line in chart.lines.values() for value in line if value]
    first, last = (math.floor(math.log10(value)) for value in (min(values), max(values)))
    steps = (1, 2, 5) if last - first < 3 else (1,)
    marks = [step * 10.0**power for power in range(first, last + 2) for step in steps]
    under = [mark for mark in marks if mark <= min(values)]
    over = [mark for mark in marks if mark >= max(values)]
    return [mark for mark in marks if under[-1] <= mark <= over[0]]


def _told(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
