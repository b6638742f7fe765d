from __future__ import annotations

import pytest

from wats_accel.cache.copying import Snapshot
from wats_accel.cache.entries import Entry
from wats_accel.cache.index import EntryIndex, by_argument, by_scope


def entry(scope, *texts):
    return Entry((scope, *texts), texts, Snapshot(None, None), 0.0, None)


@pytest.fixture
def entries():
    return [entry(1, "a", "x"), entry(1, "b"), entry(2, "a"), entry(2)]


def test_entries_are_found_by_scope(entries):
    index = EntryIndex(by_scope, entries)
    assert set(index.find(1)) == set(entries[:2])
    assert set(index.find(2)) == set(entries[2:])
    assert index.find(3) == []


def test_entries_are_found_by_argument(entries):
    index = EntryIndex(by_argument(0), entries)
    assert set(index.find("a")) == {entries[0], entries[2]}
    assert index.find("x") == []


def test_entries_without_that_argument_are_found_as_such(entries):
    assert set(EntryIndex(by_argument(1), entries).find(None)) == set(entries[1:])


def test_a_discarded_entry_is_not_found(entries):
    index = EntryIndex(by_argument(0), entries)
    index.discard(entries[0])
    assert index.find("a") == [entries[2]]
    index.discard(entries[2])
    assert index.find("a") == []


def test_discarding_what_is_not_there_is_no_error(entries):
    index = EntryIndex(by_argument(0), entries[:1])
    index.discard(entries[2])
    index.discard(entries[1])
    assert index.find("a") == [entries[0]]


def test_a_cleared_index_starts_again(entries):
    index = EntryIndex(by_scope, entries)
    index.clear()
    assert index.find(1) == []
    index.add(entries[0])
    assert index.find(1) == [entries[0]]
