"""Any other database: by its `information_schema`, or by what its ODBC driver tells."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from wats_accel.sql.access import ANY, Changes, Reads, access
from wats_accel.sql.catalogue import standard
from wats_accel.sql.catalogue.rows import Catalogue
from wats_accel.sql.catalogue.standard import scan_odbc, scan_standard
from wats_accel.sql.schema import ForeignKey
from wats_accel.sql.schema_building import schema_of
from wats_accel.sql.schema_scan import SchemaScanError, scan_schema
from wats_accel.sql.statement import facts_of

TABLES = """
CREATE TABLE groups (id int PRIMARY KEY, name varchar(10));
CREATE TABLE users (id int PRIMARY KEY, group_id int REFERENCES groups (id) ON DELETE CASCADE);
CREATE VIEW names AS SELECT name FROM groups;
"""


def test_an_information_schema_tells_tables_keys_and_views(odbc: Any, postgresql: Any) -> None:
    with closing(odbc.connect(postgresql.odbc(), autocommit=True)) as server:
        server.execute("CREATE DATABASE standard_scan")
        try:
            with closing(odbc.connect(postgresql.odbc("standard_scan"), autocommit=True)) as connection:
                connection.execute(TABLES)
                description = scan_standard(Catalogue(connection), "postgres")
        finally:
            server.execute("DROP DATABASE standard_scan WITH (FORCE)")
    assert description is not None
    assert set(description.tables) == {"groups", "users"}
    assert description.foreign_keys == (
        ForeignKey("users", ("group_id",), "groups", ("id",), "cascade", "no action"),
    )
    assert schema_of([description]).views == {"names": Reads(access({"groups": ["name"]}))}
    assert description.complete


def test_an_odbc_driver_tells_tables_and_keys_and_no_triggers(
    odbc: Any, sqlite_odbc: Callable[[Path], str], tmp_path: Path
) -> None:
    with closing(sqlite3.connect(tmp_path / "a.db")) as made:
        made.executescript(TABLES)
    with closing(odbc.connect(sqlite_odbc(tmp_path / "a.db"))) as connection:
        description = scan_odbc(Catalogue(connection), "")
    assert description.tables["users"].columns == ("id", "group_id")
    assert [(key.table, key.parent, key.on_delete) for key in description.foreign_keys] == [
        ("users", "groups", "cascade")
    ]
    assert not description.complete
    assert "what triggers there are, and what they change" in description.unknown
    schema = schema_of([description])
    assert schema.effect(facts_of("DELETE FROM users")).changes.unknown
    assert schema.effect(facts_of("SELECT name FROM names")).reads.unknown


def test_sqlite_over_odbc_is_scanned_as_sqlite(
    odbc: Any, sqlite_odbc: Callable[[Path], str], tmp_path: Path
) -> None:
    with closing(sqlite3.connect(tmp_path / "a.db")) as made:
        made.executescript(TABLES)
        expected = scan_schema(made)
    with closing(odbc.connect(sqlite_odbc(tmp_path / "a.db"))) as connection:
        assert scan_schema(connection).description == expected.description


# -- MySQL, whose information_schema has the texts of triggers ------------------------------------------

ROWS: dict[str, list[dict[str, Any]]] = {
    standard.TABLES: [
        {"table_name": "t", "table_type": "BASE TABLE"},
        {"table_name": "v", "table_type": "VIEW"},
    ],
    standard.COLUMNS: [
        {"table_name": "t", "column_name": "a", "extra": ""},
        {"table_name": "t", "column_name": "changed", "extra": "on update CURRENT_TIMESTAMP"},
        {"table_name": "t", "column_name": "twice", "extra": "VIRTUAL GENERATED"},
    ],
    standard.RULES: [],
    standard.KEYS: [],
    standard.TRIGGERS: [
        {
            "event_object_table": "t",
            "trigger_name": "noted",
            "action_statement": "BEGIN INSERT INTO log VALUES (NEW.a); END",
            "action_timing": "AFTER",
            "event_manipulation": "INSERT",
        },
        {
            "event_object_table": "t",
            "trigger_name": "sets",
            "action_statement": "SET NEW.a = 1",
            "action_timing": "BEFORE",
            "event_manipulation": "UPDATE",
        },
    ],
    standard.VIEWS: [{"table_name": "v", "view_definition": "select `t`.`a` AS `a` from `t`"}],
    standard.ROUTINES: [
        {"routine_name": "p", "routine_type": "PROCEDURE", "routine_definition": "DELETE FROM t"},
        {"routine_name": "hidden", "routine_type": "FUNCTION", "routine_definition": None},
    ],
}


class _Cursor:
    def execute(self, sql: str) -> None:
        if sql == "SELECT VERSION() AS version":
            self._rows = [{"VERSION": "8.0.36"}]
        elif sql in ROWS:
            self._rows = ROWS[sql]
        else:
            raise RuntimeError("no such table")

    @property
    def description(self) -> list[tuple[str]]:
        return [(name.upper(),) for row in self._rows[:1] for name in row]

    def fetchall(self) -> list[tuple[Any, ...]]:
        return [tuple(row.values()) for row in self._rows]

    def close(self) -> None:
        pass


class _Server:
    def cursor(self) -> _Cursor:
        return _Cursor()


def test_mysql_tells_triggers_views_and_routines_by_their_texts() -> None:
    scanned = scan_schema(_Server())
    assert scanned.product == "MySQL 8.0.36"
    schema = schema_of([scanned.description])
    assert schema.tables["t"].computed == {"changed", "twice"}
    assert schema.views == {"v": Reads(access({"t": ["a"]}))}
    inserted = schema.effect(facts_of("INSERT INTO t VALUES (1)", "mysql"))
    assert inserted.changes == Changes(access({"t": [ANY], "log": [ANY]}))
    updated = schema.effect(facts_of("UPDATE t SET twice = 1", "mysql"))
    assert updated.changes.access.columns("t") == {ANY}
    assert schema.routines["p"].changes == Changes(access({"t": [ANY]}))
    assert schema.routines["hidden"].changes.unknown
    assert "function hidden: its text cannot be seen" in scanned.description.unknown


def test_a_database_that_tells_nothing_is_an_error() -> None:
    class Silent:
        def cursor(self) -> Any:
            raise RuntimeError("nothing")

    with pytest.raises(SchemaScanError, match="neither this database nor its driver"):
        scan_schema(Silent())
