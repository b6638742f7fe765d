"""A store that fails where a test says so."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from wats_accel.cache.entries import Entry, Key
from wats_accel.cache.memory_store import MemoryStore


class FaultyStore:
    """A store that raises in the methods named, and otherwise keeps entries in memory.

    Give it through the hook ``accel_create_store`` to see what an application notices: nothing.
    """

    def __init__(self, *failing: str, error: Callable[[], Exception] = RuntimeError) -> None:
        self._store = MemoryStore()
        self.failing = set(failing)
        self._error = error

    def _check(self, method: str) -> MemoryStore:
        if method in self.failing:
            raise self._error()
        return self._store

    def get(self, key: Key, /) -> Entry | None:
        """As `MemoryStore`, or raise."""
        return self._check("get").get(key)

    def put(self, entry: Entry) -> Entry | None:
        """As `MemoryStore`, or raise."""
        return self._check("put").put(entry)

    def remove(self, key: Key) -> Entry | None:
        """As `MemoryStore`, or raise."""
        return self._check("remove").remove(key)

    def clear(self) -> int:
        """As `MemoryStore`, or raise."""
        return self._check("clear").clear()

    def entries(self) -> Iterable[Entry]:
        """As `MemoryStore`, or raise."""
        return self._check("entries").entries()

    def __len__(self) -> int:
        return len(self._check("len"))
