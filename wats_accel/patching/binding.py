"""Late binding: plain functions over what cannot be called with ``self`` or ``cls`` as it is."""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import FunctionType
from typing import Any

from wats_accel.patching.plan import Kind

FUNCTION_TYPES = (FunctionType, type(functools.lru_cache(id)))
"""What binds as a real method and can as well be called with ``self`` first."""


def bound_late(parent: Any, descriptor: Any, kind: Kind) -> Callable[..., Any]:
    """A function over whatever binds itself: another library's wrapper, a partialmethod …"""
    get = type(descriptor).__get__

    def call_instance(*args: Any, **kwargs: Any) -> Any:
        if not args:  # self is given by name, or is missing: the method itself knows what to say
            return get(descriptor, None, parent)(**kwargs)
        return get(descriptor, args[0], type(args[0]))(*args[1:], **kwargs)

    def call_class(cls: Any, /, *args: Any, **kwargs: Any) -> Any:
        return get(descriptor, None, cls)(*args, **kwargs)

    def call_static(*args: Any, **kwargs: Any) -> Any:
        return get(descriptor, None, parent)(*args, **kwargs)

    return {"instance": call_instance, "class": call_class}.get(kind, call_static)


def inherited_late(parent: Any, attribute: str, descriptor: Any, kind: Kind) -> Callable[..., Any]:
    """What a method of `parent` would be that does nothing but call ``super()``.

    So a change to the base class, or another base in the resolution order, counts as ever.
    """
    otherwise = bound_late(parent, descriptor, kind)

    def call_instance(*args: Any, **kwargs: Any) -> Any:
        if args and isinstance(args[0], parent):
            return getattr(super(parent, args[0]), attribute)(*args[1:], **kwargs)
        return otherwise(*args, **kwargs)  # Class.method(anything) needs no instance; super() does

    def call_class(cls: Any, /, *args: Any, **kwargs: Any) -> Any:
        return getattr(super(parent, cls), attribute)(*args, **kwargs)

    def call_static(*args: Any, **kwargs: Any) -> Any:
        return getattr(super(parent, parent), attribute)(*args, **kwargs)

    return {"instance": call_instance, "class": call_class}.get(kind, call_static)
