"""The resolver: finds what stands at a target, raw, and says whether and how it can be wrapped."""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable
from dataclasses import dataclass
from types import FunctionType, ModuleType
from typing import Any

import wrapt

from wats_accel.errors import TargetNotFoundError, UnsupportedTargetError
from wats_accel.patching.plan import Kind, MethodInfo
from wats_accel.suggestions import nearest
from wats_accel.targets import Target


@dataclass(frozen=True, slots=True)
class Found:
    """What stands at a target.

    Attributes:
        parent: the class or module that holds it, or a subclass that inherits it.
        attribute: its name there.
        raw: the very object in the class's or module's dictionary, staticmethod and all.
        function: the callable inside `raw`, to be called with ``self`` or ``cls`` first if there is one.
        inherited: whether `parent` has it from elsewhere, such as a base class.
        info: what wrappers need to know.
    """

    parent: Any
    attribute: str
    raw: Any
    function: Callable[..., Any]
    inherited: bool
    info: MethodInfo


def resolve(module: ModuleType, target: Target) -> Found:
    """Find what stands at `target` in an imported module.

    Raises:
        TargetNotFoundError: nothing is there; names the part that is missing and the nearest one.
        UnsupportedTargetError: a property, a coroutine function, a class … is there.
    """
    parent, attribute, raw = _look_up(module, target)
    kind = _kind(parent, raw)
    function = raw.__func__ if isinstance(raw, (staticmethod, classmethod)) else raw
    _refuse_unsupported(raw, function)
    if kind == "instance" and not isinstance(function, FunctionType):
        function = _bound_late(function)
    inherited = attribute not in vars(parent)
    info = MethodInfo(target, kind, _signature(raw, function), _is_generator(function))
    return Found(parent, attribute, raw, function, inherited, info)


def _look_up(module: ModuleType, target: Target) -> tuple[Any, str, Any]:
    try:
        parent, attribute, raw = wrapt.resolve_path(module, target.path)
    except (wrapt.PathResolutionError, AttributeError) as error:
        raise TargetNotFoundError(_missing_part(module, target)) from error
    return parent, attribute, raw


def _missing_part(module: ModuleType, target: Target) -> str:
    place: Any = module
    spelled = target.module
    for part in target.path.split("."):
        if not hasattr(place, part):
            known = [name for name in dir(place) if not name.startswith("__")]
            return f"{spelled} has no {part!r}{nearest(part, known)}"
        place = getattr(place, part)
        spelled = f"{spelled}.{part}"
    return f"{spelled} cannot be reached"


def _kind(parent: Any, raw: Any) -> Kind:
    if isinstance(raw, staticmethod):
        return "static"
    if isinstance(raw, classmethod):
        return "class"
    return "instance" if inspect.isclass(parent) else "function"


def _refuse_unsupported(raw: Any, function: Any) -> None:
    what = _unsupported(raw, function)
    if what:
        raise UnsupportedTargetError(f"{what} is not supported, left alone")


def _unsupported(raw: Any, function: Any) -> str | None:
    if isinstance(raw, (property, functools.cached_property)):
        return "a property"
    if inspect.isclass(raw):
        return "a class (name one of its methods)"
    if hasattr(type(raw), "__set__"):
        return "a data descriptor"
    inner = inspect.unwrap(function) if callable(function) else function
    if inspect.iscoroutinefunction(inner) or inspect.iscoroutinefunction(function):
        return "a coroutine function"
    if inspect.isasyncgenfunction(inner):
        return "an asynchronous generator function"
    if not callable(raw) and not hasattr(type(raw), "__get__"):
        return f"a {type(raw).__name__}, which cannot be called,"
    return None


def _bound_late(descriptor: Any) -> Callable[..., Any]:
    """A plain function over whatever binds itself: another library's wrapper, a partialmethod …"""
    if not hasattr(type(descriptor), "__get__"):
        raise UnsupportedTargetError("a callable that does not bind itself is not supported, left alone")

    def call(instance: Any, /, *args: Any, **kwargs: Any) -> Any:
        return descriptor.__get__(instance, type(instance))(*args, **kwargs)

    return call


def _signature(raw: Any, function: Callable[..., Any]) -> inspect.Signature:
    source = raw.__func__ if isinstance(raw, (staticmethod, classmethod)) else raw
    for candidate in (source, function):
        try:
            return signature_of(candidate)
        except (TypeError, ValueError):
            continue
    raise UnsupportedTargetError("a callable without a signature is not supported, left alone")


def signature_of(function: Any) -> inspect.Signature:
    """The signature of a callable, without evaluating annotations that are evaluated late.

    Raises:
        TypeError, ValueError: it has none.
    """
    if sys.version_info >= (3, 14):
        import annotationlib  # noqa: PLC0415 - exists from 3.14 on

        return inspect.signature(function, annotation_format=annotationlib.Format.FORWARDREF)
    return inspect.signature(function)


def _is_generator(function: Callable[..., Any]) -> bool:
    return inspect.isgeneratorfunction(inspect.unwrap(function))
