"""The store in memory: what a plain dictionary would have, and no way that leads to what was dropped."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from wats_accel.cache.copying import Snapshot
from wats_accel.cache.entries import Entry, place_of
from wats_accel.cache.freezing import freeze
from wats_accel.cache.memory_store import MemoryStore

SCOPES = st.integers(0, 2)
ARGUMENTS = st.sampled_from([(), ("a",), ("b",), ("a", "b"), (freeze(("a", "b")),), (1,), (None,)])
UNKNOWN = ("nobody", None)
NOBODY: Any = object()


def entry_of(key: Any) -> Entry:
    return Entry((NOBODY, key[0]), place_of(key), Snapshot("value", None), float("inf"))


class StoreBesideADictionary(RuleBasedStateMachine):
    """Readers find a table at one moment and note it at a later one, as threads may."""

    def __init__(self) -> None:
        super().__init__()
        self.store = MemoryStore()
        self.store.begin_with(UNKNOWN)
        self.model: dict[Any, Entry] = {}
        self.reading: list[Any] = []

    @rule(scope=SCOPES, arguments=ARGUMENTS)
    def put(self, scope: int, arguments: Any) -> None:
        entry = entry_of((scope, *arguments))
        assert self.store.put(entry) is self.model.get(entry.key)
        self.model[entry.key] = entry

    @rule(scope=SCOPES, arguments=ARGUMENTS)
    def remove(self, scope: int, arguments: Any) -> None:
        key = (scope, *arguments)
        assert self.store.remove(key) is self.model.pop(key, None)

    @rule()
    def clear(self) -> None:
        assert self.store.clear() == len(self.model)
        self.model.clear()

    @rule(scope=SCOPES)
    def begin_to_read(self, scope: int) -> None:
        tables = self.store.tables
        table = tables.by_scope.get(scope)
        if table is not None:
            self.reading.append((tables, scope, table))

    @rule()
    def note_what_was_found(self) -> None:
        if self.reading:
            tables, scope, table = self.reading.pop(0)
            tables.last = (scope, table)

    @invariant()
    def the_same_is_found(self) -> None:
        assert len(self.store) == len(self.model)
        assert {entry.key: entry for entry in self.store.entries()} == self.model
        for key, entry in self.model.items():
            assert self.store.get(key) is entry

    @invariant()
    def what_was_found_last_is_the_table_of_that_scope_or_unknown(self) -> None:
        scope, table = self.store.tables.last
        if table is not None:
            assert table == {place_of(key): entry for key, entry in self.model.items() if key[0] == scope}


TestStoreBesideADictionary = StoreBesideADictionary.TestCase


@pytest.mark.parametrize("scopes", [1, 7])
def test_what_was_dropped_as_a_whole_is_freed_in_slices_by_what_comes(scopes: int) -> None:
    store = MemoryStore()
    for number in range(100):
        store.put(entry_of((number % scopes, number)))
    dropped = store.tables
    assert store.clear() == 100
    left = []
    for number in range(20):
        store.put(entry_of((0, f"new {number}")))
        left.append(sum(map(len, dropped.by_scope.values())))
    assert left[0] < 100
    assert all(before - after <= 16 for before, after in zip([100, *left], left, strict=False))
    assert left[-1] == 0
