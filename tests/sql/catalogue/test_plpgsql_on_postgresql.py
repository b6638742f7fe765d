"""Bodies of PL/pgSQL, really run: what they change is among what the scan tells of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from wats_accel.sql.access import ANY
from wats_accel.sql.schema_building import schema_of
from wats_accel.sql.schema_scan import scan_schema
from wats_accel.sql.statement import facts_of

DATABASE = "plpgsql_scan"
TABLES = ("t", "u", "v")
COLUMNS = ("id", "a", "b")

BODIES = [
    "BEGIN UPDATE t SET a = CASE WHEN b > 1 THEN 7 ELSE 8 END WHERE id = 1; END",
    "DECLARE n int := (SELECT max(id) FROM t); BEGIN DELETE FROM u WHERE id = n; END",
    "DECLARE r record; BEGIN FOR r IN SELECT id FROM t LOOP"
    " UPDATE u SET b = 9 WHERE id = r.id; END LOOP; END",
    "DECLARE r record; BEGIN FOR r IN DELETE FROM v RETURNING id LOOP"
    " INSERT INTO u VALUES (r.id + 9); END LOOP; END",
    "DECLARE n int; BEGIN SELECT count(*) INTO STRICT n FROM t;"
    " IF n > 2 THEN DELETE FROM u; ELSE DELETE FROM v; END IF; END",
    "DECLARE n int; BEGIN INSERT INTO t VALUES (9, 1, 1) RETURNING id INTO n; UPDATE v SET a = n; END",
    "BEGIN WITH gone AS (DELETE FROM t RETURNING id) INSERT INTO u SELECT id + 50 FROM gone; END",
    "BEGIN PERFORM helper(id) FROM t; END",
    "DECLARE n int; BEGIN n := helper(1); END",
    "BEGIN IF helper(1) = 1 THEN NULL; END IF; END",
    "BEGIN CASE helper(2) WHEN 1 THEN DELETE FROM t; WHEN 2 THEN DELETE FROM v; ELSE NULL; END CASE; END",
    "BEGIN <<out>> LOOP UPDATE v SET b = b + 1; EXIT out WHEN (SELECT max(b) FROM v) > 5; END LOOP out; END",
    "BEGIN BEGIN DELETE FROM t; RAISE EXCEPTION 'x'; EXCEPTION WHEN OTHERS THEN UPDATE u SET a = 3; END; END",
    "BEGIN EXECUTE 'DELETE FROM ' || 'v'; END",
    "DECLARE c CURSOR FOR SELECT id FROM t FOR UPDATE; r record; BEGIN OPEN c; FETCH c INTO r;"
    " UPDATE t SET a = 4 WHERE CURRENT OF c; CLOSE c; END",
    "DECLARE a int[]; BEGIN a[helper(1)] := 2; END",
    "BEGIN ASSERT helper(1) = 1, 'message'; /* ; */ -- ; DELETE\n END",
    "BEGIN CALL inner_one(); END",
    "DECLARE r t%ROWTYPE; BEGIN SELECT * INTO r FROM t LIMIT 1; r.id := 90; INSERT INTO v VALUES (r.*); END",
    "BEGIN RAISE NOTICE 'value %', helper(1); END",
    "BEGIN MERGE INTO t USING u ON t.id = u.id"
    " WHEN MATCHED THEN UPDATE SET b = 6 WHEN NOT MATCHED THEN DO NOTHING; END",
    "BEGIN INSERT INTO t VALUES (1, 5, 5) ON CONFLICT (id) DO UPDATE SET a = EXCLUDED.a; END",
    "DECLARE i int; BEGIN FOR i IN REVERSE 3..helper(1) BY 1 LOOP UPDATE v SET a = i; END LOOP; END",
    "DECLARE x int; BEGIN FOREACH x IN ARRAY ARRAY[helper(1), 2] LOOP NULL; END LOOP; END",
    "BEGIN WHILE helper(1) = 0 LOOP NULL; END LOOP; END",
    "BEGIN TRUNCATE u; END",
]


@pytest.fixture(scope="module")
def connection(odbc: Any, postgresql: Any) -> Iterator[Any]:
    with closing(odbc.connect(postgresql.odbc(), autocommit=True)) as server:
        server.execute(f"CREATE DATABASE {DATABASE}")
        with closing(odbc.connect(postgresql.odbc(DATABASE), autocommit=True)) as made:
            for table in TABLES:
                made.execute(f"CREATE TABLE {table} (id int PRIMARY KEY, a int, b int)")
                made.execute(f"INSERT INTO {table} VALUES (1, 1, 1), (2, 2, 2), (3, 3, 3)")
            made.execute(
                "CREATE FUNCTION helper(n int) RETURNS int LANGUAGE plpgsql AS"
                " $$ BEGIN UPDATE t SET b = b + 1 WHERE id = n; RETURN n; END $$"
            )
            made.execute("CREATE PROCEDURE inner_one() LANGUAGE sql AS $$ DELETE FROM u WHERE id = 1 $$")
            made.autocommit = False
            yield made
            made.rollback()
        server.execute(f"DROP DATABASE {DATABASE} WITH (FORCE)")


def contents(connection: Any) -> dict[str, dict[str, list[str]]]:
    return {
        table: {
            column: sorted(repr(row[0]) for row in connection.execute(f"SELECT {column} FROM {table}"))
            for column in COLUMNS
        }
        for table in TABLES
    }


@pytest.mark.parametrize("body", BODIES)
def test_what_a_body_changes_is_told(connection: Any, body: str) -> None:
    connection.rollback()
    connection.execute(f"CREATE PROCEDURE tried() LANGUAGE plpgsql AS $body$ {body} $body$")
    schema = schema_of([scan_schema(connection, "postgres").description])
    before = contents(connection)
    connection.execute("CALL tried()")
    after = contents(connection)
    connection.rollback()
    told = schema.effect(facts_of("CALL tried()", "postgres", schema.columns), strict=True).changes
    assert told.unknown == ("EXECUTE" in body)
    assert before != after
    for table in TABLES:
        known = told.access.columns(table)
        really = {column for column in COLUMNS if before[table][column] != after[table][column]}
        came_or_went = len(before[table]["id"]) != len(after[table]["id"])
        assert told.unknown or ANY in known or (not came_or_went and really <= known), table
