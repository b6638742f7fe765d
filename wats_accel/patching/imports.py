"""Imports: what happens when a module is there that somebody waits for.

A module that nobody has begun to import is awaited by a hook. Where an import is under way already, in this
thread or another one, a hook comes too late. Nobody may wait for that import either: its thread may be
waiting for us. So whoever ends it tells, before anybody else can have the module: the end is when the import
system gives the module's lock free.
"""

from __future__ import annotations

import contextlib
import importlib
import sys
import threading
import weakref
from collections.abc import Callable
from types import ModuleType
from typing import Any, Protocol

import wrapt


class Waiting(Protocol):
    """Who waits for modules."""

    def module_is_there(self, name: str, module: ModuleType) -> None:
        """Be told that a module has just been imported under this name."""


def await_import(waiting: Waiting, name: str) -> None:
    """Have somebody told when a module has been imported, or at once if it is there."""
    _Awaited(waiting, name).begin()


def imported(name: str) -> ModuleType | None:
    """A module, if its import has ended."""
    module = sys.modules.get(name)
    spec = getattr(module, "__spec__", None)
    return None if getattr(spec, "_initializing", False) is True else module


class _Awaited:
    """A module that somebody waits for. He is told once, by whoever sees first that it is there."""

    def __init__(self, waiting: Waiting, name: str) -> None:
        # A hook is kept until its module is imported, perhaps for ever: it must not keep who waits.
        self._waiting = weakref.ref(waiting)
        self._name = name
        self._is_hooked = False
        self._hooking: int | None = None  # the thread that does so right now
        self._is_told = False

    def begin(self) -> None:
        """Wait for the end of the import that is under way, and for the next one to begin."""
        self._hook()
        # In this order: an import that begins from now on meets the hook, and all others have their lock.
        is_awaited = _tell_at_release(self._name, self._look)
        self._look()
        module = sys.modules.get(self._name)
        if module is not None and not (self._is_hooked or is_awaited):
            self._tell(module)  # it is what it is

    def _hook(self) -> None:
        if self._is_hooked or sys.modules.get(self._name) is not None:
            return
        self._is_hooked, self._hooking = True, threading.get_ident()
        wrapt.register_post_import_hook(self._loaded, self._name)
        self._hooking = None

    def _loaded(self, module: ModuleType) -> None:
        if self._hooking == threading.get_ident() and imported(self._name) is None:
            self._is_hooked = False  # it has come half in the middle of this, and there is no hook then
        else:
            self._tell(module)

    def _look(self) -> None:
        """Tell if the import has ended well; if it has failed, there is the next one."""
        module = imported(self._name)
        if module is not None:
            self._tell(module)
        else:
            self._hook()

    def _tell(self, module: ModuleType) -> None:
        waiting, was_told, self._is_told = self._waiting(), self._is_told, True
        if waiting is not None and not was_told:
            waiting.module_is_there(self._name, module)


# -- the locks of the import system -----------------------------------------------------------------------

_import_system: Any = getattr(importlib, "_bootstrap", None)
_announcing: dict[type[Any], type[Any]] = {}


def _tell_at_release(name: str, tell: Callable[[], object]) -> bool:
    """Have something done whenever the lock of a module is given free; gives whether anybody may hold it."""
    try:
        lock = _import_system._module_locks[name]()
        vars(lock).setdefault("told_at_release", []).append(tell)
        kind = type(lock)
        if kind not in _announcing.values():
            lock.__class__ = _announcing.setdefault(kind, _announcing_kind(kind))
    except (AttributeError, KeyError, TypeError):  # nobody imports it; or this interpreter has other locks
        return False
    return True


def _announcing_kind(kind: type[Any]) -> type[Any]:
    def release(lock: Any) -> None:
        try:
            for tell in list(lock.told_at_release):
                with contextlib.suppress(Exception):  # it is the application's own import
                    tell()
        finally:
            kind.release(lock)

    return type(kind.__name__, (kind,), {"release": release})


def renew_lock_of_hooks() -> None:
    """In a child process: each import takes this lock, since we have put a hook there."""
    # wrapt does not think of forks.
    lock = getattr(sys.modules.get("wrapt.importer"), "_post_import_hooks_lock", None)
    renew = getattr(lock, "_at_fork_reinit", None)
    if renew is not None:
        renew()
