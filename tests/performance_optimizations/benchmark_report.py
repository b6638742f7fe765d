"""What is printed of the parts that were measured, and what goes into the JSON file."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator, Sequence
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path
from statistics import fmean, median
from typing import Any, Final

from benchmark_words import Words
from boxed_summary import Console
from measured_databases import MeasuredDatabase
from measured_parts import Part
from measured_passes import Pass, Side
from realistic_plan import Call
from simulation.report import LOG_LINES


class Report:
    """Prints in one language, for one console."""

    def __init__(self, words: Words, console: Console) -> None:
        self._words = words
        self._console = console

    def heading(self, database: MeasuredDatabase, options: Any) -> str:
        """What is measured, and where."""
        numbers = {name: getattr(options, name) for name in ("calls", "threads", "rounds")}
        where = self._words("where", database=database.title, **numbers)
        return self._console.text(f"{self._words('title')}\n{where}")

    def part(self, part: Part, **about: Any) -> str:
        """The table of a part, below its name and a sentence about it."""
        heading = f"\n{self._words(part.name)}\n  {self._words(f'{part.name}_what', **about)}\n"
        return f"{self._console.text(heading)}\n{self._table(part)}"

    def _table(self, part: Part) -> str:
        columns = ["way", "total", "median", "p95", "connections", "statements"]
        columns += ["pools_own"] * any(side.pools_own for side in part.sides) + ["different"]
        return self._console.table(
            [self._words(column) for column in columns],
            [[self._cell(part, side, column) for column in columns] for side in part.sides],
        )

    def _cell(self, part: Part, side: Side, column: str) -> str:
        if column == "way":
            return self._words(side.name)
        value = _figures(part, side)[column]
        return self._words.number(value, 0 if isinstance(value, int) else 3 if column != "total" else 1)

    def methods(self, part: Part, calls: Sequence[Call]) -> str:
        """The median of each read from the database and from the cache; the first call is no hit."""
        rows = [[name, *map(self._milliseconds, medians)] for name, medians in _medians(part, calls)]
        return self._console.table([self._words(key) for key in ("method", "miss", "hit")], rows)

    def _milliseconds(self, seconds: float | None) -> str:
        return "-" if seconds is None else self._words.number(1000 * seconds, 3)

    def hit_rates(self, part: Part) -> str:
        """Of each namespace that was asked."""
        statistics = part.after.statistics
        assert statistics is not None, "the accelerated side has them"
        rates = [
            f"{name} {self._words.number(numbers['hit_rate'], 1)}%"
            for name, numbers in sorted(statistics["namespaces"].items())
            if numbers["hits"] + numbers["misses"]
        ]
        return self._console.text(f"  {self._words('hit_rate', rates=', '.join(rates))}")

    def log(self, lines: dict[str, str | None]) -> str:
        """The first line of each kind that the maintainers look for."""
        shown = [line or f"{kind} {self._words('no_line')}" for kind, line in lines.items()]
        return self._console.text("\n".join([f"\n{self._words('log')}", *(f"  {line}" for line in shown)]))

    def summary(self, parts: Sequence[Part]) -> str:
        """The box."""
        improvements = [(f"{self._words(part.name)}:", self._improvement(part.improvement)) for part in parts]
        average = self._words.number(fmean(part.improvement for part in parts), 1)
        return self._console.box(
            self._words("summary"),
            improvements,
            [(f"{self._words('average')}:", f"{average}%")],
            [*self._counts(parts), (f"{self._words('answers')}:", self._different(parts))],
        )

    def _counts(self, parts: Sequence[Part]) -> Iterator[tuple[str, str]]:
        for part in parts:
            if part.name == "combined":
                for label, key in (("connections_opened", "connections"), ("statements_sent", "statements")):
                    before, after = (
                        self._words.number(getattr(side, key)) for side in (part.before, part.after)
                    )
                    yield f"{self._words(label)}:", f"{before} → {after} {self._words('in_combined')}"

    def _different(self, parts: Sequence[Part]) -> str:
        different = sum(part.different(part.after) for part in parts)
        whole = sum(len(part.after.answers) for part in parts)
        return self._words("of", count=self._words.number(different), whole=self._words.number(whole))

    def _improvement(self, percent: float) -> str:
        key = "better" if percent >= 0 else "worse"
        return self._words(key, percent=self._words.number(abs(percent), 1))


def _figures(part: Part, side: Side) -> dict[str, Any]:
    times = sorted(side.fastest.times)
    return {
        "total": 1000 * side.fastest.seconds,
        "median": 1000 * median(times),
        "p95": 1000 * times[max(0, -(-len(times) * 95 // 100) - 1)],
        "connections": side.connections,
        "statements": side.statements,
        "pools_own": side.pools_own,
        "different": part.different(side),
    }


def _medians(part: Part, calls: Sequence[Call]) -> Iterator[tuple[str, tuple[float | None, ...]]]:
    """For each method the median before, and that of the hits after."""
    seen: set[Call] = set()
    places: dict[str, tuple[list[int], list[int]]] = {}
    for number, call in enumerate(calls):
        every, hits = places.setdefault(call.target, ([], []))
        every.append(number)
        if call in seen:
            hits.append(number)
        seen.add(call)
    for target, (every, hits) in places.items():
        yield target, (_median(part.before.fastest, every), _median(part.after.fastest, hits))


def _median(done: Pass, places: Sequence[int]) -> float | None:
    return median(done.times[place] for place in places) if places else None


def lines_to_look_for(files: Sequence[Path]) -> dict[str, str | None]:
    """The first line of each kind in these logs, without its time; of the statistics the last."""
    found: dict[str, str | None] = dict.fromkeys(LOG_LINES)
    for file in files:
        for line in file.read_text(encoding="utf-8").splitlines():
            message = line.partition(" - ")[2]
            for kind in LOG_LINES:
                if message.startswith(kind) and (found[kind] is None or kind == "Cache stats:"):
                    found[kind] = message
    return found


PACKAGES: Final = ("wats-accel", "SQLAlchemy", "wrapt", "structlog", "pyodbc")


def as_json(
    database: MeasuredDatabase, options: Any, parts: Sequence[Part], log: dict[str, str | None]
) -> dict[str, Any]:
    """Every figure, with machine, versions and date. Times are in milliseconds."""
    return {
        "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "machine": {
            "system": platform.platform(),
            "processor": platform.processor() or platform.machine(),
            "cores": os.cpu_count(),
            "python": f"{platform.python_implementation()} {platform.python_version()}",
            "packages": dict(_versions()),
        },
        "database": database.title,
        "options": {name: getattr(options, name) for name in ("calls", "threads", "rounds", "seed")},
        "parts": {part.name: _part_as_json(part) for part in parts},
        "average_improvement_percent": fmean(part.improvement for part in parts),
        "log": log,
    }


def _part_as_json(part: Part) -> dict[str, Any]:
    sides = {
        side.name: {**_figures(part, side), "calls": len(side.answers), "statistics": side.statistics}
        for side in part.sides
    }
    return {"improvement_percent": part.improvement, "sides": sides}


def _versions() -> Iterator[tuple[str, str | None]]:
    for package in PACKAGES:
        try:
            yield package, version(package)
        except ImportError:  # PackageNotFoundError: pyodbc need not be there
            yield package, None
