"""Holds: an object whose end calls back, and does so after every finalizer of the same garbage has run."""

from __future__ import annotations

import itertools
from collections.abc import Callable

_endings: dict[int, Callable[[], None]] = {}
_numbers = itertools.count(1)


class _Last:
    """What a hold leaves behind in its finalizer; dies when the hold itself is taken apart."""

    __slots__ = ("number",)
    number: int

    def __del__(self) -> None:
        try:
            _endings.pop(self.number)()
        except Exception:  # noqa: BLE001 - at the interpreter's end the module's names may be gone
            return


class Hold:
    """Something that is kept for as long as it is needed; see `hold`.

    The garbage collector calls all finalizers of a cycle before it takes any of it apart, in no
    useful order. An application's own ``__del__`` may still write and commit: so a hold does nothing in
    its finalizer but make a `_Last`, which is no part of that garbage and dies when the hold does.
    """

    __slots__ = ("_last", "number")
    number: int

    def __del__(self) -> None:
        try:
            self._last = last = _Last()
            last.number = self.number
        except Exception:  # noqa: BLE001 - as above
            return


def hold(ending: Callable[[], None]) -> Hold:
    """A hold; once nothing refers to it any more, `ending` is called, in whatever thread that happens.

    `ending` must not refer to the hold.
    """
    made = Hold()  # without an `__init__`: there are two of these in each use of a connection
    made.number = number = next(_numbers)
    _endings[number] = ending
    return made
