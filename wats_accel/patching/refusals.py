"""Refusals: what cannot be patched, told before anything is touched."""

from __future__ import annotations

import contextlib
import functools
import inspect
from collections.abc import Iterator
from types import ModuleType
from typing import Any

_IMMUTABLE_TYPE = 1 << 8
"""Py_TPFLAGS_IMMUTABLETYPE: setting an attribute of such a class fails."""

_HOLDS_A_FUNCTION = (functools.partial, functools.partialmethod, functools.singledispatchmethod)


@contextlib.contextmanager
def _context_manager_function() -> Iterator[None]:
    yield


def unsupported(parent: Any, attribute: str, raw: Any) -> str | None:
    """What it is that stands there, if it cannot be patched; None if it can."""
    return _unsupported_place(parent, attribute) or _unsupported_object(raw) or _unsupported_call(parent, raw)


def innermost(function: Any) -> Any:
    """The function at the bottom of all wrappers, as far as they tell."""
    inner = inspect.unwrap(function)
    return innermost(inner.func) if isinstance(inner, _HOLDS_A_FUNCTION) else inner


def _unsupported_place(parent: Any, attribute: str) -> str | None:
    if isinstance(parent, ModuleType):
        return None
    if not inspect.isclass(parent):
        return "a method of an instance (name that of its class)"
    if all(attribute not in vars(base) for base in inspect.getmro(parent)):
        return "an attribute of a metaclass"
    if parent.__flags__ & _IMMUTABLE_TYPE:
        return "a class that does not allow attributes to be set"
    return None


def _unsupported_object(raw: Any) -> str | None:
    if isinstance(raw, (property, functools.cached_property)):
        return "a property"
    if inspect.isclass(raw):
        return "a class (name one of its methods)"
    if hasattr(type(raw), "__set__"):
        return "a data descriptor"
    return None


def _unsupported_call(parent: Any, raw: Any) -> str | None:
    inner = innermost(raw)
    if inspect.iscoroutinefunction(inner) or inspect.iscoroutinefunction(raw):
        return "a coroutine function"
    if inspect.isasyncgenfunction(inner):
        return "an asynchronous generator function"
    if _makes_context_manager(inspect.unwrap(raw, stop=_makes_context_manager)):
        return "a context manager function"  # its work is done later, and its answer is good for one use
    if not _gives_a_callable(parent, raw):
        return f"a {type(raw).__name__}, which cannot be called,"
    if inspect.isclass(parent) and not hasattr(type(raw), "__get__"):
        return "a callable that does not bind itself"
    return None


def _makes_context_manager(layer: Any) -> bool:
    code = getattr(layer, "__code__", None)
    return code is not None and code is _context_manager_function.__code__  # one code for all of them


def _gives_a_callable(parent: Any, raw: Any) -> bool:
    """Whether a call of it can be meant; a property of another library gives its value, or itself."""
    if callable(raw):
        return True
    return hasattr(type(raw), "__get__") and callable(raw.__get__(None, parent))
