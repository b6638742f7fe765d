"""PostgreSQL, scanned: what a real server says of itself, and that nothing which it does is missing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from wats_accel.sql.access import ANY, Changes, Reads, access
from wats_accel.sql.schema import Effect, ForeignKey, Schema
from wats_accel.sql.schema_building import schema_of
from wats_accel.sql.schema_description import SchemaDescription, Touches
from wats_accel.sql.schema_scan import scan_schema
from wats_accel.sql.statement import facts_of

DATABASE = "schema_scan"
STATEMENTS = """
CREATE TABLE groups (id int PRIMARY KEY, name text, loud text GENERATED ALWAYS AS (upper(name)) STORED);
CREATE TABLE users (id int PRIMARY KEY, name text, changed timestamp,
    group_id int REFERENCES groups ON DELETE SET NULL ON UPDATE CASCADE);
CREATE TABLE links (a int, b int REFERENCES users ON DELETE CASCADE);
CREATE TABLE log (id int, what text);
CREATE TABLE rights (id int, who text);
CREATE TABLE guarded (id int, secret text);
CREATE TABLE "Odd.Name" ("A b" int, "c.d" int);
CREATE VIEW names AS SELECT u.name, g.name AS group_name FROM users u JOIN groups g ON g.id = u.group_id;
CREATE VIEW counted AS SELECT count(*) AS n FROM "Odd.Name";
CREATE VIEW recent AS SELECT name FROM names WHERE now() > '2020-01-01';
CREATE MATERIALIZED VIEW kept AS SELECT name FROM users;
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.name <> OLD.name THEN
        NEW.changed := now();
        INSERT INTO log VALUES (NEW.id, 'renamed');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER touched BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION touch();
CREATE FUNCTION built() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN EXECUTE 'DELETE FROM ' || TG_ARGV[0]; RETURN NULL; END $$;
CREATE TRIGGER dynamic AFTER INSERT OR TRUNCATE ON log FOR EACH STATEMENT EXECUTE FUNCTION built('links');
CREATE FUNCTION found(wanted int) RETURNS int LANGUAGE sql STABLE AS $$
SELECT id FROM users WHERE id = wanted $$;
CREATE FUNCTION found(wanted text) RETURNS int LANGUAGE plpgsql AS $$
DECLARE r int; BEGIN DELETE FROM log WHERE what = wanted RETURNING id INTO r; RETURN r; END $$;
CREATE FUNCTION atomic() RETURNS int BEGIN ATOMIC SELECT id FROM groups; SELECT id FROM users; END;
CREATE FUNCTION outer_one() RETURNS int LANGUAGE sql AS $$ SELECT found(1) $$;
CREATE FUNCTION stable_but_dynamic() RETURNS SETOF int LANGUAGE plpgsql STABLE AS $$
BEGIN RETURN QUERY EXECUTE 'SELECT 1'; END $$;
CREATE PROCEDURE clean() LANGUAGE SQL AS $$ DELETE FROM links WHERE a < extract(day FROM now()) $$;
CREATE TABLE sales (id int, day date, amount int) PARTITION BY RANGE (day);
CREATE TABLE sales_2025 PARTITION OF sales FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE base (a int);
CREATE TABLE derived (b int) INHERITS (base);
CREATE TABLE ruled (a int);
CREATE RULE noted AS ON INSERT TO ruled DO ALSO INSERT INTO log VALUES (1, 'rule');
ALTER TABLE guarded ENABLE ROW LEVEL SECURITY;
CREATE POLICY mine ON guarded USING (EXISTS (SELECT 1 FROM rights r WHERE r.id = guarded.id));
CREATE TABLE texts (id int, body text, found tsvector);
CREATE TRIGGER indexed BEFORE INSERT OR UPDATE ON texts FOR EACH ROW
EXECUTE FUNCTION tsvector_update_trigger(found, 'pg_catalog.simple', body);
CREATE FOREIGN DATA WRAPPER nothing;
CREATE SERVER nowhere FOREIGN DATA WRAPPER nothing;
CREATE FOREIGN TABLE far (id int) SERVER nowhere;
CREATE TABLE counters (name text, n int);
CREATE FUNCTION next_number() RETURNS int LANGUAGE sql AS $$ UPDATE counters SET n = n + 1 RETURNING n $$;
CREATE TABLE numbered (id int DEFAULT next_number(), a int);
CREATE SCHEMA other;
CREATE TABLE other.users (id int, extra int)
"""


@pytest.fixture(scope="module")
def connection(odbc: Any, postgresql: Any) -> Iterator[Any]:
    """A database with everything in it that the scan knows of."""
    with closing(odbc.connect(postgresql.odbc(), autocommit=True)) as server:
        server.execute(f"CREATE DATABASE {DATABASE}")
        with closing(odbc.connect(postgresql.odbc(DATABASE), autocommit=True)) as made:
            for statement in _statements():
                made.execute(statement)
            yield made
        server.execute(f"DROP DATABASE {DATABASE} WITH (FORCE)")


def _statements() -> Iterator[str]:
    """Cut at the semicolons at the end of lines, but for those in the bodies of functions."""
    statement = ""
    for line in STATEMENTS.splitlines():
        statement += line + "\n"
        if line.endswith(";") and statement.count("$$") % 2 == 0:
            yield statement
            statement = ""
    yield statement


@pytest.fixture(scope="module")
def description(connection: Any) -> SchemaDescription:
    scanned = scan_schema(connection)
    assert scanned.product.startswith("PostgreSQL 1")
    return scanned.description


@pytest.fixture(scope="module")
def schema(description: SchemaDescription) -> Schema:
    return schema_of([description])


def effect(schema: Schema, sql: str) -> Effect:
    return schema.effect(facts_of(sql, "postgres", schema.columns), strict=True)


def changed(**tables: list[str]) -> Changes:
    return Changes(access(tables))


def test_tables_of_all_schemas_are_there_and_two_of_one_name_are_one(
    description: SchemaDescription,
) -> None:
    assert description.complete
    assert description.dialect == "postgres"
    assert set(description.tables["users"].columns or ()) == {"id", "name", "changed", "group_id", "extra"}
    assert description.tables["groups"].computed == ("loud",)
    assert description.tables["kept"].columns == ("name",)
    assert "[Odd.Name]" in description.tables
    assert not any(name.startswith("pg_") for name in description.tables)


def test_foreign_keys_that_act(description: SchemaDescription) -> None:
    assert set(description.foreign_keys) == {
        ForeignKey("users", ("group_id",), "groups", ("id",), "set null", "cascade"),
        ForeignKey("links", ("b",), "users", ("id",), "cascade", "no action"),
    }


def test_views_are_what_they_are_made_from(description: SchemaDescription) -> None:
    assert description.views["names"] == Touches(("groups(id, name)", "users(group_id, name)"))
    assert description.views["counted"] == Touches(("[Odd.Name]()",))
    assert description.views["recent"].reads_clock
    assert description.views["recent"].reads == ("names(name)",)


def test_a_trigger_in_plpgsql_is_read_with_what_it_sets_in_its_row(description: SchemaDescription) -> None:
    touched = next(trigger for trigger in description.triggers if trigger.name == "touched")
    assert touched.events == ("update",)
    assert touched.touches == Touches(writes=("insert log", "users(changed)"), calls=touched.touches.calls)


def test_a_trigger_that_builds_statements_is_unknown(description: SchemaDescription) -> None:
    dynamic = next(trigger for trigger in description.triggers if trigger.name == "dynamic")
    assert dynamic.events == ("insert", "delete")
    assert dynamic.touches.hides == "writes"
    assert "trigger dynamic of log: it builds statements of its own" in description.unknown


def test_functions_of_one_name_are_one_and_stable_ones_do_not_write(
    description: SchemaDescription,
) -> None:
    assert description.functions["found"].reads == ("users(id)", "log(id, what)")
    assert description.functions["found"].writes == ("delete log",)
    assert description.functions["atomic"].reads == ("groups(id)", "users(id)")
    assert description.functions["stable_but_dynamic"].hides == "reads"
    assert description.functions["outer_one"].calls == ("found",)
    assert "touch" not in description.functions


def test_procedures(description: SchemaDescription) -> None:
    assert description.procedures["clean"] == Touches(("links(a)",), ("delete links",), reads_clock=True)


def test_a_call_has_the_effects_of_its_body(schema: Schema) -> None:
    assert effect(schema, "CALL clean()").changes == changed(links=[ANY])
    found = effect(schema, "SELECT outer_one()")
    assert found.reads == Reads(access({"users": ["id"], "log": ["id", "what"]}))
    assert found.changes.unknown  # a trigger of the log builds statements


def test_a_deleted_group_takes_along_what_refers_to_it(schema: Schema) -> None:
    told = effect(schema, "DELETE FROM groups WHERE id = 1").changes
    assert told.access.columns("users") >= {"group_id", "changed"}
    assert effect(schema, "UPDATE groups SET name = 'x'").changes == changed(groups=["name", "loud"])


def test_a_rule_is_unknown(schema: Schema) -> None:
    assert effect(schema, "INSERT INTO ruled VALUES (1)").changes.unknown
    assert not effect(schema, "DELETE FROM ruled").changes.unknown


def test_partitions_and_children_are_read_and_written_with_their_parents(schema: Schema) -> None:
    assert effect(schema, "SELECT amount FROM sales").reads.access.columns("sales_2025") == {"amount", "day"}
    assert effect(schema, "UPDATE sales_2025 SET amount = 1").changes == changed(sales_2025=["amount"])
    assert effect(schema, "UPDATE sales SET amount = 1").changes == changed(
        sales=["amount"], sales_2025=["amount"]
    )
    assert effect(schema, "DELETE FROM base").changes == changed(base=[ANY], derived=[ANY])


def test_who_reads_a_partition_is_concerned_by_what_moves_rows(schema: Schema) -> None:
    moved = effect(schema, "UPDATE sales SET day = day + 1").changes
    assert moved.concern(effect(schema, "SELECT amount FROM sales_2025").reads)


def test_a_table_with_a_policy_is_read_with_what_the_policy_reads(schema: Schema) -> None:
    assert effect(schema, "SELECT secret FROM guarded").reads == Reads(
        access({"guarded": ["id", "secret"], "rights": ["id"]})
    )


def test_a_trigger_of_the_systems_own_changes_its_row(schema: Schema) -> None:
    assert effect(schema, "UPDATE texts SET body = 'x'").changes == changed(texts=[ANY])


def test_a_default_that_counts_in_another_table_changes_it(schema: Schema) -> None:
    told = effect(schema, "INSERT INTO numbered (a) VALUES (1)").changes
    assert told == changed(numbered=[ANY], counters=["n"])
    assert effect(schema, "DELETE FROM numbered").changes == changed(numbered=[ANY])


def test_a_default_that_is_random_changes_nothing_else(connection: Any) -> None:
    available = "SELECT 1 FROM pg_available_extensions WHERE name = 'uuid-ossp'"
    if connection.execute(available).fetchone() is None:
        pytest.skip("this server has no uuid-ossp")
    connection.execute('CREATE EXTENSION "uuid-ossp"')
    connection.execute("CREATE TABLE named (id uuid DEFAULT uuid_generate_v4(), a int)")
    try:
        schema = schema_of([scan_schema(connection).description])
    finally:
        connection.execute("DROP TABLE named")
        connection.execute('DROP EXTENSION "uuid-ossp"')
    assert effect(schema, "INSERT INTO named (a) VALUES (1)").changes == changed(named=[ANY])


def test_a_foreign_table_is_unknown(description: SchemaDescription, schema: Schema) -> None:
    assert effect(schema, "SELECT id FROM far").reads == Reads(access({"far": ["id"]}), unknown=True)
    assert "foreign table far: its rows are elsewhere" in description.unknown


def test_extensions_are_told_apart_by_what_they_can_do(connection: Any) -> None:
    available = "SELECT 1 FROM pg_available_extensions WHERE name = 'pg_trgm'"
    if connection.execute(available).fetchone() is None:
        pytest.skip("this server has no pg_trgm")
    connection.execute("CREATE EXTENSION pg_trgm")
    try:
        description = scan_schema(connection).description
    finally:
        connection.execute("DROP EXTENSION pg_trgm")
    assert "similarity" in (*description.pure_functions, *description.functions)
    assert not any(name.startswith("gtrgm_") for name in description.pure_functions)


def test_temporary_tables_are_no_part_of_the_schema(connection: Any, description: SchemaDescription) -> None:
    connection.execute("CREATE TEMP TABLE passing (id int PRIMARY KEY)")
    connection.execute(
        "CREATE TEMP TABLE too (id int REFERENCES passing ON DELETE CASCADE) INHERITS (passing)"
    )
    try:
        assert scan_schema(connection).description == description
    finally:
        connection.execute("DROP TABLE too, passing")


WRITES = [
    "DELETE FROM groups WHERE id = 1",
    "UPDATE groups SET id = 10 WHERE id = 1",
    "UPDATE groups SET name = 'other' WHERE id = 1",
    "UPDATE users SET name = 'other' WHERE id = 1",
    "DELETE FROM users WHERE id = 1",
    "INSERT INTO users (id, name) VALUES (1, 'x') ON CONFLICT (id) DO UPDATE SET name = EXCLUDED.name",
    "CALL clean()",
    "SELECT found('renamed')",
    "UPDATE sales SET day = day + 1",
    "WITH gone AS (DELETE FROM links RETURNING a) SELECT count(*) FROM gone",
    "MERGE INTO users u USING groups g ON u.id = g.id WHEN MATCHED THEN UPDATE SET name = g.name",
]


@pytest.mark.parametrize("sql", WRITES)
def test_whatever_a_write_really_changes_is_among_the_changes(
    connection: Any, schema: Schema, sql: str
) -> None:
    connection.autocommit = False
    try:
        for table in ("links", "users", "log", "groups", "sales"):
            connection.execute(f"DELETE FROM {table}")
        connection.execute("ALTER TABLE log DISABLE TRIGGER dynamic")
        connection.execute("INSERT INTO groups VALUES (1, 'g'), (2, 'h')")
        connection.execute("INSERT INTO users VALUES (1, 'u', NULL, 1), (2, 'v', NULL, 2)")
        connection.execute("INSERT INTO links VALUES (0, 1), (1, 2)")
        connection.execute("INSERT INTO log VALUES (1, 'renamed')")
        connection.execute("INSERT INTO sales VALUES (1, '2025-05-05', 3)")
        before = _contents(connection, schema)
        connection.execute(sql)
        after = _contents(connection, schema)
    finally:
        connection.rollback()
        connection.autocommit = True
    told = effect(schema, sql).changes.access
    assert before != after
    for table, columns in before.items():
        known = told.columns(table)
        really = {column for column, values in columns.items() if values != after[table][column]}
        came_or_went = any(len(values) != len(after[table][column]) for column, values in columns.items())
        assert ANY in known or (not came_or_went and really <= known), table


def _contents(connection: Any, schema: Schema) -> dict[str, dict[str, list[str]]]:
    tables = ("groups", "users", "links", "log", "sales", "sales_2025")
    columns = {name: sorted(schema.tables[name].columns or ()) for name in tables}
    columns["users"].remove("extra")  # that of another schema
    return {
        name: {
            column: sorted(repr(row[0]) for row in connection.execute(f"SELECT {column} FROM {name}"))
            for column in known
        }
        for name, known in columns.items()
    }
