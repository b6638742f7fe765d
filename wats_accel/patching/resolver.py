"""The resolver: finds what stands at a target, raw, and says whether and how it can be wrapped."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

import wrapt

from wats_accel.errors import TargetNotFoundError, UnsupportedTargetError
from wats_accel.patching.binding import FUNCTION_TYPES, bound_late, inherited_late
from wats_accel.patching.plan import Kind, MethodInfo
from wats_accel.patching.refusals import innermost, unsupported
from wats_accel.records import record
from wats_accel.suggestions import nearest
from wats_accel.targets import Target


@record(frozen=True, slots=True)
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


def resolve(module: ModuleType, target: Target, *, needs_signature: bool = True) -> Found:
    """Find what stands at `target` in an imported module.

    Raises:
        TargetNotFoundError: nothing is there; names the part that is missing and the nearest one.
        UnsupportedTargetError: a property, a coroutine function, a class … is there.
    """
    parent, attribute, raw = _look_up(module, target)
    what = unsupported(parent, attribute, raw)
    if what:
        raise UnsupportedTargetError(f"{what} is not supported, left alone")
    kind = _kind(parent, raw)
    inherited = attribute not in vars(parent)
    function = _function(parent, attribute, raw, kind, inherited=inherited)
    is_generator = inspect.isgeneratorfunction(innermost(raw))
    signature = _signature(parent, raw, function, needed=needs_signature)
    info = MethodInfo(target, kind, signature, is_generator, is_exact=_is_exact(raw, signature))
    return Found(parent, attribute, raw, function, inherited, info)


def _look_up(module: ModuleType, target: Target) -> tuple[Any, str, Any]:
    if not target.path:
        raise UnsupportedTargetError("a module (name one of its methods) is not supported, left alone")
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


def _function(parent: Any, attribute: str, raw: Any, kind: Kind, *, inherited: bool) -> Callable[..., Any]:
    plain: Callable[..., Any] = raw
    if issubclass(type(raw), (staticmethod, classmethod)):  # really, not a wrapper around one
        plain = raw.__func__
    if kind == "function":
        return plain
    if inherited:
        return inherited_late(parent, attribute, raw, kind)
    if type(plain) in FUNCTION_TYPES:
        return plain
    return bound_late(parent, raw, kind)


def _any_call(*args: Any, **kwargs: Any) -> None:
    """Whose signature stands for that of a callable that tells none."""


def _signature(parent: Any, raw: Any, function: Callable[..., Any], *, needed: bool) -> inspect.Signature:
    if isinstance(raw, (staticmethod, classmethod)):
        source = raw.__func__
    else:
        source = raw if callable(raw) else raw.__get__(None, parent)
    for candidate in (source, function):
        try:
            return signature_of(candidate)
        except (TypeError, ValueError):
            continue
    if needed:
        raise UnsupportedTargetError("a callable without a signature is not supported, left alone")
    return inspect.signature(_any_call)


def _is_exact(raw: Any, signature: inspect.Signature) -> bool:
    source = raw.__func__ if isinstance(raw, (staticmethod, classmethod)) else raw
    try:
        own = inspect.signature(source, follow_wrapped=False)
    except (TypeError, ValueError):
        return True  # a wrapper written in C, such as lru_cache's, passes a call on as it is
    return list(own.parameters) == list(signature.parameters)


def signature_of(function: Any) -> inspect.Signature:
    """The signature of a callable, without evaluating annotations that are evaluated late.

    Raises:
        TypeError, ValueError: it has none.
    """
    if sys.version_info >= (3, 14):
        import annotationlib  # noqa: PLC0415 - exists from 3.14 on

        return inspect.signature(function, annotation_format=annotationlib.Format.FORWARDREF)
    return inspect.signature(function)
