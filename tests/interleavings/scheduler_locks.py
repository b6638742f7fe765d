"""A lock and an event on which actors wait where the scheduler sees it."""

from __future__ import annotations

import threading
from types import TracebackType

from actors import Actor, this_actor


class SchedulerLock:
    """Stands in for `threading.RLock`: each acquisition by an actor that does not hold it is a point.

    Threads that are no actors get the lock inside.

    Args:
        name: for the name of the point, ``acquire <name>``.
    """

    def __init__(self, name: str = "lock") -> None:
        self.name = name
        self._lock = threading.RLock()
        self._holder: Actor | None = None
        self._depth = 0

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        """As `threading.RLock` does."""
        actor = this_actor()
        if actor is None:
            return self._lock.acquire(blocking, timeout)
        if self._holder is not actor:
            obstacle = self if blocking else None
            if not actor.pause(f"acquire {self.name}", obstacle, may_time_out=timeout >= 0):
                return False
            if self._holder is not None:
                return False  # not `blocking`, and another actor holds it
        if not self._lock.acquire(blocking):
            return False
        self._holder = actor
        self._depth += 1
        return True

    def release(self) -> None:
        """As `threading.RLock` does."""
        if this_actor() is not None and self._holder is this_actor():
            self._depth -= 1
            if not self._depth:
                self._holder = None
        self._lock.release()

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def passable(self) -> bool:
        """Whether no actor holds it."""
        return self._holder is None

    def reason(self) -> str:
        """Who holds it."""
        return f"{self._holder.name} holds it" if self._holder else "nobody holds it"


class SchedulerEvent(threading.Event):
    """Stands in for `threading.Event`: each wait of an actor is a point.

    Args:
        name: for the name of the point, ``wait for <name>``.
    """

    def __init__(self, name: str = "event") -> None:
        super().__init__()
        self.name = name

    def wait(self, timeout: float | None = None) -> bool:
        """As `threading.Event`; an actor's time-out is up to the scheduler, whatever its seconds are."""
        actor = this_actor()
        if actor is None:
            return super().wait(timeout)
        actor.pause(f"wait for {self.name}", self, may_time_out=timeout is not None)
        return self.is_set()

    def passable(self) -> bool:
        """Whether it is set."""
        return self.is_set()

    def reason(self) -> str:
        """What keeps those who wait."""
        return "it is not set"
