"""ODBC's own pool is switched off in time, and it is said when that came too late; each in a process."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from wats_accel.pool.module_watch import telling_if_not_asked

BEGIN = """
import logging, sys, types
logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s", stream=sys.stdout)
import wats_accel
config = {"version": 1, "strict": True, "pool": [{"connect": "pyodbc:connect"}]}
def install():
    accelerator = wats_accel.install(config)
    assert not accelerator.problems
"""
TOO_LATE = "INFO ODBC's own pooling cannot be switched off any more: pyodbc was in use before"


@pytest.fixture
def log(sqlite_odbc: Callable[[Any], str], tmp_path: Path) -> Callable[[str], list[str]]:
    """Runs a script after `BEGIN`, with `database` to connect to; gives what is logged about ODBC."""
    database = sqlite_odbc(tmp_path / "a.db")

    def run(script: str) -> list[str]:
        text = BEGIN + f"database = {database!r}\n" + textwrap.dedent(script)
        command = [sys.executable, "-W", "error", "-c", text]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        return [line for line in done.stdout.splitlines() if "ODBC" in line]

    return run


def test_a_driver_imported_after_the_install_is_switched_off_in_time(log: Callable[[str], list[str]]) -> None:
    assert not log(
        """
        install()
        import pyodbc
        assert pyodbc.pooling is False
        pyodbc.drivers()
        pyodbc.connect(database).close()
        """
    )


@pytest.mark.parametrize("before", ["", "pyodbc.pooling = False; pyodbc.connect(database).close()"])
def test_an_import_or_a_choice_of_the_applications_own_is_no_reason_to_cry(
    log: Callable[[str], list[str]], before: str
) -> None:
    assert not log(
        f"""
        import pyodbc
        {before}
        install()
        assert pyodbc.pooling is False
        pyodbc.connect(database).close()
        pyodbc.connect(database).close()
        assert type(pyodbc) is types.ModuleType
        """
    )


def test_a_first_connect_that_fails_is_the_first_all_the_same(log: Callable[[str], list[str]]) -> None:
    assert not log(
        """
        import pyodbc
        install()
        try:
            pyodbc.connect("Driver={No such driver}")
        except pyodbc.Error:
            pass
        assert type(pyodbc) is types.ModuleType
        pyodbc.connect(database).close()
        """
    )


@pytest.mark.parametrize("use", ["pyodbc.connect(database).close()", "pyodbc.drivers()"])
def test_who_has_used_odbc_before_the_install_is_told_once_and_strict_is_content(
    log: Callable[[str], list[str]], use: str
) -> None:
    told = log(
        f"""
        import pyodbc
        {use}
        install()
        pyodbc.connect(database).close()
        pyodbc.connect(database, timeout=3).close()
        """
    )
    assert told == [TOO_LATE]


# -- watching a module ---------------------------------------------------------------------------------------


def told_by(module: Any, connect: Callable[[], Any]) -> list[str]:
    """What is told after two calls of a watched `connect`, and whether the module is as it was."""
    told: list[str] = []
    kind = type(module)
    watched = telling_if_not_asked(module, "pooling", connect, lambda: told.append("not asked"))
    assert [watched(), watched()] == [connect(), connect()]
    assert type(module) is kind
    return told


def test_a_module_that_is_asked_in_the_first_call_is_no_news() -> None:
    module: Any = types.ModuleType("driver")
    module.pooling = False
    assert told_by(module, lambda: module.pooling) == []
    assert told_by(module, lambda: None) == ["not asked"]
    assert told_by(module, lambda: hasattr(module, "other")) == ["not asked"]


def test_a_module_may_be_written_to_while_it_is_watched() -> None:
    module: Any = types.ModuleType("driver")
    module.pooling = False
    assert told_by(module, lambda: setattr(module, "pooling", True)) == ["not asked"]
    assert vars(module)["pooling"] is True


def test_what_cannot_be_watched_is_not_cried_about() -> None:
    assert told_by(object(), lambda: None) == []
