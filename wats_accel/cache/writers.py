"""Writers: the writes that are under way, and the reads that they concern.

While a write is under way nobody knows whether the database has the old state or the new one. So the reads
that it concerns go to the database, as they would without a cache. A write is under way until it has
returned, and the transaction that it has left open is over.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import get_ident

from wats_accel.cache.selection import Selection
from wats_accel.cache.texts import Texts
from wats_accel.transactions import Transaction


@dataclass(frozen=True, slots=True, eq=False)
class Writing:
    """A write that is under way, as far as one region is concerned.

    Attributes:
        selection: the reads that it concerns, as far as its arguments tell when it begins.
        transaction: that it has left open when it returned.
    """

    selection: Selection
    transaction: Transaction | None = None
    thread: int = field(default_factory=get_ident)

    def concerns(self, texts: Texts | None) -> bool:
        """Whether reads with these argument texts are concerned; None for any reads."""
        # The writing thread must see its own rows. Which they are it may find out only while it writes.
        return texts is None or self.thread == get_ident() or self.selection.matches(texts)

    @property
    def reason(self) -> str:
        """Why this thread has to keep away from what the write concerns."""
        if self.thread != get_ident():
            return "being_written"
        return "inside_a_write" if self.transaction is None else "uncommitted_changes"


class Writers:
    """The writes that are under way and concern one region."""

    def __init__(self) -> None:
        self.under_way: tuple[Writing, ...] = ()  # read without a lock, and never changed in place
        # Re-entrant: a finalizer of the application's may write in the middle of it.
        self._lock = threading.RLock()

    def enter(self, writing: Writing) -> None:
        """Note that a write begins."""
        with self._lock:
            self.under_way = (*self.under_way, writing)

    def leave(self, writing: Writing) -> None:
        """Note that it is over."""
        with self._lock:
            self.under_way = tuple(known for known in self.under_way if known is not writing)

    def begin_anew(self) -> None:
        """In a child process: the other threads are gone."""
        self._lock = threading.RLock()
        self.under_way = tuple(known for known in self.under_way if known.thread == get_ident())

    def why_keep_away(self, texts: Callable[[], Texts | None]) -> str | None:
        """Why a read must neither be answered from the cache nor be stored.

        Args:
            texts: gives the read's arguments in the loose form; None matches any write.
        """
        own: str | None = None
        known_texts = texts() if self.under_way else None
        for writing in self.under_way:
            if writing.transaction is not None and writing.transaction.over:
                self.leave(
                    writing
                )  # the garbage collector may have ended it, and can do no more than mark it
            elif writing.concerns(known_texts):
                own = own if own in _OWN else writing.reason
        return own


_OWN = ("inside_a_write", "uncommitted_changes")


class _Here(threading.local):
    def __init__(self) -> None:
        # A dictionary for its single, indivisible steps: a Control-C may come in between.
        self.writes: dict[object, None] = {}


_here = _Here()


def enter_write(write: object) -> None:
    """Note that this thread is inside a patched write."""
    _here.writes[write] = None


def leave_write(write: object) -> None:
    """Note that it has left one; safe to call more than once."""
    _here.writes.pop(write, None)


def is_writing() -> bool:
    """Whether this thread is inside a patched write, whatever that drops."""
    return bool(_here.writes)
