"""What `make bench` does: measure everything, write docs/benchmarks.md with its charts, say what falls short.

    python tests/benchmarks/bench.py            # all, and write
    python tests/benchmarks/bench.py --quick    # a tenth of the rounds, printed only
    python tests/benchmarks/bench.py --page     # the page anew, from what was measured last

The environment is that of the rivals: `make bench` builds it.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).resolve().parent
ROOT: Final = HERE.parents[1]
PAGE: Final = ROOT / "docs" / "benchmarks.md"
CHARTS: Final = ROOT / "docs" / "benchmarks"
SAVED: Final = HERE / "results.json"
BUILD: Final = ROOT / "build" / "bench"
MICRO, START = BUILD / "micro.json", BUILD / "start.json"
SCRIPTS: Final = ("hit_steps", "invalidation", "startup")
"""Others that measure, each with a `main()` that gives its rows."""


def measure(path: Path, *, quick: bool = False) -> None:
    """Run all benchmarks: the JSON of pytest-benchmark. One stays in .benchmarks, for its `compare`."""
    command = [sys.executable, "-m", "pytest", "-c", str(HERE / "micro" / "pytest.ini"), str(HERE / "micro")]
    command += ["-q", "--benchmark-columns=min,median,rounds", f"--benchmark-json={path}"]
    command += [f"--benchmark-storage=file://{ROOT / '.benchmarks'}", "--benchmark-autosave"]
    environment = os.environ | ({"WATS_ACCEL_BENCH": "quick"} if quick else {})
    subprocess.run(command, check=True, env=environment, cwd=ROOT)


def measure_rows(script: str) -> bool:
    """Run another script in a process of its own; False: it has failed, and has said why."""
    output = BUILD / f"{script}.json"
    output.unlink(missing_ok=True)
    command = [sys.executable, __file__, "--rows-of", script, str(output)]
    return subprocess.run(command, check=False, cwd=ROOT).returncode == 0


def save_rows(script: str, output: Path) -> None:
    """In that process: import it, run it, write down what it gives."""
    path = HERE / f"{script}.py"
    sys.argv = [str(path)]
    spec = importlib.util.spec_from_file_location(script, path)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[script] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    output.write_text(json.dumps(module.main()), encoding="utf-8")


def load() -> float:
    """How many processes want to run on each core."""
    return os.getloadavg()[0] / (os.cpu_count() or 1) if hasattr(os, "getloadavg") else 0.0


def measure_all() -> list[str]:
    """Everything, kept in `BUILD`; gives the scripts that have failed."""
    before = json.loads(SAVED.read_text(encoding="utf-8")) if SAVED.exists() else {}
    START.write_text(json.dumps({"load": load(), "before": before}), encoding="utf-8")
    measure(MICRO)
    there = [script for script in SCRIPTS if (HERE / f"{script}.py").exists()]
    return [script for script in there if not measure_rows(script)]


def write_page() -> None:
    """Write what was measured last."""
    import benchmarks_page
    from charts import draw
    from run_of_benchmarks import Row, read

    rows = {}
    for script in SCRIPTS:
        output = BUILD / f"{script}.json"
        if output.exists():
            rows[script] = [Row.of(told) for told in json.loads(output.read_text(encoding="utf-8"))]
    start = json.loads(START.read_text(encoding="utf-8"))
    run = read(MICRO, start["load"], rows)
    text = benchmarks_page.generated(run, start["before"], draw(run.figures, CHARTS))
    print(text.partition("## Everything")[0])
    benchmarks_page.write(PAGE, text)
    SAVED.write_text(json.dumps(benchmarks_page.goals_of(run), indent=1) + "\n", encoding="utf-8")


def print_quickly() -> None:
    """Measure a tenth, and print what becomes of the goals."""
    import benchmarks_page
    from run_of_benchmarks import read

    path, began = BUILD / "quick.json", load()
    measure(path, quick=True)
    print(benchmarks_page.generated(read(path, began, {}), {}, {}).partition("## Everything")[0])


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the rounds; nothing is written")
    parser.add_argument("--page", action="store_true", help="measure nothing: write the last run's page anew")
    parser.add_argument("--rows-of", nargs=2, metavar=("SCRIPT", "OUTPUT"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    BUILD.mkdir(parents=True, exist_ok=True)
    if options.rows_of:
        save_rows(options.rows_of[0], Path(options.rows_of[1]))
    elif options.quick:
        print_quickly()
    else:
        failed = [] if options.page else measure_all()
        write_page()
        if failed:
            sys.exit(f"not on the page, for it has failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
