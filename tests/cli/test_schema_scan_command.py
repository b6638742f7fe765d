"""``wats-accel schema-scan``: from a live database to a file, without a secret on the way."""

from __future__ import annotations

import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from wats_accel.cli.group import dispatch
from wats_accel.schema_descriptions import read_schema_file
from wats_accel.sql.schema_building import schema_of

SECRET = "PWD=open-sesame"


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "shop.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            "CREATE TABLE stock (id INTEGER PRIMARY KEY, name TEXT);"
            "CREATE TABLE sold (stock_id INT REFERENCES stock (id) ON DELETE CASCADE);"
        )
    return path


@pytest.fixture
def driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Writes a module with a `connect` of the application's own, to be imported from the folder."""
    monkeypatch.setattr(sys, "path", list(sys.path))

    def write(body: str, name: str = "shop_database") -> str:
        (tmp_path / f"{name}.py").write_text("import sqlite3\n" + body, encoding="utf-8")
        monkeypatch.delitem(sys.modules, name, raising=False)
        return name

    return write


def scan(*arguments: str) -> int:
    status = dispatch(["schema-scan", *arguments])
    assert isinstance(status, int)
    return status


def test_an_sqlite_file_is_scanned(
    database: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "schema.yaml"
    assert scan("--driver", "sqlite3", "--database", str(database), "--output", str(output)) == 0
    schema = schema_of([read_schema_file(output)])
    assert set(schema.tables) == {"stock", "sold"}
    assert schema.foreign_keys[0].on_delete == "cascade"
    assert capsys.readouterr().out == ""


def test_it_is_printed_without_an_output(database: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert scan("--driver", "sqlite3", "--database", str(database)) == 0
    assert "\n  stock: [id, name]\n" in capsys.readouterr().out


def test_a_file_that_says_the_same_is_left_with_its_day(database: Path, tmp_path: Path) -> None:
    output = tmp_path / "schema.yaml"
    arguments = ("--driver", "sqlite3", "--database", str(database), "--output", str(output))
    scan(*arguments)
    old = output.read_text(encoding="utf-8").replace("Scanned on 20", "Scanned on 19")
    output.write_text(old, encoding="utf-8")
    assert scan(*arguments, "--check") == 0
    assert scan(*arguments) == 0
    assert output.read_text(encoding="utf-8") == old
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("CREATE TABLE more (a)")
    assert scan(*arguments, "--check") == 1
    assert scan(*arguments) == 0
    assert scan(*arguments, "--check") == 0


def test_a_missing_file_is_not_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert scan("--driver", "sqlite3", "--database", str(tmp_path / "no.db")) == 2
    assert "there is no file" in capsys.readouterr().err
    assert not (tmp_path / "no.db").exists()


def test_the_connection_is_for_reading_only_and_is_closed(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[Any] = []
    connect = sqlite3.connect

    def noted(*arguments: Any, **options: Any) -> sqlite3.Connection:
        opened.append(connect(*arguments, **options))
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            opened[0].execute("DELETE FROM stock")
        return opened[0]

    monkeypatch.setattr(sqlite3, "connect", noted)
    assert scan("--driver", "sqlite3", "--database", str(database)) == 0
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        opened[0].execute("SELECT 1")


def test_a_function_of_the_application_may_connect(
    database: Path, driver: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    module = driver(
        f"class Manager:\n    @staticmethod\n    def open(): return sqlite3.connect({str(database)!r})\n"
    )
    assert scan("--driver", f"{module}:Manager.open", "--path", str(tmp_path)) == 0
    assert "stock" in capsys.readouterr().out


def test_the_connection_string_comes_from_the_environment(
    database: Path, driver: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    module = driver("def connect(text):\n    return sqlite3.connect(text.partition('|')[2])\n")
    monkeypatch.setenv("SHOP_DATABASE", f"{SECRET}|{database}")
    arguments = ("--driver", module, "--connection-string-from", "SHOP_DATABASE", "--path", str(tmp_path))
    assert scan(*arguments) == 0
    printed = capsys.readouterr()
    assert "stock" in printed.out
    assert SECRET not in printed.out + printed.err


def test_a_driver_that_fails_tells_its_kind_and_no_secret(
    driver: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    module = driver("class OdbcError(Exception): pass\ndef connect(text): raise OdbcError('28000', text)\n")
    monkeypatch.setenv("SHOP_DATABASE", SECRET)
    arguments = ("--driver", module, "--connection-string-from", "SHOP_DATABASE", "--path", str(tmp_path))
    assert scan(*arguments) == 1
    printed = capsys.readouterr()
    assert "cannot connect: OdbcError 28000" in printed.err
    assert SECRET not in printed.out + printed.err


def test_a_database_that_refuses_a_query_tells_no_secret(
    driver: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    module = driver(
        "class Broken:\n"
        "    def cursor(self): return self\n"
        "    def execute(self, sql):\n"
        "        if 'sqlite_version' not in sql: raise RuntimeError('PWD=open-sesame')\n"
        "    description = [('version',)]\n"
        "    def fetchall(self): return [('3',)]\n"
        "    def close(self): pass\n"
        "connect = Broken\n"
    )
    assert scan("--driver", module, "--path", str(tmp_path)) == 1
    printed = capsys.readouterr()
    assert "the database cannot be read: RuntimeError" in printed.err
    assert SECRET not in printed.out + printed.err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--driver", "sqlite3"), "needs --database"),
        (("--driver", "no_such_driver"), "No module named 'no_such_driver'"),
        (("--driver", "sqlite3:no_such"), "there is no no_such in sqlite3"),
        (("--driver", "sqlite3:apilevel"), "is no function"),
        (("--driver", "json:loads", "--database", "x", "--prompt"), "give one of"),
        (("--driver", "json:loads", "--connection-string-from", "NOT_SET_HERE"), "NOT_SET_HERE is not set"),
    ],
)
def test_what_is_wrong_with_an_option_is_said(
    arguments: tuple[str, ...], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert scan(*arguments) == 2
    assert told in capsys.readouterr().err


def test_the_connection_string_can_be_typed(
    database: Path, driver: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    module = driver("def connect(text):\n    return sqlite3.connect(text.partition('|')[2])\n")
    monkeypatch.setattr("click.termui.hidden_prompt_func", lambda prompt: f"{SECRET}|{database}")
    assert scan("--driver", module, "--prompt", "--path", str(tmp_path)) == 0
    printed = capsys.readouterr()
    assert "stock" in printed.out
    assert SECRET not in printed.out + printed.err


def test_a_function_that_gives_no_connection_is_an_error(
    driver: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    module = driver("def connect():\n    return None\n")
    assert scan("--driver", module, "--path", str(tmp_path)) == 1
    assert "the function has given no connection" in capsys.readouterr().err


def test_how_much_could_not_be_found_out_is_said(database: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("CREATE VIEW v AS SELECT random() AS n FROM stock")
    assert scan("--driver", "sqlite3", "--database", str(database)) == 0
    printed = capsys.readouterr()
    assert printed.err == "could not be found out, and is listed under 'unknown': 1\n"
    assert "\nunknown:\n- 'view v: a random value'\n" in printed.out


def test_postgresql_is_reached_through_odbc(
    odbc: Any, postgresql: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PRIVATE_DATABASE", postgresql.odbc())
    assert scan("--driver", "pyodbc", "--connection-string-from", "PRIVATE_DATABASE") == 0
    printed = capsys.readouterr()
    assert "from PostgreSQL " in printed.out
    assert str(postgresql.port) not in printed.out + printed.err
