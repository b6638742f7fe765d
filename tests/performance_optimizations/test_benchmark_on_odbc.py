"""The benchmark on databases of others: it does no harm there, leaves nothing behind, and tells no secret."""

from __future__ import annotations

import contextlib
import importlib
import re
import sqlite3
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlglot
from sqlglot import exp
from test_performance_optimizations import DSN_VARIABLE, measured, read_options, run_as_script

EXAMPLE = Path(__file__).resolve().parents[2] / "docs" / "examples" / "legacy_wats"


def test_tables_that_are_there_already_are_left_alone_and_the_string_is_not_told(
    tmp_path: Path, sqlite_odbc: Callable[[Path], str]
) -> None:
    database = tmp_path / "in-use.db"
    with contextlib.closing(sqlite3.connect(database)) as connection:
        connection.execute("CREATE TABLE grupo_wts (name TEXT)")
    before = database.read_bytes()
    done = run_as_script("--language", "en", "--dsn", f"{sqlite_odbc(database)};PWD=s3cret")
    assert done.returncode == 2, done.stdout + done.stderr
    assert "a table grupo_wts already" in done.stdout
    assert "s3cret" not in done.stdout + done.stderr
    assert database.read_bytes() == before


@pytest.mark.soak
def test_any_odbc_database_will_do_and_nothing_is_left_in_it(
    soak: bool, tmp_path: Path, sqlite_odbc: Callable[[Path], str], request: pytest.FixtureRequest
) -> None:
    database = tmp_path / "empty.db"
    share = () if soak else ("--only", "pool")
    _check(measured("--dsn", sqlite_odbc(database), *share))
    with contextlib.closing(sqlite3.connect(database)) as connection:
        tables = connection.execute("SELECT name FROM sqlite_master WHERE name LIKE '%WTS'").fetchall()
    assert tables == []
    if soak:
        request.getfixturevalue("postgresql")
        _check(measured("--private-postgresql"))


def _check(figures: dict[str, Any]) -> None:
    for name, part in figures["parts"].items():
        before, *_, after = part["sides"].values()
        assert after["different"] == 0, name
        assert after["statements"] < before["statements"] or name == "pool"
        assert after["connections"] <= 15 < before["connections"] or name == "cache"


def test_what_cannot_be_reached_is_told_without_the_string(odbc: Any) -> None:
    assert odbc.drivers(), "pyodbc is there"
    done = run_as_script("--dsn", "DRIVER={No such driver};PWD=s3cret")
    assert (done.returncode, done.stderr) == (2, "")
    assert re.fullmatch(
        r"Não é possível medir: não há conexão com o banco \(SQLSTATE \w{5}\)\.\n", done.stdout
    )


@pytest.fixture
def _example_on_the_path(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.syspath_prepend(EXAMPLE)
    yield
    for name in [
        name for name in sys.modules if name.partition(".")[0] in ("simulation", "sqlserver_tables")
    ]:
        del sys.modules[name]


@pytest.mark.usefixtures("_example_on_the_path")
def test_the_statements_for_sql_server_are_t_sql() -> None:
    statements = list(importlib.import_module("sqlserver_tables").statements())
    assert len(statements) == 8 + 10 + 2
    for statement in statements:
        (tree,) = sqlglot.parse(statement, dialect="tsql")
        assert type(tree) in (exp.Create, exp.Drop), statement
        assert "{" not in statement


# -- options -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments", [("--calls", "39"), ("--threads", "0"), ("--rounds", "0")], ids="-".join
)
def test_too_little_is_a_mistake(arguments: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        read_options(list(arguments))
    assert f"{arguments[0]} must be " in capsys.readouterr().err


def test_the_string_may_stand_in_the_environment_and_is_not_shown_by_help(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(DSN_VARIABLE, "DRIVER=x;PWD=s3cret")
    assert read_options([]).dsn == "DRIVER=x;PWD=s3cret"
    assert read_options(["--private-postgresql"]).dsn == ""
    with pytest.raises(SystemExit, match="0"):
        read_options(["--help"])
    shown = capsys.readouterr().out
    assert "--private-postgresql" in shown
    assert "s3cret" not in shown
