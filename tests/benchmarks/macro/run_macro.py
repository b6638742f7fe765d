"""The macro benchmark: the example's day over slow networks, a rush of calls, and how costs grow.

Starts a private PostgreSQL server and stops it. A whole run writes docs/benchmarks-macro.md, its charts, and
results.json beside this file; a quick one writes the same into build/macro.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import signal
import sys
import time
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Any, Final

from macro_charts import charts, draw
from macro_designs import ROOT
from macro_plan import QUICK, WHOLE, Results, measure, without_switches
from macro_processes import RunFailedError
from macro_report import filled, parts

PAGE: Final = ROOT / "docs" / "benchmarks-macro.md"
CHARTS: Final = "benchmarks-macro"
RESULTS: Final = Path(__file__).with_name("results.json")
SCRATCH: Final = ROOT / "build" / "macro"
_PACKAGES: Final = ("pyodbc", "SQLAlchemy", "wrapt")


def machine() -> dict[str, str]:
    """What the figures depend on, as far as it can be told."""
    cores = os.cpu_count()
    load = f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"
    return {
        "on": time.strftime("%Y-%m-%d"),
        "processor": f"{_processor()} ({cores} cores, load {load} before the run)",
        "system": f"{platform.system()} {platform.release()}",
        platform.python_implementation(): platform.python_version(),
        **{name: metadata.version(name) for name in _PACKAGES},
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    found = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(found, platform.machine())


def write(results: Results, page: Path, results_file: Path) -> None:
    """Write the figures, the charts beside the page, and the page's generated parts."""
    results_file.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    folder = page.parent / CHARTS
    folder.mkdir(exist_ok=True)
    for chart in charts(results):
        draw(chart, folder)
    page.write_text(filled(page.read_text(encoding="utf-8"), parts(results)), encoding="utf-8")


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; gives the exit code: 2 if something that is needed is missing or failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="about a minute; figures of little weight")
    parser.add_argument("--again", action="store_true", help="measure nothing: results.json as it is")
    options = parser.parse_args(arguments)
    # Who ends us, ends the server and the processes that we have started, too.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    page, results_file = _where(quick=options.quick)
    if options.again:
        results = json.loads(results_file.read_text(encoding="utf-8"))
    else:
        try:
            results = _measured(quick=options.quick)
        except (RunFailedError, ImportError, OSError) as error:
            print(f"{type(error).__name__}: {error}", file=sys.stderr)
            return 2
    write(results, page, results_file)
    for name, text in parts(results).items():
        print(f"\n## {name}\n\n{text}")
    print(f"\nWritten: {page}, {results_file}")
    return 0


def _where(*, quick: bool) -> tuple[Path, Path]:
    if not quick:
        return PAGE, RESULTS
    SCRATCH.mkdir(parents=True, exist_ok=True)
    page = SCRATCH / PAGE.name
    page.write_text(PAGE.read_text(encoding="utf-8"), encoding="utf-8")
    return page, SCRATCH / RESULTS.name


def _measured(*, quick: bool) -> Results:
    about = machine()
    begin = time.perf_counter()

    def tell(step: str) -> None:
        print(f"{time.perf_counter() - begin:6.0f} s  {step}", file=sys.stderr, flush=True)

    with without_switches():
        results: dict[str, Any] = measure(QUICK if quick else WHOLE, tell)
    return {"machine": about, "plan": "quick" if quick else "whole", **results}


if __name__ == "__main__":
    sys.exit(main())
