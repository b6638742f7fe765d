"""Leaks: leases that have been out for long are reported once, with the place that took them."""

from __future__ import annotations

import contextlib
import fnmatch
import inspect
import sys
import threading
import traceback
import weakref
from collections.abc import Callable, Iterable, Iterator
from types import CodeType, FrameType
from typing import Protocol, TypeGuard

from wats_accel.pool.lease import Lease

_SHORTEST_INTERVAL_SECONDS = 0.5
_OWN_PACKAGES = frozenset({"wats_accel", "wrapt"})


class Watched(Protocol):
    """What has leases that may have been forgotten."""

    def report_leaks(self) -> int:
        """Report those that are overdue; gives how many."""
        ...


def taken_at() -> traceback.StackSummary:
    """The application's part of the stack, as cheaply as it can be had."""
    frames = ((frame, frame.f_lineno) for frame in _applications_frames(sys._getframe(1)))
    return traceback.StackSummary.extract(frames, lookup_lines=False)


def is_called_by(patterns: Iterable[str]) -> bool:
    """Whether one of the application's functions on the stack is named by a target pattern."""
    known = tuple(patterns)
    names = map(_name, _applications_frames(sys._getframe(1))) if known else ()
    return any(fnmatch.fnmatchcase(name, pattern) for name in names for pattern in known)


def _applications_frames(frame: FrameType | None) -> Iterator[FrameType]:
    while frame is not None:
        if _module(frame).partition(".")[0] not in _OWN_PACKAGES:
            yield frame
        frame = frame.f_back


def _module(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", ""))


def _name(frame: FrameType) -> str:
    return f"{_module(frame)}:{_qualified(frame)}"


def _qualified(frame: FrameType) -> str:
    """A function's name with its class; before Python 3.11 that has to be looked for."""
    code = frame.f_code
    if sys.version_info >= (3, 11):
        return code.co_qualname
    if not _is_code_of(frame.f_globals.get(code.co_name), code):
        for kind in _possible_owners(frame):
            if _is_code_of(vars(kind).get(code.co_name), code):
                return f"{kind.__qualname__}.{code.co_name}"
    return code.co_name


def _is_code_of(found: object, code: CodeType) -> bool:
    """Whether a function is behind a name, below whatever it is decorated with."""
    for holder in ("fget", "func"):  # of a property, and of a cached one
        found = getattr(found, holder, found)
    function = inspect.unwrap(found)  # type: ignore[arg-type] # what is no function is its own end
    return getattr(function, "__code__", None) is code


def _possible_owners(frame: FrameType) -> Iterator[type]:
    """The classes of its first argument, and those of its module: a static method has no ``self``."""
    code = frame.f_code
    if code.co_argcount:
        first = frame.f_locals.get(code.co_varnames[0])
        yield from (first if _is_class(first) else type(first)).__mro__
    yield from filter(_is_class, tuple(frame.f_globals.values()))


def _is_class(found: object) -> TypeGuard[type]:
    """Asked of its type: a proxy would have to look up what it stands for, and may fail."""
    return issubclass(type(found), type)


def overdue(leases: Iterable[Lease], before: float) -> list[Lease]:
    """Those that were taken before a time, and have not been reported yet."""
    return [
        lease
        for lease in leases
        if lease.stack is not None and not lease.reported and lease.taken_at <= before
    ]


def lines_of(stack: traceback.StackSummary) -> tuple[str, ...]:
    """A stack as text, the outermost call first."""
    return tuple(f"{entry.filename}:{entry.lineno} in {entry.name}" for entry in reversed(stack))


def watch(watched: Watched, leak_after_seconds: float) -> Callable[[], None]:
    """Have leaks reported from a thread that keeps nothing alive; gives what stops it."""
    stopping = threading.Event()
    interval = min(max(leak_after_seconds / 2, _SHORTEST_INTERVAL_SECONDS), threading.TIMEOUT_MAX)
    reference = weakref.ref(watched)

    def run() -> None:
        while not stopping.wait(interval):
            alive = reference()
            if alive is None:
                return
            alive.report_leaks()
            del alive  # or it would be kept until the next time, and so for ever

    # The system may have no more threads, or the interpreter be about to end: then nobody watches.
    with contextlib.suppress(Exception):
        threading.Thread(target=run, name="wats-accel-leaks", daemon=True).start()
    return stopping.set
