"""Background: a few threads that renew answers before they expire, and keep nothing alive."""

from __future__ import annotations

import contextlib
import threading
from collections import deque
from collections.abc import Callable

Job = Callable[[], None]

_IDLE_SECONDS = 10.0


class Background:
    """Runs jobs in daemon threads, which begin when there is a job and end when there is none for long.

    The stdlib's executors are no choice: the interpreter's exit waits for their threads.

    Args:
        most_threads: how many jobs run at a time.
        most_waiting: how many more may wait; what comes then is not run at all.
    """

    def __init__(self, *, most_threads: int = 2, most_waiting: int = 100) -> None:
        self._most_threads = most_threads
        self._most_waiting = most_waiting
        self.begin_anew()

    def begin_anew(self) -> None:
        """Have no threads and no jobs: so at first, and in a child process."""
        self._waiting: deque[Job] = deque()
        self._threads = 0
        self._idle = 0
        self._closed = False
        self._changed = threading.Condition()  # over a re-entrant lock: a finalizer may submit as well

    def submit(self, job: Job) -> bool:
        """Have a job run some time; False if it will not be: there are too many, or no thread can start."""
        with self._changed:
            if self._closed or len(self._waiting) >= self._most_waiting:
                return False
            self._waiting.append(job)
            if self._idle >= len(self._waiting):
                self._changed.notify()
                return True
            if self._threads >= self._most_threads:
                return True
            self._threads += 1
        return self._start_thread(job)

    def _start_thread(self, job: Job) -> bool:
        try:
            threading.Thread(target=self._run, name="wats-accel-refresh", daemon=True).start()
        except Exception:  # noqa: BLE001 - the interpreter is about to end, or the system has no more threads
            with self._changed:
                self._threads -= 1
                if self._threads:
                    return True
                with contextlib.suppress(ValueError):
                    self._waiting.remove(job)
            return False
        return True

    def _run(self) -> None:
        while True:
            job = self._next()
            if job is None:
                return
            # It tells of its failures itself; here is nobody to tell them to.
            with contextlib.suppress(BaseException):
                job()
            del job  # it holds the application's objects

    def _next(self) -> Job | None:
        with self._changed:
            self._idle += 1
            self._changed.wait_for(lambda: self._waiting or self._closed, _IDLE_SECONDS)
            self._idle -= 1
            if self._waiting:
                return self._waiting.popleft()
            self._threads -= 1
            return None

    def close(self) -> None:
        """Run nothing more that has not begun. Safe to call twice."""
        with self._changed:
            self._closed = True
            self._waiting.clear()
            self._changed.notify_all()
