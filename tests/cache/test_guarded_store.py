"""A store that a plugin gives may answer anything: nobody gets what was not put, or was dropped."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest

from wats_accel.cache.copying import Snapshot
from wats_accel.cache.entries import Entry, Key, StoreFaultError
from wats_accel.cache.guarded_store import GuardedStore
from wats_accel.cache.memory_store import MemoryStore


def entry_of(number: int) -> Entry:
    """An entry of the key with this number."""
    owner: Any = None
    return Entry((owner, 0), number, Snapshot("value", None), float("inf"))


class Odd(MemoryStore):
    """A store of which a test says what it answers instead."""

    def __init__(self) -> None:
        super().__init__()
        self._get: Callable[[Key], Entry | None] = self.get
        self.get = self._answer  # type: ignore[assignment]  # the point of it
        self.answers: dict[str, Any] = {}

    def _answer(self, key: Key) -> Any:
        return self.answers["get"] if "get" in self.answers else self._get(key)

    def put(self, entry: Entry) -> Any:
        return self.answers.get("put", super().put(entry))

    def remove(self, key: Key) -> Any:
        return self.answers["remove"] if "remove" in self.answers else super().remove(key)

    def clear(self) -> Any:
        return self.answers["clear"] if "clear" in self.answers else super().clear()

    def entries(self) -> Iterable[Entry]:
        return self.answers.get("entries", super().entries())  # type: ignore[no-any-return]

    def __len__(self) -> Any:
        return self.answers.get("len", super().__len__())


@pytest.fixture
def odd() -> Odd:
    """A store that still tells the truth."""
    return Odd()


@pytest.fixture
def store(odd: Odd) -> GuardedStore:
    """The guard around it."""
    return GuardedStore(odd)


def test_a_store_that_does_as_it_is_told_is_as_good_as_without_a_guard(store: GuardedStore) -> None:
    one, two, again = entry_of(1), entry_of(2), entry_of(1)
    assert [store.put(one), store.put(two), store.put(again)] == [None, None, one]
    assert [store.get((0, 1)), store.get((0, 2)), store.get((0, 3))] == [again, two, None]
    assert set(store.entries()) == {again, two}
    assert store.remove((0, 2)) is two
    assert (len(store), store.clear(), len(store)) == (1, 1, 0)
    assert store.get((0, 1)) is None


NONSENSE = [7, "text", object(), [], entry_of(9)]


@pytest.mark.parametrize("nonsense", NONSENSE, ids=lambda known: type(known).__name__)
def test_what_is_no_entry_of_the_key_is_given_to_nobody(odd: Odd, store: GuardedStore, nonsense: Any) -> None:
    store.put(entry_of(1))
    odd.answers["get"] = nonsense
    with pytest.raises(StoreFaultError):
        store.get((0, 1))


def test_an_entry_that_was_not_put_here_is_a_miss(odd: Odd, store: GuardedStore) -> None:
    store.put(entry_of(1))
    odd.answers["get"] = entry_of(1)
    assert store.get((0, 1)) is None


@pytest.mark.parametrize("step", ["remove", "clear"])
def test_what_was_dropped_is_given_to_nobody_though_the_store_keeps_it(
    odd: Odd, store: GuardedStore, step: str
) -> None:
    one = entry_of(1)
    store.put(one)
    odd.answers |= {"remove": None, "clear": 0}
    store.remove((0, 1)) if step == "remove" else store.clear()
    assert odd.get((0, 1)) is one
    assert store.get((0, 1)) is None
    assert list(store.entries()) == []


@pytest.mark.parametrize("nonsense", [7, entry_of(9)], ids=["a number", "another key"])
@pytest.mark.parametrize("step", ["put", "remove"])
def test_nonsense_about_what_has_left_is_a_fault(
    odd: Odd, store: GuardedStore, step: str, nonsense: Any
) -> None:
    odd.answers[step] = nonsense
    with pytest.raises(StoreFaultError):
        store.put(entry_of(1)) if step == "put" else store.remove((0, 1))
    assert store.get((0, 1)) is None


@pytest.mark.parametrize("nonsense", [-1, "3", None, 1.5], ids=repr)
def test_nonsense_where_a_number_is_expected_is_a_fault(odd: Odd, store: GuardedStore, nonsense: Any) -> None:
    odd.answers |= {"clear": nonsense, "len": nonsense}
    with pytest.raises(StoreFaultError):
        store.clear()
    with pytest.raises(StoreFaultError):
        len(store)


@pytest.mark.parametrize("nonsense", [7, [1, 2], None], ids=repr)
def test_nonsense_where_entries_are_expected_is_a_fault(odd: Odd, store: GuardedStore, nonsense: Any) -> None:
    odd.answers["entries"] = nonsense
    with pytest.raises((StoreFaultError, TypeError)):
        store.entries()


def test_entries_that_a_store_does_not_list_are_found_all_the_same(odd: Odd, store: GuardedStore) -> None:
    one = entry_of(1)
    store.put(one)
    odd.answers["entries"] = []
    assert list(store.entries()) == [one]


def test_a_store_that_puts_and_forgets_is_fine(odd: Odd, store: GuardedStore) -> None:
    store.put(entry_of(1))
    odd.answers["get"] = None
    assert store.get((0, 1)) is None
    assert list(store.entries()) == []


def test_clearing_frees_no_more_than_the_store_does_and_the_rest_goes_in_slices(store: GuardedStore) -> None:
    for number in range(100):
        store.put(entry_of(number))
    before = store._valid
    assert store.clear() == 100
    assert len(before) == 100
    for number in range(100):
        assert store.get((0, number)) is None
    for number in range(40):
        store.put(entry_of(number))
    assert len(before) == 0
    assert len(store) == 40
