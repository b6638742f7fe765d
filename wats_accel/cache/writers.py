"""Writers: the writes that are under way, and the reads that they concern.

While a write is under way nobody knows whether the database has the old state or the new one. So the reads
that it concerns go to the database, as they would without a cache. A write is under way until it has
returned, and the transaction that it has left open is over.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from threading import get_ident

from wats_accel.cache.selection import EVERYTHING, Selection
from wats_accel.cache.texts import Texts
from wats_accel.transactions import Transaction

_MOST_UNCOMMITTED = 1_000


class Writing:
    """A write that is under way, as far as some regions are concerned. It is never changed.

    Each write makes one or more of them; as a frozen dataclass that would take three times as long.

    Attributes:
        selection: the reads that it concerns, as far as its arguments tell when it begins.
        transaction: that it has left open when it returned.
        thread: that writes; the calling one by default.
    """

    __slots__ = ("selection", "thread", "transaction")

    def __init__(
        self, selection: Selection, transaction: Transaction | None = None, thread: int | None = None
    ) -> None:
        self.selection = selection
        self.transaction = transaction
        self.thread = get_ident() if thread is None else thread

    def concerns(self, texts: Texts | None) -> bool:
        """Whether reads with these argument texts are concerned; None for any reads."""
        # The writing thread must see its own rows. Which they are it may find out only while it writes.
        return texts is None or self.thread == get_ident() or self.selection.matches(texts)

    @property
    def is_over(self) -> bool:
        """Whether the transaction is over; of a write that has not returned nobody knows but itself."""
        return self.transaction is not None and self.transaction.is_settled

    @property
    def reason(self) -> str:
        """Why this thread has to keep away from what the write concerns."""
        if self.thread != get_ident():
            return "being_written"
        return "inside_a_write" if self.transaction is None else "uncommitted_changes"


class Writers:
    """The writes that are under way and concern one region.

    No lock is taken anywhere: a lock that is wanted in the middle of another one's block, by a finalizer or
    by a reader that holds its namespace's, would be one that threads may wait for in a circle.
    """

    def __init__(self) -> None:
        # A dictionary for its single, indivisible steps. It stays the same one: hits look into it directly.
        self.under_way: dict[Writing, None] = {}
        self._crowded = _MOST_UNCOMMITTED

    def enter(self, writing: Writing) -> None:
        """Note that a write begins, or that it has left a transaction open."""
        self.under_way[writing] = None
        if writing.transaction is not None and len(self.under_way) > self._crowded:
            self._make_room()

    def leave(self, writing: Writing) -> None:
        """Note that it is over."""
        self.under_way.pop(writing, None)

    def begin_anew(self) -> None:
        """In a child process: the other threads are gone."""
        here = get_ident()
        for known in [known for known in self.under_way if known.thread != here]:
            del self.under_way[known]

    def why_keep_away(self, texts: Callable[[], Texts | None]) -> str | None:
        """Why a read must neither be answered from the cache nor be stored.

        Args:
            texts: gives the read's arguments in the loose form; None matches any write.
        """
        own: str | None = None
        known_texts = texts() if self.under_way else None
        for writing in list(self.under_way):
            if writing.is_over:  # perhaps by the garbage collector, which can do no more than mark it
                self.leave(writing)
            elif writing.concerns(known_texts):
                own = own if own in _OWN else writing.reason
        return own

    def _make_room(self) -> None:
        """Forget what is over; of a transaction with a great many writes remember only that there is one."""
        narrow: list[Writing] = []
        for known in list(self.under_way):
            if known.is_over:
                self.leave(known)
            elif known.transaction is not None:
                narrow.append(known)
        if len(narrow) > _MOST_UNCOMMITTED:
            widest = {(known.transaction, known.thread): known for known in narrow}
            for known in widest.values():
                self.under_way[Writing(EVERYTHING, known.transaction, known.thread)] = None
            for known in narrow:  # only now: in between somebody may ask
                self.leave(known)
        # At twice as many again, so that each write looks at few of them in the mean.
        self._crowded = max(_MOST_UNCOMMITTED, 2 * len(self.under_way))


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


def forget_write(write: object) -> None:
    """The same, for those who have failed to leave it."""
    _here.writes.pop(write, None)


def is_writing() -> bool:
    """Whether this thread is inside a patched write, whatever that drops."""
    return bool(_here.writes)
