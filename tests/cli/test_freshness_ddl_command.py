"""``wats-accel freshness-ddl``: from the names of tables to a script."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from wats_accel.cli.group import dispatch
from wats_accel.versions.ddl import script
from wats_accel.versions.version_table import VersionTable

CONFIG = """
version: 1
sql:
  schema: shop-schema.yaml
  tables: [sold, Paid]
  views: {all_sold: [sold]}
"""
SCHEMA = "version: 1\ndialect: sqlite\ntables:\n  stock: [id, name]\n  sold: null\n"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "shop-schema.yaml").write_text(SCHEMA, encoding="utf-8")
    path = tmp_path / "wats-accel.yaml"
    path.write_text(CONFIG, encoding="utf-8")
    return path


def ddl(*arguments: str) -> object:
    return dispatch(["freshness-ddl", *arguments])


def test_the_script_of_named_tables_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert ddl("--dialect", "postgresql", "--tables", 'person, "b,c"', "--name", "shop.versions") == 0
    printed = capsys.readouterr()
    assert printed.out == str(script("postgresql", ["person", '"b,c"'], name="shop.versions"))
    assert printed.err == ""


def test_the_tables_of_a_configuration_and_of_its_schema_are_watched(config: Path, tmp_path: Path) -> None:
    output = tmp_path / "freshness.sql"
    assert ddl("--dialect", "sqlite", "--config", str(config), "--output", str(output)) == 0
    assert ddl("--dialect", "sqlite", "--config", str(config), "--output", str(output), "--check") == 0
    with closing(sqlite3.connect(tmp_path / "shop.db")) as connection:
        for table in ("stock", "sold", "Paid"):
            connection.execute(f"CREATE TABLE {table} (id INTEGER)")
        connection.executescript(output.read_text(encoding="utf-8"))
        assert set(VersionTable("sqlite").begin(connection).numbers) == {"stock", "sold", "paid"}


def test_a_drop_is_a_script_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert ddl("--dialect", "sqlserver", "--tables", "person", "--drop") == 0
    printed = capsys.readouterr()
    assert printed.out == str(script("sqlserver", ["person"], drop=True))
    assert printed.err == ""


def test_triggers_of_sql_server_come_with_a_warning(capsys: pytest.CaptureFixture[str]) -> None:
    assert ddl("--dialect", "sqlserver", "--tables", "person") == 0
    assert "OUTPUT without INTO" in capsys.readouterr().err
    assert ddl("--dialect", "sqlserver", "--tables", "person", "--by", "change-tracking") == 0
    printed = capsys.readouterr()
    assert "ENABLE CHANGE_TRACKING" in printed.out
    assert printed.err == ""


WRONG = {
    "no dialect": (("--tables", "a"), 2, "--dialect"),
    "two sources": (("--dialect", "sqlite", "--tables", "a", "--config", "x"), 2, "--tables or --config"),
    "no name": (("--dialect", "sqlite", "--tables", "a..b"), 1, "not the name of a table"),
    "no tables": (("--dialect", "sqlite", "--tables", ","), 1, "no tables"),
    "no such method": (("--dialect", "sqlite", "--tables", "a", "--by", "change-tracking"), 1, "SQL Server"),
}


@pytest.mark.parametrize(("arguments", "status", "told"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_told(
    arguments: tuple[str, ...], status: int, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ddl(*arguments) == status
    assert told in capsys.readouterr().err


def test_a_schema_that_is_missing_is_told(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (config.parent / "shop-schema.yaml").unlink()
    assert ddl("--dialect", "sqlite", "--config", str(config)) == 2
    assert "shop-schema.yaml" in capsys.readouterr().err
