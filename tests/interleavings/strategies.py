"""Who goes on: all possibilities one after another, or just those that a schedule names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from scheduler import Run


class NotDeterministicError(AssertionError):
    """The same moves did not lead to the same choice again: something besides the order matters."""


class ImpossibleScheduleError(ValueError):
    """A schedule asks for a move that is not possible."""


@dataclass(slots=True)
class _Decision:
    moves: list[str]
    taken: int = 0


class DepthFirst:
    """All schedules, each once, in depth-first order. The first one never preempts.

    Args:
        preemptions: how often a schedule may stop an actor that could go on (Musuvathi and Qadeer 2007:
            "Iterative Context Bounding"); None for no bound. Most faults need one or two.
    """

    def __init__(self, preemptions: int | None = None) -> None:
        self._preemptions = preemptions
        self._decisions: list[_Decision] = []
        self._depth = 0
        self._spent = 0

    def choose(self, run: Run, moves: Sequence[str], *, preempts: bool) -> str:
        """The move that is due at this depth."""
        allowed = list(moves)
        if preempts and self._spent == self._preemptions:
            del allowed[1:]
        if self._depth == len(self._decisions):
            self._decisions.append(_Decision(allowed))
        decision = self._decisions[self._depth]
        if decision.moves != allowed:
            raise NotDeterministicError(f"once {decision.moves}, now {allowed}")
        self._depth += 1
        self._spent += preempts and decision.taken > 0
        return decision.moves[decision.taken]

    def advance(self) -> bool:
        """Go on to the next schedule; False when there is none."""
        self._depth = self._spent = 0
        while self._decisions:
            decision = self._decisions[-1]
            decision.taken += 1
            if decision.taken < len(decision.moves):
                return True
            self._decisions.pop()
        return False


@dataclass(frozen=True, slots=True)
class Until:
    """A stage of a schedule: the actor goes on until it stands at the point; None: until it has ended."""

    actor: str
    point: str | None

    def reached(self, run: Run) -> bool:
        """Whether the actor is there. An actor that has ended comes nowhere any more."""
        where = run.point_of(self.actor)
        if where is None and self.point is not None:
            raise ImpossibleScheduleError(f"{self.actor} has ended and never came to {self.point!r}")
        return where == self.point


def until(actor: str, point: str) -> Until:
    """The actor goes on until it stands at the named point."""
    return Until(actor, point)


def to_end(actor: str) -> Until:
    """The actor goes on to its end."""
    return Until(actor, None)


class Replay:
    """One schedule. Where it ends, everybody still there runs to his end, without preemption.

    Args:
        schedule: single moves, as in `Run.schedule`, and stages from `until` and `to_end`.
    """

    def __init__(self, schedule: Sequence[str | Until]) -> None:
        self._schedule = schedule
        self._position = 0

    def choose(self, run: Run, moves: Sequence[str], *, preempts: bool) -> str:
        """The move that the schedule names."""
        move = self._due(run)
        if move is None:
            return moves[0]
        if move not in moves:
            raise ImpossibleScheduleError(
                f"step {len(run.steps) + 1}: {move!r} is not possible: {run.standings}"
            )
        return move

    def _due(self, run: Run) -> str | None:
        while self._position < len(self._schedule):
            stage = self._schedule[self._position]
            if isinstance(stage, str):
                self._position += 1
                return stage
            if not stage.reached(run):
                return stage.actor
            self._position += 1
        return None
