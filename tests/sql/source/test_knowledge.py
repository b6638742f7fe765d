"""A source tree and a schema, joined: what each method reads and changes in the end."""

from __future__ import annotations

from wats_accel.sql.access import ANY, Changes, Reads, access
from wats_accel.sql.facts import Call, Facts, Unknown, Write
from wats_accel.sql.schema import ForeignKey, Schema, Table
from wats_accel.sql.source.facts import (
    Place,
    SourceCall,
    SourceFacts,
    SourceMethod,
    SourceStatement,
    SourceUnknown,
)
from wats_accel.sql.source.knowledge import Knowledge

HERE = Place("app.py", 1)
SCHEMA = Schema(
    {"t": Table("t"), "child": Table("child")},
    (ForeignKey("child", ("t_id",), "t", ("id",), on_delete="cascade"),),
    dialect="tsql",
)


def statement(line: int, facts: Facts) -> SourceStatement:
    return SourceStatement("…", facts, Place("app.py", line))


LIST = statement(10, Facts(reads=access({"child": ["a"]})))
NOW = statement(20, Facts(reads=access({"t": ["a"]}), reads_clock=True))
DELETE = statement(30, Facts(writes=(Write("t", "delete", frozenset({ANY})),)))
HIDDEN = statement(40, Facts(unknowns=(Unknown("dynamic SQL", "both"),)))
CALLING = statement(50, Facts(calls=frozenset({Call("fn", "function")})))


def tree(*methods: SourceMethod) -> SourceFacts:
    return SourceFacts({method.target: method for method in methods})


def calls(*targets: str) -> tuple[SourceCall, ...]:
    return tuple(SourceCall(target, HERE) for target in targets)


KNOWLEDGE = Knowledge(
    tree(
        SourceMethod("app:R.list", HERE, statements=(LIST,), calls=calls("app:R.now")),
        SourceMethod("app:R.now", HERE, statements=(NOW,), clock=(Place("app.py", 19),)),
        SourceMethod("app:R.delete", HERE, statements=(DELETE,)),
        SourceMethod("app:R.run", HERE, statements=(HIDDEN,)),
        SourceMethod("app:R.odd", HERE, unknowns=(SourceUnknown("eval", Place("app.py", 60)),)),
        SourceMethod("app:R.outer", HERE, calls=calls("app:R.odd", "app:R.delete")),
        SourceMethod("app:R.calling", HERE, statements=(CALLING,)),
    ),
    SCHEMA,
    strict=True,
)


def test_a_method_reads_what_it_and_all_that_it_calls_read() -> None:
    assert KNOWLEDGE.reads("app:R.list") == Reads(access({"child": ["a"], "t": ["a"]}))
    assert [found.statement for found in KNOWLEDGE.statements("app:R.list")] == [LIST, NOW]
    assert KNOWLEDGE.changes("app:R.list") == Changes()


def test_a_method_changes_what_cascades_change() -> None:
    assert KNOWLEDGE.changes("app:R.delete") == Changes(access({"t": [ANY], "child": [ANY]}))


def test_the_statements_that_meet_are_told() -> None:
    changes = Changes(access({"child": ["a"]}))
    assert [found.statement for found in KNOWLEDGE.reading("app:R.list", changes)] == [LIST]
    reads = KNOWLEDGE.reads("app:R.list")
    assert [found.statement for found in KNOWLEDGE.writing("app:R.outer", reads)] == [DELETE]


def test_the_clock_is_found_in_the_sql_and_in_the_code() -> None:
    assert KNOWLEDGE.reads_clock("app:R.list") == (Place("app.py", 19), Place("app.py", 20))
    assert KNOWLEDGE.reads_clock("app:R.delete") == ()


def test_what_cannot_be_analysed_is_unknown_and_named_with_its_place() -> None:
    assert KNOWLEDGE.reads("app:R.run").unknown
    assert KNOWLEDGE.changes("app:R.run").unknown
    assert KNOWLEDGE.unknowns("app:R.run") == (SourceUnknown("dynamic SQL", Place("app.py", 40)),)
    assert KNOWLEDGE.changes("app:R.outer").unknown
    assert KNOWLEDGE.unknowns("app:R.outer") == (SourceUnknown("eval", Place("app.py", 60)),)
    told = "nobody has said what the function fn touches"
    assert SourceUnknown(told, Place("app.py", 50)) in KNOWLEDGE.unknowns("app:R.calling")


def test_a_method_that_the_tree_does_not_have_is_unknown() -> None:
    assert KNOWLEDGE.reads("app:R.nobody").unknown
    assert KNOWLEDGE.changes("app:R.nobody").unknown
    assert KNOWLEDGE.unknowns("app:R.nobody")


def test_what_a_caller_gives_is_the_callers_own_if_the_tree_has_one() -> None:
    wrapper = SourceMethod(
        "app:R._run", HERE, given_statements=(DELETE,), given_unknowns=(SourceUnknown("x", HERE),)
    )
    caller = SourceMethod("app:R.delete", HERE, statements=(DELETE,), calls=calls("app:R._run"))
    with_caller, alone = Knowledge(tree(wrapper, caller), SCHEMA), Knowledge(tree(wrapper), SCHEMA)
    assert with_caller.own_statements("app:R._run") == ()
    assert [found.statement for found in with_caller.own_statements("app:R.delete")] == [DELETE]
    assert [found.statement for found in alone.own_statements("app:R._run")] == [DELETE]
    assert with_caller.is_whole("app:R._run")
    assert not alone.is_whole("app:R._run")
    assert with_caller.changes("app:R._run").unknown  # whoever else calls it
