"""Stand-ins: what is put on a class in place of a method, indistinguishable to those who look.

A plain method is replaced by a plain function: it binds, pickles, inspects and documents itself as
every function does, and costs one call. A method that another library has already wrapped, or that
carries attributes of its own, is replaced by a wrapt proxy, which passes everything through.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FunctionType
from typing import Any

import wrapt

from wats_accel.patching.resolver import Found, signature_of

# Python 3.14 evaluates annotations when they are asked for: copying them would ask.
_ANNOTATIONS = "__annotate__" if sys.version_info >= (3, 14) else "__annotations__"
_COPIED = ("__module__", "__name__", "__qualname__", "__doc__", "__type_params__", _ANNOTATIONS)


def stand_in(found: Found, wrapper: Callable[..., Any]) -> Any:
    """The object to put on the class or module: `wrapper`, looking as what was found there.

    Args:
        found: what stands at the target.
        wrapper: called as `found.function` is called.
    """
    raw = found.raw
    if isinstance(raw, staticmethod):
        return staticmethod(_dressed(raw.__func__, wrapper, bound=False))
    if isinstance(raw, classmethod):
        # Never a proxy: whether classmethod binds what it holds differs between Python versions.
        return classmethod(_as_function(raw.__func__, wrapper))
    return _dressed(raw, wrapper, bound=found.info.kind == "instance")


def _dressed(original: Any, wrapper: Callable[..., Any], *, bound: bool) -> Any:
    if type(original) is FunctionType and not vars(original) and isinstance(wrapper, FunctionType):
        return _as_function(original, wrapper)
    return _as_proxy(original, wrapper, bound=bound)


def _as_function(original: Any, wrapper: Callable[..., Any]) -> Callable[..., Any]:
    for name in _COPIED:
        if hasattr(original, name):
            setattr(wrapper, name, getattr(original, name))
    vars(wrapper).update(getattr(original, "__dict__", {}))
    vars(wrapper)["__wrapped__"] = original
    # inspect.signature follows __wrapped__; inspect.getfullargspec looks here only.
    vars(wrapper)["__signature__"] = signature_of(original)
    return wrapper


class _BoundProxy(wrapt.BoundFunctionWrapper[..., Any]):
    """A bound method of a proxied function, which pickles and copies as bound methods do."""

    def __reduce__(self) -> tuple[Any, ...]:
        return getattr, (self._self_instance, self.__name__)

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        return self.__reduce__()


class _Proxy(wrapt.FunctionWrapper[..., Any]):
    __bound_function_wrapper__ = _BoundProxy


def _as_proxy(original: Any, wrapper: Callable[..., Any], *, bound: bool) -> Any:
    def pass_on(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        return wrapper(instance, *args, **kwargs) if bound else wrapper(*args, **kwargs)

    return _Proxy(original, pass_on)
