from __future__ import annotations

import weakref

import pytest

from wats_accel.cache.copying import Snapshot
from wats_accel.cache.entries import Entry, Leftovers
from wats_accel.cache.memory_store import MemoryStore


class Value:
    """Something whose end can be seen."""


class Owner:
    def renew(self, entry, now):
        return False

    def holds(self, entry):
        return True

    def remove(self, entry):
        pass

    def note_departure(self, why):
        pass


def entry(number, value=None):
    return Entry((Owner(), 0), number, Snapshot(value, None), float("inf"))


def filled(store, count):
    """Put so many values into the store; gives weak references to them."""
    values = [Value() for _ in range(count)]
    for number, value in enumerate(values):
        store.put(entry(number, value))
    return [weakref.ref(value) for value in values]


def alive(references):
    return sum(reference() is not None for reference in references)


def test_an_entry_is_found_until_it_is_removed():
    store, known = MemoryStore(), entry(1)
    assert store.put(known) is None
    assert store.get(known.key) is known
    assert (len(store), list(store.entries())) == (1, [known])
    assert store.remove(known.key) is known
    assert store.remove(known.key) is None
    assert store.get(known.key) is None
    assert len(store) == 0


def test_a_new_entry_replaces_the_one_of_its_key():
    store, old, new = MemoryStore(), entry(1), entry(1)
    store.put(old)
    assert store.put(new) is old
    assert store.get(new.key) is new
    assert len(store) == 1


def test_clearing_drops_all_and_counts_them():
    store = MemoryStore()
    filled(store, 5)
    assert store.clear() == 5
    assert store.clear() == 0
    assert store.get((0, 1)) is None
    assert list(store.entries()) == []


def test_what_was_dropped_is_freed_by_later_stores_a_slice_at_a_time():
    store = MemoryStore()
    values = filled(store, 1000)
    store.clear()
    assert alive(values) == 1000
    left = []
    for number in range(200):
        store.put(entry(number))
        left.append(alive(values))
    slices = [before - after for before, after in zip([1000, *left], left, strict=False)]
    assert left[-1] == 0
    assert max(slices) <= 20


def test_what_was_dropped_several_times_is_freed_as_well():
    store = MemoryStore()
    values = []
    for _ in range(5):
        values += filled(store, 20)
        store.clear()
    for number in range(20):
        store.put(entry(number))
    assert alive(values) == 0


def test_freeing_a_value_may_store_another():
    store = MemoryStore()
    numbers = iter(range(1000))

    class Restless:
        def __del__(self):
            store.put(entry(next(numbers)))

    for number in range(40):
        store.put(entry(-number, Restless()))
    store.clear()
    for _ in range(40):
        store.put(entry(next(numbers)))
    assert len(store) == 80


@pytest.mark.parametrize("make", [set, dict, list], ids=lambda make: make.__name__)
def test_empty_leftovers_are_no_work(make):
    leftovers = Leftovers()
    leftovers.add(make(), lambda: pytest.fail("there is nothing to take"))
    leftovers.free_a_slice()
