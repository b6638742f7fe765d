"""SQL Server, scanned: from rows as its documentation describes them, and queries that are at least T-SQL."""

from __future__ import annotations

from typing import Any

import pytest
import sqlglot

from wats_accel.sql.access import ANY, Changes, Reads, access
from wats_accel.sql.catalogue import sqlserver, standard
from wats_accel.sql.catalogue.definitions import body_of_routine
from wats_accel.sql.schema import ForeignKey, Schema
from wats_accel.sql.schema_building import schema_of
from wats_accel.sql.schema_description import SchemaDescription, Touches
from wats_accel.sql.schema_scan import scan_schema
from wats_accel.sql.statement import facts_of
from wats_accel.versions.ddl import script

TABLES = {1: "Users", 2: "Links", 3: "Log", 4: "Users_History", 5: "Far", 6: "Rights"}
ROWS: dict[str, list[dict[str, Any]]] = {
    sqlserver.TABLES: [
        {
            "object_id": number,
            "name": name,
            "history_table_id": 4 if name == "Users" else None,
            "is_external": name == "Far",
        }
        for number, name in TABLES.items()
    ],
    sqlserver.COLUMNS: [
        {
            "object_id": number,
            "name": name,
            "is_computed": name == "Loud",
            "system_type_id": 189 if name == "Version" else 56,
            "generated_always_type": 1 if name == "ValidFrom" else 0,
        }
        for number, name in [
            (1, "Id"),
            (1, "Name"),
            (1, "Loud"),
            (1, "Version"),
            (1, "ValidFrom"),
            (2, "A"),
            (2, "UserId"),
            (3, "What"),
            (6, "UserId"),
        ]
    ],
    sqlserver.FOREIGN_KEYS: [
        {
            "object_id": 10,
            "child_table": "Links",
            "parent_table": "Users",
            "delete_referential_action": 1,
            "update_referential_action": 0,
            "child_column": "UserId",
            "parent_column": "Id",
        }
    ],
    sqlserver.TRIGGERS: [
        {
            "object_id": 20,
            "name": "tr_noted",
            "table_name": "Users",
            "event": event,
            "definition": """CREATE TRIGGER [dbo].[tr_noted] ON [dbo].[Users] WITH EXECUTE AS OWNER
                AFTER INSERT, UPDATE AS
                BEGIN
                    SET NOCOUNT ON
                    INSERT INTO Log (What) SELECT i.Name FROM inserted i JOIN deleted d ON d.Id = i.Id
                    UPDATE l SET A = 1 FROM Links AS l JOIN inserted i ON i.Id = l.UserId
                END""",
        }
        for event in ("INSERT", "UPDATE")
    ]
    + [
        {
            "object_id": 21,
            "name": "tr_hidden",
            "table_name": "Links",
            "event": "DELETE",
            "definition": None,
        },
        {
            "object_id": 22,
            "name": "wats_accel_versions_1",
            "table_name": "Rights",
            "event": "UPDATE",
            "definition": next(
                text
                for text in script("sqlserver", ["Rights"]).statements
                if "CREATE OR ALTER TRIGGER" in text
            ),
        },
    ],
    sqlserver.VIEWS: [
        {
            "object_id": 30,
            "name": "Names",
            "definition": "CREATE VIEW dbo.Names (N) AS SELECT u.Name FROM dbo.Users u WHERE GETDATE() > 1",
        },
        {"object_id": 31, "name": "Both", "definition": "CREATE VIEW a.Both AS SELECT A FROM dbo.Links"},
        {"object_id": 32, "name": "Both", "definition": "CREATE VIEW b.Both AS SELECT What FROM dbo.Log"},
    ],
    sqlserver.ROUTINES: [
        {
            "object_id": 40,
            "name": "sp_clean",
            "type": "P ",
            "definition": """CREATE PROCEDURE sp_clean @days AS int = 3, @x nvarchar(10) AS
                DELETE FROM Links WHERE A < @days
                EXEC sp_note @x""",
        },
        {
            "object_id": 41,
            "name": "sp_note",
            "type": "P ",
            "definition": "CREATE PROC sp_note (@x nvarchar(10)) AS INSERT INTO Log VALUES (@x)",
        },
        {
            "object_id": 42,
            "name": "fn_name",
            "type": "FN",
            "definition": """CREATE FUNCTION dbo.fn_name (@id int) RETURNS nvarchar(50) AS
                BEGIN RETURN (SELECT Name FROM Users WHERE Id = @id) END""",
        },
        {
            "object_id": 43,
            "name": "fn_rights",
            "type": "IF",
            "definition": """CREATE FUNCTION dbo.fn_rights (@id int) RETURNS TABLE WITH SCHEMABINDING
                RETURN SELECT 1 AS ok FROM dbo.Rights WHERE UserId = @id""",
        },
        {"object_id": 44, "name": "sp_clr", "type": "PC", "definition": None},
        {
            "object_id": 45,
            "name": "sp_built",
            "type": "P ",
            "definition": "CREATE PROCEDURE sp_built AS DECLARE @s nvarchar(max) = N'…'; EXEC (@s)",
        },
        {
            "object_id": 46,
            "name": "sp_short",
            "type": "P ",
            "definition": "CREATE PROCEDURE sp_short AS SELECT 1",
        },
    ],
    sqlserver.DEPENDENCIES: [
        {"referencing_id": 30, "name": "Users"},
        {"referencing_id": 40, "name": "sp_note"},
        {"referencing_id": 46, "name": "Log"},
        {"referencing_id": 6, "name": "fn_name"},  # a computed column
    ],
    sqlserver.SYNONYMS: [
        {"name": "People", "base_object_name": "[dbo].[Users]"},
        {"name": "Cleaner", "base_object_name": "[dbo].[sp_clean]"},
        {"name": "Away", "base_object_name": "[Other].[dbo].[Users]"},
    ],
    sqlserver.PREDICATES: [{"name": "Links", "predicate_definition": "([dbo].[fn_rights]([UserId]))"}],
}


class _Cursor:
    def __init__(self, rows: list[dict[str, Any]] | None = None) -> None:
        self._rows = rows or []

    def execute(self, sql: str) -> None:
        if "SERVERPROPERTY" in sql:
            self._rows = [{"version": "15.0.2000.5"}]
        elif sql in ROWS:
            self._rows = ROWS[sql]
        else:
            raise RuntimeError("no such function")  # the questions for other products

    @property
    def description(self) -> list[tuple[str]]:
        return [(name,) for row in self._rows[:1] for name in row]

    def fetchall(self) -> list[tuple[Any, ...]]:
        return [tuple(row.values()) for row in self._rows]

    def close(self) -> None:
        pass


class _Server:
    """Answers with the rows above."""

    def cursor(self) -> _Cursor:
        return _Cursor()

    def rollback(self) -> None:
        pass


@pytest.fixture(scope="module")
def description() -> SchemaDescription:
    scanned = scan_schema(_Server())
    assert scanned.product == "SQL Server 15.0.2000.5"
    return scanned.description


@pytest.fixture(scope="module")
def schema(description: SchemaDescription) -> Schema:
    return schema_of([description])


def changed(schema: Schema, sql: str) -> Changes:
    return schema.effect(facts_of(sql, "tsql", schema.columns), strict=True).changes


def read(schema: Schema, sql: str) -> Reads:
    return schema.effect(facts_of(sql, "tsql", schema.columns), strict=True).reads


@pytest.mark.parametrize("query", sqlserver.QUERIES)
def test_its_queries_are_t_sql_that_reads(query: str) -> None:
    parsed = sqlglot.parse_one(query, dialect="tsql")
    assert isinstance(parsed, sqlglot.exp.Select)
    tables = {table.db for table in parsed.find_all(sqlglot.exp.Table)}
    assert tables == {"sys"}


@pytest.mark.parametrize("query", standard.QUERIES)
def test_the_queries_of_information_schema_read(query: str) -> None:
    assert isinstance(sqlglot.parse_one(query), sqlglot.exp.Select)


def test_columns_that_the_server_changes_are_computed(description: SchemaDescription) -> None:
    assert description.tables["Users"].computed == ("Loud", "Version", "ValidFrom")


def test_foreign_keys(description: SchemaDescription) -> None:
    assert description.foreign_keys == (ForeignKey("Links", ("UserId",), "Users", ("Id",), "cascade"),)


def test_a_trigger_is_read_without_its_pseudo_tables(description: SchemaDescription) -> None:
    noted = description.triggers[0]
    assert (noted.table, noted.name, noted.events) == ("Users", "tr_noted", ("insert", "update"))
    assert noted.touches == Touches(writes=("Links(A)", "insert Log"))


def test_an_encrypted_trigger_is_unknown(description: SchemaDescription, schema: Schema) -> None:
    assert "trigger tr_hidden: its text cannot be seen" in description.unknown
    assert changed(schema, "DELETE FROM Links").unknown
    assert not changed(schema, "UPDATE Links SET A = 1").unknown


def test_a_trigger_that_only_notes_versions_is_none(description: SchemaDescription, schema: Schema) -> None:
    assert "Rights" not in {trigger.table for trigger in description.triggers}
    assert not changed(schema, "UPDATE Rights SET UserId = 1").unknown


def test_a_table_with_versions_writes_its_history(schema: Schema) -> None:
    told = changed(schema, "UPDATE Users SET Name = 'x'").access
    assert told.columns("users_history") == {ANY}
    assert told.columns("users") == {"name", "loud", "version", "validfrom"}


def test_views_procedures_and_functions(description: SchemaDescription, schema: Schema) -> None:
    assert description.views["Names"] == Touches(("Users(Name)",), reads_clock=True)
    assert description.views["Both"].reads == ("Links(A)", "Log(What)")  # of two schemas
    assert description.procedures["sp_clean"].calls == ("sp_note",)
    assert changed(schema, "EXEC dbo.sp_clean 3").access == access({"links": [ANY], "log": [ANY]})
    assert read(schema, "SELECT dbo.fn_name(1)") == Reads(access({"users": ["id", "name"]}))


def test_what_is_written_in_net_or_built_at_run_time_is_unknown(schema: Schema) -> None:
    for procedure in ("sp_clr", "sp_built"):
        assert changed(schema, f"EXEC {procedure}").unknown


def test_what_the_server_knows_of_a_module_and_its_text_does_not_tell_is_unknown(
    description: SchemaDescription, schema: Schema
) -> None:
    assert changed(schema, "EXEC sp_short").unknown
    assert "sp_short: it depends on Log, and its text does not tell how" in description.unknown


def test_synonyms(schema: Schema) -> None:
    assert read(schema, "SELECT Name FROM People") == Reads(access({"users": ["name"]}))
    assert changed(schema, "EXEC Cleaner").access == changed(schema, "EXEC sp_clean").access
    assert read(schema, "SELECT Name FROM Away").unknown
    assert changed(schema, "DELETE FROM Away").unknown


def test_a_policy_reads_what_its_function_reads_and_who_asks_is_unknown(schema: Schema) -> None:
    told = read(schema, "SELECT A FROM Links")
    assert told.access.columns("links") == {"a", "userid"}
    assert told.access.columns("rights") == {"userid"}
    assert told.unknown


def test_a_computed_column_that_calls_a_function_is_read_with_what_that_reads(schema: Schema) -> None:
    assert read(schema, "SELECT r.UserId FROM Rights AS r") == Reads(
        access({"rights": ["userid"], "users": ["id", "name"]})
    )


def test_an_external_table_is_unknown(schema: Schema) -> None:
    assert read(schema, "SELECT x FROM Far").unknown


@pytest.mark.parametrize(
    ("text", "body"),
    [
        ("CREATE PROC p AS SELECT 1", "SELECT 1"),
        ("CREATE PROC p @a AS int, @b int = 2 AS SELECT 1", "SELECT 1"),
        ("CREATE PROC p WITH EXECUTE AS 'someone' AS SELECT 1", "SELECT 1"),
        ("CREATE PROC p (@a AS int) AS BEGIN SELECT 1 END", "BEGIN SELECT 1 END"),
        ("CREATE PROC [as] AS -- AS\nSELECT 1 AS x", "-- AS\nSELECT 1 AS x"),
        ("CREATE FUNCTION f () RETURNS TABLE RETURN SELECT 1 AS x", "SELECT 1 AS x"),
        ("CREATE FUNCTION f () RETURNS TABLE AS RETURN (SELECT 1 AS x)", "(SELECT 1 AS x)"),
        ("CREATE FUNCTION f () RETURNS @t TABLE (a int) AS BEGIN RETURN END", "BEGIN RETURN END"),
        ("nothing of that kind", ""),
    ],
)
def test_the_body_of_a_routine_is_found(text: str, body: str) -> None:
    assert body_of_routine(text) == body
