"""What each call of a driver does: by its text, by a procedure's name, or by nothing."""

from __future__ import annotations

import pytest

from wats_accel.pool.changes import READS, UNKNOWN, change_of
from wats_accel.sql.access import Changes, Reads, access
from wats_accel.sql.schema import Routine, Schema, Table
from wats_accel.tracking.analyses import Analyses, Analysis
from wats_accel.tracking.seen import Footprints


def analyses(schema: Schema | None = None, *, dialect: str = "", strict: bool = False) -> Analyses:
    return Analyses(lambda: schema or Schema(), dialect=dialect, strict=strict, footprints=Footprints())


def changes_of(found: Analysis) -> str:
    return "nothing" if found.changed is None else found.changed.pattern


def test_a_text_is_worked_out_once() -> None:
    known = analyses()
    text = "SELECT name FROM item"
    first = known.of_text(text, "sqlite")
    assert known.of_text("SELECT name " + "FROM item", "sqlite") is first
    assert first.footprint.reads == Reads(access({"item": ["name"]}))
    assert first.changed is None


def test_a_subclass_of_text_is_read_by_its_letters() -> None:
    class Query(str):
        __slots__ = ()

        def __hash__(self) -> int:
            return 1

        def __eq__(self, other: object) -> bool:
            return True

    known = analyses()
    assert known.of_text(Query("DELETE FROM item"), "sqlite").changed is not None
    assert known.of_text(Query("SELECT name FROM item"), "sqlite").changed is None


def test_the_connection_knows_its_dialect_better_than_the_configuration() -> None:
    known = analyses(dialect="tsql")
    text = "SELECT TOP 3 [name] FROM [item]"
    assert known.of_text(text, "").footprint.reads == Reads(access({"item": ["name"]}))
    postgres = known.of_text('SELECT "name" FROM "item" LIMIT 3', "postgres")
    assert postgres.footprint.reads == Reads(access({"item": ["name"]}))


def test_a_text_that_is_no_str_may_do_anything() -> None:
    found = analyses().of_call("sqlite", "execute", b"SELECT 1", UNKNOWN)
    assert changes_of(found) == "sql:*"
    assert found.footprint.reads.unknown


def test_a_method_that_reads_past_sql_reads_nobody_knows_what() -> None:
    found = analyses().of_call("sqlite", "iterdump", None, READS)
    assert changes_of(found) == "nothing"
    assert found.footprint.reads.unknown


def test_a_procedure_does_what_the_schema_says() -> None:
    routine = Routine("sp_clean", Reads(access({"item": ["seen"]})), Changes(access({"note": ["*"]})))
    known = analyses(Schema(routines={"sp_clean": routine}))
    found = known.of_call("tsql", "callproc", "sp_Clean", UNKNOWN)
    assert changes_of(found) == "sql:note(*)"
    assert found.changed is not None
    assert found.changed.by == ("procedure sp_clean",)
    assert changes_of(known.of_call("tsql", "callproc", "sp_other", UNKNOWN)) == "sql:*"
    text = "{call sp_Clean}"
    assert changes_of(known.of_call("tsql", "execute", text, change_of(text))) == "sql:note(*)"


def test_strict_takes_a_name_that_nobody_knows_for_the_worst() -> None:
    schema = Schema(tables={"item": Table("item")})
    assert not analyses(schema, strict=True).of_text("SELECT name FROM item", "").footprint.reads.unknown
    strict = analyses(schema, strict=True).of_text("SELECT name FROM other", "")
    assert strict.footprint.reads.unknown
    assert changes_of(analyses(schema, strict=True).of_text("DELETE FROM other", "")) == "sql:*"
    assert changes_of(analyses(schema).of_text("DELETE FROM other", "")) == "sql:other(*)"


@pytest.mark.parametrize(
    ("text", "by"),
    [
        ("UPDATE item SET name = 'secret'", "update item"),
        ("INSERT INTO item VALUES (1); DELETE FROM note", "insert/delete item, note"),
        ("EXEC sp_x 'secret'", "procedure sp_x"),
        ("TRUNCATE TABLE item", "definition item"),
    ],
)
def test_a_change_is_told_by_kind_and_table(text: str, by: str) -> None:
    found = analyses().of_text(text, "tsql")
    assert found.changed is not None
    assert found.changed.by == (by,)


def test_what_a_rule_declares_is_a_footprint_with_views_replaced() -> None:
    schema = Schema(views={"shown": Reads(access({"item": ["name"]}))})
    found = analyses(schema).declared(("Shown", "note.text"))
    assert found is not None
    assert found.reads.access.columns("item") == frozenset({"name"})
    assert found.reads.access.columns("note") == frozenset({"text"})
    assert analyses().declared(()) is None


def test_a_very_long_text_is_not_remembered() -> None:
    known = analyses()
    known.of_text(f"SELECT name FROM item WHERE id IN ({', '.join(map(str, range(9000)))})", "sqlite")
    assert not known._known
