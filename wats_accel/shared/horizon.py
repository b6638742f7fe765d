"""The horizon: until when answers may be trusted, if nobody hears any more what other processes change.

It is moved on whenever all is known. When nobody does that in time, it is reached: whatever has kept them
from it, a network or a thread that hangs.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final

from wats_accel.forks import begins_anew_when_forked

_LONGEST_LOOK_SECONDS: Final = 1.0
_PAUSE_SECONDS: Final = 0.05


def clock_that_counts_sleep() -> float:
    """Seconds, never going backwards, in which a computer that was asleep has grown older, too."""
    boot = getattr(time, "CLOCK_BOOTTIME", None)  # elsewhere `monotonic` counts that itself
    return time.monotonic() if boot is None else time.clock_gettime(boot)


class Horizon:
    """Calls back when a moment comes that nobody has moved on. It waits for no network.

    Args:
        passed: called in a thread of its own.
        clock: seconds, as `clock_that_counts_sleep`.
        is_over: whether nobody is interested any more, though nobody has closed it.
    """

    def __init__(
        self,
        passed: Callable[[], object],
        *,
        clock: Callable[[], float] = clock_that_counts_sleep,
        is_over: Callable[[], bool] = lambda: False,
    ) -> None:
        self._passed = passed
        self._is_over = is_over
        self._clock = clock
        self._at: float | None = None
        self._changed = threading.Condition(threading.RLock())
        self._thread: threading.Thread | None = None
        self._closed = False
        begins_anew_when_forked(self)

    def begin_anew(self) -> None:
        """In a child process: the thread is the parent's."""
        self._changed = threading.Condition(threading.RLock())
        self._thread, self._at = None, None

    def move_to(self, at: float) -> None:
        """Call back at this time of the clock, and not before."""
        with self._changed:
            if self._closed:
                return
            self._at = at
            if self._thread is None:
                thread = threading.Thread(target=self._run, name="wats-accel-horizon", daemon=True)
                self._thread = thread  # it looks whether it is the one
                try:
                    thread.start()
                except BaseException:
                    self._thread = None
                    raise

    def close(self) -> None:
        """Never call back again. Safe to call twice."""
        with self._changed:
            self._closed, self._at = True, None
            self._changed.notify_all()

    def look(self) -> bool:
        """Call back if it is time; gives whether it was."""
        with self._changed:
            at = self._at
            if at is None or self._clock() < at:
                return False
        self._passed()
        with self._changed:
            if self._at == at:  # not before: what has failed is tried again
                self._at = None
        return True

    def _run(self) -> None:
        while True:
            with self._changed:
                if self._closed or self._thread is not threading.current_thread() or self._is_over():
                    return
                try:
                    left = _LONGEST_LOOK_SECONDS if self._at is None else self._at - self._clock()
                except Exception:  # noqa: BLE001 - then it is looked once more
                    left = _PAUSE_SECONDS
                if left > 0:
                    # Not longer: meanwhile a computer may sleep, and waiting does not count that. So nobody
                    # has to be woken when the moment has moved on, either.
                    self._changed.wait(min(left, _LONGEST_LOOK_SECONDS))
            try:
                self.look()
            except Exception:  # noqa: BLE001 - nobody else drops in time what nobody vouches for
                with self._changed:
                    self._changed.wait(_PAUSE_SECONDS)
