"""For tests of applications and plugins: a clock that stands still, an accelerator, a failing store."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from wats_accel.cache.entries import Entry, Key, MemoryStore
from wats_accel.runtime import Accelerator

_NEW_YEAR_2024 = 1_704_067_200.0  # in UTC


class FakeClock:
    """A clock that moves only when told to, and the time of day that goes with it. Seconds.

    ```python
    clock = FakeClock()
    with accelerated(config, clock=clock):
        clock.advance(61)  # everything with a TTL of 60 s has expired
    ```

    Args:
        now: what the clock shows.
        wall_time: what a computer's clock shows then, in seconds since the epoch; by default it is the
            first moment of 2024, in UTC.
    """

    def __init__(self, now: float = 0.0, *, wall_time: float = _NEW_YEAR_2024) -> None:
        self.now = now
        self._ahead = wall_time - now

    def __call__(self) -> float:
        """The time it is now."""
        return self.now

    def wall_time(self) -> float:
        """The computer's time, in seconds since the epoch."""
        return self.now + self._ahead

    def local_time(self) -> datetime:
        """The same as an application sees it: naive local time, as `datetime.now` gives it."""
        return datetime.fromtimestamp(self.wall_time())

    def advance(self, seconds: float) -> None:
        """Let time pass, on both."""
        self.now += seconds

    def set_wall_time(self, seconds_since_epoch: float) -> None:
        """Set the computer's clock, as its owner may at any time; the other one does not notice."""
        self._ahead = seconds_since_epoch - self.now


@contextlib.contextmanager
def accelerated(
    config: str | os.PathLike[str] | Mapping[str, Any],
    *,
    clock: Callable[[], float] | None = None,
    wall_clock: Callable[[], float] | None = None,
    strict: bool = True,
) -> Iterator[Accelerator]:
    """An accelerator of its own for a ``with`` block: strict, deaf to the environment, on a fake clock.

    Args:
        config: a file, or a mapping of the same shape.
        clock: seconds, never going backwards; by default a `FakeClock` that nobody moves.
        wall_clock: seconds since the epoch; by default that of the `FakeClock`, so that both advance
            together, and the computer's own with any other clock.
        strict: raise what would otherwise be left out.

    Raises:
        ConfigError: the configuration is not valid or cannot be applied whole.
    """
    clock = clock or FakeClock()
    wall_clock = wall_clock or (clock.wall_time if isinstance(clock, FakeClock) else time.time)
    accelerator = Accelerator(config, clock=clock, wall_clock=wall_clock, strict=strict, environ={})
    accelerator.install()
    try:
        yield accelerator
    finally:
        accelerator.uninstall()


class FaultyStore:
    """A store that raises in the methods named, and otherwise keeps entries in memory.

    Give it through the hook ``accel_create_store`` to see what an application notices: nothing.
    """

    def __init__(self, *failing: str, error: Callable[[], Exception] = RuntimeError) -> None:
        self._store = MemoryStore()
        self.failing = set(failing)
        self._error = error

    def _check(self, method: str) -> MemoryStore:
        if method in self.failing:
            raise self._error()
        return self._store

    def get(self, key: Key, /) -> Entry | None:
        """As `MemoryStore`, or raise."""
        return self._check("get").get(key)

    def put(self, entry: Entry) -> Entry | None:
        """As `MemoryStore`, or raise."""
        return self._check("put").put(entry)

    def remove(self, key: Key) -> Entry | None:
        """As `MemoryStore`, or raise."""
        return self._check("remove").remove(key)

    def clear(self) -> int:
        """As `MemoryStore`, or raise."""
        return self._check("clear").clear()

    def entries(self) -> Iterable[Entry]:
        """As `MemoryStore`, or raise."""
        return self._check("entries").entries()

    def __len__(self) -> int:
        return len(self._check("len"))
