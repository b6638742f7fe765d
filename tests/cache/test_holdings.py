"""A store, its indexes and what the space has counted stay in step, whatever the store does."""

from __future__ import annotations

import pytest

from wats_accel.cache.copying import Snapshot
from wats_accel.cache.entries import DetailedEntry
from wats_accel.cache.holdings import Holdings
from wats_accel.cache.memory_store import MemoryStore
from wats_accel.cache.namespace import Namespace
from wats_accel.cache.selection import EVERYTHING, AnyOf, Selection
from wats_accel.testing import FaultyStore

FOREVER = float("inf")


class Held:
    """Holdings, and who owns their entries. Implements what the space's queue asks of an owner."""

    def __init__(self, store=None, *, max_entries=0):
        self.store = MemoryStore() if store is None else store
        self.space = Namespace("ns", max_entries=max_entries)
        self.holdings = Holdings(self.store, self.space)
        self.holds, self.remove = self.holdings.holds, self.holdings.remove

    def put(self, number, *, scope=1, size=0, load=0):
        text = (str(number),)
        entry = DetailedEntry(
            (self, scope), number, Snapshot(None, None), FOREVER, texts=text, size=size, number=load
        )
        return entry, self.holdings.put(entry, 0.0)

    def is_in_step(self):
        entries = list(self.store.entries())
        counted = (self.space._live, self.space._bytes)
        return counted == (len(entries), sum(entry.size for entry in entries))


def naming(number):
    return Selection((AnyOf(0, frozenset({str(number)})),))


def test_what_is_put_is_held_until_another_takes_its_place():
    held = Held()
    one, _ = held.put(1, size=10)
    other, _ = held.put(1, size=7)
    assert [held.holds(one), held.holds(other)] == [False, True]
    assert len(held.holdings) == 1
    assert held.is_in_step()


def test_what_was_replaced_is_not_taken_out_once_more():
    held = Held()
    one, _ = held.put(1, size=10)
    held.put(1, size=7)
    held.holdings.remove(one)
    assert len(held.holdings) == 1
    assert held.is_in_step()


def test_those_that_have_to_make_room_are_given_and_gone():
    held = Held(max_entries=2)
    gone = [held.put(number)[1] for number in range(3)][-1]
    assert [(entry.key[1], why) for entry, why in gone] == [(0, "evicted")]
    assert held.is_in_step()


@pytest.mark.parametrize(
    ("take_out", "left"),
    [
        (lambda holdings: holdings.remove_selected(naming(1)), 2),
        (lambda holdings: holdings.remove_selected(EVERYTHING), 0),
        (lambda holdings: holdings.remove_made_from([None]), 0),
        (lambda holdings: holdings.remove_scope(2), 2),
        (lambda holdings: holdings.clear(), 0),
        (lambda holdings: holdings.begin_anew(), 0),
    ],
    ids=["one argument", "everything", "a footprint", "a scope", "clear", "anew"],
)
def test_however_entries_go_all_is_in_step(take_out, left):
    held = Held()
    for number, scope in ((1, 1), (2, 1), (3, 2)):
        held.put(number, scope=scope, size=number)
    take_out(held.holdings)
    assert len(held.holdings) == left
    assert held.is_in_step()


def test_the_latest_load_is_remembered_when_its_entry_is_gone():
    held = Held()
    held.put(1, load=5)
    held.put(2, load=3)
    held.holdings.clear()
    assert held.holdings.latest == 5


@pytest.mark.parametrize("step", ["put", "clear"])
def test_when_a_store_fails_the_indexes_are_made_anew_from_what_it_has(step):
    held = Held(FaultyStore())
    held.put(1)
    assert held.holdings.footprints() == [None]
    held.store.failing.add(step)
    with pytest.raises(RuntimeError):
        held.put(2) if step == "put" else held.holdings.clear()
    held.store.failing.clear()
    held.store.remove((1, 1))  # behind its back
    assert held.holdings.footprints() == []
