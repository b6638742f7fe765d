"""The reporter: keeps the state file of one accelerator up to date, in the background, and harms nobody."""

from __future__ import annotations

import atexit
import os
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from wats_accel import events
from wats_accel.breakers import Breaker
from wats_accel.cache.background import Background
from wats_accel.errors import Problem
from wats_accel.event_bus import EventBus
from wats_accel.events import Event
from wats_accel.forks import begins_anew_when_forked
from wats_accel.status.folder import state_folder
from wats_accel.status.state_file import StateFile
from wats_accel.status.view import View, about_process, state_of

_EVERY_SECONDS: Final = 3.0
_AT_THE_END_SECONDS: Final = 1.0

_UNWRITABLE: Final = (
    "the state file for 'wats-accel status' cannot be written: {why}{folder}; "
    "WATS_ACCEL_STATE_DIR names another folder, 'status: false' does without"
)

_CHANGES: Final[tuple[type[Event], ...]] = (
    events.Initialized,
    events.Patched,
    events.RuleSkipped,
    events.CacheSuspended,
    events.BreakerOpened,
    events.BreakerClosed,
    events.ConfigReloaded,
    events.ConfigRejected,
    events.AnswerDiffers,
    events.BackplaneConnected,
    events.BackplaneIsolated,
    events.FollowingBegun,
    events.FollowingLost,
)


class StatusReporter:
    """Writes the state file when something changes, and now and then while the accelerator is used.

    Nothing is written in the caller's thread, and there is no thread while nothing happens.

    Args:
        bus: tells of changes, and of use.
        view: gives the accelerator as it is now; None when it is not installed.
        report: told, once, when the file cannot be written.
        clock: seconds, never going backwards.
    """

    def __init__(
        self,
        bus: EventBus,
        view: Callable[[], View | None],
        report: Callable[[Problem], None],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._bus = bus
        self._view = view
        self._report = report
        self._clock = clock
        self._file: StateFile | None = None
        self._background = Background(most_threads=1)
        # On a bus that nobody listens to: one line tells that the file cannot be written, and no more.
        self._breaker = Breaker("state file", bus=EventBus(), clock=clock)
        self._reloads = {"done": 0, "refused": 0}
        self._told = False
        self._started: dict[str, Any] = {}
        self._due_at = 0.0
        self._is_pending = False
        self._lock = threading.Lock()  # of the file; held by whoever writes or removes it
        bus.at_checkpoints(self._note_use)
        begins_anew_when_forked(self)

    def start(self, environ: Mapping[str, str]) -> None:
        """Begin to report, if there is a place for it. Safe to call twice.

        Args:
            environ: says where the user's files are.
        """
        folder = None if self._file is not None else state_folder(environ)
        if folder is None:
            return
        self._file = StateFile(Path(folder))
        self._background = Background(most_threads=1)
        self._reloads = {"done": 0, "refused": 0}
        self._told = self._is_pending = False  # a job of before may have been dropped
        self._started = {"started": time.time(), "folder": _current_folder()}
        for event_type in _CHANGES:
            self._bus.subscribe(event_type, self._heard)
        atexit.register(self.stop)
        self.note_change()

    def stop(self) -> None:
        """Report no more, and take the file away. Safe to call twice."""
        if self._file is None:
            return
        atexit.unregister(self.stop)
        for event_type in _CHANGES:
            self._bus.unsubscribe(event_type, self._heard)
        self._background.close()
        file, self._file = self._file, None
        # A write that hangs on a network drive must not keep the program from ending.
        if self._lock.acquire(timeout=_AT_THE_END_SECONDS):
            try:
                file.remove()
            finally:
                self._lock.release()

    def begin_anew(self) -> None:
        """In a child process: leave the parent's file alone, and write one's own at the next occasion."""
        self._lock = threading.Lock()
        self._background.begin_anew()
        self._breaker.begin_anew()
        self._is_pending = False
        self._due_at = 0.0
        if self._file is not None:
            self._file.begin_anew()

    # -- when ------------------------------------------------------------------------------------------

    def note_change(self) -> None:
        """Something is on or off now that was not: have it written soon."""
        if self._file is not None and not self._is_pending and self._breaker.may_try():
            self._is_pending = True
            if not self._background.submit(self._write):
                self._is_pending = False

    def _heard(self, event: Event) -> None:
        self._reloads["done"] += isinstance(event, events.ConfigReloaded)
        self._reloads["refused"] += isinstance(event, events.ConfigRejected)
        self.note_change()

    def _note_use(self) -> None:
        if self._file is not None and self._clock() >= self._due_at:
            self._due_at = self._clock() + _EVERY_SECONDS
            self.note_change()

    # -- writing (in the background) ---------------------------------------------------------------------

    def _write(self) -> None:
        self._is_pending = False  # first: what changes from now on asks for another write
        self._due_at = self._clock() + _EVERY_SECONDS
        try:
            self._write_now()
        except Exception as error:  # noqa: BLE001 - a state that cannot be told must not harm anything
            self._failed(error)
        else:
            self._breaker.worked()

    def _write_now(self) -> None:
        view = self._view()
        if view is None:
            return
        state = {**about_process(), **self._started, **state_of(view), "reloads": dict(self._reloads)}
        with self._lock:
            if self._file is not None:
                self._file.write(state)

    def _failed(self, error: Exception) -> None:
        if not self._told:
            self._told = True
            why = getattr(error, "strerror", None) or type(error).__name__
            folder = "" if self._file is None else f" ({self._file.folder})"
            self._report(Problem(_UNWRITABLE.format(why=why, folder=folder), ("status",)))
        self._breaker.failed(error)


def _current_folder() -> str:
    """Where relative names of the configuration begin; the program may go elsewhere later."""
    try:
        return os.getcwd()
    except OSError:
        return ""
