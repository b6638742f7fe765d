"""Complaints: what one configuration had to leave out, kept for `problems` and told in the log."""

from __future__ import annotations

import contextlib
import logging
import traceback
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Final

from wats_accel.config.documents import Document
from wats_accel.config.loader import located
from wats_accel.errors import ConfigError, Problem
from wats_accel.event_bus import EventBus
from wats_accel.events import RuleSkipped

_MOST_PROBLEMS: Final = 1_000  # an application may ask for another configuration again and again


class Complaints:
    """The problems of one configuration, in the order in which they were met.

    Args:
        bus: told of each rule that is left out.
        document: whose lines problems point to.
        quiet: whether nothing is told until it takes over from another one, which may never be.
    """

    def __init__(self, bus: EventBus, document: Document | None = None, *, quiet: bool = False) -> None:
        self.document = document
        self._bus = bus
        self._quiet = quiet
        self._problems: list[Problem] = []
        self._untold: list[Problem] = []
        # Who has the word: shared with all that came before, so that of those none leads to the next.
        self._speaker = [self]

    def left_out(self, problem: Problem) -> None:
        """A rule is left out."""
        if self._speaker[0] is not self:  # told by what has outlived this configuration
            self._speaker[0].left_out(problem)
            return
        problem = self.noted(problem)
        if self._quiet:
            self._untold.append(problem)
        else:
            self._bus.emit(RuleSkipped(str(problem)))

    def noted(self, problem: Problem) -> Problem:
        """Something is wrong that is told in another way; gives it with its place in the document."""
        if self._speaker[0] is not self:
            return self._speaker[0].noted(problem)
        if self.document is not None and problem.key_path and problem.file is None:
            problem = located(self.document, problem.message, problem.key_path, target=problem.target)
        if problem not in self._problems and len(self._problems) < _MOST_PROBLEMS:
            self._problems.append(problem)
        return problem

    def hand_over(self, successor: Complaints, lasting: Collection[str]) -> None:
        """Leave the word to those of the configuration that is in effect from now on.

        It tells what it has held back, but for what has been told already.

        Args:
            successor: the complaints of that configuration.
            lasting: the targets of what has outlived this one; what is wrong with them is wrong still.
        """
        told = {(problem.message, problem.target) for problem in self}
        known = {(problem.message, problem.target) for problem in successor}
        successor._problems += [
            problem
            for problem in self
            if problem.target in lasting and (problem.message, problem.target) not in known
        ]
        self._speaker[0], successor._speaker = successor, self._speaker
        untold, successor._untold, successor._quiet = successor._untold, [], False
        for problem in untold:
            if (problem.message, problem.target) not in told:
                self._bus.emit(RuleSkipped(str(problem)))

    def __iter__(self) -> Iterator[Problem]:
        return iter(list(self._problems))

    def __len__(self) -> int:
        return len(self._problems)


def tell_where(error: BaseException) -> None:
    """Say in the log, at debug, where something of ours has failed: the places only, no text and no value.

    A `ConfigError` is no failure of ours: it says of the configuration what is wrong with it, and where.
    """
    if isinstance(error, ConfigError):
        return
    with contextlib.suppress(Exception):
        steps = traceback.walk_tb(error.__traceback__)
        places = " > ".join(f"{Path(frame.f_code.co_filename).name}:{line}" for frame, line in steps)
        logging.getLogger("wats_accel").debug("%s at %s", type(error).__name__, places)
