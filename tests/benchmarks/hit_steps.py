"""What each step of a hit costs, measured one by one: for docs/explanation/hit-path.md.

    python tests/benchmarks/hit_steps.py

Each step is the very expression of the hit path, with the very objects. What the loop around it costs is
taken off. Together they come to more than a hit: the interpreter joins steps that stand in one function.
"""

from __future__ import annotations

import functools
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

ENTRY: Final = "_accel_entry"
STEPS: Final = {
    "the call of a function, by a bound method": "plain.get(name)",
    "is it cached, and is no write under way": "_accel_region.active and not _accel_writes",
    "the table of the call before": "_accel_owner, _accel_table = _accel_store.tables.last",
    "is it this instance's": "_accel_nobody() is not repository",
    "is the argument a text": "_accel_type(name) is _accel_str",
    "the entry": "_accel_table[name]",
    "the time": "_accel_clock()",
    "is it fresh, and rests on nothing": f"{ENTRY}.due_at > 0.0 and not {ENTRY}.premises",
    "may the value itself be given": f"{ENTRY}.value if {ENTRY}.thaw is None else None",
    "eviction may look away": f"{ENTRY}.visited = True",
    "one more hit": "_accel_counters.hits += 1",
    "no load around it, and nobody listens": "_accel_loads or _accel_on_hit.listeners",
}
OTHERS: Final = {
    "a copy of a list of 200": "many.copy()",
    "a hit, by instance": "repository.get(name)",
    "a hit, by connection string": "scoped.get(name)",
    "functools.lru_cache, a method": "rival.get(name)",
}


class Plain:
    """A method that does nothing."""

    def get(self, name: str) -> None:
        """Nothing."""


class Rival:
    """The standard library's own."""

    @functools.lru_cache(None)  # noqa: B019 - it is what is measured
    def get(self, name: str) -> tuple[int, bool]:
        """A constant."""
        return (7, True)


def main() -> list[dict[str, Any]]:
    """Measure, print, and give the rows."""
    sys.path.insert(0, str(Path(__file__).with_name("micro")))
    from interleaved import loop, side_by_side
    from measured_application import ByDatabase, ByInstance, in_production

    with tempfile.TemporaryDirectory() as folder, in_production(Path(folder)):
        repository, scoped = ByInstance(lambda name: (7, True)), ByDatabase(lambda name: (7, True))
        for each in (repository, scoped):
            each.get("jefferson")
            each.get("jefferson")
        steps = dict(vars(sys.modules[__name__])) | _names_of(repository)
        steps |= {"repository": repository, "scoped": scoped, "plain": Plain(), "rival": Rival()}
        steps |= {"name": "jefferson", "many": [(number, str(number)) for number in range(200)]}
        statements = {"": "pass", **STEPS, **OTHERS}
        samples = side_by_side({what: loop(text, **steps) for what, text in statements.items()})
    empty = samples.pop("")
    rows = [_row(what, found, min(empty), statistics.median(empty)) for what, found in samples.items()]
    for row in rows:
        print(f"{row['name']:45} {row['min']:8.1f} {row['median']:8.1f} ns")
    return rows


def _names_of(repository: Any) -> dict[str, Any]:
    """What the hit path of its method works with, and what it has found for this instance."""
    names = dict(type(repository).get.__globals__)
    names["_accel_nobody"], names["_accel_table"] = names["_accel_store"].tables.last
    return names | {ENTRY: names["_accel_table"]["jefferson"]}


def _row(what: str, samples: list[float], least_of_none: float, median_of_none: float) -> dict[str, Any]:
    least, median = min(samples) - least_of_none, statistics.median(samples) - median_of_none
    return {"name": what, "unit": "ns", "min": least * 1e9, "median": median * 1e9, "peer": "", "goal": ""}


if __name__ == "__main__":
    main()
