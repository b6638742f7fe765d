"""What a proposal takes from the source besides the SQL: scopes and drivers."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from wats_accel.audit.proposing.drivers import dialect_of, drivers_of
from wats_accel.audit.proposing.proposal import Driver
from wats_accel.audit.proposing.scopes import scopes_of

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "legacy_wats"
DATABASE = """
    class Database:
        def __init__(self, settings):
            self.settings = settings
            self.url = settings.url
"""


def scope(tmp_path: Path, code: str) -> str | None:
    (tmp_path / "app.py").write_text(textwrap.dedent(DATABASE) + textwrap.dedent(code), encoding="utf-8")
    return scopes_of(tmp_path, ["app:Repo"]).get("app:Repo")


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("class Repo:\n    def __init__(self, db: Database): self.db = db", "self.db.url"),
        ("class Repo:\n    def __init__(self, db: 'Database | None'): self.db = db", "self.db.url"),
        ("class Repo:\n    def __init__(self): self.db = Database(1)", "self.db.url"),
        ("class Repo:\n    db: Database", "self.db.url"),
        ("class Repo:\n    def __init__(self, dsn): self.dsn = dsn", "self.dsn"),
        (
            "class Repo:\n    def __init__(self, a, b): self.path, self.dsn = a, b",
            "self.dsn",
        ),
        ("class Repo:\n    @property\n    def dsn(self): return 1", "self.dsn"),
        (
            "class Base:\n    def __init__(self, db: Database): self.db = db\nclass Repo(Base):\n    pass",
            "self.db.url",
        ),
        (
            "class Unit:\n    def __init__(self, db: Database): self.db = db\n"
            "class Repo:\n    def __init__(self, unit: Unit): self.unit = unit",
            "self.unit.db.url",
        ),
        ("class Repo:\n    def __init__(self, db): self.db = db", None),
        ("class Repo:\n    pass", None),
    ],
    ids=[
        "annotated",
        "quoted",
        "made",
        "declared",
        "own",
        "best",
        "property",
        "base",
        "deep",
        "bare",
        "none",
    ],
)
def test_what_tells_databases_apart_is_found_through_the_class(tmp_path, code, found):
    assert scope(tmp_path, code) == found


def test_classes_that_hold_each_other_come_to_an_end(tmp_path):
    code = """
        class One:
            def __init__(self, other: 'Repo'): self.other = other
        class Repo:
            def __init__(self, one: One): self.one = one
    """
    assert scope(tmp_path, code) is None


def test_the_scope_of_the_example_is_the_one_that_its_maintainers_name():
    module = "src.wats.db.repositories.connection_repository"
    assert scopes_of(EXAMPLE, [f"{module}:ConnectionRepository"]) == {
        f"{module}:ConnectionRepository": "self.db.connection_string"
    }


@pytest.mark.parametrize(
    ("code", "connect", "is_pooled", "dialect"),
    [
        ("import pyodbc", "pyodbc:connect", True, "tsql"),
        ("def f():\n    import psycopg2 as driver", "psycopg2:connect", True, "postgres"),
        ("import importlib\nimportlib.import_module('pymysql')", "pymysql:connect", True, "mysql"),
        ("import mysql.connector", "mysql.connector:connect", True, "mysql"),
        ("from pyodbc import Error", "pyodbc:connect", True, "tsql"),
        ("from pyodbc import connect", "pyodbc:connect", False, "tsql"),
        ("import sqlite3", "sqlite3:connect", False, "sqlite"),
    ],
)
def test_the_drivers_that_a_tree_imports_are_found(tmp_path, code, connect, is_pooled, dialect):
    (tmp_path / "app.py").write_text(code, encoding="utf-8")
    (driver,) = drivers_of(tmp_path)
    assert (driver.connect, not driver.why_not) == (connect, is_pooled)
    assert dialect_of([driver]) == dialect


def test_a_tree_without_a_driver_has_no_dialect(tmp_path):
    (tmp_path / "app.py").write_text("from .pyodbc import connect\nimport json\n", encoding="utf-8")
    assert drivers_of(tmp_path) == ()
    assert dialect_of(()) == ""


def test_of_several_drivers_that_of_the_server_tells_the_dialect():
    assert dialect_of(drivers_of(EXAMPLE)) == "tsql"
    assert drivers_of(EXAMPLE)[0] == Driver("pyodbc:connect")
