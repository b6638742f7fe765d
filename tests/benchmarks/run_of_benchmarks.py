"""One run of `make bench`: the figures as pytest-benchmark has saved them, and the rows of other scripts."""

from __future__ import annotations

import importlib.metadata
import json
import platform
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from goals import GOALS, Figure, Figures, Goal

_PACKAGES: Final = (
    *("wrapt", "pydantic", "pluggy", "structlog", "SQLAlchemy", "pyodbc", "cachetools", "cachebox"),
    *("methodtools", "theine", "dogpile.cache", "diskcache", "DBUtils", "pytest-benchmark", "msgspec"),
    *("ormsgpack", "cryptography"),
)
_NUMBER = re.compile(r"(≤|<=|<|≥|>=|>)?\s*([\d,]+(?:\.\d+)?)")


@dataclass(frozen=True)
class Row:
    """One row of another script: `main()` of `invalidation.py` and of `startup.py` gives such ones."""

    name: str
    peer: str
    unit: str
    least: float | None
    median: float | None
    goal: str

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Row:
        """From the dictionary; what is not there is left open."""
        value = told.get("value")
        goal = told.get("goal")
        return cls(
            name=str(told["name"]),
            peer=str(told.get("peer") or ""),
            unit=str(told.get("unit") or ""),
            least=_number(told.get("min"), value),
            median=_number(told.get("median"), value),
            goal=f"≤ {goal:g}" if isinstance(goal, int | float) else str(goal or ""),
        )

    def holds(self, value: float | None) -> bool | None:
        """Whether a figure keeps to the goal, if that is a number; None: nobody can say."""
        bound = _NUMBER.search(self.goal)
        if value is None or bound is None:
            return None
        limit = float(bound[2].replace(",", ""))
        return value >= limit if bound[1] in ("≥", ">=", ">") else value <= limit


def _number(*values: Any) -> float | None:
    return next((float(value) for value in values if isinstance(value, int | float)), None)


@dataclass(frozen=True)
class Run:
    """What was measured, where, when.

    Attributes:
        figures: by group and peer.
        rows: of other scripts, by the script's name.
        machine: words about the machine.
        date: the day.
        load: processes that wanted to run when it began, for each core.
        versions: of Python and of what is compared.
    """

    figures: Figures
    machine: str
    date: str
    load: float
    rows: Mapping[str, list[Row]] = field(default_factory=dict)
    versions: Sequence[str] = ()

    def goals(self) -> list[tuple[Goal, float, float]]:
        """Each goal that was measured, with its figure by the least and by the median round."""
        found = ((goal, goal.measured(self.figures)) for goal in GOALS)
        return [(goal, *measured) for goal, measured in found if measured is not None]


def read(path: Path, load: float, rows: Mapping[str, list[Row]]) -> Run:
    """From the JSON of pytest-benchmark."""
    saved = json.loads(path.read_text(encoding="utf-8"))
    figures: Figures = {}
    for benchmark in saved["benchmarks"]:
        known = benchmark["extra_info"]
        samples = [known["bytes"]] if "bytes" in known else benchmark["stats"]["data"]
        figures.setdefault(benchmark["group"], {})[known["peer"]] = Figure(samples)
    return Run(figures, _machine(saved["machine_info"]), saved["datetime"][:10], load, rows, _versions())


def _machine(info: Mapping[str, Any]) -> str:
    cpu = info.get("cpu", {})
    brand = cpu.get("brand_raw") or info.get("processor") or info.get("machine")
    return f"{brand}, {cpu.get('count', '?')} cores, {info['system']} {info['machine']}"


def _versions() -> list[str]:
    ours = f"wats_accel {importlib.metadata.version('wats-accel')}"
    others = [f"{name} {importlib.metadata.version(name)}" for name in _PACKAGES]
    return [f"{platform.python_implementation()} {platform.python_version()}", ours, *others]
