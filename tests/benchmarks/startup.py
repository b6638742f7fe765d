"""What a start costs: the libraries that it loads, `install`, and the first connection that is pooled.

    python tests/benchmarks/startup.py            # 20 fresh processes for each row
    python tests/benchmarks/startup.py --quick    # 5

Processor time of fresh processes, in milliseconds, of all their threads. Byte code is written to a folder of
its own before anything is measured, as it is where a package is installed. The cases take turns, so that what
else the machine does meets all of them.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path
from typing import Any, Final

Row = dict[str, Any]

ROOT: Final = Path(__file__).resolve().parents[2]
GOAL: Final = 40
ROUNDS, QUICK_ROUNDS = 20, 5
METHODS: Final = 10
LIBRARIES: Final = {
    "wrapt": "import wrapt",
    "pluggy": "import pluggy",
    "structlog": "import structlog",
    "pydantic": "from pydantic import BaseModel, BeforeValidator, Field, StrictBool, create_model",
    "PyYAML": "import yaml",
}
"""What a start needs itself, and of pydantic the names that are really used: it loads itself by name."""

ALL: Final = "; ".join(LIBRARIES.values())
INSTALL: Final = "import wats_accel; wats_accel.install({!r}, strict=True)"

# What is not measured, and what is; in one process, one after the other.
CASES: Final[dict[str, tuple[str, str]]] = {
    **{f"import of {name}, alone": ("", text) for name, text in LIBRARIES.items()},
    "import of all five": ("", ALL),
    "import of SQLAlchemy's pool, alone": ("", "import sqlalchemy.pool"),
    "import of sqlglot, alone": ("", "import sqlglot"),
    "import wats_accel": ("", "import wats_accel"),
    "install, 10 methods, no pool, above the libraries": (ALL, INSTALL.format("plain.yaml")),
    "install, 10 methods, no pool, with the libraries": ("", INSTALL.format("plain.yaml")),
    "install, the maintainers' rules, no pool, above the libraries": (ALL, INSTALL.format("wats.yaml")),
    "install, 10 methods and a pool, above the libraries": (ALL, INSTALL.format("pooled.yaml")),
    "patching of these 10 methods when their module is imported": (
        INSTALL.format("plain.yaml"),
        "import app",
    ),
    "the first connection that is pooled, sqlite3": (
        f"import sqlite3; {INSTALL.format('pooled.yaml')}",
        "sqlite3.connect('shop.db').close()",
    ),
    "the first connection, sqlite3 alone": ("import sqlite3", "sqlite3.connect('shop.db').close()"),
}
GOALS: Final = {name: GOAL for name in CASES if name.startswith("install, 10 methods, no pool, above")}
PEERS: Final = {"the first connection, sqlite3 alone": "sqlite3"}

_MEASURED = """
import sys, time
sys.path.insert(0, {folder!r})
{before}
begun = time.process_time()
{measured}
print((time.process_time() - begun) * 1e3, flush=True)
import os
os._exit(0)
"""


def write_files(folder: Path) -> None:
    """The configurations, and the application of ten methods that they patch."""
    half = METHODS // 2
    reads = "".join(f"\n      get_{number}: users" for number in range(half))
    writes = "".join(f'\n      set_{number}: ["users:*"]' for number in range(half))
    rules = (
        "version: 1\ncache:\n  namespaces:\n    users: {ttl: 300s}\nrepositories:\n  - target: app:Repository"
        f"\n    scope: self.url\n    cached:{reads}\n    invalidates:{writes}\n"
    )
    (folder / "plain.yaml").write_text(rules)
    (folder / "pooled.yaml").write_text(rules + 'pool:\n  - connect: "sqlite3:connect"\n')
    (folder / "wats.yaml").write_text(
        _without_pool((ROOT / "config" / "wats.yaml").read_text(encoding="utf-8"))
    )
    methods = "".join(
        f"    def get_{number}(self, name):\n        return name\n"
        f"    def set_{number}(self, name):\n        return True\n"
        for number in range(half)
    )
    (folder / "app.py").write_text(f"class Repository:\n    url = 'one'\n{methods}")


def _without_pool(text: str) -> str:
    kept, is_pool = [], False
    for line in text.splitlines():
        is_pool = line.startswith("pool:") or (is_pool and (not line or line[0] in " #"))
        kept += [] if is_pool else [line]
    return "\n".join(kept) + "\n"


def milliseconds(case: str, folder: Path) -> float:
    """What one fresh process takes for a case."""
    before, measured = CASES[case]
    (folder / "state").mkdir(exist_ok=True)
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment |= {
        "PYTHONPYCACHEPREFIX": str(folder / "byte_code"),
        "WATS_ACCEL_STATE_DIR": str(folder / "state"),
    }
    program = textwrap.dedent(_MEASURED).format(folder=str(folder), before=before, measured=measured)
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{case}: {done.stderr}")
    return float(done.stdout.split()[-1])


def main() -> list[Row]:
    """Measure, print, and give the rows: what, goal, and the least and the median in milliseconds."""
    rounds = QUICK_ROUNDS if "--quick" in sys.argv[1:] else ROUNDS
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name)
        write_files(folder)
        for case in CASES:  # so that there is byte code
            milliseconds(case, folder)
        figures: dict[str, list[float]] = {case: [] for case in CASES}
        for _ in range(rounds):
            for case in CASES:
                figures[case].append(milliseconds(case, folder))
    rows = [_row(case, found) for case, found in figures.items()]
    for row in rows:
        print(f"{row['name']:66} min {row['min']:7.1f}  median {row['median']:7.1f} ms  goal {row['goal']}")
    return rows


def _row(case: str, found: list[float]) -> Row:
    least = min(found)
    return {
        "name": case,
        "goal": GOALS.get(case, ""),
        "value": least,
        "unit": "ms",
        "min": least,
        "median": statistics.median(found),
        "peer": PEERS.get(case, "wats_accel"),
    }


if __name__ == "__main__":
    main()
