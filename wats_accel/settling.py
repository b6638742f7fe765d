"""Settling: until when a new rule keeps nothing.

A rule may be put into effect while the application is at work. A write that it names may be under way then,
called before anything was put around it: nobody will say when it has ended, and drop what was loaded
meanwhile. Python can tell, though, which functions each thread is inside of. So new caches keep nothing
until the calls that were under way have ended, and the transactions that were open are over.
"""

from __future__ import annotations

import contextlib
import gc
import sys
import weakref
from collections import deque
from collections.abc import Callable
from itertools import accumulate, repeat
from operator import attrgetter
from types import CodeType, FrameType

from wats_accel.transactions import Transaction, all_open_transactions

Call = tuple[int, int, int]
"""One call under way: the thread, the address of its frame, that of its code."""

CodeMatch = Callable[[CodeType], bool]
"""Whether a call of this code is meant."""


def calls_under_way(is_meant: CodeMatch) -> frozenset[Call]:
    """The calls of what is meant that any thread is inside of right now, the calling one included.

    What is written in C, and a coroutine or greenlet that is suspended, cannot be seen.
    """
    return frozenset(
        (thread, address, id(code))
        for thread, innermost in _innermost_frames()
        for address, code in _stack_of(innermost)
        if is_meant(code)
    )


def _innermost_frames() -> list[tuple[int, FrameType]]:
    return list(sys._current_frames().items())


def _stack_of(innermost: FrameType) -> list[tuple[int, CodeType]]:
    """The addresses and the codes of a thread's frames.

    That thread may be running. If steps were taken one by one, as a loop in Python takes them, its stack
    might change between two of them; CPython 3.11 has crashed over that, once in many thousands of reloads,
    under load. What is written in C gives no other thread a turn, unless the garbage collector runs a
    finalizer in the middle of it.
    """
    was_collecting = gc.isenabled()
    gc.disable()
    try:
        frames: deque[FrameType] = deque()
        with contextlib.suppress(AttributeError):  # the outermost frame has None behind it: that is the end
            frames.extend(accumulate(repeat("f_back"), getattr, initial=innermost))
        frames.pop()
        return list(zip(map(id, frames), map(_code_of, frames), strict=True))
    finally:
        if was_collecting:
            gc.enable()


_code_of: Callable[[FrameType], CodeType] = attrgetter("f_code")


class Settling:
    """Says whether all that was under way when rules changed is over. It never begins anew.

    Until `begin` it is not: so it can be handed out before anything is patched.
    """

    def __init__(self) -> None:
        self._has_begun = False
        self._is_over = False
        self._calls: frozenset[Call] = frozenset()
        self._transactions: tuple[weakref.ref[Transaction], ...] = ()
        self._is_hindered: Callable[[], bool] = _nothing_else

    def begin(self, is_meant: CodeMatch, is_hindered: Callable[[], bool] | None = None) -> None:
        """Note what is under way, now that all is patched: what begins later is seen.

        Args:
            is_meant: tells the code of writes. Their calls have to end, and what they leave open with them.
            is_hindered: asked whether anything else has to be over yet.
        """
        self._calls = calls_under_way(is_meant)
        self._await_transactions()
        self._is_hindered = is_hindered or _nothing_else
        self._has_begun = True

    def _await_transactions(self) -> None:
        self._transactions += tuple(map(weakref.ref, all_open_transactions()))

    def is_over(self) -> bool:
        """Whether it is. Costs one look once it is; before that, a walk through the stacks of all threads."""
        if self._is_over or not self._has_begun:
            return self._is_over
        if self._calls:
            codes = {code for _, _, code in self._calls}
            # A frame at the same address may be another call of the same: then it takes a little longer.
            self._calls &= calls_under_way(lambda code: id(code) in codes)
            if self._calls:
                return False
            self._await_transactions()  # which those calls may have begun, and not ended
        self._transactions = tuple(known for known in self._transactions if not _is_settled(known))
        self._is_over = not self._transactions and not self._is_hindered()
        return self._is_over


def _nothing_else() -> bool:
    return False


def _is_settled(reference: weakref.ref[Transaction]) -> bool:
    transaction = reference()
    return transaction is None or transaction.is_settled
