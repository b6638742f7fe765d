"""Settling: until when a new rule keeps nothing.

A rule may be put into effect while the application is at work. A write that it names may be under way then,
called before anything was put around it: nobody will say when it has ended, and drop what was loaded
meanwhile. Python can tell, though, which functions each thread is inside of. So new caches keep nothing
until the calls that were under way have ended, and the transactions that were open are over.
"""

from __future__ import annotations

import sys
import weakref
from collections.abc import Callable, Iterable, Iterator
from types import CodeType, FrameType

from wats_accel.transactions import Transaction

Call = tuple[int, int, int]
"""One call under way: the thread, the address of its frame, that of its code."""

CodeMatch = Callable[[CodeType], bool]
"""Whether a call of this code is meant."""


def calls_under_way(is_meant: CodeMatch) -> frozenset[Call]:
    """The calls of what is meant that any thread is inside of right now, the calling one included.

    What is written in C, and a coroutine or greenlet that is suspended, cannot be seen.
    """
    return frozenset(
        (thread, id(frame), id(frame.f_code)) for thread, frame in _frames() if is_meant(frame.f_code)
    )


def _frames() -> Iterator[tuple[int, FrameType]]:
    for thread, innermost in sys._current_frames().items():
        frame: FrameType | None = innermost
        while frame is not None:
            yield thread, frame
            frame = frame.f_back


class Settling:
    """Says whether all that was under way when rules changed is over. It never begins anew.

    Until `begin` it is not: so it can be handed out before anything is patched.
    """

    def __init__(self) -> None:
        self._has_begun = False
        self._is_over = False
        self._calls: frozenset[Call] = frozenset()
        self._transactions: tuple[weakref.ref[Transaction], ...] = ()

    def begin(self, calls: frozenset[Call], transactions: Iterable[Transaction] = ()) -> None:
        """Say what has to be over first; anything that begins later sees the new rules."""
        self._calls = calls
        self._transactions = tuple(map(weakref.ref, transactions))
        self._has_begun = True

    def is_over(self) -> bool:
        """Whether it is. Costs one look once it is; before that, a walk through the stacks of all threads."""
        if not self._is_over and self._has_begun:
            # The transactions last: a call that has ended may have left one open that was open before.
            self._is_over = not self._still_running() and all(map(_is_settled, self._transactions))
        return self._is_over

    def _still_running(self) -> bool:
        if self._calls:
            codes = {code for _, _, code in self._calls}
            # A frame at the same address may be another call of the same: then it takes a little longer.
            self._calls &= calls_under_way(lambda code: id(code) in codes)
        return bool(self._calls)


def _is_settled(reference: weakref.ref[Transaction]) -> bool:
    transaction = reference()
    return transaction is None or transaction.is_settled
