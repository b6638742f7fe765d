"""Turns two measured runs into plain aligned text, and compares their answers."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from simulation.recording import Call, read_calls

# What the maintainers hoped for when they asked for these rules.
HOPED_FOR: Final = MappingProxyType(
    {"connections": "85-90 %", "users": "90-95 %", "groups": "95 %+", "permissions": "80-85 %"}
)
LOG_LINES: Final = (
    "Connection Pool initialized",
    "Cache system initialized",
    "Performance optimizations initialized",
    "Cache MISS",
    "Cache HIT",
    "Invalidated",
    "Cache stats:",
)
POOL_COUNTS: Final = ("opened", "reused", "direct", "bare")


@dataclass(frozen=True, slots=True)
class Run:
    """What one worker left behind."""

    name: str
    answers: Path
    log_file: Path
    result: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Comparison:
    """How the answers of two runs compare, call by call."""

    compared: int
    different: int
    first_differences: tuple[str, ...]


def compare(first: Run, second: Run, *, shown: int = 5) -> Comparison:
    """Compare every call of two runs; differences are described without the values."""
    compared = different = 0
    described: list[str] = []
    for one, other in zip_longest(read_calls(first.answers), read_calls(second.answers)):
        compared += 1
        if one is not None and other is not None and one.same_as(other):
            continue
        different += 1
        if len(described) < shown:
            described.append(_difference(one, other))
    return Comparison(compared, different, tuple(described))


def _difference(one: Call | None, other: Call | None) -> str:
    if one is None or other is None:
        only = one or other
        assert only is not None, "zip_longest ends with the longer of the two"
        return f"#{only.sequence} {only.target}({only.arguments}): only one run made this call"
    call = f"#{one.sequence} {one.target}({one.arguments})"
    if (one.target, one.arguments) == (other.target, other.arguments):
        return f"{call}: another answer"
    return f"{call}: the other run called {other.target}({other.arguments})"


def headline(first: Run, second: Run) -> str:
    """The one table: what reached the database, how long calls took, and the saving."""
    rows = [
        _count_row("SELECTs that reached the database", "selects", first, second),
        _count_row("other statements", "others", first, second),
        _count_row("connections opened", "connections", first, second),
    ]
    if first.result["pings"] or second.result["pings"]:
        rows.insert(2, _count_row("the pool's tests of connections", "pings", first, second))
    for label, reads_only in (("read", True), ("call", False)):
        for percent in (50, 95):
            values = [_percentile(_milliseconds(run, reads_only), percent) for run in (first, second)]
            shown = [f"{value:.3f}" for value in values]
            rows.append([f"p{percent} per {label} (ms)", *shown, _saving(*values)])
    return table(["", first.name, second.name, "saved"], rows)


def _count_row(label: str, key: str, first: Run, second: Run) -> list[str]:
    before, after = int(first.result[key]), int(second.result[key])
    return [label, f"{before:,}", f"{after:,}", _saving(before, after)]


def _saving(before: float, after: float) -> str:
    return f"{100 * (before - after) / before:.1f} %" if before else "-"


def _milliseconds(run: Run, reads_only: bool) -> list[float]:
    return sorted(call.seconds * 1000 for call in read_calls(run.answers) if call.is_read or not reads_only)


def _percentile(ordered: Sequence[float], percent: float) -> float:
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)] if ordered else 0.0


def namespaces(run: Run) -> str:
    """Hit rate per namespace beside the figure that the maintainers hoped for."""
    rows = [
        [
            name,
            f"{numbers['hits']:,}",
            f"{numbers['misses']:,}",
            f"{numbers['hit_rate']:.1f} %",
            HOPED_FOR.get(name, "-"),
            f"{numbers['invalidated']:,}",
            f"{numbers['expired']:,}",
        ]
        for name, numbers in sorted(run.result["statistics"]["namespaces"].items())
    ]
    return table(["namespace", "hits", "misses", "hit rate", "hoped for", "invalidated", "expired"], rows)


def methods(run: Run, *, most: int = 8) -> str:
    """The methods whose hits saved the most time."""
    ranked = sorted(run.result["statistics"]["methods"].items(), key=lambda item: -item[1]["saved_seconds"])
    rows = [
        [
            target.partition(":")[2],
            f"{numbers['hits']:,}",
            f"{numbers['hit_rate']:.1f} %",
            f"{numbers['saved_seconds'] * 1000:,.0f}",
        ]
        for target, numbers in ranked[:most]
    ]
    return table(["method", "hits", "hit rate", "saved (ms)"], rows)


def pools(run: Run) -> str:
    """What became of each `connect` that is pooled: the pool opens few, and lends them again and again."""
    rows = [
        [
            name,
            *(f"{numbers[key]:,}" for key in POOL_COUNTS),
            f"{numbers['checked_out'] + numbers['idle']:,}",
            ", ".join(f"{count} {why}" for why, count in sorted(numbers["discarded"].items())) or "-",
        ]
        for name, numbers in sorted(run.result["statistics"]["pools"].items())
        if any(numbers[key] for key in POOL_COUNTS)
    ]
    if not rows:
        return "  (no connection was asked of a pool)"
    return table(["connect", *POOL_COUNTS, "open at the end", "discarded"], rows)


def log_excerpt(run: Run) -> str:
    """The first line of each kind that the maintainers look for; of the statistics, the last."""
    found: dict[str, str] = {}
    for line in run.log_file.read_text(encoding="utf-8").splitlines():
        for kind in LOG_LINES:
            if kind in line and (kind not in found or kind == "Cache stats:"):
                found[kind] = line
    return "\n".join(f"  {found[kind]}" for kind in LOG_LINES if kind in found) or "  (no such lines)"


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Aligned columns: the first to the left, the others to the right."""
    return "\n".join(_aligned([header, *rows]))


def _aligned(lines: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for number, line in enumerate(lines):
        cells = [line[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True)]
        yield "  " + "   ".join(cells)
        if number == 0:
            yield "  " + "   ".join("-" * width for width in widths)
