"""What `make bench` does: measure everything, write docs/benchmarks.md with its charts, say what falls short.

    python tests/benchmarks/bench.py            # all, and write
    python tests/benchmarks/bench.py --quick    # a tenth of the rounds, printed only

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
from typing import Any, Final

HERE: Final = Path(__file__).resolve().parent
ROOT: Final = HERE.parents[1]
PAGE: Final = ROOT / "docs" / "benchmarks.md"
CHARTS: Final = ROOT / "docs" / "benchmarks"
SAVED: Final = HERE / "results.json"
BUILD: Final = ROOT / "build" / "bench"
SCRIPTS: Final = ("hit_steps", "invalidation", "startup")
"""Others that measure, each with a `main()` that gives its rows."""


def measure(quick: bool) -> Path:
    """Run all benchmarks; gives the JSON of pytest-benchmark. One stays in .benchmarks, for its `compare`."""
    BUILD.mkdir(parents=True, exist_ok=True)
    path = BUILD / "micro.json"
    command = [sys.executable, "-m", "pytest", "-c", str(HERE / "micro" / "pytest.ini"), str(HERE / "micro")]
    command += ["-q", "--benchmark-columns=min,median,rounds", f"--benchmark-json={path}"]
    command += [f"--benchmark-storage=file://{ROOT / '.benchmarks'}", "--benchmark-autosave"]
    environment = os.environ | ({"WATS_ACCEL_BENCH": "quick"} if quick else {})
    subprocess.run(command, check=True, env=environment, cwd=ROOT)
    return path


def rows_of(script: str) -> list[dict[str, Any]] | None:
    """The rows of another script, run in a process of its own; None: it has failed, and has said why."""
    output = BUILD / f"{script}.json"
    command = [sys.executable, __file__, "--rows-of", script, str(output)]
    if subprocess.run(command, check=False, cwd=ROOT).returncode:
        return None
    rows: list[dict[str, Any]] = json.loads(output.read_text(encoding="utf-8"))
    return rows


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


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the rounds; nothing is written")
    parser.add_argument("--rows-of", nargs=2, metavar=("SCRIPT", "OUTPUT"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.rows_of:
        save_rows(options.rows_of[0], Path(options.rows_of[1]))
        return
    import benchmarks_page
    from charts import draw
    from run_of_benchmarks import Row, read

    load = os.getloadavg()[0] / (os.cpu_count() or 1) if hasattr(os, "getloadavg") else 0.0
    path = measure(options.quick)
    scripts = [name for name in SCRIPTS if not options.quick and (HERE / f"{name}.py").exists()]
    told = {script: rows_of(script) for script in scripts}
    rows = {script: [Row.of(row) for row in found] for script, found in told.items() if found}
    run = read(path, load, rows)
    before = json.loads(SAVED.read_text(encoding="utf-8")) if SAVED.exists() else {}
    charts = draw(run.figures, BUILD if options.quick else CHARTS)
    text = benchmarks_page.generated(run, before, charts)
    print(text.partition("## Everything")[0])
    if not options.quick:
        benchmarks_page.write(PAGE, text)
        SAVED.write_text(json.dumps(benchmarks_page.goals_of(run), indent=1) + "\n", encoding="utf-8")
    failed = [script for script, found in told.items() if found is None]
    if failed:
        sys.exit(f"not on the page, for it has failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
