"""The store in this process: entries in tables, one for each scope.

What a hit needs is laid out for it here: a reader that knows whose call it is finds the table of that scope
at once, and in it the entry by the arguments alone.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Any

from wats_accel.cache.entries import Entry, Key, Leftovers, place_of

Table = dict[Hashable, Entry]
"""The entries of one scope, by their arguments: the frozen value of the only one, or a tuple of all."""

Owned = tuple[Any, ...]
"""What tells whose call it is, in the form that its reader has chosen; the last item is the table."""


class Tables:
    """The tables of one store since one of them was dropped.

    Attributes:
        by_scope: by the number of the scope.
        last: what a reader has found last, so that the next call of the same scope need not look for it. It
            can never lead to a table that was dropped: a reader notes a table where he has found it.
    """

    __slots__ = ("by_scope", "last")

    def __init__(self, last: Owned, by_scope: dict[Hashable, Table] | None = None) -> None:
        self.by_scope = {} if by_scope is None else by_scope
        self.last = last

    def free_one(self) -> None:
        """Free one entry of tables that nobody uses any more, or an empty table."""
        scope, table = self.by_scope.popitem()
        if table:
            table.popitem()
        if table:
            self.by_scope[scope] = table


class MemoryStore:
    """Dictionaries in this process."""

    def __init__(self) -> None:
        self._leftovers = Leftovers()
        self._count = 0
        self._unknown: Owned = ()
        self.tables = Tables(self._unknown)

    def begin_with(self, unknown: Owned) -> None:
        """Have `Tables.last` be this while nothing is known, now and whenever the store was emptied."""
        self._unknown = self.tables.last = unknown

    def get(self, key: Key, /) -> Entry | None:
        """The entry of this key. Called without a lock, by many threads at once."""
        table = self.tables.by_scope.get(key[0])
        return None if table is None else table.get(place_of(key))

    def put(self, entry: Entry) -> Entry | None:
        """Keep an entry, and free a slice of what has been dropped before."""
        if self._leftovers.waiting:
            self._leftovers.free_a_slice()
        scope, place = entry.home[1], entry.place
        table = self.tables.by_scope.get(scope)
        if table is None:
            table = self.tables.by_scope[scope] = {}
        replaced = table.get(place)
        table[place] = entry
        self._count += replaced is None
        return replaced

    def holds(self, entry: Entry) -> bool:
        """Whether an entry is still here."""
        table = self.tables.by_scope.get(entry.home[1])
        return table is not None and table.get(entry.place) is entry

    def remove(self, key: Key) -> Entry | None:
        """Drop the entry of this key."""
        tables = self.tables
        table = tables.by_scope.get(key[0])
        removed = None if table is None else table.pop(place_of(key), None)
        if removed is not None:
            self._count -= 1
            if not table:  # it may be that of an instance that is gone
                del tables.by_scope[key[0]]
                self.tables = Tables(self._unknown, tables.by_scope)  # whoever has found it notes it in vain
        return removed

    def clear(self) -> int:
        """Drop all entries by putting new tables in place."""
        dropped, self.tables = self.tables, Tables(self._unknown)
        count, self._count = self._count, 0
        self._leftovers.add(dropped.by_scope, dropped.free_one)
        return count

    def entries(self) -> Iterable[Entry]:
        """All entries, as they are now."""
        return [entry for table in list(self.tables.by_scope.values()) for entry in list(table.values())]

    def __len__(self) -> int:
        return self._count
