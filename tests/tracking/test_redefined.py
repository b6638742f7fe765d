"""What the application defines while it runs is not in the schema, which is less sure from then on."""

from __future__ import annotations

import gc
from typing import Any

import pytest
from old_answers import fill, old_answers

from wats_accel.sql.access import Changes, Reads, access
from wats_accel.sql.facts import Write
from wats_accel.sql.schema import Routine, Schema, Table, Trigger
from wats_accel.tracking.redefined import redefined

TRIGGER = "CREATE TRIGGER t AFTER UPDATE ON item BEGIN INSERT INTO note (text) VALUES ('audit'); END"
SCHEMA = Schema(
    tables={"item": Table("item"), "note": Table("note")},
    triggers=(Trigger("note", "old", frozenset({"insert"}), Changes(access({"item": ["seen"]}))),),
    views={"shown": Reads(access({"item": ["name"]}))},
    routines={"f": Routine("f", Reads(access({"item": ["name"]})), Changes())},
)


@pytest.mark.parametrize("sql", [{"assume_plain_tables": True}, {"tables": {"item": None, "note": None}}])
@pytest.mark.parametrize("text", [TRIGGER, TRIGGER.replace("CREATE", "CREATE TEMP")])
def test_a_table_with_a_new_trigger_is_written_as_nobody_knows(
    accelerate: Any, shop: Any, text: str, sql: dict[str, Any]
) -> None:
    gc.collect()  # a transaction that another test has left open would keep anything from being stored
    with accelerate(sql=sql):
        connection = shop.connect()
        connection.execute("UPDATE item SET price = 2")  # known by now, as it was
        connection.execute(text)
        fill(shop)
        connection.execute("UPDATE item SET price = 2")
        assert old_answers(shop) == set()
        connection.close()


def test_what_a_new_view_gives_is_not_kept(accelerate: Any, shop: Any) -> None:
    type(shop).viewed = lambda self: self.query("viewed", "SELECT name FROM shown")
    with accelerate(cached={"viewed": "shop", "names": "shop"}) as accelerator:
        shop.write("CREATE VIEW shown AS SELECT name FROM item")
        shop.viewed()
        assert accelerator.stats().total.not_stored == {"unknown_reads": 1}
        shop.write("UPDATE item SET name = 'x'")
        assert shop.viewed() == [("x",), ("x",)]


def test_a_new_table_that_cascades_is_changed_with_its_parent(accelerate: Any, shop: Any) -> None:
    type(shop).parts = lambda self: self.query("parts", "SELECT item FROM part")
    with accelerate(cached={"parts": "shop"}):
        shop.write("CREATE TABLE part (item INTEGER REFERENCES item (id) ON DELETE CASCADE)")
        shop.write("INSERT INTO part VALUES (1), (2)")
        assert shop.parts() == [(1,), (2,)]
        connection = shop.connect()
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("DELETE FROM item WHERE id = 1")
        connection.close()
        assert shop.parts() == [(2,)]


@pytest.mark.parametrize(
    ("text", "tables"),
    [
        (TRIGGER, {"item"}),
        ("CREATE OR ALTER TRIGGER [dbo].[t] ON [dbo].[Item] AFTER INSERT AS DELETE FROM x", {"item"}),
        ("CREATE TRIGGER t BEFORE UPDATE OF a, b ON public.item FOR EACH ROW EXECUTE FUNCTION g()", {"item"}),
        ("CREATE RULE r AS ON UPDATE TO item DO ALSO DELETE FROM note", {"item", "note"}),
        ("ALTER TABLE item RENAME TO thing", {"item", "thing"}),
        ("CREATE TABLE thing (a UNIQUE ON CONFLICT REPLACE)", {"thing"}),
        ("ALTER TABLE item ENABLE TRIGGER ALL", {"item"}),
        ("CREATE OR REPLACE FUNCTION g() RETURNS trigger AS $$ BEGIN END $$ LANGUAGE plpgsql", {"note"}),
        ("SELECT 1; CREATE TRIGGER t AFTER UPDATE ON item BEGIN DELETE FROM note; END", {"item"}),
    ],
)
def test_nobody_knows_what_a_write_changes_then(text: str, tables: set[str]) -> None:
    after = redefined(SCHEMA, text, "")
    unsure = {table for table in ("item", "note", "thing") if after.changing([write(table)]).unknown}
    assert unsure == tables


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("CREATE OR REPLACE VIEW shown AS SELECT 1", {"shown"}),
        ('CREATE VIEW IF NOT EXISTS main."Other" (a) AS SELECT 1', {"other"}),
        ("CREATE TEMP TABLE item (a)", {"item", "shown"}),
        ("CREATE POLICY p ON item USING (owner = current_user)", {"item", "shown"}),
        ("CREATE OR REPLACE FUNCTION f() RETURNS int AS $$ SELECT 1 $$ LANGUAGE sql", {"shown"}),
    ],
)
def test_nobody_knows_what_a_name_gives_then(text: str, names: set[str]) -> None:
    after = redefined(SCHEMA, text, "")
    unsure = {
        name
        for name in ("item", "note", "shown", "other")
        if after.reading(Reads(access({name: ["*"]}))).reads.unknown
    }
    assert unsure == names


@pytest.mark.parametrize(
    "text",
    [
        "CREATE TABLE other (a INTEGER, b TEXT)",
        "CREATE TABLE IF NOT EXISTS item (a REFERENCES note ON DELETE CASCADE)",
        "CREATE INDEX i ON item (name)",
        "DROP VIEW shown",
        "TRUNCATE TABLE item",
        "ALTER TABLE item ADD COLUMN colour TEXT",
        "CREATE FUNCTION g() RETURNS int AS $$ SELECT 1 $$ LANGUAGE sql",
        "INSERT INTO note (text) VALUES ('CREATE TRIGGER t ON item')",
    ],
)
def test_what_changes_the_meaning_of_nothing_leaves_the_schema(text: str) -> None:
    assert redefined(SCHEMA, text, "") is SCHEMA


def test_a_routine_that_is_replaced_is_not_known_any_more() -> None:
    assert (
        "f"
        not in redefined(SCHEMA, "ALTER FUNCTION dbo.f() RETURNS int AS BEGIN RETURN 2 END", "tsql").routines
    )


def test_a_new_column_that_is_computed_changes_with_any_other() -> None:
    after = redefined(SCHEMA, "ALTER TABLE item ADD COLUMN twice INTEGER AS (price * 2)", "sqlite")
    changes = after.changing([Write("item", "update", frozenset({"price"}))])
    assert changes.concern(Reads(access({"item": ["twice"]})))


def test_the_same_definition_twice_adds_nothing() -> None:
    once = redefined(SCHEMA, TRIGGER, "sqlite")
    assert redefined(once, TRIGGER, "sqlite") is once


def write(table: str) -> Write:
    return Write(table, "update", frozenset({"name"}))
