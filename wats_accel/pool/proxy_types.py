"""The types of proxies, each made after the driver's own: with its methods, its names and its words."""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import FunctionType, WrapperDescriptorType
from typing import Any, TypeVar

from wats_accel.frames import forget_locals
from wats_accel.pool.own_classes import is_written_in_c
from wats_accel.pool.proxies import Proxy

_SPECIAL = (
    "__init__", "__enter__", "__exit__", "__call__", "__iter__", "__next__",
    "__len__", "__bool__", "__getitem__", "__setitem__", "__delitem__", "__contains__",
)  # fmt: skip

ProxyT = TypeVar("ProxyT", bound=Proxy)


def new_proxy(kind: type[ProxyT]) -> ProxyT:
    """A proxy of a type, without calling the ``__init__`` that belongs to the driver's object."""
    return kind.__new__(kind)


def proxy_type(base: type[ProxyT], raw_type: type[Any]) -> type[ProxyT]:
    """A proxy's type: its methods and special methods are those of the driver's type.

    Args:
        base: what the proxy does.
        raw_type: the ``__class__`` of the driver's object: that tells the driver's type even where a
            tracer or a meter has put a proxy of its own around it.
    """
    made: Any = made_type
    known: type[ProxyT] = made(base, raw_type)
    return known


@functools.lru_cache(maxsize=256)
def made_type(base: type[Proxy], raw_type: type[Any]) -> type[Proxy]:
    """As `proxy_type`, for those who need no more exact type, and one call less."""
    names = [name for name in dir(raw_type) if not name.startswith("__") and is_method(raw_type, name)]
    # Not `hasattr`: that would find the `__call__` of the type itself.
    special = [name for name in _SPECIAL if any(name in vars(kind) for kind in raw_type.__mro__)]
    namespace: dict[str, Any] = {
        "__slots__": (),
        "__module__": raw_type.__module__,
        "__qualname__": raw_type.__qualname__,
        "__doc__": raw_type.__doc__,
        "__class__": property(lambda self: raw_type),
        **{name: _method(raw_type, name) for name in (*names, *special)},
    }
    if "__iter__" not in special and _is_slot(raw_type, "__getitem__"):
        namespace["__iter__"] = None  # indices make a class in Python iterable, and sqlite3's blobs in C not
    namespace |= {
        name: _named_after(raw_type, name, value)
        for name, value in base._accel_own.items()
        if hasattr(raw_type, name)
    }
    make: Any = _ProxyType
    made: type[Proxy] = make(_name_in_errors(raw_type), (base,), namespace)
    return made


class _ProxyType(type):
    """Of types that the interpreter's own errors call by another name than ``__name__``."""

    @property
    def __name__(cls) -> str:  # type: ignore[override]  # typeshed has a setter, which nobody needs here
        return cls.__qualname__.rpartition(".")[2]


def _name_in_errors(raw_type: type[Any]) -> str:
    """That of a type written in C has its module: "object of type 'sqlite3.Cursor' has no len()"."""
    return f"{raw_type.__module__}.{raw_type.__name__}" if is_written_in_c(raw_type) else raw_type.__name__


def _is_slot(raw_type: type[Any], name: str) -> bool:
    """Whether a special method is written in C."""
    return isinstance(getattr(raw_type, name, None), WrapperDescriptorType)


def is_method(raw_type: type, name: str) -> bool:
    """Whether an attribute of a driver's type is a method; its exception classes can be called, too."""
    found = getattr(raw_type, name)
    return callable(found) and not isinstance(found, type)


def _method(raw_type: type, name: str) -> Callable[..., Any]:
    def method(self: Proxy, /, *args: Any, **kwargs: Any) -> Any:
        try:
            return self._accel_call(name, args, kwargs)
        except BaseException as error:
            del args, kwargs
            forget_locals(error)
            raise

    named: Callable[..., Any] = _named_after(raw_type, name, method)
    return named


def _named_after(raw_type: type, name: str, own: Any) -> Any:
    """A function with the name and the words of the driver's own method; a property stays as it is."""
    if not isinstance(own, FunctionType):
        return own
    made = FunctionType(own.__code__, own.__globals__, name, own.__defaults__, own.__closure__)
    made.__qualname__ = f"{raw_type.__qualname__}.{name}"
    made.__doc__ = getattr(raw_type, name).__doc__
    return made
