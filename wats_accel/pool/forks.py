"""Forks: a child has copies of its parent's connections; closing one would end the parent's session."""

from __future__ import annotations

import contextlib
import os
import weakref
from typing import Protocol


class Forked(Protocol):
    """What has connections."""

    def begin_anew(self) -> object:
        """Forget all connections, in a child process; gives what they are kept in."""
        ...


_with_connections: weakref.WeakSet[Forked] = weakref.WeakSet()
_inherited: list[object] = []
"""What the parent process has; kept from being closed in this one, even at the interpreter's end."""


def begins_anew_when_forked(owner: Forked) -> None:
    """Have `owner` told when it finds itself in a child process."""
    _with_connections.add(owner)


def _in_child() -> None:
    _inherited.extend(owner.begin_anew() for owner in list(_with_connections))
    with contextlib.suppress(ImportError):
        import ctypes  # noqa: PLC0415 - a forked process only needs it

        ctypes.pythonapi.Py_IncRef(ctypes.py_object(_inherited))


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)
