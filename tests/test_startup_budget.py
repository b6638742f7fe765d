"""What a start may load: every library that is more than these costs each user time, at each start."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from accel_shop import config

HERE = Path(__file__).parent

LIBRARIES = {
    "wrapt": "finds targets, runs hooks when modules are imported, undoes patches",
    "pluggy": "the features are its plugins",
    "structlog": "writes the log; that it is missing is told before anything is patched",
    "pydantic": "checks the configuration",
    "yaml": "reads the file; not loaded for one in TOML, nor for a mapping",
}
"""Those that a start needs itself. What these load in their turn is theirs, and is not counted."""

OF_THESE = "import wrapt, pluggy, structlog, yaml; from pydantic import BaseModel, Field, create_model"

NEVER = {
    "sqlalchemy": "the first connection that comes from a pool loads it",
    "sqlglot": "the first text of SQL",
    "click": "the command line",
    "tomlkit": "a switch that is turned in a file",
    "tomllib": "a file in TOML",
    "watchdog": "`watch: true`",
    "multiprocessing": "nothing",
    "sqlite3": "the application",
    "pyodbc": "the application",
    "difflib": "a mistake in the file",
    "fractions": "a duration such as 1.5s",
    "decimal": "the same, and an explanation",
    "wats_accel.cli": "the command line",
    "wats_accel.config.docstrings": "the JSON Schema",
    "wats_accel.config.sql_section": "the key `sql:`",
    "wats_accel.editing": "a switch that is turned in a file",
    "wats_accel.inert": "a start that fails",
    "wats_accel.locking": "a lock file",
    "wats_accel.report": "`accelerator.explain`",
    "wats_accel.sql": "the mode that goes by the SQL, and checks",
    "wats_accel.sql_tokens": "the same, and pools",
    "wats_accel.testing": "tests",
    "wats_accel.tracking": "the mode that goes by the SQL",
    "wats_accel.versions": "a database that is asked for versions",
    "wats_accel.watching": "`watch: true`",
    "wats_accel.wrappers.compared": "`shadow:` and `verify:`",
    "wats_accel.wrappers.materialized": "a generator function that is cached",
    "wats_accel.wrappers.valid_until": "`valid_until:`",
    "wats_accel_plugins.freshness_section": "the key `freshness:`",
    "wats_accel_plugins.outside": "the keys `shared:` and `freshness:`",
    "wats_accel_plugins.shared_section": "the key `shared:`",
}
"""Who loads each: no start does that has no use for it."""

NO_POOL = {
    "wats_accel.pool.pooled_connect",
    "wats_accel.pool.connection_pool",
    "wats_accel.pool.statements",
    "wats_accel_plugins.pool_section",
}

OWN_MODULES = 150
"""Of our own, without a pool; each is a file to find, to read and to run."""

RECORDS = 15
"""Of the dataclasses among them, those that may be made whole, which none is for its objects alone."""

PROGRAM = """
import json, sys
{first}
before = set(sys.modules)
import dataclasses
made = []
process = dataclasses._process_class
def count(cls, *args, **kwargs):
    made.append(cls.__module__)
    return process(cls, *args, **kwargs)
dataclasses._process_class = count
import wats_accel
accelerator = wats_accel.install({source!r}, strict=True)
{then}
print(json.dumps([sorted(set(sys.modules) - before), [name for name in made if name[:5] == "wats_"]]))
"""


@pytest.fixture
def loaded_by(tmp_path: Path) -> Any:
    """The modules that an installation loads in a fresh interpreter, and of which a dataclass was made."""

    def run(rules: Any, *, first: str = OF_THESE, then: str = "") -> tuple[set[str], list[str]]:
        (tmp_path / "accel.yaml").write_text(json.dumps(rules), encoding="utf-8")
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM.format(first=first, source="accel.yaml", then=then)],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(HERE), "WATS_ACCEL_STATE_DIR": str(tmp_path / "state")},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert (done.returncode, done.stderr) == (0, "")
        modules, made = json.loads(done.stdout)
        return set(modules), made

    return run


def _is_of(module: str, packages: Any) -> bool:
    return any(module == package or module.startswith(f"{package}.") for package in packages)


def _packages(modules: set[str]) -> set[str]:
    """The packages outside of the standard library and of ours."""
    tops = {module.partition(".")[0] for module in modules}
    return {top for top in tops if not {top, top.strip("_")} & sys.stdlib_module_names}


def test_a_start_loads_these_libraries_and_no_others(loaded_by: Any) -> None:
    modules, made = loaded_by(config())
    assert _packages(modules) <= {*LIBRARIES, "wats_accel", "wats_accel_plugins"}
    assert sorted(module for module in modules if _is_of(module, {*NEVER, *NO_POOL})) == []
    own = [module for module in modules if _is_of(module, {"wats_accel", "wats_accel_plugins"})]
    assert len(own) <= OWN_MODULES
    assert len(made) <= RECORDS


def test_nothing_but_these_libraries_is_asked_for(loaded_by: Any) -> None:
    whole, _ = loaded_by(config(), first="")
    own, _ = loaded_by(config())
    alone = subprocess.run(
        [sys.executable, "-c", f"import json, sys; {OF_THESE}; print(json.dumps(sorted(sys.modules)))"],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert whole - own - set(json.loads(alone.stdout)) == set()


def test_a_start_with_a_pool_leaves_the_library_of_pools_to_the_first_connection(loaded_by: Any) -> None:
    pooled = config(pool=[{"connect": "sqlite3:connect"}])
    modules, _ = loaded_by(pooled)
    assert _packages(modules) <= {*LIBRARIES, "wats_accel", "wats_accel_plugins"}
    left_to_pools = {"wats_accel.sql_tokens"}
    assert sorted(module for module in modules if _is_of(module, set(NEVER) - left_to_pools)) == []
    connected = "import sqlite3; sqlite3.connect('shop.db').close()"
    modules, _ = loaded_by(pooled, then=connected)
    assert "sqlalchemy" in modules


def test_a_mapping_needs_nothing_that_reads_files() -> None:
    rules = repr(config())
    program = (
        "import sys; before = set(sys.modules);"  # whoever measures coverage has read a file by then
        f"import wats_accel; wats_accel.install({rules}, strict=True);"
        "print(sorted({'yaml', 'tomllib'} & sys.modules.keys() - before))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": str(HERE)},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout == "[]\n"


IN_THE_BACKGROUND = """
import importlib.abc, importlib.machinery, sys, threading
who = {}
class Watch(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        who.setdefault(name, threading.current_thread().name)
        if name != "sqlalchemy":
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path)
        execute = spec.loader.exec_module
        def slowly(module):
            begun.set()
            assert go_on.wait(20)
            execute(module)
        spec.loader.exec_module = slowly
        return spec
begun, go_on = threading.Event(), threading.Event()
sys.meta_path.insert(0, Watch())
import sqlite3
done = []
thread = threading.Thread(
    target=lambda: done.append(sqlite3.connect("shop.db", check_same_thread=False)), name="connects"
)
thread.start()
assert begun.wait(20)
# Its import is under way, and holds its locks. The window goes on meanwhile:
import accel_shop
repository = accel_shop.UserRepository()
for _ in range(2):
    repository.get_user("ada")
assert repository.db.queries == 1
accelerator.stats()
accelerator.invalidate("*")
accelerator.disable("users:*")
accelerator.enable("users:*")
import wave, colorsys
assert not done
go_on.set()
thread.join(20)
done[0].close()
assert who["sqlalchemy"] == "connects"
main = [name for name, thread in who.items() if name.startswith("sqlalchemy") and thread != "connects"]
assert main == [], main
"""


def test_the_first_connection_loads_it_in_its_own_thread_and_holds_nobody_up(loaded_by: Any) -> None:
    modules, _ = loaded_by(config(pool=[{"connect": "sqlite3:connect"}]), then=IN_THE_BACKGROUND)
    assert "sqlalchemy" in modules
