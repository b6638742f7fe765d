"""ODBC's own pool is switched off in time, and it is said when that came too late; in processes of their own."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

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
