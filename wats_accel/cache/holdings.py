"""Holdings: the entries that one region has, in its store, in its indexes and in the count of its space."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from wats_accel.cache.entries import Entry, Store
from wats_accel.cache.footprints import Footprint
from wats_accel.cache.index import EntryIndexes
from wats_accel.cache.memory_store import MemoryStore
from wats_accel.cache.namespace import Departures, Namespace
from wats_accel.cache.selection import Selection


class Holdings:
    """Keeps a store, the indexes of its entries and what their space has counted in step.

    All but `holds` is called under the lock of the space. What a store raises comes through; then the indexes
    are made anew from what it says it has.

    Attributes:
        holds: whether an entry is still the one to be found under its key.
        latest: of the numbers that entries have had.
    """

    def __init__(self, store: Store, space: Namespace) -> None:
        self.holds: Callable[[Entry], bool] = store.holds if type(store) is MemoryStore else self._is_found
        self.latest = 0
        self._store = store
        self._space = space
        self._indexes = EntryIndexes(store.entries)
        self._count = 0  # of entries, as they were put and taken out
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._store)

    def _is_found(self, entry: Entry) -> bool:
        return self._store.get(entry.key) is entry

    # -- one entry -------------------------------------------------------------------------------------

    def put(self, entry: Entry, now: float) -> Departures:
        """Take an entry in, at this time by the cache's clock; gives those that had to leave."""
        try:
            replaced = self._store.put(entry)
            self._indexes.add(entry, replaced=replaced)
        except BaseException:
            # Whether it has the entry nobody knows: the indexes are made anew from what it says it has.
            self._indexes.forget()
            raise
        if entry.number > self.latest:
            self.latest = entry.number
        self._count += replaced is None
        if self._bytes or entry.size:
            self._bytes += entry.size - (0 if replaced is None else replaced.size)
        return self._space.admit(entry, replaced=replaced, now=now)

    def remove(self, entry: Entry) -> None:
        """Take an entry out, if it is still there."""
        if not self.holds(entry):
            return
        self._store.remove(entry.key)
        self._indexes.discard(entry)
        self._count -= 1
        self._bytes -= entry.size
        self._space.dropped(1, entry.size)

    # -- many ------------------------------------------------------------------------------------------

    def expect_footprints(self) -> None:
        """Be ready to take entries out by what they were made from; raises as the next one."""
        self._indexes.expect_footprints()

    def expect_argument(self, position: int) -> None:
        """Be ready to take entries out by the argument at a position, without a look at all of them.

        Raises:
            Exception: the store cannot tell which entries it has. Then that is tried again when it is needed.
        """
        self._indexes.expect_argument(position)

    def footprints(self) -> list[Footprint | None]:
        """What the entries were made from: few, of however many entries."""
        return self._indexes.footprints()

    def remove_selected(self, selection: Selection) -> int:
        """Take out what is selected; gives how many there were."""
        if not selection.conditions:
            return self.clear()
        doomed = self._indexes.candidates(selection)
        if selection.exact is None or len(selection.conditions) > 1:  # an index answers only one of them
            doomed = [entry for entry in doomed if selection.matches(entry.texts)]
        return self._remove_all(doomed)

    def remove_made_from(self, footprints: Iterable[Footprint | None]) -> int:
        """Take out what was made from any of these; gives how many there were."""
        return self._remove_all([entry for each in footprints for entry in self._indexes.made_from(each)])

    def remove_scope(self, number: int) -> None:
        """Take out the entries of one scope."""
        self._remove_all(self._indexes.of_scope(number))

    def _remove_all(self, doomed: list[Entry]) -> int:
        for entry in doomed:
            self.remove(entry)
        return len(doomed)

    # -- all -------------------------------------------------------------------------------------------

    def clear(self) -> int:
        """Take all out, without visiting them one by one; gives how many there were."""
        # The indexes first: what a finalizer stores after the store was emptied has to be found in them.
        self._indexes.clear()
        try:
            count = self._store.clear()
        except BaseException:
            self._indexes.forget()  # nobody knows what the store has
            raise
        # By our own count: what a store tells may be anything.
        self._space.dropped(self._count, self._bytes)
        self._count = self._bytes = 0
        return count

    def begin_anew(self) -> int:
        """The same where nobody knows whether the indexes are whole."""
        self._indexes.forget()
        return self.clear()
