"""A child process waits for none of its parent's threads, whatever these held when it was forked."""

from __future__ import annotations

import ast
import functools
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
MAKERS = {"Lock", "RLock", "Condition", "Event", "Semaphore", "BoundedSemaphore", "Barrier", "Timer"}

NEVER_HELD = {
    "cache.flights.join": "the event of a load: in a child its region has no loads",
    "cache.namespace.__init__": "given the registry's new one",
    "pool.leaks.watch": "only what stops the parent's thread, and forgotten in a child",
    "pool.module_watch.telling_if_not_asked": "never waited for",
    "telemetry.summary.__init__": "only what stops the parent's thread, and forgotten in a child",
    "watching.__init__": "only for the parent's thread, and forgotten in a child",
    "forks.before_fork": "an event that nobody waits for in a child",
    "testing.faults": "for tests that do not fork",
}
"""Where a lock is made that stays as it is, and why."""

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")


@functools.cache
def places() -> dict[str, list[str]]:
    """Where locks are made, by module and function; with the functions of each module that make some."""
    found: dict[str, list[str]] = {}
    for package, folder in {"wats_accel": ROOT / "wats_accel", "plugins": ROOT / "plugins"}.items():
        for path in sorted(folder.rglob("*.py")):
            module = ".".join(path.relative_to(folder).with_suffix("").parts)
            name = module if package == "wats_accel" else f"plugins.{module}"
            functions = list(_makers(ast.parse(path.read_text(encoding="utf-8"))))
            if functions:
                found[name] = functions
    return found


def _makers(tree: ast.AST, function: str = "") -> list[str]:
    made: list[str] = []
    for node in ast.iter_child_nodes(tree):
        inner = node.name if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) else function
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            made += [function] if name in MAKERS else []
        made += _makers(node, inner)
    return made


def test_each_lock_begins_anew_in_a_child_or_is_known_not_to_need_it() -> None:
    forgotten = [
        f"{module}.{function}"
        for module, functions in places().items()
        for function in functions
        if not {"begin_anew", "_begin_anew", "_in_child"} & set(functions)
        and f"{module}.{function}" not in NEVER_HELD
        and module not in NEVER_HELD
    ]
    assert forgotten == []


def test_what_is_known_not_to_need_it_is_there() -> None:
    known = {f"{module}.{function}" for module, functions in places().items() for function in functions}
    assert set(NEVER_HELD) <= known | set(places())


@pytest.mark.soak
@pytest.mark.parametrize("watch", ["true", "false"][: 2 if os.environ.get("WATS_ACCEL_SOAK") == "1" else 1])
def test_a_child_works_and_uninstalls_whichever_locks_other_threads_held(tmp_path: Path, watch: str) -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-W",
            "error",
            str(HERE / "forking_program.py"),
            str(tmp_path / "accel.yaml"),
            watch,
        ],
        env={name: value for name, value in os.environ.items() if not name.startswith("WATS_ACCEL")},
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr
    status, *held = done.stdout.split()
    assert status == "0", done.stderr
    assert len(held) >= 20
    assert {"wats_accel._lock", "wats_accel.event_bus.EventBus._lock"} <= set(held)
