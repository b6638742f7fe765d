"""Comparing: whether a caller could tell two answers apart, and in which shape, without naming a value.

Types count exactly, and so do the order of a mapping, the sign of zero and the digits of a decimal, as
they do in keys. A float that is not a number equals itself. Objects are compared by their state, as
copying takes it, and not by their ``__eq__``: that often looks at an id only, and a caller sees the rest.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from itertools import chain
from operator import eq
from pathlib import PurePath
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType, NoneType
from typing import Any, Final
from uuid import UUID

from wats_accel.cache.freezing import freeze

_MAX_DEPTH = 64
_MAX_ITEMS = 1_000_000

# Equal values of one of these types are the same value.
_PLAIN: Final = frozenset({str, bytes, int, bool, NoneType, date, timedelta, UUID, Fraction})
# Their identity is all that they have; one that is made anew for each answer says nothing.
_BY_IDENTITY = (FunctionType, BuiltinFunctionType, MethodType, ModuleType)

Finding = tuple[str, ...]
"""What differs, and where that is, from the inside outwards."""


class Incomparable(TypeError):  # noqa: N818 - it reads as what the values are
    """Nobody can tell whether two values are the same. The message names their type, never a value."""


def difference(kept: object, own: object) -> str | None:
    """In which shape `own` differs from `kept`, in words without any value; None if it is the same.

    Args:
        kept: an answer from the cache.
        own: the method's own answer.

    Raises:
        Incomparable: the values are nested too deeply, too large, or of a type that shows no state.
        Exception: whatever foreign code raises that is asked for its state.
    """
    found = _Comparison().of(kept, own)
    if found is None:
        return None
    what, *places = found
    return f"{', '.join(reversed(places))}: {what}" if places else what


class _Comparison:
    """One comparison: how deep it is, how many more items it may visit, and what it has met."""

    __slots__ = ("depth", "items_left", "met")

    def __init__(self) -> None:
        self.depth = 0
        self.items_left = _MAX_ITEMS
        # Values that contain themselves lead here again. It holds them, lest an address be used twice.
        self.met: dict[tuple[int, int], tuple[object, object]] = {}

    def of(self, kept: Any, own: Any) -> Finding | None:
        if kept is own:
            return None
        cls = type(kept)
        if cls is not type(own) and not _is_made_alike(cls, type(own)):
            return (f"{_name(cls)} -> {_name(type(own))}",)
        if cls in _PLAIN:
            return None if kept == own else _another(cls)
        if cls in _LEAVES:
            return _LEAVES[cls](self, kept, own)
        return self._of_parts(kept, own)

    def _of_parts(self, kept: Any, own: Any) -> Finding | None:
        pair = (id(kept), id(own))
        if pair in self.met:
            return None
        self.met[pair] = (kept, own)
        self.depth += 1
        if self.depth > _MAX_DEPTH:
            raise Incomparable(f"{_name(type(kept))} is nested too deeply")
        try:
            return _rule_of(type(kept))(self, kept, own)
        finally:
            self.depth -= 1

    # -- collections -----------------------------------------------------------------------------------

    def sequence(self, kept: Sequence[Any], own: Sequence[Any], word: str, name: str) -> Finding | None:
        """Compare item by item; `word` is what an item is called, `name` what the whole is."""
        if len(kept) != len(own):
            return (f"{name} of {len(kept)} -> {len(own)} {word}s",)
        self.items_left -= len(kept)
        if self.items_left < 0:
            raise Incomparable(f"{name} is too large")
        if _is_plainly_same(kept, own):
            return None
        for number, (one, other) in enumerate(zip(kept, own, strict=True), 1):
            found = self.of(one, other)
            if found is not None:
                return (*found, f"{word} {number}")
        return None

    def mapping(self, kept: Any, own: Any) -> Finding | None:
        """Compare key by key in their order, which a caller sees."""
        base: Any = OrderedDict if isinstance(kept, OrderedDict) else dict
        items, others, name = list(base.items(kept)), list(base.items(own)), _name(type(kept))
        if len(items) != len(others):
            return (f"{name} of {len(items)} -> {len(others)} keys",)
        keys, other_keys = [key for key, _ in items], [key for key, _ in others]
        if self.sequence(keys, other_keys, "key", name) is not None:
            same = {(type(key), key) for key in keys} == {(type(key), key) for key in other_keys}
            return (f"{name} in another order" if same else f"{name} has other keys",)
        values = [value for _, value in items]
        return self.sequence(values, [value for _, value in others], "value", name)

    def row(self, kept: Any, own: Any, columns: Callable[[Any], Any]) -> Finding | None:
        """Compare two rows of a driver, by their columns and values."""
        name = _name(type(kept))
        if self.of(columns(kept), columns(own)) is not None:
            return (f"{name} has other columns",)
        return self.sequence(tuple(kept), tuple(own), "field", name)

    # -- objects ---------------------------------------------------------------------------------------

    def state(self, kept: Any, own: Any) -> Finding | None:
        """Compare what two objects are rebuilt from."""
        cls = type(kept)
        try:
            parts, other_parts = kept.__reduce_ex__(4), own.__reduce_ex__(4)
        except Exception:  # noqa: BLE001 - a foreign object may refuse with anything
            return self.by_their_word(kept, own)
        if isinstance(parts, str) or isinstance(other_parts, str):  # the name of a global: there is one of it
            return None if parts == other_parts else _another(cls)
        rest, other_rest = _padded(parts), _padded(other_parts)
        return (
            self.of(rest[0], other_rest[0])
            or self.of(rest[1], other_rest[1])
            or self._attributes(rest[2], other_rest[2], cls)
            or self.sequence(_listed(rest[3]), _listed(other_rest[3]), "item", _name(cls))
            or self.sequence(_listed(rest[4]), _listed(other_rest[4]), "value", _name(cls))
        )

    def _attributes(self, kept: Any, own: Any, cls: type) -> Finding | None:
        if type(kept) is tuple and type(own) is tuple and len(kept) == len(own) == 2:
            # What is in ``__dict__``, and what is in slots.
            return self._attributes(kept[0], own[0], cls) or self._attributes(kept[1], own[1], cls)
        if type(kept) is not dict or type(own) is not dict:
            return self.of(kept, own)
        if kept.keys() != own.keys():
            return (f"{_name(cls)} has other attributes",)
        return self.sequence(list(kept.values()), [own[name] for name in kept], "attribute", _name(cls))

    @staticmethod
    def by_their_word(kept: Any, own: Any) -> Finding | None:
        """Ask two objects that show no state whether they are equal."""
        cls: Any = type(kept)
        if cls.__eq__ is object.__eq__:
            raise Incomparable(f"{_name(cls)} shows no state")
        return None if bool(kept == own) else _another(cls)


# -- rules -----------------------------------------------------------------------------------------------


def _scalar(text: Callable[[Any], object]) -> _Rule:
    """The rule of a type whose values are the same if `text`, or whatever that gives, is equal."""

    def compare(_: _Comparison, kept: Any, own: Any) -> Finding | None:
        return None if text(kept) == text(own) else _another(type(kept))

    return compare


def _moment(base: Any) -> _Rule:
    # The pickled state is the fields and the fold; == would compare the instants.
    def compare(comparison: _Comparison, kept: Any, own: Any) -> Finding | None:
        if base.__reduce_ex__(kept, 4)[1][0] != base.__reduce_ex__(own, 4)[1][0]:
            return _another(type(kept))
        found = comparison.of(kept.tzinfo, own.tzinfo)
        return None if found is None else (*found, "time zone")

    return compare


def _list(comparison: _Comparison, kept: Any, own: Any) -> Finding | None:
    base = deque if isinstance(kept, deque) else list  # a subclass may iterate as it pleases
    items, others = list(base.__iter__(kept)), list(base.__iter__(own))
    return comparison.sequence(items, others, "item", _name(type(kept)))


def _tuple(comparison: _Comparison, kept: Any, own: Any) -> Finding | None:
    fields, others = tuple(tuple.__iter__(kept)), tuple(tuple.__iter__(own))
    return comparison.sequence(fields, others, "field", _name(type(kept)))


def _set(_: _Comparison, kept: Any, own: Any) -> Finding | None:
    name = _name(type(kept))
    if len(kept) != len(own):
        return (f"{name} of {len(kept)} -> {len(own)} items",)
    base = set if isinstance(kept, set) else frozenset
    return None if freeze(base(kept)) == freeze(base(own)) else (f"{name} has other items",)


def _identity(comparison: _Comparison, kept: Any, own: Any) -> Finding | None:
    if kept == own:
        return None
    raise Incomparable(f"{_name(type(kept))} shows no state")


def _one_of_few(_: _Comparison, kept: Any, own: Any) -> Finding | None:
    return _another(type(kept))  # another member, another class: the same one has been seen before


_Rule = Callable[[_Comparison, Any, Any], Finding | None]

_LEAVES: Final[dict[type, _Rule]] = {
    str: _scalar(str.__str__),
    bytes: _scalar(lambda value: bytes(memoryview(value))),
    bytearray: _scalar(bytes),
    memoryview: _scalar(bytes),
    int: _scalar(int.__int__),
    float: _scalar(float.__repr__),
    complex: _scalar(complex.__repr__),
    Decimal: _scalar(Decimal.as_tuple),
    range: _scalar(lambda value: (value.start, value.stop, value.step)),
    PurePath: _scalar(PurePath.__str__),
    datetime: _moment(datetime),
    time: _moment(time),
    date: _scalar(date.toordinal),
    timedelta: _scalar(lambda value: (value.days, value.seconds, value.microseconds)),
    timezone: _scalar(lambda value: (value.utcoffset(None), value.tzname(None))),
}

_RULES: Final[dict[type, _Rule]] = {
    **_LEAVES,
    object: _identity,
    list: _list,
    deque: _list,
    tuple: _tuple,
    dict: _Comparison.mapping,
    set: _set,
    frozenset: _set,
}

# By name, because a driver must not be imported to be recognised.
_ROWS: Final[dict[tuple[str, str], Callable[[Any], Any]]] = {
    ("pyodbc", "Row"): lambda row: row.cursor_description,
    ("sqlite3", "Row"): lambda row: row.keys(),
    ("sqlalchemy.engine.row", "Row"): lambda row: row._fields,
}


def _rule_of(cls: type) -> _Rule:
    rule = _RULES.get(cls)
    if rule is not None:
        return rule
    if issubclass(cls, Enum | type):
        return _one_of_few
    if issubclass(cls, _BY_IDENTITY):
        return _identity
    columns = _ROWS.get((cls.__module__, cls.__qualname__))
    if columns is not None:
        return lambda comparison, kept, own: comparison.row(kept, own, columns)
    for base in cls.__mro__[:-1]:
        if base in _RULES:
            return _of_subclass(_RULES[base])
    return _Comparison.state


def _of_subclass(rule: _Rule) -> _Rule:
    def compare(comparison: _Comparison, kept: Any, own: Any) -> Finding | None:
        found = rule(comparison, kept, own)
        return comparison.state(kept, own) if found is None and _has_more(kept) else found

    return compare


def _has_more(value: Any) -> bool:
    """Whether an object of a subclass may have attributes of its own."""
    return bool(getattr(value, "__dict__", None)) or any(
        vars(base).get("__slots__") for base in type(value).__mro__
    )


# -- words -----------------------------------------------------------------------------------------------


def _name(cls: type) -> str:
    return "None" if cls is NoneType else cls.__name__


def _another(cls: type) -> Finding:
    return (f"another {_name(cls)}",)


def _is_plainly_same(kept: Sequence[Any], own: Sequence[Any]) -> bool:
    """Whether all items are plain and equal, or rows of such; at C speed."""
    if list(map(type, kept)).count(tuple) == len(kept) == list(map(type, own)).count(tuple):
        if list(map(len, kept)) != list(map(len, own)):
            return False
        kept, own = list(chain.from_iterable(kept)), list(chain.from_iterable(own))
    types = list(map(type, kept))
    return types == list(map(type, own)) and _PLAIN.issuperset(types) and all(map(eq, kept, own))


def _is_made_alike(cls: Any, other: Any) -> bool:
    """Whether two types are one and the same named tuple, which a method makes anew in each call.

    Raises:
        Incomparable: they are another class that is made anew, of which nobody knows what it is.
    """
    if (cls.__module__, cls.__qualname__) != (other.__module__, other.__qualname__):
        return False
    if tuple not in cls.__mro__ or tuple not in other.__mro__ or not hasattr(cls, "_fields"):
        raise Incomparable(f"there are two classes called {_name(cls)}")
    return bool(cls._fields == getattr(other, "_fields", None))


def _padded(parts: Sequence[Any]) -> tuple[Any, ...]:
    return (*parts, None, None, None)[:5]


def _listed(items: Iterable[Any] | None) -> list[Any]:
    return [] if items is None else list(items)
