"""Forks: a child process has copies of its parent's locks and connections, and none of its threads.

A lock that another thread of the parent held is held for ever in the child; and to close a copy of a
connection would end the parent's session. So whoever has such things begins anew in a child.
"""

from __future__ import annotations

import contextlib
import os
import weakref
from typing import Protocol


class Forked(Protocol):
    """What has locks or connections."""

    def begin_anew(self) -> object:
        """Be as new, in a child process; gives what must not be closed there, if there is something."""
        ...


_to_be_told: weakref.WeakSet[Forked] = weakref.WeakSet()
_inherited: list[object] = []
"""What the parent process has; kept from being closed in this one, even at the interpreter's end."""


def begins_anew_when_forked(owner: Forked) -> None:
    """Have `owner` told when it finds itself in a child process."""
    _to_be_told.add(owner)


def _in_child() -> None:
    for owner in list(_to_be_told):
        # Where the parent's other threads stopped in the middle of something, anything may be amiss.
        with contextlib.suppress(Exception):
            _inherited.append(owner.begin_anew())
    with contextlib.suppress(ImportError):
        import ctypes  # noqa: PLC0415 - a forked process only needs it

        ctypes.pythonapi.Py_IncRef(ctypes.py_object(_inherited))


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)
