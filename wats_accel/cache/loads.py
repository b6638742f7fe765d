"""Loads: the runs of cached methods that are under way, and the fence that keeps old answers out.

A load that an invalidation has overtaken may have read the database before the write: its answer goes
to its own caller and is not stored. Every load is registered before it begins, so an invalidation
finds either the load (and marks it) or the entry that it stored (and drops it); there is no third case.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from wats_accel.cache.entries import Key
from wats_accel.cache.texts import Texts


class Load:
    """One run of a cached method for one key."""

    __slots__ = ("began_at", "key", "label", "overtaken", "started", "target", "texts")

    def __init__(
        self,
        target: str,
        key: Key,
        texts: Texts,
        label: Callable[[], str],
        *,
        started: float,
        began_at: float,
    ) -> None:
        self.target = target
        self.key = key
        self.texts = texts  # the arguments in the loose form by which invalidation compares them
        self.label = label  # makes the readable key, for those who will read it
        self.started = started  # seconds, by the performance counter
        self.began_at = began_at  # by the cache's clock: the answer may be as old as this
        self.overtaken = False  # written and read under the namespace's lock


class _RunningLoads(threading.local):
    def __init__(self) -> None:
        self.stack: list[Load] = []


_running = _RunningLoads()


def innermost_load() -> Load | None:
    """The load that this thread runs right now, the innermost if they are nested."""
    stack = _running.stack
    return stack[-1] if stack else None


def enter_load(load: Load) -> None:
    """Note that this thread runs `load` from here on."""
    _running.stack.append(load)


def leave_load(load: Load) -> None:
    """Note that `load` has ended, and with it whatever was nested in it."""
    stack = _running.stack
    if load in stack:
        del stack[stack.index(load) :]
