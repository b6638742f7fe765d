"""Footprints and changes: one object for each, and who concerns whom."""

from __future__ import annotations

import gc

import pytest

from wats_accel.sql.access import NOTHING, Changes, Reads, access
from wats_accel.tracking.seen import Changed, Footprints, remember

NAMES = Reads(access({"item": ["name"]}))
NOTES = Reads(access({"note": ["*"]}))


def changed(**tables: list[str]) -> Changed:
    return Changed(Changes(access(tables)), ("update item",))


def test_equal_reads_are_one_footprint() -> None:
    footprints = Footprints()
    assert footprints.of(NAMES) is footprints.of(Reads(access({"ITEM": ["Name"]})))
    assert footprints.of(NAMES) is not footprints.of(NAMES, clock=True)


def test_what_is_made_from_both_is_one_footprint_in_either_order() -> None:
    footprints = Footprints()
    names, notes = footprints.of(NAMES), footprints.of(NOTES, clock=True)
    both = names | notes
    assert both is notes | names
    assert both is names | notes
    assert both.reads == NAMES | NOTES
    assert both.clock
    assert both | names is both


def test_a_footprint_that_nobody_has_is_forgotten() -> None:
    footprints = Footprints()
    kept = footprints.of(NAMES)
    footprints.of(NOTES)
    gc.collect()
    assert list(footprints._known.values()) == [kept]


def test_a_child_process_finds_the_same_footprints() -> None:
    footprints = Footprints()
    names = footprints.of(NAMES)
    footprints._lock.acquire()  # by a thread that is gone
    footprints.begin_anew()
    assert footprints.of(NAMES) is names


def test_a_change_concerns_what_was_made_from_it() -> None:
    footprints = Footprints()
    names, notes = footprints.of(NAMES), footprints.of(NOTES)
    change = changed(item=["name"])
    for _ in range(2):  # the second time from memory
        assert change.concerns(names)
        assert not change.concerns(notes)
        assert change.concerns(names | notes)
        assert not change.concerns(None)


def test_an_unknown_change_concerns_everything() -> None:
    unknown = Changed(Changes(NOTHING, unknown=True), ("a call",))
    assert unknown.concerns(Footprints().of(NOTES))
    assert unknown.concerns(None)
    assert unknown.pattern == "sql:*"


def test_changes_add_up_and_the_same_one_again_adds_nothing() -> None:
    name, price = changed(item=["name"]), changed(item=["price"])
    both = name | price
    assert both.pattern == "sql:item(name, price)"
    assert both.by == ("update item",)
    assert name | name is name
    assert both | name is both
    assert both | price is both


def test_kinds_of_statements_add_up_in_their_order() -> None:
    insert = Changed(Changes(access({"item": ["*"]})), ("insert item",))
    assert (changed(item=["name"]) | insert).by == ("update item", "insert item")


@pytest.mark.parametrize("count", [3, 4, 9])
def test_a_memory_is_bounded(count: int) -> None:
    known: dict[int, int] = {}
    for number in range(count):
        remember(known, number, number, most=3)
        assert known[number] == number
        assert len(known) <= 3
