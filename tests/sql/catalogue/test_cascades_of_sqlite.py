"""Random foreign keys and triggers, and random writes: whatever SQLite really changes is told beforehand."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass

from hypothesis import event, given, settings
from hypothesis import strategies as st

from wats_accel.sql.access import ANY
from wats_accel.sql.schema import Schema
from wats_accel.sql.schema_building import schema_of
from wats_accel.sql.schema_scan import scan_schema
from wats_accel.sql.statement import facts_of

TABLES = ("t0", "t1", "t2", "t3")
COLUMNS = ("id", "k", "a", "r", "s", "twice")
ACTIONS = st.sampled_from(("CASCADE", "SET NULL", "SET DEFAULT", "NO ACTION"))
TABLE = st.sampled_from(TABLES)


@dataclass(frozen=True)
class Key:
    """A column that refers to the column `k` of a table, and what then happens."""

    parent: str
    on_delete: str
    on_update: str

    def __str__(self) -> str:
        return f"REFERENCES {self.parent} (k) ON DELETE {self.on_delete} ON UPDATE {self.on_update}"


KEYS = st.one_of(st.none(), st.builds(Key, TABLE, ACTIONS, ACTIONS))
FOR_TRIGGERS = (
    "UPDATE {t} SET a = a + 1 WHERE id > {n}",
    "UPDATE {t} SET k = k + 10 WHERE id = {n}",
    "UPDATE {t} SET r = NULL WHERE a < {n}",
    "DELETE FROM {t} WHERE id = {n}",
    "DELETE FROM {t} WHERE k IN (SELECT r FROM t0)",
    "INSERT INTO {t} (k, a) VALUES (100 + {n}, 1)",
    "INSERT OR REPLACE INTO {t} (id, k, a) VALUES ({n}, {n}, 5)",
)
FORMS = (
    *FOR_TRIGGERS,
    "INSERT INTO {t} (id, k) VALUES ({n}, 50) ON CONFLICT (id) DO UPDATE SET s = {n}",
    "UPDATE {t} AS x SET a = y.a FROM t1 AS y WHERE y.id = x.id",
    "WITH c AS (SELECT k FROM t2) UPDATE {t} SET (r, s) = (SELECT k, k FROM c LIMIT 1)",
)


def changes(forms: tuple[str, ...]) -> st.SearchStrategy[str]:
    filled = st.tuples(st.sampled_from(forms), TABLE, st.integers(1, 4))
    return filled.map(lambda parts: parts[0].format(t=parts[1], n=parts[2]))


EVENTS = st.sampled_from(("INSERT", "DELETE", "UPDATE", "UPDATE OF a", "UPDATE OF r, s"))
TRIGGERS = st.tuples(TABLE, EVENTS, changes(FOR_TRIGGERS))


def made(keys: list[Key | None], triggers: list[tuple[str, str, str]]) -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    for number, table in enumerate(TABLES):
        r, s = (keys[2 * number + side] or "" for side in (0, 1))
        connection.execute(
            f"CREATE TABLE {table} (id INTEGER PRIMARY KEY, k INT UNIQUE, a INT DEFAULT 0,"
            f" r INT DEFAULT 1 {r}, s INT {s}, twice INT AS (a * 2))"
        )
        for row in (1, 2, 3):
            connection.execute(f"INSERT INTO {table} VALUES (?, ?, ?, ?, ?)", (row, row, row, row, row))
    for number, (table, happening, body) in enumerate(triggers):
        connection.execute(f"CREATE TRIGGER g{number} AFTER {happening} ON {table} BEGIN {body}; END")
    connection.execute("PRAGMA foreign_keys = ON")
    return connection


def rows(connection: sqlite3.Connection) -> dict[str, dict[int, tuple[object, ...]]]:
    return {
        table: {row[0]: row for row in connection.execute(f"SELECT rowid, {', '.join(COLUMNS)} FROM {table}")}
        for table in TABLES
    }


def changes_between(before: dict[int, tuple[object, ...]], after: dict[int, tuple[object, ...]]) -> set[str]:
    if before.keys() != after.keys():
        return {ANY}
    return {
        name
        for rowid, row in before.items()
        for name, one, other in zip(COLUMNS, row[1:], after[rowid][1:], strict=True)
        if one != other
    }


def told_of(schema: Schema, sql: str) -> dict[str, frozenset[str]]:
    changes = schema.effect(facts_of(sql, "sqlite", schema.columns), strict=True).changes
    assert not changes.unknown
    return {table: changes.access.columns(table) for table in changes.access}


@settings(max_examples=300, deadline=None)
@given(
    keys=st.lists(KEYS, min_size=8, max_size=8),
    triggers=st.lists(TRIGGERS, max_size=3),
    sql=changes(FORMS),
)
def test_whatever_sqlite_changes_is_told(
    keys: list[Key | None], triggers: list[tuple[str, str, str]], sql: str
) -> None:
    with closing(made(keys, triggers)) as connection:
        told = told_of(schema_of([scan_schema(connection).description]), sql)
        before = rows(connection)
        try:
            connection.execute(sql)
        except sqlite3.DatabaseError as error:  # refused, or too many triggers within triggers
            event(f"refused: {type(error).__name__}")
            return
        after = rows(connection)
    really = {table: changes_between(before[table], after[table]) for table in TABLES}
    event(f"{sum(map(bool, really.values()))} tables changed, {len(told)} told")
    for table, columns in really.items():
        known = told.get(table, frozenset())
        assert not columns or ANY in known or columns <= known, (table, columns, known)
