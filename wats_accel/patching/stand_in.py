"""Stand-ins: what is put on a class in place of a method, indistinguishable to those who look.

A plain method is replaced by a plain function: it binds, pickles, inspects and documents itself as
every function does, and costs one call. A method that another library has already wrapped, or that
carries attributes of its own, is replaced by a wrapt proxy, which passes everything through.
"""

from __future__ import annotations

import copy
import sys
from collections.abc import Callable
from types import FunctionType, MethodType
from typing import Any

import wrapt

from wats_accel.patching.binding import FUNCTION_TYPES
from wats_accel.patching.plan import Kind
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
    # The real type: a wrapper of another library around a staticmethod says that it is one.
    if issubclass(type(raw), staticmethod):
        return staticmethod(_dressed(raw.__func__, wrapper, found))
    if issubclass(type(raw), classmethod):
        return classmethod(_dressed(raw.__func__, wrapper, found))
    return _dressed(raw, wrapper, found)


def _dressed(original: Any, wrapper: Callable[..., Any], found: Found) -> Any:
    if type(original) is FunctionType and not vars(original) and isinstance(wrapper, FunctionType):
        return _as_function(original, wrapper)
    return _proxy_type(original)(original, wrapper, found.info.kind, found.attribute)


def _as_function(original: Any, wrapper: Callable[..., Any]) -> Callable[..., Any]:
    for name in _COPIED:
        if hasattr(original, name):
            setattr(wrapper, name, getattr(original, name))
    vars(wrapper)["__wrapped__"] = original
    # inspect.signature follows __wrapped__; inspect.getfullargspec looks here only.
    vars(wrapper)["__signature__"] = signature_of(original)
    return wrapper


class _Proxy(wrapt.CallableObjectProxy[Any]):
    """What it wraps in every respect, but that calls go to the wrapper."""

    def __init__(self, original: Any, wrapper: Callable[..., Any], kind: Kind, attribute: str) -> None:
        super().__init__(original)
        self._self_wrapper = wrapper
        self._self_kind = kind
        self._self_attribute = attribute

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        try:
            return self._self_wrapper(*args, **kwargs)
        except BaseException:
            del args, kwargs  # a traceback that shows local variables must not show a password
            raise

    def __repr__(self) -> str:
        return repr(self.__wrapped__)

    def __copy__(self) -> Any:
        return self

    def __deepcopy__(self, memo: Any) -> Any:
        return self

    def __reduce_ex__(self, protocol: Any) -> Any:
        original = self.__wrapped__
        # Functions pickle by name; pickle knows that of real functions only.
        return original.__qualname__ if type(original) is FunctionType else original.__reduce_ex__(protocol)


class _FunctionProxy(_Proxy):
    """A proxy of what binds as functions do: its bound methods are real methods, over the proxy."""

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else MethodType(self, instance)


class _DescriptorProxy(_Proxy):
    """A proxy of what binds in a way of its own."""

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        original = self.__wrapped__
        bound = type(original).__get__(original, instance, owner)
        return self if bound is original and instance is None else _BoundProxy(bound, self, instance, owner)


class _BoundProxy(_Proxy):
    """What such a descriptor gives for an instance or class; calls go to the wrapper."""

    def __init__(self, bound: Any, parent: Any, instance: Any, owner: Any) -> None:
        super().__init__(bound, parent._self_wrapper, parent._self_kind, parent._self_attribute)
        self._self_holder = owner if instance is None else instance
        self._self_receiver = _receiver(parent._self_kind, instance, owner)

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        try:
            return self._self_wrapper(*self._self_receiver, *args, **kwargs)
        except BaseException:
            del args, kwargs  # as above
            raise

    def __deepcopy__(self, memo: Any) -> Any:
        return getattr(copy.deepcopy(self._self_holder, memo), self._self_attribute)

    def __reduce_ex__(self, protocol: Any) -> Any:
        return getattr, (self._self_holder, self._self_attribute)


def _proxy_type(original: Any) -> type[_Proxy]:
    if type(original) in FUNCTION_TYPES:
        return _FunctionProxy
    return _DescriptorProxy if hasattr(type(original), "__get__") else _Proxy


def _receiver(kind: Kind, instance: Any, owner: Any) -> tuple[Any, ...]:
    """What the wrapper is given before the arguments of the call: ``self``, ``cls`` or nothing."""
    if kind == "class":
        return (owner,)
    return (instance,) if kind == "instance" and instance is not None else ()
