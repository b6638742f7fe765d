"""A guard around a store that a plugin gives: foreign code, which may answer anything.

The guard knows by itself which entries are valid, and the store only keeps them. So a store may lose entries,
or lie about what it has done, and still nothing is found in it that was dropped or belongs elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from functools import partial
from weakref import WeakValueDictionary

from wats_accel.cache.entries import Entry, Key, Leftovers, Store, StoreFaultError


class GuardedStore:
    """A store whose answers are checked.

    Args:
        store: what keeps the entries. What it raises passes through.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        # Weak, so that what the store gives up by itself is free.
        self._valid: WeakValueDictionary[Key, Entry] = WeakValueDictionary()
        self._leftovers = Leftovers()

    def get(self, key: Key, /) -> Entry | None:
        """The entry of this key; one that was dropped, whether the store has it still or not, is none.

        Raises:
            StoreFaultError: the store gives something else.
        """
        given = self._store.get(key)
        if given is None or given is self._valid.get(key):
            return given
        if _is_entry_of(key, given):
            return None  # it was dropped or replaced, perhaps this moment
        raise StoreFaultError("a store has given what was not put there")

    def put(self, entry: Entry) -> Entry | None:
        """Keep an entry, and free a slice of what has been dropped before; gives the one that it replaces.

        Raises:
            StoreFaultError: the store gives something else.
        """
        self._leftovers.free_a_slice()
        before = self._valid.get(entry.key)
        self._valid[entry.key] = entry
        try:
            _check(entry.key, self._store.put(entry))
        except BaseException:
            self._valid.pop(entry.key, None)  # whether the store has it nobody knows
            raise
        return before

    def remove(self, key: Key) -> Entry | None:
        """Drop the entry of this key.

        Raises:
            StoreFaultError: the store gives something else.
        """
        known = self._valid.pop(key, None)
        _check(key, self._store.remove(key))
        return known

    def clear(self) -> int:
        """Drop all entries; gives how many there were. How long that takes is up to the store."""
        dropped, self._valid = self._valid, WeakValueDictionary()
        self._leftovers.add(dropped, partial(_free_one, dropped))
        return _number(self._store.clear())

    def entries(self) -> Iterable[Entry]:
        """All entries that are valid and that the store has, whatever it lists.

        Raises:
            StoreFaultError: it lists what is no entry.
        """
        given = list(self._store.entries())
        if not all(isinstance(entry, Entry) for entry in given):
            raise StoreFaultError("a store has among its entries what is none")
        return [entry for entry in list(self._valid.values()) if self._store.get(entry.key) is entry]

    def __len__(self) -> int:
        return _number(self._store.__len__())


def _free_one(dropped: WeakValueDictionary[Key, Entry]) -> None:
    with suppress(KeyError):  # all that is left in it has been freed by others
        dropped.popitem()


def _is_entry_of(key: Key, given: object) -> bool:
    return isinstance(given, Entry) and given.key == key


def _check(key: Key, left: object) -> None:
    if left is not None and not _is_entry_of(key, left):
        raise StoreFaultError("a store has given something else than the entry that has left it")


def _number(given: object) -> int:
    if type(given) is not int or given < 0:
        raise StoreFaultError("a store does not know how many entries it has")
    return given
