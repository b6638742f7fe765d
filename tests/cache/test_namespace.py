from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wats_accel.cache.copying import Snapshot
from wats_accel.cache.entries import DetailedEntry
from wats_accel.cache.namespace import Namespace

FOREVER = float("inf")


class Owner:
    """As a region: holds entries, and tells its namespace when one is taken out."""

    def __init__(self, space):
        self.space = space
        self.held = []

    def renew(self, entry, now):
        return False

    def holds(self, entry):
        return entry in self.held

    def remove(self, entry):
        if entry in self.held:
            self.held.remove(entry)
            self.space.dropped(1, entry.size)

    def clear(self):
        dropped, self.held = self.held, []
        self.space.dropped(len(dropped), sum(entry.size for entry in dropped))

    def note_departure(self, why):
        pass

    def add(self, number, *, size=0, expires_at=FOREVER, now=0.0):
        entry = DetailedEntry((self, 0), number, Snapshot(None, None), expires_at, texts=(), size=size)
        replaced = next((held for held in self.held if held.key == entry.key), None)
        self.held = [held for held in self.held if held.key != entry.key] + [entry]
        departures = self.space.admit(entry, replaced=replaced, now=now)
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
    assert owner.add(2) == []


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


def test_a_store_that_fails_to_remove_loses_no_place():
    owner = Owner(Namespace("ns", max_entries=2))
    owner.add(1), owner.add(2)
    whole, owner.remove = owner.remove, lambda entry: 1 / 0
    with pytest.raises(ZeroDivisionError):
        owner.add(3)
    owner.remove = whole
    gone = [number for number in range(4, 7) for number, _ in owner.add(number)]
    assert len(owner.held) == 2
    assert sorted(gone + owner.numbers()) == list(range(1, 7))


@pytest.mark.parametrize("max_entries", [0, 3])
def test_a_slice_of_what_has_expired_leaves_by_a_sweep_too(max_entries):
    owner = Owner(Namespace("ns", max_entries=max_entries))
    owner.add(1), owner.add(2, expires_at=5)
    assert owner.space.sweep(now=4) == []
    (_, two) = owner.held
    assert owner.space.sweep(now=5) == [(two, "expired")]
    assert owner.numbers() == [1]


# -- bytes ---------------------------------------------------------------------------------------------


def test_the_bound_on_bytes_is_kept_by_evicting_as_many_as_needed():
    owner = Owner(Namespace("ns", max_entries=0, max_bytes=100))
    assert [owner.add(number, size=40) for number in (1, 2)] == [[], []]
    assert owner.add(3, size=90) == [(1, "evicted"), (2, "evicted")]
    assert owner.numbers() == [3]


def test_both_bounds_hold():
    owner = Owner(Namespace("ns", max_entries=2, max_bytes=100))
    owner.add(1, size=1), owner.add(2, size=1)
    assert owner.add(3, size=1) == [(1, "evicted")]
    assert owner.add(4, size=99) == [(2, "evicted")]
    assert owner.add(5, size=2) == [(3, "evicted"), (4, "evicted")]


def test_bytes_count_only_when_they_are_bounded():
    owner = Owner(Namespace("ns", max_entries=2))
    assert [owner.add(number, size=10**12) for number in (1, 2)] == [[], []]
    assert owner.space.fits(10**12)


def test_what_alone_is_larger_than_the_bound_does_not_fit():
    space = Namespace("ns", max_entries=0, max_bytes=100)
    assert [space.fits(size) for size in (0, 100, 101)] == [True, True, False]


def test_bytes_that_were_given_back_are_used_again():
    owner = Owner(Namespace("ns", max_entries=0, max_bytes=100))
    owner.add(1, size=60), owner.add(2, size=40)
    owner.remove(owner.held[0])
    assert owner.add(3, size=60) == []
    owner.clear()
    assert [owner.add(number, size=50) for number in (4, 5)] == [[], []]


def test_of_a_replaced_entry_only_the_new_size_counts():
    owner = Owner(Namespace("ns", max_entries=0, max_bytes=100))
    owner.add(1, size=90)
    assert owner.add(1, size=50) == []
    assert owner.add(2, size=50) == []
    assert owner.add(3, size=1) == [(1, "evicted")]


def test_bytes_that_a_store_lost_do_not_take_up_room_for_ever():
    owner = Owner(Namespace("ns", max_entries=0, max_bytes=100))
    for number in range(4):
        owner.add(number, size=50)
        owner.held.clear()
    assert [owner.add("a", size=50), owner.add("b", size=50)] == [[], []]
    assert owner.add("c", size=50) == [("a", "evicted")]


def test_an_expired_entry_gives_its_bytes_back_before_anything_is_evicted():
    owner = Owner(Namespace("ns", max_entries=0, max_bytes=100))
    owner.add(1, size=50), owner.add(2, size=50, expires_at=5)
    assert owner.add(3, size=50, now=5) == [(2, "expired")]


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 100), st.booleans()), max_size=100))
def test_bounds_hold_whatever_comes(steps):
    owner = Owner(Namespace("ns", max_entries=8, max_bytes=150))
    for number, size, drop in steps:
        owner.add(number, size=size)
        assert sum(entry.size for entry in owner.held) <= 150
        assert len(owner.held) <= 8
        assert number in owner.numbers()
        if drop:
            owner.remove(owner.held[0])
