"""Programs in processes of their own, and what must hold when nothing is accelerated any more."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest
from accel_shop import config

HERE = Path(__file__).resolve().parents[1]

# What every program begins with.
PREAMBLE = """
import atexit, json, logging, os, signal, sys, threading, weakref
import accel_shop, wats_accel
from accel_shop import UserRepository, is_patched
repository = UserRepository()
repository.set_user("ada", "admin")

def reads(count=2):
    before = repository.db.queries
    assert [repository.get_user("ada") for _ in range(count)] == ["admin"] * count
    return repository.db.queries - before

def threads():
    return sorted(known.name for known in threading.enumerate() if known.name.startswith("wats-accel"))

def threads_that_stay():
    for known in threading.enumerate():
        if known.name.startswith("wats-accel"):
            known.join(20)
    return threads()

def say(*words):
    print(*words, flush=True)
"""

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run a program, with `accel.yaml` as its configuration; nothing may come on standard error."""
    rules = config(logging={"summary_every": "1h"})
    (tmp_path / "accel.yaml").write_text(json.dumps(rules), encoding="utf-8")

    def python(program: str, *, status: int = 0, quiet: bool = True) -> subprocess.CompletedProcess[str]:
        path = tmp_path / "program.py"
        path.write_text(PREAMBLE + textwrap.dedent(program), encoding="utf-8")
        kept = {name: value for name, value in os.environ.items() if not name.startswith("WATS_ACCEL")}
        done = subprocess.run(
            [sys.executable, "-W", "error", str(path)],
            env={**kept, "PYTHONPATH": str(HERE)},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == status, done.stderr
        if quiet:
            assert done.stderr == ""
        return done

    return python
