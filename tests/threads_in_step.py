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
    """A call in a thread of its own; it has come to `midway` and stands there until `end`.

    Args:
        call: what to call.
        may_end: whether it may as well end without coming there.

    Attributes:
        stopped: whether it has come there.
    """

    def __init__(self, call: Callable[[], Any], *, may_end: bool = False) -> None:
        self.stopped = False
        self._arrived = threading.Event()
        self._opened = threading.Event()
        self._future = in_thread(lambda: self._run(call))
        self._future.add_done_callback(lambda _: self._arrived.set())
        assert self._arrived.wait(PATIENCE)
        assert self.stopped or may_end

    def _run(self, call: Callable[[], Any]) -> Any:
        _held.call = self
        return call()

    def stop(self) -> None:
        """Called in the thread itself."""
        if not self.stopped:
            self.stopped = True
            self._arrived.set()
            assert self._opened.wait(PATIENCE)

    @property
    def done(self) -> bool:
        """Whether the call has returned or raised."""
        return self._future.done()

    def let_go(self) -> Future[Any]:
        """Let it go on, without waiting for its end."""
        self._opened.set()
        return self._future

    def end(self) -> Any:
        """Let it go on to its end; gives what it gives, or raises what it raises."""
        return self.let_go().result(PATIENCE)


class Joins:
    """The calls that wait for the load of another one, as they begin to wait."""

    def __init__(self) -> None:
        self.count = 0
        self._awaited = 0
        self._changed = threading.Condition()

    def note(self) -> None:
        """Called by whoever is about to wait."""
        with self._changed:
            self.count += 1
            self._changed.notify_all()

    def await_waiting(self, calls: int = 1) -> None:
        """Wait until so many more calls wait."""
        self._awaited += calls
        with self._changed:
            assert self._changed.wait_for(lambda: self.count >= self._awaited, PATIENCE)

    def await_waiting_or_end(self, call: Future[Any]) -> None:
        """Wait until one more call waits, or this one has ended."""
        call.add_done_callback(lambda _: self._tell())
        with self._changed:
            assert self._changed.wait_for(lambda: self.count > self._awaited or call.done(), PATIENCE)
            self._awaited = self.count

    def _tell(self) -> None:
        with self._changed:
            self._changed.notify_all()
