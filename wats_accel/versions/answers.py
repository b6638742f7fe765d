"""Answers: what a database has told of its tables, as numbers that are the same or are not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from wats_accel.records import record
from wats_accel.versions.names import key

Stamp = tuple[str, tuple[int, ...]]
"""The state of some tables: equal stamps mean that nothing of them was committed between the two answers."""


@record(frozen=True, slots=True)
class Changes:
    """What may have changed between two answers.

    Attributes:
        tables: by name, as `names.key` spells it.
        everything: these, and whatever else there is: nobody can say what has not changed.
    """

    tables: frozenset[str] = frozenset()
    everything: bool = False

    def __bool__(self) -> bool:
        return self.everything or bool(self.tables)

    def touch(self, tables: Iterable[str]) -> bool:
        """Whether any of these tables may have changed."""
        return self.everything or not self.tables.isdisjoint(map(key, tables))


EVERYTHING: Final = Changes(everything=True)


@record(frozen=True, slots=True)
class Versions:
    """One answer. Numbers are compared for equality, within an epoch: which is greater says nothing.

    Attributes:
        epoch: what the numbers hold for: a database that was restored, or a source that has lost the thread,
            gives another one, and then everything may have changed.
        numbers: the watched tables, by name as `names.key` spells it.
        unwatched: tables that should be watched and are not: their triggers are gone, say.
        rest: the number of all tables that are in neither; None: nobody watches them.
        pending: rows that the source has yet to put together; for people who look after it.
    """

    epoch: str
    numbers: Mapping[str, int]
    unwatched: frozenset[str] = frozenset()
    rest: int | None = None
    pending: int = 0

    def stamp(self, tables: Iterable[str]) -> Stamp | None:
        """The state of these tables, to be kept with what is read from them, and compared with later ones.

        It vouches for an answer only if it was asked for before the transaction began that has read it.

        Args:
            tables: by name. Case, quotes and schemas do not count: of two tables that differ in these only,
                both are meant.

        Returns:
            None if one of them is not watched: nobody can say whether it changes.
        """
        numbers: list[int] = []
        for table in sorted(set(map(key, tables))):
            number = None if table in self.unwatched else self.numbers.get(table, self.rest)
            if number is None:
                return None
            numbers.append(number)
        return self.epoch, tuple(numbers)

    def changes_since(self, earlier: Versions | None) -> Changes:
        """What may have changed since an earlier answer of the same source; everything, since none.

        Tables that neither answer watches are not told of: they may change unseen at any time.
        """
        if earlier is None or earlier.epoch != self.epoch or earlier.rest != self.rest:
            return EVERYTHING
        known = earlier.numbers.keys() | self.numbers.keys()
        moved = {name for name in known if earlier.numbers.get(name) != self.numbers.get(name)}
        return Changes(frozenset(moved | (earlier.unwatched ^ self.unwatched)))
