"""What the scenarios are played with: a database of versions, loads that stand still, callers, a clock.

Nothing here sleeps to make a race likely. A load stands still until it is let go, and every wait ends: a
caller that has not come to its end after `PATIENCE` hangs.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock

PATIENCE = 5.0
"""Seconds until a caller that has not come to its end is said to hang."""
UNTIL_IT_WAITS = 0.5
"""Seconds after which a caller that has neither answered nor begun a load is taken to wait for another's."""


class HangsError(Exception):
    """A caller has not come to its end."""


class Database:
    """One number that each write raises, and how often it was read."""

    def __init__(self) -> None:
        self.version = 1
        self.loads = 0

    def read(self, key: object) -> int:
        """The version, whatever the key."""
        self.loads += 1
        return self.version

    def write(self) -> None:
        """The next version."""
        self.version += 1


class HeldLoads:
    """A load that reads the database and then stands still: the first `count` runs for the key ``ann`` do."""

    def __init__(self, database: Database, count: int = 1) -> None:
        self._database = database
        self._places = iter(range(count))
        self.has_read = threading.Semaphore(0)
        self._gate = threading.Event()

    def __call__(self, key: object) -> int:
        """What the database said before the wait."""
        answer = self._database.read(key)
        if key == "ann" and next(self._places, None) is not None:
            self.has_read.release()
            self._gate.wait(PATIENCE)
        return answer

    def wait_until_read(self) -> None:
        """Until one more load has read the database."""
        if not self.has_read.acquire(timeout=PATIENCE):
            raise HangsError

    def let_go(self) -> None:
        """Let every load come to its end."""
        self._gate.set()


class Gathering:
    """Holds who arrives until `count` have, or for so long that nobody else will come."""

    def __init__(self, count: int, seconds: float) -> None:
        self._count = count
        self._seconds = seconds
        self._lock = threading.Lock()
        self._complete = threading.Event()
        self.arrived = 0

    def wait(self) -> int:
        """Arrive and wait; the number of the arrival, from 1."""
        with self._lock:
            self.arrived += 1
            number = self.arrived
            if number == self._count:
                self._complete.set()
        self._complete.wait(self._seconds)
        return number


class Caller:
    """A call in a thread of its own."""

    def __init__(self, call: Callable[..., Any], *args: object) -> None:
        self._call = call
        self._args = args
        self._answer: Any = None
        self.error: BaseException | None = None
        # A thread that hangs must not keep the program from ending.
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._answer = self._call(*self._args)
        except BaseException as error:  # a KeyboardInterrupt is one of the things to be looked at
            self.error = error

    def has_ended(self, within: float = UNTIL_IT_WAITS) -> bool:
        """Whether the call comes to its end in so many seconds."""
        self._thread.join(within)
        return not self._thread.is_alive()

    def answer(self) -> Any:
        """What the call returned; what it raised is raised.

        Raises:
            HangsError: it did neither.
        """
        if not self.has_ended(PATIENCE):
            raise HangsError
        if self.error is not None:
            raise self.error
        return self._answer


class Clock:
    """The clocks of the module ``time``, which can be put forward."""

    def __init__(self) -> None:
        self._ahead = 0.0

    def advance(self, seconds: float) -> None:
        """Put the clocks forward."""
        self._ahead += seconds

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Have every library see this clock; waits for threads are not measured by it."""
        real, monotonic, nanoseconds = time.time, time.monotonic, time.monotonic_ns
        clocks: dict[str, Callable[[], float]] = {
            "time": lambda: real() + self._ahead,
            "monotonic": lambda: monotonic() + self._ahead,
            "monotonic_ns": lambda: nanoseconds() + int(self._ahead * 1e9),
        }
        with mock.patch.multiple(time, **clocks):
            yield
