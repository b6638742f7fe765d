from __future__ import annotations

import pytest

from wats_accel.cache.copying import Snapshot
from wats_accel.cache.entries import Entry
from wats_accel.cache.namespace import Namespace

FOREVER = float("inf")


class Owner:
    """As a region: holds entries, and tells its namespace when one is taken out."""

    def __init__(self, space):
        self.space = space
        self.held = []

    def holds(self, entry):
        return entry in self.held

    def remove(self, entry):
        if entry in self.held:
            self.held.remove(entry)
            self.space.dropped(1)

    def note_departure(self, why):
        pass

    def add(self, number, *, expires_at=FOREVER, now=0.0):
        entry = Entry((0, number), (), Snapshot(None, None), expires_at, self)
        self.held.append(entry)
        departures = self.space.admit(entry, replaced=False, now=now)
        return [(departed.key[1], why) for departed, why in departures]

    def numbers(self):
        return [entry.key[1] for entry in self.held]


def test_without_a_bound_nothing_is_evicted():
    owner = Owner(Namespace("ns", max_entries=0))
    assert [owner.add(number) for number in range(100)] == [[]] * 100


def test_the_bound_is_kept_by_evicting():
    owner = Owner(Namespace("ns", max_entries=2))
    assert [owner.add(number) for number in range(4)] == [[], [], [(0, "evicted")], [(1, "evicted")]]
    assert owner.numbers() == [2, 3]


def test_the_bound_is_shared():
    space = Namespace("ns", max_entries=2)
    one, other = Owner(space), Owner(space)
    one.add(1), one.add(2), other.add(3)
    assert (one.numbers(), other.numbers()) == ([2], [3])


def test_an_entry_that_replaced_another_needs_no_room():
    space = Namespace("ns", max_entries=2)
    owner = Owner(space)
    owner.add(1), owner.add(2)
    owner.held[1] = entry = Entry((0, 2), (), Snapshot(None, None), FOREVER, owner)
    assert space.admit(entry, replaced=True, now=0.0) == []


def test_room_that_was_given_back_is_used_again():
    owner = Owner(Namespace("ns", max_entries=2))
    owner.add(1), owner.add(2)
    owner.remove(owner.held[0])
    assert owner.add(3) == []
    owner.held.clear()
    owner.space.dropped(2)
    assert [owner.add(4), owner.add(5)] == [[], []]


def test_what_has_expired_leaves_before_anything_is_evicted():
    owner = Owner(Namespace("ns", max_entries=2))
    owner.add(1, expires_at=5), owner.add(2, expires_at=9)
    assert owner.add(3, now=5) == [(1, "expired")]


def test_entries_that_a_store_lost_do_not_take_up_room_for_ever():
    owner = Owner(Namespace("ns", max_entries=2))
    for number in range(4):
        owner.add(number)
        owner.held.clear()
    assert [owner.add("a"), owner.add("b")] == [[], []]
    assert owner.add("c") == [("a", "evicted")]


def test_where_no_entry_is_left_none_is_evicted():
    owner = Owner(Namespace("ns", max_entries=10))
    owner.add("living head")
    for number in range(40):
        owner.add(number)
        owner.remove(owner.held[-1])
    for number in range(9):
        owner.add(number)
    owner.holds = lambda entry: False  # a store that lost everything by itself
    assert owner.add("one more") == []


@pytest.mark.parametrize("max_entries", [0, 50])
def test_expired_entries_go_by_and_by(max_entries):
    owner = Owner(Namespace("ns", max_entries=max_entries))
    owner.add("living")
    for number in range(500):
        owner.add(number, expires_at=number + 5, now=number)
    assert "living" in owner.numbers() or max_entries
    assert len(owner.held) <= 50
