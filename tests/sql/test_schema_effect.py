"""What a database adds to a text: cascades, triggers, views, routines, computed columns."""

from __future__ import annotations

import pytest

from wats_accel.sql.access import ANY, Access, Changes, Reads, access
from wats_accel.sql.facts import Call, Event, Facts, Hidden, Unknown, Write
from wats_accel.sql.schema import ForeignKey, Routine, Schema, Table, Trigger

GROUPS = ForeignKey("links", ("group_id",), "groups", ("id",), on_delete="cascade")
OWNER = ForeignKey("things", ("owner",), "groups", ("id",), on_delete="set null", on_update="cascade")
LINK_NOTES = ForeignKey("notes", ("link_id",), "links", ("id",), on_delete="cascade")


def tables(*names: str) -> dict[str, Table]:
    return {name: Table(name) for name in names}


def writing(table: str, event: Event, *columns: str) -> Facts:
    return Facts(writes=(Write(table, event, frozenset(columns or (ANY,))),))


def reading(**columns: list[str]) -> Facts:
    return Facts(reads=access(columns))


def changed(schema: Schema, facts: Facts, *, strict: bool = False) -> Changes:
    return schema.effect(facts, strict=strict).changes


def some(**columns: list[str]) -> Access:
    return access(columns)


def test_an_empty_schema_adds_nothing() -> None:
    facts = Facts(reads=some(a=["x"]), writes=(Write("b", "update", frozenset({"y"})),), reads_clock=True)
    effect = Schema().effect(facts)
    assert effect.reads == Reads(some(a=["x"]))
    assert effect.changes == Changes(some(b=["y"]))
    assert effect.reads_clock


@pytest.mark.parametrize(
    ("hides", "reads", "writes"), [("reads", True, False), ("writes", False, True), ("both", True, True)]
)
def test_what_the_text_hides_stays_unknown(hides: Hidden, reads: bool, writes: bool) -> None:
    effect = Schema().effect(Facts(unknowns=(Unknown("x", hides),)))
    assert (effect.reads.unknown, effect.changes.unknown) == (reads, writes)


def test_a_delete_cascades_to_children_and_to_their_children() -> None:
    schema = Schema(foreign_keys=(GROUPS, OWNER, LINK_NOTES))
    expected = some(groups=[ANY], links=[ANY], notes=[ANY], things=["owner"])
    assert changed(schema, writing("groups", "delete")) == Changes(expected)


def test_an_insert_cascades_to_nothing() -> None:
    schema = Schema(foreign_keys=(GROUPS, OWNER))
    assert changed(schema, writing("groups", "insert")) == Changes(some(groups=[ANY]))


def test_what_nobody_knows_of_an_event_cascades() -> None:
    schema = Schema(foreign_keys=(GROUPS, OWNER))
    expected = some(groups=[ANY], links=[ANY], things=["owner"])
    assert changed(schema, writing("groups", "any")) == Changes(expected)


def test_an_update_cascades_when_it_sets_the_key_only() -> None:
    schema = Schema(foreign_keys=(GROUPS, OWNER))
    assert changed(schema, writing("groups", "update", "name")) == Changes(some(groups=["name"]))
    assert changed(schema, writing("groups", "update", "id")) == Changes(
        some(groups=["id"], things=["owner"])
    )
    assert changed(schema, writing("groups", "update")) == Changes(some(groups=[ANY], things=["owner"]))


def test_any_update_may_set_a_key_whose_columns_are_not_known() -> None:
    schema = Schema(foreign_keys=(ForeignKey("a", ("x",), "b", (), on_update="cascade"),))
    assert changed(schema, writing("b", "update", "y")) == Changes(some(a=["x"], b=["y"]))


def test_a_key_that_refers_to_its_own_table_ends() -> None:
    schema = Schema(foreign_keys=(ForeignKey("t", ("up",), "t", ("id",), "cascade", "cascade"),))
    assert changed(schema, writing("t", "delete")) == Changes(some(t=[ANY]))
    assert changed(schema, writing("t", "update", "id")) == Changes(some(t=["id", "up"]))


def test_an_update_changes_computed_columns() -> None:
    table = Table("t", frozenset({"a", "total", "version"}), computed=frozenset({"total", "version"}))
    assert changed(Schema({"t": table}), writing("t", "update", "a")) == Changes(
        some(t=["a", "total", "version"])
    )


def test_a_computed_key_cascades() -> None:
    key = ForeignKey("child", ("k",), "t", ("total",), on_update="cascade")
    schema = Schema({"t": Table("t", computed=frozenset({"total"}))}, (key,))
    assert changed(schema, writing("t", "update", "a")) == Changes(some(t=["a", "total"], child=["k"]))


def test_triggers_fire_by_event_and_their_writes_have_effects_of_their_own() -> None:
    trigger = Trigger("t", "tr", frozenset({"update"}), Changes(some(groups=[ANY])))
    schema = Schema(triggers=(trigger,), foreign_keys=(GROUPS,))
    expected = some(t=["a"], groups=[ANY], links=[ANY])
    assert changed(schema, writing("t", "update", "a")) == Changes(expected)
    assert changed(schema, writing("t", "insert")) == Changes(some(t=[ANY]))


def test_a_cascade_fires_the_triggers_of_the_child() -> None:
    trigger = Trigger("links", "tr", frozenset({"delete"}), Changes(some(log=[ANY])))
    schema = Schema(triggers=(trigger,), foreign_keys=(GROUPS,))
    assert changed(schema, writing("groups", "delete")) == Changes(some(groups=[ANY], links=[ANY], log=[ANY]))


def test_triggers_that_write_in_a_circle_end() -> None:
    events = frozenset({"insert", "update", "delete"})
    there = Trigger("a", "there", events, Changes(some(b=["x"])))
    back = Trigger("b", "back", events, Changes(some(a=["y"])))
    assert changed(Schema(triggers=(there, back)), writing("a", "update", "z")) == Changes(
        some(a=["y", "z"], b=["x"])
    )


def test_a_trigger_that_nobody_has_described_changes_anything() -> None:
    schema = Schema(triggers=(Trigger("t", "tr", frozenset({"insert"}), Changes(unknown=True)),))
    assert changed(schema, writing("t", "insert")).unknown
    assert not changed(schema, writing("t", "delete")).unknown
    assert schema.unknowns(writing("t", "insert")) == ("what the trigger tr of t changes is not known",)


def test_a_view_is_what_it_is_made_from_and_so_are_views_in_views() -> None:
    views = {"v": Reads(some(t=["a"], w=["b"])), "w": Reads(some(u=["b"]))}
    schema = Schema(tables("t", "u"), views=views, clock_views=frozenset({"w"}))
    effect = schema.effect(reading(v=["a"]), strict=True)
    assert effect.reads == Reads(some(t=["a"], u=["b"]))
    assert effect.reads_clock


def test_a_view_that_cannot_be_read_is_unknown() -> None:
    schema = Schema(views={"v": Reads(unknown=True)})
    assert schema.effect(reading(v=["a"])).reads.unknown
    assert schema.unknowns(reading(v=["a"])) == ("what v is made from is not known",)


def test_a_write_to_a_view_is_one_to_any_column_of_its_tables() -> None:
    schema = Schema(views={"v": Reads(some(w=["b"])), "w": Reads(some(groups=["b"]))}, foreign_keys=(GROUPS,))
    assert changed(schema, writing("v", "update", "b")) == Changes(some(groups=[ANY]))
    assert changed(schema, writing("v", "delete")) == Changes(some(groups=[ANY], links=[ANY]))


def test_a_trigger_instead_of_a_write_to_a_view_fires() -> None:
    trigger = Trigger("v", "tr", frozenset({"insert"}), Changes(some(other=[ANY])))
    schema = Schema(views={"v": Reads(some(t=["a"]))}, triggers=(trigger,))
    assert changed(schema, writing("v", "insert")) == Changes(some(t=[ANY], other=[ANY]))


def test_an_alias_stands_for_its_table_column_by_column() -> None:
    schema = Schema(tables("t"), aliases={"syn": frozenset({"t"})})
    assert schema.effect(reading(syn=["a"]), strict=True).reads == Reads(some(t=["a"]))
    assert changed(schema, writing("syn", "update", "a"), strict=True) == Changes(some(t=["a"]))


def test_a_table_with_partitions_is_itself_and_them() -> None:
    schema = Schema(tables("p", "p1", "p2"), aliases={"p": frozenset({"p1", "p2"})})
    assert schema.effect(reading(p=["a"])).reads == Reads(some(p=["a"], p1=["a"], p2=["a"]))
    assert changed(schema, writing("p", "delete")) == Changes(some(p=[ANY], p1=[ANY], p2=[ANY]))


def test_a_table_that_is_a_view_too_reads_that_besides_itself() -> None:
    schema = Schema(tables("t", "rights"), views={"t": Reads(some(rights=["who"]))})
    assert schema.effect(reading(t=["a"])).reads == Reads(some(t=["a"], rights=["who"]))
    assert changed(schema, writing("t", "update", "a")) == Changes(some(t=["a"]))


def test_a_routine_reads_and_changes_with_all_that_follows() -> None:
    routine = Routine("clean", Reads(some(v=["a"])), Changes(some(groups=[ANY])), reads_clock=True)
    schema = Schema(
        routines={"clean": routine}, views={"v": Reads(some(t=["a"]))}, foreign_keys=(GROUPS,), dialect="tsql"
    )
    effect = schema.effect(Facts(calls=frozenset({Call("dbo.[Clean]", "procedure")})))
    assert effect.reads == Reads(some(t=["a"]))
    assert effect.changes == Changes(some(groups=[ANY], links=[ANY]))
    assert effect.reads_clock


def test_a_procedure_that_nobody_has_described_does_anything() -> None:
    facts = Facts(calls=frozenset({Call("sp_x", "procedure")}))
    for dialect in ("tsql", "postgres"):
        schema = Schema(dialect=dialect)
        effect = schema.effect(facts)
        assert effect.reads.unknown
        assert effect.changes.unknown
        assert "nobody has said what the procedure sp_x touches" in schema.unknowns(facts)


def test_a_function_that_nobody_has_described_changes_nothing_where_functions_cannot() -> None:
    facts = Facts(calls=frozenset({Call("fn", "function")}))
    for dialect, may_write in (("tsql", False), ("sqlite", False), ("postgres", True), ("", True)):
        effect = Schema(dialect=dialect).effect(facts)
        assert effect.reads.unknown
        assert effect.changes.unknown is may_write


def test_strict_takes_other_names_for_views_and_for_tables_with_triggers() -> None:
    schema = Schema(tables("t"))
    assert schema.effect(reading(t=["a"]), strict=True).reads == Reads(some(t=["a"]))
    assert schema.effect(reading(u=["a"]), strict=True).reads == Reads(some(u=["a"]), unknown=True)
    assert not schema.effect(reading(u=["a"])).reads.unknown
    assert not changed(schema, writing("t", "insert"), strict=True).unknown
    assert changed(schema, writing("u", "insert"), strict=True) == Changes(some(u=[ANY]), unknown=True)
    assert not changed(schema, writing("u", "insert")).unknown
    assert schema.unknowns(writing("u", "insert"), strict=True) == ("the schema has no u",)


def test_effects_are_remembered_and_their_number_is_bounded(monkeypatch) -> None:
    monkeypatch.setattr("wats_accel.sql.schema.MAX_REMEMBERED", 2)
    schema = Schema()
    first = schema.effect(reading(a=["x"]))
    assert schema.effect(reading(a=["x"])) is first
    schema.effect(reading(b=["x"]))
    schema.effect(reading(c=["x"]))
    assert len(schema._remembered) <= 2


def test_equal_schemas_hash_alike() -> None:
    one, other = (Schema(tables("t"), views={"v": Reads(some(t=["a"]))}) for _ in range(2))
    one.effect(reading(t=["a"]))
    assert one == other
    assert hash(one) == hash(other)


def test_the_columns_that_are_known_are_always_the_same_mapping() -> None:
    schema = Schema({"t": Table("t", frozenset({"a"})), "u": Table("u")})
    assert schema.columns == {"t": {"a"}}
    assert schema.columns is schema.columns


def test_the_columns_of_a_table_that_is_a_view_too_are_not_known() -> None:
    table = Table("t", frozenset({"a"}))
    assert Schema({"t": table}, views={"t": Reads(some(u=["b"]))}).columns == {}
