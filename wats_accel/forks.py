"""Forks: a child process has copies of its parent's locks and connections, and none of its threads.

A lock that another thread of the parent held is held for ever in the child; and to close a copy of a
connection would end the parent's session. So whoever has such things begins anew in a child.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
import weakref
from collections.abc import Callable
from types import TracebackType
from typing import Final, Protocol


class Forked(Protocol):
    """What has locks or connections."""

    def begin_anew(self) -> object:
        """Be as new, in a child process; gives what must not be closed there, if there is something."""
        ...


_PATIENCE_SECONDS: Final = 1.0
_SHORT_SECONDS: Final = 0.001


class _Uncut:
    """A block that no fork cuts in two: the fork waits for its end, if that is not long in coming.

    Nobody in such a block waits for anybody else in one, since a lock would do more harm than a fork.
    """

    def __init__(self) -> None:
        self._inside: dict[int, int] = {}  # how deep, by thread
        self._gate: threading.Event | None = None  # closed while somebody forks

    def __enter__(self) -> None:
        here, gate = threading.get_ident(), None
        while True:
            self._inside[here] = self._inside.get(here, 0) + 1
            if self._gate is gate or self._inside[here] > 1:
                return  # nobody forks, or has for so long that it is better to go on
            self._leave(here)
            gate = self._gate
            if gate is not None:
                gate.wait(_PATIENCE_SECONDS)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leave(threading.get_ident())

    def _leave(self, here: int) -> None:
        depth = self._inside.get(here, 1) - 1
        if depth:
            self._inside[here] = depth
        else:
            self._inside.pop(here, None)

    def before_fork(self) -> None:
        """Wait for the other threads that are in such a block, and keep them out of a new one."""
        self._gate = threading.Event()
        ends, here = time.monotonic() + _PATIENCE_SECONDS, threading.get_ident()
        while any(thread != here for thread in list(self._inside)) and time.monotonic() < ends:
            time.sleep(_SHORT_SECONDS)

    def after_fork(self) -> None:
        """Let them in again."""
        gate, self._gate = self._gate, None
        if gate is not None:
            gate.set()

    def begin_anew(self) -> None:
        """In the child: nobody else is in such a block."""
        here = threading.get_ident()
        self._inside = {thread: depth for thread, depth in self._inside.items() if thread == here}
        self._gate = None


uncut_by_forks: Final = _Uncut()
"""For ``with``, around a line of the log: files have locks of their own, which nobody renews in a child."""


_to_be_told: weakref.WeakSet[Forked] = weakref.WeakSet()
_afterwards: list[Callable[[], object]] = []
_inherited: list[object] = []
"""What the parent process has; kept from being closed in this one, even at the interpreter's end."""


def begins_anew_when_forked(owner: Forked) -> None:
    """Have `owner` told when it finds itself in a child process."""
    _to_be_told.add(owner)


def when_all_have_begun_anew(callback: Callable[[], object]) -> None:
    """Have something done in a child process after everybody has been told: a thread be started, say."""
    _afterwards.append(callback)


def _in_child() -> None:
    uncut_by_forks.begin_anew()
    _afterwards.clear()
    for owner in list(_to_be_told):
        # Where the parent's other threads stopped in the middle of something, anything may be amiss.
        with contextlib.suppress(Exception):
            _inherited.append(owner.begin_anew())
    while _afterwards:
        with contextlib.suppress(Exception):
            _afterwards.pop(0)()
    with contextlib.suppress(ImportError):
        import ctypes  # noqa: PLC0415 - a forked process only needs it

        ctypes.pythonapi.Py_IncRef(ctypes.py_object(_inherited))


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=uncut_by_forks.before_fork,
        after_in_parent=uncut_by_forks.after_fork,
        after_in_child=_in_child,
    )
