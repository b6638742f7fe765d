"""CPython's own tests of sqlite3 pass over the pooled driver as they do over the bare one."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from cpython_suite import SUITE
from neighbours import LASTING

AS_IT_IS = "as it is"
IN_FILES = "in files"
AFTER_NEIGHBOURS = "in files, after neighbours"
MODES = {AS_IT_IS: [], IN_FILES: ["--files"], AFTER_NEIGHBOURS: ["--files", "--neighbours", "0"]}

# Tests that fail over the pooled driver, since which Python, and why they cannot do otherwise.
EXACT_TYPE = {
    "RegressionTests.test_bpo31770": (3, 10),  # sqlite3.Cursor(connection), which is checked in C
    "OpenTests.test_database_keyword": (3, 11),  # type(connection)
}
# Since 3.12 sqlite3 warns of some uses, and these tests look in which file. What C code warns of is put down
# to the innermost function that is written in Python, and that is not the caller's but the proxy's.
FILE_OF_A_WARNING = {
    "CursorTests.test_execute_named_param_and_sequence": (3, 12),
    "DateTimeTests.test_sqlite_date": (3, 12),
    "DateTimeTests.test_sqlite_timestamp": (3, 12),
    "AggregateTests.test_agg_keyword_args": (3, 13),
    "AuthorizerIllegalTypeTests.test_authorizer_keyword_args": (3, 13),
    "AuthorizerLargeIntegerTests.test_authorizer_keyword_args": (3, 13),
    "AuthorizerRaiseExceptionTests.test_authorizer_keyword_args": (3, 13),
    "AuthorizerTests.test_authorizer_keyword_args": (3, 13),
    "ConnectionTests.test_connect_positional_arguments": (3, 13),
    "FunctionTests.test_func_keyword_args": (3, 13),
    "ProgressTests.test_progress_handler_keyword_args": (3, 13),
    "TraceCallbackTests.test_trace_keyword_args": (3, 13),
}
# Waits for the warning that a dropped connection was never closed: it is not, but goes back to the pool.
NOT_CLOSED = {"ConnectionTests.test_connection_resource_warning": (3, 13)}
CANNOT_HOLD = {**EXACT_TYPE, **FILE_OF_A_WARNING, **NOT_CLOSED}
OF_CONNECT = {"ConnectionTests.test_connect_positional_arguments"}
"""Those of them that need no pooled connection to fail, but only that `connect` is taken over."""


_QUICK_FOLDER = "/dev/shm" if Path("/dev/shm").is_dir() else None
"""In memory, where there is such a thing: each of thousands of neighbours rolls a file back."""


@dataclass(frozen=True, slots=True)
class Runs:
    """What came of the suite in one mode."""

    mode: str
    bare: dict[str, Any]
    pooled: dict[str, Any]

    def differing(self) -> dict[str, tuple[str | None, str | None]]:
        """The tests that do not end alike, with the words of either failure."""
        bare, pooled = self.bare["failed"], self.pooled["failed"]
        names = sorted({*bare, *pooled})
        return {
            name: (bare.get(name), pooled.get(name)) for name in names if bare.get(name) != pooled.get(name)
        }

    def may_differ(self, name: str) -> bool:
        """Whether a test is one of those that cannot hold."""
        known = ".".join(name.split(".")[-2:])
        since = CANNOT_HOLD.get(known, (9, 9))
        return sys.version_info >= since and (self.mode != AS_IT_IS or known in OF_CONNECT)

    def unexpected(self) -> str:
        """Tests that do not end alike and are not among those; with tracebacks, as text."""
        return "\n".join(
            f"{name}: {words}\n{self.pooled['tracebacks'].get(name)}"
            for name, words in self.differing().items()
            if not self.may_differ(name)
        )


@pytest.fixture(scope="module", params=MODES)
def runs(request: pytest.FixtureRequest) -> Runs:
    """The suite has run twice, bare and pooled."""
    if not _is_shipped():
        # Some distributions leave it out: not a part that CI could install, so this does not fail there.
        pytest.skip(f"{SUITE} is not shipped with this interpreter")
    options = MODES[request.param]
    return Runs(request.param, _run(options), _run([*options, "--pooled"]))


def _is_shipped() -> bool:
    needed = (SUITE,) if sys.version_info >= (3, 11) else (SUITE, "sqlite3.test")
    try:
        return all(importlib.util.find_spec(name) is not None for name in needed)
    except ModuleNotFoundError:
        return False


def _run(options: list[str]) -> dict[str, Any]:
    program = Path(__file__).with_name("cpython_suite.py")
    with tempfile.TemporaryDirectory(dir=_QUICK_FOLDER) as folder:
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
        result: dict[str, Any] = json.loads(Path(folder, "result.json").read_text("utf-8"))
    return result


def test_only_what_cannot_hold_fails_over_the_pooled_driver(runs: Runs) -> None:
    assert len(runs.bare["ran"]) > 300
    assert len(runs.bare["failed"]) <= 2  # files are copied in other steps than memory is
    assert not runs.unexpected()


@pytest.mark.soak
@pytest.mark.timeout(600)
@pytest.mark.parametrize("runs", [AFTER_NEIGHBOURS], indirect=True)
def test_each_test_ends_alike_after_each_mess(runs: Runs, soak: bool) -> None:
    every = range(1, len(LASTING))
    for number in every if soak else every[:1]:
        pooled = _run(["--files", "--neighbours", str(number), "--pooled"])
        assert not replace(runs, pooled=pooled).unexpected(), f"from mess {number} on"


@pytest.mark.parametrize("runs", [IN_FILES], indirect=True)
def test_the_list_of_what_cannot_hold_is_no_longer_than_it_must_be(runs: Runs) -> None:
    assert set(runs.differing()) == {name for name in runs.bare["ran"] if runs.may_differ(name)}


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
