"""CPython's own tests of sqlite3 pass over the pooled driver as they do over the bare one."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cpython_suite import SUITE

AS_IT_IS = "as it is"
IN_FILES = "in files"
AFTER_NEIGHBOURS = "in files, after neighbours"
MODES = {AS_IT_IS: [], IN_FILES: ["--files"], AFTER_NEIGHBOURS: ["--files", "--neighbours"]}

EXPECTED = {
    "OpenTests.test_database_keyword": "compares the exact type() of a connection",
    "RegressionTests.test_bpo31770": "calls sqlite3.Cursor(connection), whose C code wants the exact type",
}
"""Tests that fail over the pooled driver, and why they cannot do otherwise."""


_QUICK_FOLDER = "/dev/shm" if Path("/dev/shm").is_dir() else None
"""In memory, where there is such a thing: each of thousands of neighbours rolls a file back."""


@dataclass(frozen=True, slots=True)
class Runs:
    """What came of the suite in one mode."""

    mode: str
    bare: dict[str, Any]
    pooled: dict[str, Any]

    def failing(self) -> dict[str, tuple[str | None, str | None]]:
        """The tests that do not end alike, with the words of either failure."""
        bare, pooled = self.bare["failed"], self.pooled["failed"]
        names = sorted({*bare, *pooled})
        return {
            name: (bare.get(name), pooled.get(name)) for name in names if bare.get(name) != pooled.get(name)
        }

    def expected(self) -> set[str]:
        """Those that may; without pooled connections there are none."""
        if self.mode == AS_IT_IS:
            return set()
        return {name for name in self.bare["ran"] if ".".join(name.split(".")[-2:]) in EXPECTED}


@pytest.fixture(scope="module", params=MODES)
def runs(request: pytest.FixtureRequest) -> Runs:
    """The suite has run twice, bare and pooled."""
    if not _is_shipped():
        # Some distributions leave it out: not a part that CI could install, so this does not fail there.
        pytest.skip(f"{SUITE} is not shipped with this interpreter")
    options = MODES[request.param]
    with tempfile.TemporaryDirectory(dir=_QUICK_FOLDER) as folder:
        bare = _run(Path(folder, "bare"), options)
        pooled = _run(Path(folder, "pooled"), [*options, "--pooled"])
    return Runs(request.param, bare, pooled)


def _is_shipped() -> bool:
    needed = (SUITE,) if sys.version_info >= (3, 11) else (SUITE, "sqlite3.test")
    try:
        return all(importlib.util.find_spec(name) is not None for name in needed)
    except ModuleNotFoundError:
        return False


def _run(folder: Path, options: list[str]) -> dict[str, Any]:
    folder.mkdir()
    program = Path(__file__).with_name("cpython_suite.py")
    done = subprocess.run(
        [sys.executable, str(program), "result.json", *options],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Exception ignored" not in done.stderr, done.stderr
    result: dict[str, Any] = json.loads((folder / "result.json").read_text("utf-8"))
    return result


def test_only_what_cannot_hold_fails_over_the_pooled_driver(runs: Runs) -> None:
    assert len(runs.bare["ran"]) > 300
    differing = runs.failing()
    unexpected = differing.keys() - runs.expected()
    assert not unexpected, "\n".join(
        f"{name}: {differing[name]}\n{runs.pooled['tracebacks'].get(name)}" for name in sorted(unexpected)
    )
    assert differing.keys() == runs.expected()


def test_the_same_tests_run_and_are_skipped(runs: Runs) -> None:
    assert runs.pooled["ran"] == runs.bare["ran"]
    assert runs.pooled["skipped"] == runs.bare["skipped"]


def test_exceptions_that_cannot_be_raised_are_the_same(runs: Runs) -> None:
    assert runs.pooled["unraisable"] == runs.bare["unraisable"]


def test_no_connection_stays_checked_out(runs: Runs) -> None:
    assert runs.pooled["pool"]["checked_out"] == 0


def test_the_suites_connections_had_other_users_before(runs: Runs) -> None:
    pool = runs.pooled["pool"]
    if runs.mode == AS_IT_IS:  # nearly all are in memory, and none of those may have two users
        assert pool["opened"] > 0
        assert pool["bare"] > 300
        return
    share = runs.pooled["used_again"] / runs.pooled["connections"]
    assert runs.pooled["connections"] > 300
    assert share > (0.9 if runs.mode == AFTER_NEIGHBOURS else 0.5)
