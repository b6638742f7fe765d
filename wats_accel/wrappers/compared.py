"""What the shadow and verification share: a difference is told of, and not without end."""

from __future__ import annotations

from typing import Any

from wats_accel.cache.loads import Load
from wats_accel.events import AnswerDiffers
from wats_accel.wrappers.cached_method import CachedMethod

MOST_LINES = 100


class ComparedMethod(CachedMethod):
    """A cached method whose answers are compared with its own."""

    __slots__ = ("_lines_left",)

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._lines_left = MOST_LINES

    def _tell_of_difference(self, load: Load, how: str, during: str) -> None:
        """Tell that an answer differs; after a hundred of them the figures alone tell it."""
        # A method that gives its rows in any order differs with every entry: the log must not drown in it.
        if self._lines_left > 0:
            self._lines_left -= 1
            self._region.bus.emit(AnswerDiffers(load.label(), load.target, how, during))
