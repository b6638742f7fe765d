"""Indexes find the entries that a store holds, by scope and by argument."""

from __future__ import annotations

import weakref

import pytest

from wats_accel.cache.copying import Snapshot
from wats_accel.cache.entries import Entry, place_of
from wats_accel.cache.index import EntryIndex, EntryIndexes
from wats_accel.cache.selection import EVERYTHING, AnyOf, GlobOf, Selection


def entry(scope, *texts):
    return Entry((None, scope), place_of((scope, *texts)), Snapshot(None, None), 0.0)


def naming(position, *texts):
    return Selection((AnyOf(position, frozenset(texts)),))


class Stored:
    """What a store holds, and how often it was asked for all of it."""

    def __init__(self, *entries):
        self.held = list(entries)
        self.asked = 0

    def entries(self):
        self.asked += 1
        return self.held


@pytest.fixture
def stored():
    return Stored(entry(1, "a", "x"), entry(1, "b"), entry(2, "a"), entry(2))


@pytest.fixture
def indexes(stored):
    return EntryIndexes(stored.entries)


def test_entries_are_found_by_scope(indexes, stored):
    assert set(indexes.of_scope(1)) == set(stored.held[:2])
    assert set(indexes.of_scope(2)) == set(stored.held[2:])
    assert indexes.of_scope(3) == []


def test_entries_are_found_by_argument_with_those_that_do_not_have_it(indexes, stored):
    assert set(indexes.candidates(naming(0, "a"))) == {stored.held[0], stored.held[2], stored.held[3]}
    assert set(indexes.candidates(naming(0, "b", "c"))) == {stored.held[1], stored.held[3]}
    assert set(indexes.candidates(naming(1, "x"))) == set(stored.held)


@pytest.mark.parametrize("selection", [EVERYTHING, Selection((GlobOf(0, "a*"),))], ids=["all", "glob"])
def test_what_names_no_argument_has_all_entries_as_candidates(indexes, stored, selection):
    assert indexes.candidates(selection) == stored.held


def test_the_store_is_visited_once_for_each_argument_asked_for(indexes, stored):
    for text in ("a", "b", "c"):
        indexes.candidates(naming(0, text))
    assert stored.asked == 1


def test_an_entry_that_was_added_is_found_and_the_one_it_replaces_is_not(indexes, stored):
    indexes.candidates(naming(0, "a"))
    newer = entry(1, "a", "x")
    indexes.add(newer, replaced=stored.held[0])
    assert set(indexes.candidates(naming(0, "a"))) == {newer, stored.held[2], stored.held[3]}


def test_a_discarded_entry_is_not_found_and_discarding_it_twice_is_no_error(indexes, stored):
    indexes.candidates(naming(0, "b"))
    indexes.discard(stored.held[1])
    indexes.discard(stored.held[1])
    assert indexes.candidates(naming(0, "b")) == [stored.held[3]]


def test_cleared_indexes_are_kept_up_without_visiting_the_store_again(indexes, stored):
    indexes.of_scope(1)
    indexes.clear()
    assert indexes.of_scope(1) == []
    indexes.add(stored.held[0], replaced=None)
    assert indexes.of_scope(1) == [stored.held[0]]
    assert stored.asked == 1


def test_forgotten_indexes_are_made_anew_from_the_store(indexes, stored):
    indexes.of_scope(1)
    stored.held.pop(0)
    indexes.forget()
    assert indexes.of_scope(1) == [stored.held[0]]


# -- at any size -----------------------------------------------------------------------------------------


def test_an_expected_argument_is_indexed_from_the_beginning_and_again_after_all_was_forgotten(stored):
    held, stored.held = stored.held, []
    indexes = EntryIndexes(stored.entries)
    indexes.expect_argument(0)
    indexes.expect_footprints()
    for known in held:
        indexes.add(known, replaced=None)
    assert set(indexes.candidates(naming(0, "b"))) == {held[1], held[3]}
    assert set(indexes.made_from(None)) == set(held)
    indexes.forget()
    indexes.clear()
    indexes.add(held[1], replaced=None)
    assert indexes.candidates(naming(0, "b")) == indexes.made_from(None) == [held[1]]
    assert stored.asked == 2, "once for each, when there was nothing yet"


def test_many_entries_of_one_argument_are_found_and_discarded_one_by_one(stored):
    stored.held = [entry(scope, "a") for scope in range(3)]
    indexes = EntryIndexes(stored.entries)
    for known in stored.held:
        assert known in indexes.candidates(naming(0, "a"))
        indexes.discard(known)
        indexes.discard(known)
        assert known not in indexes.candidates(naming(0, "a"))
    assert indexes.candidates(naming(0, "a")) == []


def test_cleared_indexes_free_what_they_had_in_slices_however_it_is_grouped(stored):
    one_group = [entry(1, str(number)) for number in range(100)]
    stored.held = one_group.copy()
    indexes = EntryIndexes(stored.entries)
    indexes.of_scope(1)
    indexes.candidates(naming(0, "a"))
    known = [weakref.ref(each) for each in one_group]
    del one_group[:], stored.held[:]
    indexes.clear()
    assert all(each() is not None for each in known), "nothing is freed by who clears"
    left = []
    for number in range(12):
        indexes.add(entry(2, f"new {number}"), replaced=None)
        left.append(sum(each() is not None for each in known))
    assert left[0] > 50, "nor all at once by the next"
    assert left[-1] == 0


class Interrupted(Entry):
    """An entry whose hash is asked for, once, in the middle of another call of the same index."""

    __slots__ = ("meanwhile",)

    def __hash__(self):
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            meanwhile()
        return id(self)


def interrupted(meanwhile):
    made = Interrupted((None, 1), place_of((1, "a")), Snapshot(None, None), 0.0)
    made.meanwhile = meanwhile
    return made


def test_what_a_finalizer_stores_in_the_middle_of_an_addition_is_found():
    index, first, second = EntryIndex(lambda _: "a"), entry(1, "a"), entry(2, "a")
    third = interrupted(lambda: index.add(second))
    for known in (first, third):
        index.add(known)
    assert set(index.find("a")) == {first, second, third}


def test_what_a_finalizer_drops_in_the_middle_of_an_addition_leaves_the_other_one_there():
    index, first = EntryIndex(lambda _: "a"), entry(1, "a")
    second = interrupted(lambda: index.discard(first))
    for known in (first, second):
        index.add(known)
    assert index.find("a") == [second]


def test_what_is_stored_while_an_index_is_made_is_found_in_it():
    late = entry(3, "a")

    def entries():
        yield entry(1, "a")
        indexes.add(late, replaced=None)
        yield entry(2, "a")

    indexes = EntryIndexes(entries)
    assert late in indexes.candidates(naming(0, "a"))


def test_an_index_that_could_not_be_filled_is_made_once_more():
    held, failing = entry(1, "a"), [LookupError("no store")]

    def entries():
        yield held
        if failing:
            raise failing.pop()

    indexes = EntryIndexes(entries)
    with pytest.raises(LookupError, match="no store"):
        indexes.candidates(naming(0, "a"))
    assert indexes.candidates(naming(0, "a")) == [held]
