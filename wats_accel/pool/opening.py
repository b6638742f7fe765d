"""Opening: connections as the driver opens them; and whether an exception is the driver's, or one of ours."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from wats_accel.counters import PoolCounters
from wats_accel.failures import noting_failures
from wats_accel.pool.arguments import Arguments
from wats_accel.pool.drivers import Connect, Driver


class _Here(threading.local):
    refused: Exception | None = None
    """What the driver has raised to this thread when it was to connect."""


_here = _Here()


class Opener:
    """Opens connections with one set of arguments.

    Args:
        driver: of the module.
        connect: opens a connection, as the driver does.
        arguments: for `connect`.
        counters: of all pools of this `connect`.
        tell: told in how many seconds one was opened for the pool.
    """

    def __init__(
        self,
        driver: Driver,
        connect: Connect,
        arguments: Arguments,
        counters: PoolCounters,
        tell: Callable[[float], None],
    ) -> None:
        self._connect = connect
        self._arguments = arguments
        self._for_pool = driver.opening(arguments)
        self._counters = counters
        self._tell = tell

    def open(self) -> Any:
        """A connection for the pool.

        Raises:
            Exception: the driver's own; then `is_the_drivers` knows it, until `forget`.
        """
        began = time.perf_counter()
        try:
            raw = self._connect(*self._for_pool.args, **self._for_pool.kwargs)
        except Exception as error:
            _here.refused = error
            raise
        seconds = time.perf_counter() - began
        self._counters.opened += 1
        self._counters.connect_seconds += seconds
        self._tell(seconds)
        return raw

    def open_past_the_pool(self) -> Any:
        """A connection for the user alone, with exactly his arguments."""
        self._counters.direct += 1
        with noting_failures:
            return self._connect(*self._arguments.args, **self._arguments.kwargs)

    @staticmethod
    def is_the_drivers(error: BaseException) -> bool:
        """Whether this is what the driver has raised to this thread, and so the user's own to meet."""
        return error is _here.refused

    @staticmethod
    def forget() -> None:
        """Let go of what the driver has raised: an exception holds the frames that it has passed."""
        _here.refused = None
