"""Listening: a thread that keeps a process on the backplane, and keeps no process alive."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import Final

from wats_accel.forks import begins_anew_when_forked, when_all_have_begun_anew
from wats_accel.shared.backplane import Backplane

_FIRST_PAUSE_SECONDS: Final = 0.05
_LONGEST_PAUSE_SECONDS: Final = 2.0


class Listening:
    """Has the backplane take one step after another; when one fails, the next comes a little later.

    Args:
        backplane: of this process.
    """

    def __init__(self, backplane: Backplane) -> None:
        self._backplane = backplane
        self._ends = threading.Event()
        self._thread: threading.Thread | None = None
        begins_anew_when_forked(self)

    def begin_anew(self) -> None:
        """In a child process: the thread is the parent's. The child has one of its own if it went on."""
        goes_on = self._thread is not None and not self._ends.is_set()
        self._ends, self._thread = threading.Event(), None
        if goes_on:
            when_all_have_begun_anew(self.start)

    def start(self) -> None:
        """Begin to listen, in the background."""
        self._thread = threading.Thread(
            target=self._run, args=(self._ends,), name="wats-accel-backplane", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Listen no more. Safe to call twice."""
        self._ends.set()

    def _run(self, ends: threading.Event) -> None:
        pause = _FIRST_PAUSE_SECONDS
        while not ends.is_set() and not self._backplane.is_over():
            try:
                self._backplane.step()
                pause = _FIRST_PAUSE_SECONDS
            except Exception:  # noqa: BLE001 - the backplane has told of it
                ends.wait(pause)
                pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
        if not ends.is_set():  # whoever was to end it could not
            with suppress(Exception):
                self._backplane.close()
