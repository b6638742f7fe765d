"""A cooperative scheduler: of some threads exactly one runs, and a strategy says which, point by point.

This is the ground of stateless model checking: run the code under test again and again from a fresh
state, each time in another order, with nothing left to chance (Godefroid 1997: "Model Checking for
Programming Languages using VeriSoft"; Musuvathi and others 2008: "Finding and Reproducing Heisenbugs in
Concurrent Programs", CHESS). Threads that are no actors of a run do not notice it.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from actors import Action, Actor, Crew, closed_gate

TIMES_OUT = " times out"
"""What follows an actor's name in the move in which its wait ends without success."""


class Step(NamedTuple):
    """One step of a run: an actor went on from a point."""

    move: str  # the actor's name, with `TIMES_OUT` if its wait ended so
    point: str


class Strategy(Protocol):
    """Decides who goes on."""

    def choose(self, run: Run, moves: Sequence[str], *, preempts: bool) -> str:
        """One of `moves`. With `preempts`, each but the first stops an actor that could have gone on."""
        ...


class DeadlockError(AssertionError):
    """Nobody can go on, and not everybody has ended."""


class LivelockError(AssertionError):
    """A run took more steps than its limit."""


class HangError(AssertionError):
    """An actor does not come to its next point: it waits for something that the scheduler does not see."""


class _Abandoned(BaseException):
    """Unwinds an actor of a run that has been given up; nothing should catch it."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What may happen in a run, and for how long.

    Args:
        hasty: whether a wait may time out while somebody can go on; otherwise only when nobody can.
        steps: with more of them a run counts as a livelock.
        patience_seconds: of real time, in which an actor must come to its next point.
    """

    hasty: bool = False
    steps: int = 10_000
    patience_seconds: float = 20.0


USUAL_LIMITS = Limits()


class Run:
    """Some actions, run once, in the order that a strategy chooses.

    Args:
        actions: what each actor does, by its name.
        crew: a thread for each.
        strategy: decides who goes on.
        limits: on what may happen.
    """

    def __init__(self, actions: Mapping[str, Action], crew: Crew, strategy: Strategy, limits: Limits) -> None:
        self.steps: list[Step] = []
        self.abandoned = False
        self._strategy = strategy
        self._limits = limits
        self._stage = closed_gate()  # released when nobody goes on
        self._failure: BaseException | None = None
        self._current: Actor | None = None
        self._actors = crew.cast(self, actions)
        self._by_move = {actor.name: actor for actor in self._actors}
        self._by_move.update({actor.name + TIMES_OUT: actor for actor in self._actors})

    # -- what a check or a strategy asks --------------------------------------------------------------

    @property
    def schedule(self) -> tuple[str, ...]:
        """The moves so far; as a schedule they lead to the same run again."""
        return tuple(step.move for step in self.steps)

    @property
    def results(self) -> dict[str, object]:
        """What each action has returned."""
        return {actor.name: actor.result for actor in self._actors}

    @property
    def errors(self) -> dict[str, BaseException]:
        """What some actions have raised."""
        return {actor.name: actor.error for actor in self._actors if actor.error is not None}

    def point_of(self, name: str) -> str | None:
        """The point at which an actor stands; None when it has ended."""
        actor = self._by_move[name]
        return None if actor.finished else actor.point

    @property
    def standings(self) -> str:
        """Where everybody stands, for people."""
        return "; ".join(actor.standing for actor in self._actors)

    # -- the thread that runs it ----------------------------------------------------------------------

    def execute(self) -> None:
        """Run all actors to their ends.

        Raises:
            DeadlockError: nobody could go on.
            LivelockError: there were too many steps.
            HangError: an actor did not come to its next point.
            Exception: whatever the strategy has raised.
        """
        self._pass_on()
        try:
            self._wait_until_idle()
        except HangError:
            self.abandoned = True
            raise
        except BaseException:  # such as Ctrl+C
            self.abandoned = True  # so whoever runs ends at the next point
            self._wait_until_idle()
            self._unwind()
            raise
        if self._failure is not None:
            self.abandoned = True
            self._unwind()
            raise self._failure

    def _wait_until_idle(self) -> None:
        seen = -1
        while not self._stage.acquire(timeout=self._limits.patience_seconds):
            if len(self.steps) == seen:
                raise HangError(f"{self.standings}\n{self._stack()}")
            seen = len(self.steps)

    def _stack(self) -> str:
        """The stack of the actor that runs."""
        assert self._current is not None
        frame = sys._current_frames().get(self._current.thread.ident or 0)
        return f"{self._current.name} runs here:\n{''.join(traceback.format_stack(frame))}"

    def _unwind(self) -> None:
        """End those that have not ended, one after another."""
        for actor in self._actors:
            if not actor.finished:
                actor.gate.release()
                self._wait_until_idle()

    # -- the threads of the actors --------------------------------------------------------------------

    def hand_over(self, actor: Actor) -> None:
        """Let somebody go on, and return when it is this actor's turn again."""
        if not self.abandoned and self._pass_on() is not actor:
            actor.gate.acquire()
        if self.abandoned:
            raise _Abandoned

    def leave(self) -> None:
        """Let somebody else go on, since the calling actor has ended."""
        if self.abandoned:
            self._stage.release()
        else:
            self._pass_on()

    def _pass_on(self) -> Actor | None:
        """Wake whoever is next; the caller, who is the only one awake, may be that itself."""
        last, chosen = self._current, None
        try:
            chosen = self._next(last)
        except BaseException as failure:  # it is raised where the run was started
            self._failure = failure
        self._current = chosen
        # Nothing of this run may be touched after somebody else has been woken.
        if chosen is None:
            self._stage.release()
        elif chosen is not last:
            chosen.gate.release()
        return chosen

    def _next(self, last: Actor | None) -> Actor | None:
        moves = self._moves(last)
        if not moves:
            if all(actor.finished for actor in self._actors):
                return None
            raise DeadlockError(self.standings)
        if len(self.steps) >= self._limits.steps:
            raise LivelockError(f"{self._limits.steps} steps: {self.standings}")
        preempts = last is not None and moves[0] == last.name
        move = self._strategy.choose(self, moves, preempts=preempts)
        actor = self._by_move[move]
        actor.timed_out = move != actor.name
        self.steps.append(Step(move, actor.point))
        return actor

    def _moves(self, last: Actor | None) -> list[str]:
        """What can happen next; first, if it can, that the last actor goes on."""
        moves = [actor.name for actor in self._actors if actor.ready]
        if last is not None and last.ready:
            moves.remove(last.name)
            moves.insert(0, last.name)
        if self._limits.hasty or not moves:
            moves += [actor.name + TIMES_OUT for actor in self._actors if actor.can_time_out]
        return moves
