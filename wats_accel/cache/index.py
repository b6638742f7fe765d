"""Indexes of a region's entries by parts of their keys, so that exact invalidation does not scan."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from functools import partial
from typing import cast

from wats_accel.cache.entries import Entry, Leftovers
from wats_accel.cache.footprints import Footprint
from wats_accel.cache.selection import Selection
from wats_accel.cache.texts import argument_text


class EntryIndex:
    """Finds entries by what `part` says of them. Called under the namespace's lock."""

    def __init__(self, part: Callable[[Entry], Hashable], entries: Iterable[Entry] = ()) -> None:
        self._part = part
        # Of most parts there is one entry. It stands alone, since a set takes more room than an entry.
        self._groups: dict[Hashable, Entry | set[Entry]] = {}
        self._leftovers = Leftovers()
        for entry in entries:
            self.add(entry)

    def add(self, entry: Entry) -> None:
        """Take an entry in, and free a slice of what has been forgotten before."""
        if self._leftovers.waiting:
            self._leftovers.free_a_slice()
        part, groups = self._part(entry), self._groups
        # A finalizer may run in the middle of this, and have entries come and go: whoever gave up looking
        # for one of them here would give it after it was to be dropped. So each step looks anew.
        while (known := groups.setdefault(part, entry)) is not entry:
            if isinstance(known, set):
                known.add(entry)
                if groups.get(part) is known:
                    return
            else:
                both = {known, entry}
                if part in groups and groups[part] is known:
                    groups[part] = both
                    return

    def discard(self, entry: Entry) -> None:
        """Forget an entry; one that is not there is no error."""
        part, groups = self._part(entry), self._groups
        if part in groups and groups[part] is entry:
            del groups[part]
            return
        known = groups.get(part)
        if isinstance(known, set):
            known.discard(entry)
            if not known and part in groups and groups[part] is known:
                del groups[part]

    def find(self, part: Hashable) -> list[Entry]:
        """The entries with this part."""
        known = self._groups.get(part)
        if known is None:
            return []
        return list(known) if isinstance(known, set) else [known]

    def parts(self) -> list[Hashable]:
        """The parts of which there are entries."""
        return list(self._groups)

    def clear(self) -> None:
        """Forget all entries, without visiting them one by one."""
        forgotten, self._groups = self._groups, {}
        self._leftovers.add(forgotten, partial(_free_one, forgotten))


def _free_one(groups: dict[Hashable, Entry | set[Entry]]) -> None:
    """Free one entry of groups that nobody uses any more, however many are in one of them."""
    part, group = groups.popitem()
    if isinstance(group, set):
        group.pop()
        if group:
            groups[part] = group


class EntryIndexes:
    """The indexes of one region, each made when it is first asked for.

    By scope, by what entries were made from, and by each argument that an invalidation has named. Those that
    are expected to be asked for are there from the beginning: to make one later takes a look at each entry.

    Args:
        entries: gives all entries of the region, to make an index when somebody first asks for it.
    """

    def __init__(self, entries: Callable[[], Iterable[Entry]]) -> None:
        self._entries = entries
        self._by_part: dict[int, EntryIndex] = {}
        self._expected: set[int] = set()

    def add(self, entry: Entry, *, replaced: Entry | None) -> None:
        """Take an entry in, and forget the one that it replaces."""
        for index in self._by_part.values():
            if replaced is not None:
                index.discard(replaced)
            index.add(entry)

    def discard(self, entry: Entry) -> None:
        """Forget an entry."""
        for index in self._by_part.values():
            index.discard(entry)

    def clear(self) -> None:
        """Forget all entries, without visiting them one by one."""
        for index in self._by_part.values():
            index.clear()
        for part in self._expected - self._by_part.keys():
            self._by_part[part] = EntryIndex(_part_of(part))

    def forget(self) -> None:
        """Forget the indexes themselves: they are made anew from what the store says it has."""
        self._by_part.clear()

    def of_scope(self, number: int) -> list[Entry]:
        """The entries of one scope."""
        return self._index(_SCOPE).find(number)

    def footprints(self) -> list[Footprint | None]:
        """What the entries were made from: few, of however many entries."""
        return cast("list[Footprint | None]", self._index(_FOOTPRINT).parts())

    def made_from(self, footprint: Footprint | None) -> list[Entry]:
        """The entries that were made from this."""
        return self._index(_FOOTPRINT).find(footprint)

    def candidates(self, selection: Selection) -> list[Entry]:
        """Entries among which are all that a selection means; few of them, if it names an argument."""
        exact = selection.exact
        if exact is None:
            return list(self._entries())
        index = self._index(exact.position)
        found = index.find(None)
        for text in exact.texts:
            found += index.find(text)
        return found

    def expect_argument(self, position: int) -> None:
        """Have entries be found by the argument at a position from now on."""
        self._expect(position)

    def expect_footprints(self) -> None:
        """Have entries be found by what they were made from, from now on."""
        self._expect(_FOOTPRINT)

    def _expect(self, part: int) -> None:
        self._expected.add(part)
        self._index(part)

    def _index(self, part: int) -> EntryIndex:
        known = self._by_part.get(part)
        if known is None:
            # It is there before it is filled: what a finalizer stores meanwhile has to be found in it.
            known = self._by_part[part] = EntryIndex(_part_of(part))
            try:
                for entry in self._entries():
                    known.add(entry)
            except BaseException:
                self._by_part.pop(part, None)
                raise
        return known


_SCOPE, _FOOTPRINT = -1, -2
"""The parts of an entry that are no arguments: whose it is, and what it was made from."""


def _scope_of(entry: Entry) -> Hashable:
    return entry.home[1]


def _footprint_of(entry: Entry) -> Hashable:
    return entry.footprint


_NO_ARGUMENTS = {_SCOPE: _scope_of, _FOOTPRINT: _footprint_of}


def _part_of(part: int) -> Callable[[Entry], Hashable]:
    return _NO_ARGUMENTS.get(part) or _argument_of(part)


def _argument_of(position: int) -> Callable[[Entry], Hashable]:
    def only_text(entry: Entry) -> Hashable:
        place = entry.place
        if type(place) is not str or type(entry) is not Entry:
            return text(entry)
        try:
            return argument_text(place)  # what `texts` would tell, at a fifth of its price
        except Exception:  # noqa: BLE001 - as there: what is not known matches anything
            return None

    def text(entry: Entry) -> Hashable:
        # None equals no text: `candidates` asks for it besides, since an argument that an entry does
        # not have matches anything.
        texts = entry.texts
        return texts[position] if position < len(texts) else None

    return only_text if position == 0 else text
