"""Threads that stop where a test wants them to: nothing sleeps, nothing races, and every wait ends."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

PATIENCE = 30.0
"""Seconds after which a wait has failed. No test that passes waits as long."""

T = TypeVar("T")

_held = threading.local()


def in_thread(call: Callable[[], T]) -> Future[T]:
    """Begin a call in a thread of its own, which no failure of it keeps alive."""
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(call())
        except BaseException as error:
            future.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return future


def result_of(call: Callable[[], T]) -> T:
    """What a call gives in another thread."""
    return in_thread(call).result(PATIENCE)


def midway() -> None:
    """Where methods of a test stop, if it is a `HeldCall` that runs them, and has not stopped yet."""
    call: HeldCall | None = getattr(_held, "call", None)
    if call is not None:
        call.stop()


class HeldCall:
    """A call in a thread of its own; it has come to `midway` and stands there until `end`."""

    def __init__(self, call: Callable[[], Any]) -> None:
        self._stopped = False
        self._arrived = threading.Event()
        self._opened = threading.Event()
        self._future = in_thread(lambda: self._run(call))
        assert self._arrived.wait(PATIENCE)

    def _run(self, call: Callable[[], Any]) -> Any:
        _held.call = self
        return call()

    def stop(self) -> None:
        """Called in the thread itself."""
        if not self._stopped:
            self._stopped = True
            self._arrived.set()
            assert self._opened.wait(PATIENCE)

    @property
    def done(self) -> bool:
        """Whether the call has returned or raised."""
        return self._future.done()

    def end(self) -> Any:
        """Let it go on to its end; gives what it gives, or raises what it raises."""
        self._opened.set()
        return self._future.result(PATIENCE)


class Joins:
    """The calls that wait for the load of another one, as they begin to wait."""

    def __init__(self) -> None:
        self.count = 0
        self._seen = threading.Semaphore(0)

    def note(self) -> None:
        """Called by whoever is about to wait."""
        self.count += 1
        self._seen.release()

    def await_waiting(self, calls: int = 1) -> None:
        """Wait until so many more calls wait."""
        for _ in range(calls):
            assert self._seen.acquire(timeout=PATIENCE)
