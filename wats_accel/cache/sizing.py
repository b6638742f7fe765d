"""How much memory a stored answer takes: an estimate, made in bounded time whatever the answer is.

Long containers are sampled, and what the sample does not show is extrapolated from it. No foreign Python
code runs: sizes come from methods written in C, the parts of an object from the garbage collector.
"""

from __future__ import annotations

import gc
import sys
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from functools import partial
from itertools import islice
from types import (
    BuiltinFunctionType,
    FunctionType,
    MethodDescriptorType,
    MethodType,
    ModuleType,
    NoneType,
)
from typing import Any

ENTRY_BYTES = 300
"""What an entry takes besides key, texts and value: 170 alone, 460 with indexes and evictions remembered."""

_MOST_LOOKS = 1_000  # objects looked at for one estimate, about
_MOST_SCALARS = 256  # items of one container that are looked at
_MOST_CONTAINERS = 32  # the same where the items have parts themselves
_ENOUGH = 16  # beyond so many such items: rather none more than fewer looks into each
_REACH = 4_096  # how far into a mapping or set its sample goes; a list is sampled up to its end

_SCALARS = frozenset({str, bytes, int, float, Decimal, datetime, date, time, timedelta})
_FREE = frozenset({NoneType, bool})
# What belongs to the program, however many answers refer to it.
_SHARED = (type, ModuleType, FunctionType, BuiltinFunctionType, MethodType, Enum)
# Rows that do not show the garbage collector what they hold. By name: no driver is imported to know them.
_OPAQUE_ROWS = frozenset({("pyodbc", "Row")})

_HAVE_GC = 1 << 14  # Py_TPFLAGS_HAVE_GC: objects of such a type have a header for the garbage collector
_GC_HEADER_BYTES = 16


_Sample = tuple[Sequence[object], int]
"""Some items of a container, and how many it has."""


def estimate_bytes(value: object) -> int:
    """About how many bytes a value takes, with everything that it refers to.

    An object to which it refers several times is counted once, as far as the sample shows it. What any
    program has once, such as None, classes and functions, takes nothing. Raises nothing.

    Args:
        value: what is stored, so `Snapshot.stored`: nobody changes it meanwhile, unless it is shared.
    """
    try:
        return round(_Estimate().bytes_of(value, _MOST_LOOKS))
    except Exception:  # noqa: BLE001 - a shared value was changed meanwhile, a metaclass failed
        return object.__sizeof__(value)


class _Estimate:
    """One walk through one value."""

    __slots__ = ("_seen",)

    def __init__(self) -> None:
        self._seen: dict[int, object] = {}  # holds the objects, lest an address be used twice

    def bytes_of(self, value: Any, looks: int) -> float:
        """The bytes that a value adds to those counted before, by a look at about so many objects."""
        cls = type(value)
        if cls in _FREE or id(value) in self._seen:
            return 0
        self._seen[id(value)] = value
        if cls in _SCALARS:
            return sys.getsizeof(value)
        if issubclass(cls, _SHARED):
            return 0
        samples = _samples_of(value, cls, looks) if looks else []
        return _own_bytes(value, cls) + sum(self._bytes_of_all(*sample, looks) for sample in samples)

    def _bytes_of_all(self, sample: Sequence[object], number: int, looks: int) -> float:
        """What all items take: the first one with what it shares with the others, those without."""
        if not sample:
            return 0
        looks_each = min(looks // len(sample), looks // 2)  # so that the depth is bounded, too
        first, *others = [self.bytes_of(item, looks_each) for item in sample]
        return first + (sum(others) / len(others) if others else first) * (number - 1)


def _own_bytes(value: object, cls: type) -> int:
    """What `sys.getsizeof` would say if no class had a method for it that is written in Python."""
    methods = (vars(base).get("__sizeof__") for base in cls.__mro__)
    in_c = next(method for method in methods if type(method) is MethodDescriptorType)
    size: int = in_c(value)
    return size + (_GC_HEADER_BYTES if cls.__flags__ & _HAVE_GC else 0)


def _samples_of(value: Any, cls: type, looks: int) -> list[_Sample]:
    """Some of what a value consists of. A subclass may iterate as it pleases, so its base is asked."""
    if issubclass(cls, dict):
        length = dict.__len__(value)
        return [_from_the_front(view(value), length, looks) for view in (dict.keys, dict.values)]
    if issubclass(cls, list):
        return [_evenly_spaced(partial(list.__getitem__, value), list.__len__(value), looks)]
    if issubclass(cls, tuple):
        return [_evenly_spaced(partial(tuple.__getitem__, value), tuple.__len__(value), looks)]
    for base in (set, frozenset, deque):
        if issubclass(cls, base):
            return [_from_the_front(base.__iter__(value), base.__len__(value), looks)]
    opaque = (cls.__module__, cls.__qualname__) in _OPAQUE_ROWS
    parts = list(value) if opaque else gc.get_referents(value)
    return [_evenly_spaced(parts.__getitem__, len(parts), looks)]


def _evenly_spaced(item_at: Callable[[int], object], length: int, looks: int) -> _Sample:
    size = min(length, _sample_size(item_at(length - 1), looks)) if length else 0
    return [item_at(place * length // size) for place in range(size)], length


def _from_the_front(items: Iterable[object], length: int, looks: int) -> _Sample:
    """Evenly spaced ones of the first ones: to reach the end of a mapping, all of it has to be visited."""
    reached = list(islice(items, _REACH))
    return _evenly_spaced(reached.__getitem__, len(reached), looks)[0], length


def _sample_size(last: object, looks: int) -> int:
    """Judged by the last item: the first ones of a stored row are what its driver shares between rows."""
    if type(last) in _SCALARS:
        return min(looks, _MOST_SCALARS)
    return min(looks, _MOST_CONTAINERS, max(_ENOUGH, looks // _ENOUGH))
