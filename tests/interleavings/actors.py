"""Actors: threads of which one at a time runs, from one point to the next."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Protocol

START = "start"
"""The point at which every actor stands before it has done anything."""

Action = Callable[[], object]


class Obstacle(Protocol):
    """What an actor may have to wait for."""

    def passable(self) -> bool:
        """Whether the actor could go on now."""
        ...

    def reason(self) -> str:
        """Why it could not, for the report of a deadlock."""
        ...


class Turns(Protocol):
    """Whoever gives the actors their turns: a run of the scheduler."""

    @property
    def abandoned(self) -> bool:
        """Whether the run has been given up, so that actors only have to end."""
        ...

    def hand_over(self, actor: Actor) -> None:
        """Let somebody go on, and return when it is this actor's turn again."""
        ...

    def leave(self) -> None:
        """Let somebody else go on, since the calling actor has ended."""
        ...


class Actor:
    """One action of a run, the thread that performs it, and where it stands."""

    def __init__(self, turns: Turns, name: str, action: Action, member: Member) -> None:
        self.name = name
        self.gate = member.gate  # released by whoever lets this actor go on
        self.thread = member.thread
        self.point = START
        self.timed_out = False  # how the wait of its last move ended
        self.finished = False
        self.result: object = None
        self.error: BaseException | None = None
        self._obstacle: Obstacle | None = None
        self._may_time_out = False
        self._turns = turns
        self._action = action

    def pause(self, point: str, obstacle: Obstacle | None = None, *, may_time_out: bool = False) -> bool:
        """Stand at a point until the scheduler lets this actor go on. Called by its own thread.

        Args:
            point: its name.
            obstacle: what must be passable before.
            may_time_out: whether the actor may go on without that.

        Returns:
            whether the obstacle is passable; False is a time-out.
        """
        self.point, self._obstacle, self._may_time_out = point, obstacle, may_time_out
        self._turns.hand_over(self)
        return not self.timed_out

    @property
    def ready(self) -> bool:
        """Whether this actor can go on."""
        return not self.finished and (self._obstacle is None or self._obstacle.passable())

    @property
    def can_time_out(self) -> bool:
        """Whether this actor can go on only by giving up its wait."""
        return self._may_time_out and not self.finished and not self.ready

    @property
    def standing(self) -> str:
        """Where it stands and why, for people."""
        if self.finished:
            return f"{self.name} has ended"
        stands = f"{self.name} stands at {self.point!r}"
        if self._obstacle is None or self._obstacle.passable():
            return stands
        return f"{stands}: {self._obstacle.reason()}"

    def perform(self) -> None:
        """Do the action, and let the next actor go on."""
        try:
            if not self._turns.abandoned:
                self.result = self._action()
        except BaseException as error:  # Ctrl+C and the like are findings, too
            self.error = error
        self.finished = True
        self._turns.leave()


class _Here(threading.local):
    actor: Actor | None = None


_here = _Here()


def this_actor() -> Actor | None:
    """The actor whose thread calls; None in any other thread."""
    return _here.actor


def point(name: str) -> None:
    """A named point: an actor stands here until it may go on; any other thread passes."""
    actor = _here.actor
    if actor is not None:
        actor.pause(name)


def closed_gate() -> threading.Lock:
    """A lock that lets one waiting thread through each time that somebody releases it."""
    gate = threading.Lock()
    gate.acquire()
    return gate


class Member:
    """A thread that performs one actor after another, to save starting a thread for each."""

    def __init__(self) -> None:
        self.gate = closed_gate()
        self.thread = threading.Thread(target=self._serve, name="actor", daemon=True)
        self._actor: Actor | None = None
        self.thread.start()

    def cast(self, turns: Turns, name: str, action: Action) -> Actor:
        """The next actor of this thread; it begins when its gate is released."""
        self._actor = Actor(turns, name, action, self)
        return self._actor

    def dismiss(self) -> None:
        """End the thread, unless it hangs in an actor; then it is left alone, as a daemon."""
        if self._actor is None or self._actor.finished:
            self._actor = None
            self.gate.release()
            self.thread.join()

    def _serve(self) -> None:
        while True:
            self.gate.acquire()
            if self._actor is None:
                return
            _here.actor = self._actor
            self._actor.perform()


class Crew:
    """The threads of many runs, one after another. A context manager."""

    def __init__(self) -> None:
        self._members: list[Member] = []

    def cast(self, turns: Turns, actions: Mapping[str, Action]) -> list[Actor]:
        """An actor for each named action."""
        while len(self._members) < len(actions):
            self._members.append(Member())
        named = zip(self._members, actions.items(), strict=False)
        return [member.cast(turns, name, action) for member, (name, action) in named]

    def __enter__(self) -> Crew:
        return self

    def __exit__(self, *_: object) -> None:
        for member in self._members:
            member.dismiss()
