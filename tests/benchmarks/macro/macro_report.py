"""Turns what was measured into the tables of a page, and puts them between the page's marks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, Final

from macro_charts import TITLES
from macro_scale import COSTS

Row = Mapping[str, Any]

_DAY_HEADER: Final = (
    "", "connections", "SELECTs", "other", "tests", "round trips", "reads p50", "p95", "p99",
    "writes p50", "p95", "p99", "whole (s)", "answers that differ",
)  # fmt: skip
_RUSH_HEADER: Final = (
    "", "done a second", "p50", "p95", "p99", "longest", "from the beginning of the call: p50", "p99",
    "connections",
)  # fmt: skip
_BY: Final = {"threads": "threads", "entries": "entries", "methods": "patched methods"}


class NoSuchPartError(Exception):
    """The page has no marks for a part, or has them twice."""


def parts(results: Row) -> dict[str, str]:
    """Each generated part of the page, by the name in its marks."""
    return {
        "machine": machine(results),
        "in short": in_short(results["day"]),
        "day": day(results),
        "rush": rush(results["rush"]),
        **{f"scale {kind}": scale(kind, rows) for kind, rows in results["scale"].items()},
    }


def machine(results: Row) -> str:
    """Where and when it was measured."""
    told = [f"{name} {value}" for name, value in {**results["machine"], **results["versions"]}.items()]
    minutes = results["seconds"] / 60
    weight = " It was a quick one: its figures have little weight." if results["plan"] == "quick" else ""
    return f"{'; '.join(told)}. The run took {minutes:.1f} minutes.{weight}"


def in_short(days: Sequence[Row]) -> str:
    """The mean of all calls on each network, in milliseconds, and how many times faster that is."""
    networks = list(dict.fromkeys(row["round_trip_ms"] for row in days))
    means = {(row["design"], row["round_trip_ms"]): _mean(row) for row in days}
    rows = []
    for name in dict.fromkeys(row["design"] for row in days):
        cells = [_compared(means[name, ms], means["unpatched", ms]) for ms in networks]
        differ = max(row["different"] / row["calls"] for row in days if row["design"] == name)
        rows.append([TITLES[name], *cells, f"**up to {differ:.1%}**" if differ else "none"])
    return table(("", *(f"{ms:g} ms" for ms in networks), "answers that differ"), rows)


def _mean(row: Row) -> float:
    return sum(row[calls]["mean"] * row[calls]["count"] for calls in ("reads", "writes")) / row["calls"]


def _compared(mean: float, unpatched: float) -> str:
    return milliseconds(mean) if mean == unpatched else f"{milliseconds(mean)} ({unpatched / mean:.1f} times)"


def day(results: Row) -> str:
    """A table for each network."""
    tables = []
    for round_trip_ms, rows in groupby(results["day"], key=lambda row: row["round_trip_ms"]):
        runs = list(rows)
        measured = results["round_trips"][f"{round_trip_ms:g}"]
        tables.append(
            f"**{round_trip_ms:g} ms**: the first {runs[0]['calls']:,} calls of the day, "
            f"{runs[0]['reads']['count']:,} of them reads. A bare `SELECT 1` takes {measured:.2f} ms.\n\n"
            + table(_DAY_HEADER, map(_day_row, runs))
        )
    return "\n\n".join([*tables, _differing(results)])


def _day_row(row: Row) -> list[str]:
    counts = (row["connections"], row["selects"], row["others"], row["pings"], row["network"]["round_trips"])
    times = [
        milliseconds(row[calls][name]) for calls in ("reads", "writes") for name in ("p50", "p95", "p99")
    ]
    differing = f"{row['different']:,} of {row['calls']:,}"
    return [
        TITLES[row["design"]],
        *(f"{count:,}" for count in counts),
        *times,
        f"{row['seconds']:.1f}",
        f"**{differing}**" if row["different"] else differing,
    ]


def _differing(results: Row) -> str:
    """Whose answers differ, at the longest run, and how many are merely old."""
    stale = results["stale"]
    longest = max(results["day"], key=lambda row: row["calls"])["calls"]
    lines = [f"Answers that differ from those of the unpatched run, in {longest:,} calls, by method:", ""]
    lines += [
        f"- {TITLES[row['design']]}: {_by_method(row)}."
        for row in results["day"]
        if row["calls"] == longest and row["round_trip_ms"] == results["day"][0]["round_trip_ms"]
    ]
    lines += [
        "",
        "If no caller changed the lists that it is given, the naive design as it was would still give "
        f"{stale['different']:,} answers that are old: {_by_method(stale)}.",
    ]
    return "\n".join(lines)


def _by_method(row: Row) -> str:
    methods = sorted(row["different_methods"].items(), key=lambda item: -item[1])
    return ", ".join(f"{count:,} of `{name}`" for name, count in methods) or "none"


def rush(rows: Iterable[Row]) -> str:
    """A table for each rate of arrival."""
    tables = []
    for rate, of_rate in groupby(rows, key=lambda row: row["rate"]):
        runs = list(of_rate)
        head = f"**{rate:g} calls a second**: {runs[0]['calls']:,} calls on {runs[0]['threads']} threads."
        tables.append(f"{head}\n\n{table(_RUSH_HEADER, map(_rush_row, runs))}")
    return "\n\n".join(tables)


def _rush_row(row: Row) -> list[str]:
    latency, service = row["latency"], row["service"]
    return [
        TITLES[row["design"]],
        f"{row['calls'] / row['seconds']:.1f}",
        *(milliseconds(latency[name]) for name in ("p50", "p95", "p99", "max")),
        *(milliseconds(service[name]) for name in ("p50", "p99")),
        f"{row['connections']:,}",
    ]


def scale(kind: str, rows: Sequence[Row]) -> str:
    """Costs by size, in microseconds."""
    costs = COSTS[kind]
    cells = [[f"{row['size']:,}", *(microseconds(row[cost]) for cost in costs)] for row in rows]
    return table((_BY[kind], *costs), cells)


def milliseconds(value: float) -> str:
    """Three digits that mean something."""
    return _three_digits(value)


def microseconds(nanoseconds: float) -> str:
    """Nanoseconds, as microseconds."""
    return _three_digits(nanoseconds / 1000)


def _three_digits(value: float) -> str:
    decimals = 0 if value >= 100 else 1 if value >= 10 else 2
    return f"{value:,.{decimals}f}"


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table: the first column to the left, the others to the right."""
    return "\n".join(f"| {' | '.join(cells)} |" for cells in _lines(header, rows))


def _lines(header: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[Sequence[str]]:
    yield header
    yield ["---", *["--:"] * (len(header) - 1)]
    yield from rows


def filled(page: str, texts: Mapping[str, str]) -> str:
    """The page with these texts between its marks, and everything else as it was.

    Raises:
        NoSuchPartError: a part has no pair of marks in the page.
    """
    for name, text in texts.items():
        begin, end = f"<!-- generated: {name} -->\n", f"<!-- end: {name} -->"
        if page.count(begin) != 1 or page.count(end) != 1:
            raise NoSuchPartError(f"The page needs the two marks of {name!r}, once each")
        before, _, rest = page.partition(begin)
        page = f"{before}{begin}{text}\n{end}{rest.partition(end)[2]}"
    return page
