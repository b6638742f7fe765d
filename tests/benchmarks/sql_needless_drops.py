"""What writes of the example drop, and how much of it needlessly: by rules, by SQL, by both.

    python tests/benchmarks/sql_needless_drops.py [WRITES]

On a local SQLite file, with the methods that `config/wats.yaml` caches. An answer was dropped needlessly if
it is what it was before when it is loaded anew.
"""

from __future__ import annotations

import importlib
import sys
import tempfile
from pathlib import Path
from typing import Any

import yaml

from wats_accel.testing import accelerated

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "docs" / "examples" / "legacy_wats"), str(ROOT / "tests" / "examples")]


def configuration(mode: str) -> dict[str, Any]:
    """The application's own, in a mode."""
    document: dict[str, Any] = yaml.safe_load((ROOT / "config" / "wats.yaml").read_text(encoding="utf-8"))
    document["invalidation"] = mode
    document["logging"] = {"level": "error"}
    document["sql"]["schema"] = str(ROOT / "config" / "wats-schema.yaml")
    document["pool"].append({"connect": "sqlite3:connect"})
    return document


def report(mode: str, writes: int) -> None:
    """Write so many times on a database of its own, and print what came of it."""
    with tempfile.TemporaryDirectory() as folder:
        settings = importlib.import_module("src.wats.config.settings").Settings()
        settings.DB_TYPE, settings.DB_DATABASE = "sqlite", str(Path(folder) / "wats.db")
        importlib.import_module("simulation.generator").create_database(settings, seed=1)
        service = importlib.import_module("src.wats.db.db_service").DBService(settings)
        differential = importlib.import_module("differential").Differential
        with accelerated(configuration(mode)) as accelerator:
            print(f"\nmode {mode}\n{differential(service, accelerator, seed=1).run(writes)}")


if __name__ == "__main__":
    for each in ("rules", "sql", "both"):
        report(each, int(sys.argv[1]) if len(sys.argv) > 1 else 500)
