"""Failures: how many a thread has met, so that an answer which hides one can be told from a true one.

A method may catch what the driver raised and return `[]`. The pool sees the exception pass, the cache
sees the answer, and the two do not know each other; they meet in this number. It is a count, not a flag:
nested loads each compare their own begin with their own end, and nobody has to set anything back.
"""

from __future__ import annotations

import threading
from types import TracebackType


class _Here(threading.local):
    met = 0


_here = _Here()


_uncounted = 0
"""Failures that could not be counted where they were met: all threads may have met them."""


def note_failure() -> None:
    """Note that this thread has met a failure that its caller may swallow. Raises nothing of its own."""
    global _uncounted
    try:
        _count()
    except Exception:  # noqa: BLE001 - what the caller is about to raise is what the application must see
        _uncounted += 1


def _count() -> None:
    _here.met += 1


def failures_met() -> int:
    """How many failures this thread has met so far; a load compares its begin with its end."""
    return _here.met + _uncounted


class _NotingFailures:
    """A block whose exceptions count as failures, but for the one by which iterators end."""

    __slots__ = ()

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None and not issubclass(kind, StopIteration):
            try:
                note_failure()
            except Exception:  # noqa: BLE001 - it would take the place of what the block has raised
                _here.met += 1


noting_failures = _NotingFailures()
"""For ``with``: whatever the block raises, other than `StopIteration`, is one failure met by this thread.

It keeps nothing, so one serves all threads, and blocks inside blocks (which count more than once).
"""
