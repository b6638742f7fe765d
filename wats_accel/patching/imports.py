"""Imports: what happens when a module is there that somebody waits for."""

from __future__ import annotations

import sys
import weakref
from collections.abc import Callable
from types import ModuleType
from typing import Protocol

import wrapt


class Waiting(Protocol):
    """Who waits for modules."""

    def module_is_there(self, name: str, module: ModuleType) -> None:
        """Be told that a module has just been imported under this name."""


def await_import(waiting: Waiting, name: str) -> None:
    """Have somebody told when a module has been imported, or at once if it is there."""
    # wrapt keeps a hook until its module is imported, perhaps for ever: it must not keep who waits.
    reference = weakref.ref(waiting)

    def hook(module: ModuleType) -> None:
        still = reference()
        if still is not None:
            still.module_is_there(name, module)

    told: Callable[[ModuleType], None] = hook
    wrapt.register_post_import_hook(told, name)


def imported(name: str) -> ModuleType | None:
    """A module, if its import has ended."""
    module = sys.modules.get(name)
    spec = getattr(module, "__spec__", None)
    return None if getattr(spec, "_initializing", False) is True else module


def renew_lock_of_hooks() -> None:
    """In a child process: each import takes this lock, since we have put a hook there."""
    # wrapt does not think of forks.
    lock = getattr(sys.modules.get("wrapt.importer"), "_post_import_hooks_lock", None)
    renew = getattr(lock, "_at_fork_reinit", None)
    if renew is not None:
        renew()
