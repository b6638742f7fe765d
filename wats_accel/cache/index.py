"""An index of a region's entries by one part of their key, so that exact invalidation does not scan."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable

from wats_accel.cache.entries import Entry, Leftovers


class EntryIndex:
    """Finds entries by what `part` says of them. Called under the namespace's lock."""

    def __init__(self, part: Callable[[Entry], Hashable], entries: Iterable[Entry] = ()) -> None:
        self._part = part
        self._groups: dict[Hashable, set[Entry]] = {}
        self._leftovers = Leftovers()
        for entry in entries:
            self.add(entry)

    def add(self, entry: Entry) -> None:
        """Take an entry in, and free a slice of what has been forgotten before."""
        self._leftovers.free_a_slice()
        self._groups.setdefault(self._part(entry), set()).add(entry)

    def discard(self, entry: Entry) -> None:
        """Forget an entry; one that is not there is no error."""
        part = self._part(entry)
        group = self._groups.get(part)
        if group is not None:
            group.discard(entry)
            if not group:
                del self._groups[part]

    def find(self, part: Hashable) -> list[Entry]:
        """The entries with this part."""
        return list(self._groups.get(part, ()))

    def clear(self) -> None:
        """Forget all entries, without visiting them one by one."""
        forgotten, self._groups = self._groups, {}
        self._leftovers.add(forgotten, forgotten.popitem)


def by_scope(entry: Entry) -> Hashable:
    """The part of an entry that says whose it is."""
    return entry.key[0]


def by_argument(position: int) -> Callable[[Entry], Hashable]:
    """The part of an entry that is the loose form of the argument at `position`."""

    def part(entry: Entry) -> Hashable:
        # An entry with fewer arguments is found by any text: erring on the side of dropping more
        # is `Selection.matches`' business; here None simply never equals a text.
        return entry.texts[position] if position < len(entry.texts) else None

    return part
