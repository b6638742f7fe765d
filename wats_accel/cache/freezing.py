"""The value identity of an argument: a hashable form for keys, and whether a value can be changed."""

from __future__ import annotations

import weakref
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Collection, Hashable, Iterable
from contextlib import suppress
from dataclasses import fields, is_dataclass
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from itertools import chain
from pathlib import PosixPath, PurePath, PurePosixPath, PureWindowsPath, WindowsPath
from types import (
    BuiltinMethodType,
    EllipsisType,
    MemberDescriptorType,
    MethodType,
    MethodWrapperType,
    NoneType,
    NotImplementedType,
)
from typing import Any
from uuid import UUID

from wats_accel.cache.sealed import Sealed

_MAX_DEPTH = 64
_MAX_ITEMS = 10_000  # a key is no place for a data set, nor for one list nested in itself a million ways
_MAX_COPIED = 65_536  # bytes or characters of what has to be copied; what need not be is measured elsewhere

# No value of one of these types equals one of another type among them, nor a tuple.
THEMSELVES = frozenset({str, int, bytes, NoneType, Sealed})
# Equal values of one of these types are the same value; only the type has to be told apart.
TAGGED = frozenset({bool, date, timedelta, UUID, Fraction, EllipsisType, NotImplementedType})
_PATHS = frozenset({PurePosixPath, PureWindowsPath, PosixPath, WindowsPath})
# A bare object() is a sentinel: its identity is all that it has, and a copy would be another one.
_IMMUTABLE = THEMSELVES | TAGGED | _PATHS | {float, complex, Decimal, datetime, time, timezone, range, object}
# Rows that hold their values for good. By name, because a driver must not be imported to be recognised.
_IMMUTABLE_ROWS = frozenset({("sqlite3", "Row"), ("sqlalchemy.engine.row", "Row")})
# Their equality is the identity of what they are bound to.
_BOUND_TYPES = (MethodType, BuiltinMethodType, MethodWrapperType, weakref.ref)


class Unfreezable(TypeError):  # noqa: N818 - it reads as what the value is
    """A value has no value identity. The message names its type, never the value."""


class TooLarge(Unfreezable):
    """A value is nested too deeply, is too large, or contains itself: its identity would cost too much."""

    def __init__(self) -> None:
        super().__init__("a value that contains itself, or is nested too deeply or too large")


def freeze(value: object) -> Hashable:
    """A hashable that equals another one exactly when both values are the same to a method that gets them.

    Type, order of insertion, sign of zero, time zone and fold all count. An object of a foreign type is
    taken at its word: it equals what its own ``__eq__`` and ``__hash__`` say.

    Raises:
        Unfreezable: there is no value identity (functions, iterators, plain objects, mutable objects with
            an equality but no hash).
        TooLarge: of these, the one that says that finding it would cost too much.
    """
    cls = type(value)
    try:
        if cls in THEMSELVES:
            return value
        if cls in TAGGED:
            return cls, value
        if cls is float:  # common enough to spare it the walk
            return cls, repr(value)
        return _Walk().freeze(value)
    except Unfreezable:
        raise
    except Exception:  # noqa: BLE001 - foreign __eq__, __hash__ and attributes may raise anything
        raise _unfreezable(cls) from None


def is_immutable(value: object) -> bool:
    """Whether nobody who got the value can have changed it, however deep he looked.

    What only ``object.__setattr__`` or another deliberate break-in could change counts as immutable.
    """
    try:
        return type(value) in _IMMUTABLE or _consists_of_immutables(value)
    except Exception:  # noqa: BLE001 - a foreign attribute failed: it could be anything
        return False


def are_immutable(values: Collection[Any]) -> bool:
    """Whether `is_immutable` holds for each of the values; at C speed for scalars and rows of scalars."""
    try:
        types = set(map(type, values))
        if types <= _IMMUTABLE or (_are_rows(types) and _hold_scalars(values)):
            return True
    except Exception:  # noqa: BLE001 - a class that cannot be hashed, a row that cannot be read
        return False
    return all(map(is_immutable, values))


def _are_rows(types: set[type]) -> bool:
    return len(types) == 1 and any(cls is tuple or is_immutable_row(cls) for cls in types)


def _hold_scalars(rows: Collection[Iterable[object]]) -> bool:
    return _IMMUTABLE.issuperset(map(type, chain.from_iterable(rows)))


def is_immutable_row(cls: type) -> bool:
    """Whether it is a known type of rows that hold their values for good; the values may be anything."""
    return (cls.__module__, cls.__qualname__) in _IMMUTABLE_ROWS


# -- freezing ----------------------------------------------------------------------------------------


def _unfreezable(cls: type) -> Unfreezable:
    return Unfreezable(f"{cls.__module__}.{cls.__qualname__} has no value identity")


class _Walk:
    """One walk through one argument: how deep it is, and how many more items it may visit."""

    __slots__ = ("depth", "items_left")

    def __init__(self) -> None:
        self.depth = 0
        self.items_left = _MAX_ITEMS

    def freeze(self, value: Any) -> Hashable:
        cls = type(value)
        if cls in THEMSELVES:
            return value  # type: ignore[no-any-return]  # a text, a number, bytes, None, or a seal
        if cls in TAGGED:
            return cls, value
        rule = _RULES.get(cls)
        return (cls, rule(value, self)) if rule else self._freeze_rarer(value, cls)

    def freeze_all(self, values: Collection[Any]) -> tuple[Hashable, ...]:
        self.admit(len(values))
        self.depth += 1
        self.items_left -= len(values)
        if self.depth > _MAX_DEPTH:
            raise TooLarge
        frozen = tuple([self.freeze(value) for value in values])
        self.depth -= 1
        return frozen

    def admit(self, length: int) -> None:
        """Refuse a container with more items than may be visited, before it is so much as copied."""
        if length > self.items_left:
            raise TooLarge

    def _freeze_rarer(self, value: Any, cls: type) -> Hashable:
        hash(cls)  # its metaclass may have made it unhashable
        if issubclass(cls, Enum):
            return cls, id(value)  # a member is one object, which its class keeps alive
        if issubclass(cls, type):
            hash(value)
            return cls, id(value), value
        for base in cls.__mro__:
            if base in _RULES:
                frozen = _RULES[base](value, self)
                return (cls, frozen) if base is PurePath else (cls, frozen, self._freeze_state(value, cls))
        if is_dataclass(cls) or hasattr(cls, "__attrs_attrs__"):
            return cls, self._freeze_state(value, cls)
        frozen = _freeze_foreign(value, cls)
        if is_immutable_row(cls):  # its own equality takes 1 for 1.0
            return *frozen, self.freeze_all(tuple(value))
        return frozen

    def _freeze_state(self, value: Any, cls: type) -> Hashable:
        state = dict(getattr(value, "__dict__", ()))
        for base in cls.__mro__:
            for name, slot in vars(base).items():
                if type(slot) is MemberDescriptorType:
                    with suppress(AttributeError):  # a slot may be empty
                        state.setdefault(name, slot.__get__(value))
        for name in _field_names(cls):
            if name not in state:  # a descriptor keeps this field elsewhere, or its slot is empty
                with suppress(AttributeError):
                    state[name] = getattr(value, name)
        return frozenset(zip(state, self.freeze_all(state.values()), strict=True))


def _field_names(cls: type) -> list[str]:
    if is_dataclass(cls):
        return [field.name for field in fields(cls)]
    return [attribute.name for attribute in getattr(cls, "__attrs_attrs__", ())]


def _freeze_foreign(value: Any, cls: Any) -> tuple[Hashable, ...]:
    if (cls.__module__, cls.__qualname__) == ("zoneinfo", "ZoneInfo") and value.key:
        return cls, value.key  # without importing zoneinfo, which is slow
    by_identity = cls.__eq__ is object.__eq__ or cls.__hash__ is object.__hash__
    if by_identity or issubclass(cls, _BOUND_TYPES) or not (value == value):  # a foreign __eq__ may fail
        raise _unfreezable(cls)
    return cls, hash(value), value  # the hash shows whether the object has been changed since


def _freeze_bytes(value: Any, _: _Walk) -> Hashable:
    view = memoryview(value)
    if view.nbytes > _MAX_COPIED:
        raise TooLarge
    return bytes(view)


def _freeze_text(value: Any, _: _Walk) -> Hashable:
    if str.__len__(value) > _MAX_COPIED:
        raise TooLarge
    return str.__str__(value)


def _freeze_decimal(value: Decimal, _: _Walk) -> Hashable:
    return tuple(Decimal.as_tuple(value))


def _freeze_datetime(value: datetime, walk: _Walk) -> Hashable:
    # The pickled state is the fields and the fold; == would compare the instants.
    return datetime.__reduce_ex__(value, 4)[1][0], walk.freeze(value.tzinfo)


def _freeze_time(value: time, walk: _Walk) -> Hashable:
    return time.__reduce_ex__(value, 4)[1][0], walk.freeze(value.tzinfo)


def _freeze_sequence(value: Any, walk: _Walk) -> Hashable:
    base = list if isinstance(value, list) else tuple  # a subclass may iterate as it pleases
    walk.admit(base.__len__(value))
    return walk.freeze_all(tuple(base.__iter__(value)))


def _freeze_set(value: Any, walk: _Walk) -> Hashable:
    base = set if isinstance(value, set) else frozenset
    walk.admit(base.__len__(value))
    # Counted, because several nan in one set freeze to the same form.
    return frozenset(Counter(walk.freeze_all(tuple(base.__iter__(value)))).items())


def _freeze_dict(value: Any, walk: _Walk) -> Hashable:
    base: Any = OrderedDict if isinstance(value, OrderedDict) else dict
    walk.admit(2 * dict.__len__(value))
    items = tuple(base.items(value))
    return walk.freeze_all([key for key, _ in items]), walk.freeze_all([item for _, item in items])


def _freeze_deque(value: deque[Any], walk: _Walk) -> Hashable:
    walk.admit(deque.__len__(value))
    return value.maxlen, walk.freeze_all(tuple(deque.__iter__(value)))


_RULES: dict[type, Callable[[Any, _Walk], Hashable]] = {
    str: _freeze_text,
    bytes: _freeze_bytes,
    bytearray: _freeze_bytes,
    int: lambda value, _: int.__int__(value),
    float: lambda value, _: float.__repr__(value),
    complex: lambda value, _: (float.__repr__(value.real), float.__repr__(value.imag)),
    Decimal: _freeze_decimal,
    Fraction: lambda value, _: (value.numerator, value.denominator),
    datetime: _freeze_datetime,
    date: lambda value, _: date.toordinal(value),
    time: _freeze_time,
    timedelta: lambda value, _: (value.days, value.seconds, value.microseconds),
    timezone: lambda value, _: (value.utcoffset(None), value.tzname(None)),
    UUID: lambda value, _: value.int,
    range: lambda value, _: (value.start, value.stop, value.step),
    slice: lambda value, walk: walk.freeze_all((value.start, value.stop, value.step)),
    PurePath: lambda value, _: PurePath.__str__(value),
    list: _freeze_sequence,
    tuple: _freeze_sequence,
    dict: _freeze_dict,
    set: _freeze_set,
    frozenset: _freeze_set,
    deque: _freeze_deque,
}


# -- immutability ------------------------------------------------------------------------------------


def _consists_of_immutables(value: object) -> bool:
    if type(value) is tuple and _IMMUTABLE.issuperset(map(type, value)):  # most rows end here
        return True
    pending: list[object] = [value]
    seen: dict[int, object] = {}  # holds the objects, lest an address be used twice
    while pending:
        item = pending.pop()
        cls = type(item)
        if cls in _IMMUTABLE or id(item) in seen:
            continue
        seen[id(item)] = item
        parts = _fixed_parts(item, cls)
        if parts is None:
            return False
        pending.extend(parts)
    return True


def _fixed_parts(item: Any, cls: Any) -> Iterable[object] | None:
    """What an item that cannot itself be changed consists of; None when it can be."""
    if cls is tuple or cls is frozenset:
        return item  # type: ignore[no-any-return]  # a tuple or a frozenset
    if issubclass(cls, Enum | type):
        return ()
    if issubclass(cls, tuple) and not cls.__dictoffset__:
        return tuple(tuple.__iter__(item))
    if is_immutable_row(cls):
        return tuple(item)
    if _is_sealed_dataclass(cls):
        return [getattr(item, field.name, None) for field in fields(cls)]
    return None


def _is_sealed_dataclass(cls: Any) -> bool:
    """Whether all state of an instance is in the fields of frozen dataclasses.

    A ``__dict__`` would be open to cached properties, and a slot that is no field to anything.
    """
    if cls.__dictoffset__ or not hasattr(cls, "__dataclass_fields__"):
        return False
    names = {field.name for field in fields(cls)}
    for base in cls.__mro__[:-1]:
        params = vars(base).get("__dataclass_params__")
        slots = {name for name, slot in vars(base).items() if type(slot) is MemberDescriptorType}
        if not getattr(params, "frozen", False) or not slots <= names:
            return False
    return True
