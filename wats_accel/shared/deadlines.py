"""Deadlines: calls that may take long are made in other threads, and nobody waits longer than he wants.

A time-out of a socket bounds one step of a call. A name that is looked up, a connection that is made first, a
server that sends a byte now and then: all that takes longer. So who has to go on does not make such calls.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from typing import Any, Final, Generic, TypeVar

from wats_accel.forks import begins_anew_when_forked

ResultT = TypeVar("ResultT")

_IDLE_SECONDS: Final = 10.0


class DeadlinePassedError(Exception):
    """A call has not come to its end in time; whether it will, nobody waits to see."""


class _Job(Generic[ResultT]):
    __slots__ = ("_call", "_done", "_error", "_result", "abandoned")

    def __init__(self, call: Callable[[], ResultT]) -> None:
        self._call = call
        self._done = threading.Lock()
        self._done.acquire()
        self._result: Any = None
        self._error: BaseException | None = None
        self.abandoned = False

    def run(self) -> None:
        """Make the call, unless nobody waits for it any more."""
        try:
            if not self.abandoned:
                self._result = self._call()
        except BaseException as error:  # noqa: BLE001 - it is raised where somebody waits
            self._error = error
        finally:
            self._done.release()

    def result_within(self, seconds: float) -> ResultT:
        """What it gave, or raised.

        Raises:
            DeadlinePassedError: it takes longer.
        """
        if not self._done.acquire(timeout=max(0.0, seconds)):
            self.abandoned = True
            raise DeadlinePassedError
        if self._error is not None:
            raise self._error
        return self._result  # type: ignore[no-any-return]  # of the type that the call gives


class Deadlines:
    """Makes calls within a time.

    Args:
        most_threads: how many calls are under way at a time. They are daemons, and end when they are idle.
    """

    def __init__(self, *, most_threads: int = 4) -> None:
        self._most_threads = most_threads
        self.begin_anew()
        begins_anew_when_forked(self)

    def begin_anew(self) -> None:
        """Have no threads: so at first, and in a child process."""
        self._jobs: queue.SimpleQueue[_Job[Any]] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._threads = self._idle = 0

    def call(self, call: Callable[[], ResultT], seconds: float) -> ResultT:
        """What `call` gives.

        Raises:
            DeadlinePassedError: it takes longer than these seconds.
            Exception: what it raises.
        """
        until = time.perf_counter() + seconds
        job = _Job(call)
        self._jobs.put(job)
        self._have_a_thread()
        return job.result_within(until - time.perf_counter())

    def _have_a_thread(self) -> None:
        with self._lock:
            if self._idle > 0 or self._threads >= self._most_threads:
                return
            self._threads += 1
        try:
            threading.Thread(target=self._run, name="wats-accel-shared", daemon=True).start()
        except BaseException:
            with self._lock:
                self._threads -= 1
            raise

    def _run(self) -> None:
        jobs = self._jobs
        while True:
            with self._lock:
                self._idle += 1
            try:
                job = jobs.get(timeout=_IDLE_SECONDS)
            except queue.Empty:
                job = None
            with self._lock:
                self._idle -= 1
                if job is None and jobs.empty():
                    self._threads -= 1
                    return
            if job is not None:
                job.run()
            del job  # it holds what the call needs
