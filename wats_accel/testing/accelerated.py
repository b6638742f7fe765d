"""An accelerator of its own for a ``with`` block."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from wats_accel.runtime import Accelerator
from wats_accel.testing.clock import FakeClock


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
    wall_clock = wall_clock or _wall_clock_of(clock)
    accelerator = Accelerator(config, clock=clock, wall_clock=wall_clock, strict=strict, environ={})
    accelerator.install()
    try:
        yield accelerator
    finally:
        accelerator.uninstall()


def _wall_clock_of(clock: Callable[[], float]) -> Callable[[], float]:
    # Its method is looked up each time: `failing` may have put something in its place.
    return (lambda: clock.wall_time()) if isinstance(clock, FakeClock) else time.time
