"""The program that is frozen. Its two lines are those that the documentation shows."""

from __future__ import annotations

import json
import logging
import multiprocessing
import sys
from pathlib import Path
from typing import Any

from stock import Stock, amounts_and_queries

import wats_accel


def run(database: str) -> dict[str, Any]:
    """What a maintainer would like to know of the frozen program."""
    accelerator = wats_accel.install("stock.yaml")
    stock = Stock(database)
    stock.create()
    seen = [stock.amounts(), stock.amounts()]
    stock.see("bolt")  # a column that no answer was made from
    seen.append(stock.amounts())
    queries_before_write = Stock.queries
    stock.receive("bolt", 5)
    seen.append(stock.amounts())
    modules = {name for name in sys.modules if name.startswith(("click", "wats_accel.cli"))}
    return {
        "seen": seen,
        "queries_before_write": queries_before_write,
        "queries": Stock.queries,
        "problems": [str(problem) for problem in accelerator.problems],
        "plugins": sorted(info.name for info in accelerator._assembly.plugins.plugins()),
        "notes": sys.modules["stock_notes"].NOTES,
        "reused": accelerator.stats().pools["sqlite3:connect"].reused,
        "parsed": "sqlglot.dialects.sqlite" in sys.modules,
        "command_line": sorted(modules),
        "c_wrapt": type(sys.modules["wrapt"].ObjectProxy.__init__).__name__,
        "c_yaml": hasattr(sys.modules["yaml"], "CSafeLoader"),
        "preset": _preset(),
        "child": _in_child(database),
        "streams": [sys.stdout is None, sys.stderr is None],
    }


def _preset() -> str:
    from importlib.resources import files

    return (files("wats_accel.presets") / "minimal.yaml").read_text(encoding="utf-8").splitlines()[0]


def _in_child(database: str) -> Any:
    context = multiprocessing.get_context("spawn")
    with context.Pool(1) as pool:
        return pool.apply(amounts_and_queries, (database,))


def main() -> None:
    """Write what was seen beside the database, since a windowed program has no standard output."""
    database, *switches = sys.argv[1:]
    if "log" in switches:
        logging.basicConfig(filename=f"{database}.log", level=logging.DEBUG)
    found = run(database)
    wats_accel.active().uninstall()
    Path(f"{database}.json").write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    multiprocessing.freeze_support()
    main()
