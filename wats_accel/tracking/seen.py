"""What was seen: reads as footprints, and changes, which know what they concern.

An application repeats a few hundred statements for ever. What they read together, and whom a change
concerns, is worked out once; after that it is found in a dictionary.
"""

from __future__ import annotations

import threading
import weakref
from typing import Final, TypeVar

from wats_accel.sql.access import Changes, Reads

KeyT = TypeVar("KeyT")
ValueT = TypeVar("ValueT")

_MOST_REMEMBERED: Final = 4_096
NOTHING_CHANGED: Final = Changes()


class Seen:
    """What one answer was made from. Made by `Footprints.of`; compared by identity."""

    __slots__ = ("__weakref__", "_made_by", "clock", "reads")

    def __init__(self, reads: Reads, made_by: Footprints, *, clock: bool) -> None:
        self.reads = reads
        self.clock = clock  # whether it depends on when it was read
        self._made_by = made_by

    def __or__(self, other: Seen) -> Seen:
        return self._made_by.union(self, other)


class Footprints:
    """All footprints that are in use. There are few: as many as there are combinations of statements."""

    def __init__(self) -> None:
        self._known: weakref.WeakValueDictionary[tuple[Reads, bool], Seen] = weakref.WeakValueDictionary()
        # All in one place, so that it is bounded: each step of each order of statements has one.
        self._unions: dict[tuple[Seen, Seen], Seen] = {}
        # Re-entrant: a finalizer of the application's own may read, in the middle of it.
        self._lock = threading.RLock()

    def of(self, reads: Reads, *, clock: bool = False) -> Seen:
        """The one footprint of these reads."""
        with self._lock:
            found = self._known.get((reads, clock))
            if found is None:
                found = self._known[reads, clock] = Seen(reads, self, clock=clock)
            return found

    def union(self, one: Seen, other: Seen) -> Seen:
        """The footprint of what is made from both."""
        known = self._unions.get((one, other))
        if known is None:
            known = self.of(one.reads | other.reads, clock=one.clock or other.clock)
            remember(self._unions, (one, other), known)
        return known

    def begin_anew(self) -> None:
        """In a child process: nobody holds the lock any more."""
        self._lock = threading.RLock()


class Changed:
    """What one statement, or all statements of one transaction, have changed.

    Args:
        changes: tables and columns.
        by: kinds of statements, each with its tables, for people. No literal is in it.
        besides: what changes along, and is not told: the catalogue.
    """

    __slots__ = ("_concerned", "besides", "by", "changes")

    def __init__(self, changes: Changes, by: tuple[str, ...], besides: Changes = NOTHING_CHANGED) -> None:
        self.changes = changes
        self.by = by
        self.besides = besides
        self._concerned: dict[object, bool] = {}

    def concerns(self, footprint: object) -> bool:
        """Whether an answer with this footprint may be another one now; None: nobody has seen its reads."""
        known = self._concerned.get(footprint)
        if known is None:
            if footprint is None:
                known = self.changes.unknown
            elif isinstance(footprint, Seen):
                reads = footprint.reads
                known = self.changes.concern(reads) or self.besides.concern(reads)
            else:
                known = True  # nobody knows what that is
            remember(self._concerned, footprint, known)
        return known

    def __or__(self, other: Changed) -> Changed:
        if other is self:
            return self
        by = self.by if set(other.by) <= set(self.by) else tuple(dict.fromkeys((*self.by, *other.by)))
        changes, besides = self.changes | other.changes, self.besides | other.besides
        if (changes, besides, by) == (self.changes, self.besides, self.by):
            return self  # the second time, and each time after that
        return Changed(changes, by, besides)

    @property
    def pattern(self) -> str:
        """What was changed, for the log: ``sql:groups(name)``."""
        return "sql:*" if self.changes.unknown else f"sql:{self.changes.access}"


def remember(known: dict[KeyT, ValueT], key: KeyT, value: ValueT, *, most: int = _MOST_REMEMBERED) -> None:
    """Keep something in a bounded memory that forgets all at once."""
    if len(known) >= most:
        known.clear()
    known[key] = value
