"""From what people write of a database to the schema that expands what statements do."""

from __future__ import annotations

from wats_accel.sql.access import ANY, Changes, Reads, access
from wats_accel.sql.facts import Call, Facts, Write
from wats_accel.sql.schema import ForeignKey, Schema
from wats_accel.sql.schema_building import schema_of
from wats_accel.sql.schema_description import (
    SchemaDescription,
    TableDescription,
    Touches,
    TriggerDescription,
)


def schema(**parts: object) -> Schema:
    return schema_of([SchemaDescription(**parts)])  # type: ignore[arg-type] # the test's own words


def some(**columns: list[str]) -> Reads:
    return Reads(access(columns))


def test_names_are_folded_and_lose_schema_and_brackets() -> None:
    built = schema(
        tables={"[dbo].[Users]": TableDescription(("Id", "Name"), ("Version",))},
        foreign_keys=(ForeignKey("dbo.Links", ("User",), "dbo.Users", ("Id",), "cascade"),),
        aliases={"People": ("other.dbo.Users",)},
    )
    assert built.tables["users"].columns == {"id", "name"}
    assert built.tables["users"].computed == {"version"}
    assert built.foreign_keys[0].table == "links"
    assert built.aliases == {"people": {"users"}}


def test_a_dot_in_brackets_is_one_of_the_name() -> None:
    assert list(schema(tables={"[odd.name]": TableDescription()}).tables) == ["odd.name"]


def test_tables_and_columns_are_written_in_several_ways() -> None:
    built = schema(
        tables={"T": TableDescription(), "U": TableDescription()},
        views={
            "whole": Touches(("T", "dbo.U", "x.dbo.T.a")),
            "columns": Touches(("T.a", "T(b, [C])", "U.*")),
        },
    )
    assert built.views["whole"] == some(t=[ANY], u=[ANY])
    assert built.views["columns"] == some(t=["a", "b", "c"], u=[ANY])


def test_writes_may_say_what_happens() -> None:
    told = Touches(writes=("insert T", "DELETE dbo.U", "update V", "update W(a)", "X(b)", "Y", "[delete T]"))
    tables = dict.fromkeys(("T", "U", "V", "W", "X", "Y", "[delete T]"), TableDescription())
    built = schema(tables=tables, procedures={"p": told}, triggers=(TriggerDescription("T", "tr", told),))
    expected = (
        Write("t", "insert", frozenset({ANY})),
        Write("u", "delete", frozenset({ANY})),
        Write("v", "update", frozenset({ANY})),
        Write("w", "update", frozenset({"a"})),
        Write("x", "update", frozenset({"b"})),
        Write("y", "any", frozenset({ANY})),
        Write("delete t", "any", frozenset({ANY})),
    )
    assert built.routines["p"].writes == expected
    assert built.triggers[0].writes == expected
    assert built.triggers[0].changes.access.columns("w") == {"a"}


def test_an_insert_of_a_procedure_takes_no_children_along() -> None:
    built = schema(
        tables=dict.fromkeys(("parent", "child"), TableDescription()),
        foreign_keys=(ForeignKey("child", ("p",), "parent", ("id",), "cascade"),),
        procedures={"add": Touches(writes=("insert parent",)), "anything": Touches(writes=("parent",))},
    )
    for name, tables in (("add", {"parent"}), ("anything", {"parent", "child"})):
        effect = built.effect(Facts(calls=frozenset({Call(name, "procedure")})), strict=True)
        assert set(effect.changes.access) == tables


def test_of_two_names_that_nobody_knows_both_may_be_the_table() -> None:
    assert schema(views={"v": Touches(("x.y",))}).views["v"] == some(x=["y"], y=[ANY])


def test_two_tables_of_one_name_are_one() -> None:
    built = schema(
        tables={"a.t": TableDescription(("x",)), "b.t": TableDescription(("y",), ("z",))},
        views={"a.v": Touches(("t.x",)), "b.v": Touches(("t.y",))},
    )
    assert built.tables["t"].columns == {"x", "y"}
    assert built.tables["t"].computed == {"z"}
    assert built.views["v"] == some(t=["x", "y"])
    assert (
        schema(tables={"a.t": TableDescription(("x",)), "b.t": TableDescription()}).tables["t"].columns
        is None
    )


def test_keys_and_triggers_of_two_schemas_that_look_alike_all_count() -> None:
    built = schema(
        foreign_keys=(
            ForeignKey("a.t", ("x",), "a.p", ("id",), "cascade"),
            ForeignKey("b.t", ("x",), "b.p", ("id",), "set null"),
        ),
        triggers=(
            TriggerDescription("a.t", "tr", Touches(writes=("log",))),
            TriggerDescription("b.t", "tr", Touches(writes=("other",))),
        ),
    )
    assert [key.on_delete for key in built.foreign_keys] == ["cascade", "set null"]
    assert [set(trigger.changes.access) for trigger in built.triggers] == [{"log"}, {"other"}]


def test_a_routine_touches_what_those_that_it_calls_touch() -> None:
    built = schema(
        tables={"t": TableDescription(), "u": TableDescription()},
        procedures={
            "outer": Touches(("t.a",), calls=("inner",)),
            "inner": Touches((), ("u",), calls=("outer", "fn")),
        },
        functions={"fn": Touches((), reads_clock=True)},
    )
    assert built.routines["outer"].reads == some(t=["a"])
    assert built.routines["outer"].changes == Changes(access({"u": [ANY]}))
    assert built.routines["outer"].reads_clock
    assert built.routines["inner"].reads == some(t=["a"])


def test_what_calls_something_that_nobody_has_described_is_unknown() -> None:
    built = schema(
        procedures={"p": Touches((), calls=("other",))},
        triggers=(TriggerDescription("t", "tr", Touches(calls=("other",))),),
        views={"v": Touches(("t",), calls=("other",))},
    )
    assert built.routines["p"].reads.unknown
    assert built.routines["p"].changes.unknown
    assert built.triggers[0].changes.unknown
    assert built.views["v"].unknown


def test_functions_of_sql_server_change_nothing() -> None:
    built = schema(dialect="tsql", functions={"f": Touches((), calls=("other",))})
    assert built.routines["f"].reads.unknown
    assert not built.routines["f"].changes


def test_what_nobody_has_said_of_the_reads_is_unknown() -> None:
    built = schema(procedures={"p": Touches(None, ("t",)), "q": Touches((), ("t",))})
    assert built.routines["p"].reads.unknown
    assert not built.routines["p"].changes.unknown
    assert not built.routines["q"].reads.unknown


def test_what_hides_is_unknown() -> None:
    built = schema(
        triggers=(TriggerDescription("t", "tr", Touches(hides="writes")),),
        views={"v": Touches(hides="reads")},
    )
    assert built.triggers[0].changes == Changes(unknown=True)
    assert built.views["v"] == Reads(unknown=True)


def test_later_descriptions_beat_earlier_ones_name_by_name() -> None:
    scanned = SchemaDescription(
        dialect="tsql",
        complete=True,
        tables={"dbo.T": TableDescription(("a",), ("v",)), "U": TableDescription(("b",))},
        foreign_keys=(ForeignKey("T", ("u",), "U", ("b",), "cascade"),),
        triggers=(TriggerDescription("T", "tr", Touches(hides="writes")),),
        views={"v": Touches(hides="reads")},
        procedures={"p": Touches(None, hides="both")},
    )
    told = SchemaDescription(
        tables={"t": TableDescription()},
        foreign_keys=(ForeignKey("t", ("U",), "u", ()),),
        triggers=(TriggerDescription("t", "TR", Touches(writes=("U.b",)), ("update",)),),
        views={"V": Touches(("T.a",))},
        procedures={"P": Touches((), ("T",))},
    )
    built = schema_of([scanned, told])
    assert built.dialect == "tsql"
    assert built.complete
    assert built.tables["t"].columns == {"a"}
    assert built.tables["t"].computed == {"v"}
    assert [key.on_delete for key in built.foreign_keys] == ["no action"]
    assert [(one.events, one.changes) for one in built.triggers] == [
        (frozenset({"update"}), Changes(access({"u": ["b"]})))
    ]
    assert built.views == {"v": some(t=["a"])}
    assert built.routines["p"].changes == Changes(access({"t": [ANY]}))
