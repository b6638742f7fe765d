"""For tests of applications and plugins: a clock that stands still, an accelerator, a failing store."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from wats_accel.cache.entries import Entry, Key, MemoryStore
from wats_accel.runtime import Accelerator


class FakeClock:
    """A clock that moves only when told to. Seconds.

    ```python
    clock = FakeClock()
    with accelerated(config, clock=clock):
        clock.advance(61)  # everything with a TTL of 60 s has expired
    ```
    """

    def __init__(self, now: float = 0.0) -> None:
        self.now = now

    def __call__(self) -> float:
        """The time it is now."""
        return self.now

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds


@contextlib.contextmanager
def accelerated(
    config: str | os.PathLike[str] | Mapping[str, Any],
    *,
    clock: Callable[[], float] | None = None,
    strict: bool = True,
) -> Iterator[Accelerator]:
    """An accelerator of its own for a ``with`` block: strict, deaf to the environment, on a fake clock.

    Raises:
        ConfigError: the configuration is not valid or cannot be applied whole.
    """
    accelerator = Accelerator(config, clock=clock or FakeClock(), strict=strict, environ={})
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
