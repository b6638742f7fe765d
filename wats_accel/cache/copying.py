"""Snapshots: what isolating a cached value from its callers needs is decided once, when it is stored."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import field
from functools import partial
from itertools import starmap
from typing import Any, Literal

from wats_accel.cache.freezing import are_immutable, is_immutable, is_immutable_row
from wats_accel.records import record

CopyMode = Literal["none", "list", "auto", "deep"]

# What is used up by the first who reads it: iterators, cursors, open files, coroutines.
_LASTING = frozenset({tuple, list, dict, set, frozenset, str, bytes, int, float, bool, type(None)})
_ONE_SHOT_METHODS = ("__next__", "__anext__", "__await__")
# Row types known to pickle as (row type, (column descriptions, name index, *values)) and to have no
# other state. By name, because a driver must not be imported to be recognised.
_REBUILT_ROWS = frozenset({("pyodbc", "Row")})


class Uncopyable(TypeError):  # noqa: N818 - it reads as what the value is
    """A value cannot be given to several callers. The message names its type, never the value."""


@record(slots=True)
class Snapshot:
    """A value as it is kept, and how a caller gets one of his own.

    Attributes:
        stored: nobody outside has it, unless it is shared.
        thaw: makes a caller's value of `stored`; None when `stored` itself may be given to everybody.
        kind: the type of what it makes; None if that is not known.
    """

    stored: object = field(repr=False)
    thaw: Callable[[Any], object] | None
    kind: type | None = None

    def give(self) -> object:
        """The value for one more caller.

        Raises:
            Uncopyable: the copy is of another type.
            Exception: what copying a foreign object may raise.
        """
        if self.thaw is None:
            return self.stored
        made = self.thaw(self.stored)
        if type(made) is not self.kind and self.kind is not None:
            raise _uncopyable(made)
        return made


def take_snapshot(value: object, mode: CopyMode = "auto", *, never: object = None) -> Snapshot:
    """Decide how a value is kept, so that no caller can change what another one gets.

    Whoever has `value` may change it afterwards. What the snapshot gives has exactly the same types.

    Args:
        value: what a load has returned.
        mode: ``auto`` copies as little as that promise needs; ``deep`` is a deep copy for every caller;
            ``list`` a new list with the same items, and anything but a list is shared; ``none`` shares all.
        never: what must not be copied along with it; None for nothing.

    Raises:
        Uncopyable: the value is used up by reading it, or its copy fails, is of another type, or would be
            one of `never`, too.
    """
    cls = type(value)
    if cls is tuple and is_immutable(value):  # most answers
        return Snapshot(value, None)
    if cls not in _LASTING and any(hasattr(cls, name) for name in _ONE_SHOT_METHODS):
        raise _uncopyable(value)
    if mode == "list" and isinstance(value, list):
        return _snapshot_of_list(value)
    if mode in ("none", "list") or is_immutable(value):
        return Snapshot(value, None)
    cheap = _cheap_snapshot(value) if mode == "auto" else None
    return _deep_snapshot(value, never) if cheap is None else cheap


def _uncopyable(value: object) -> Uncopyable:
    return Uncopyable(f"{type(value).__module__}.{type(value).__qualname__} cannot be copied")


def _snapshot_of_list(value: list[Any]) -> Snapshot:
    if type(value) is list:
        return Snapshot(value.copy(), list.copy, list)
    return Snapshot(_checked_copy(copy.copy, value), copy.copy, type(value))


# -- cheap ways --------------------------------------------------------------------------------------


def _cheap_snapshot(value: Any) -> Snapshot | None:
    cls = type(value)
    if cls is list or cls is tuple:
        return _snapshot_of_items(value)
    if cls is dict and _is_flat(value):
        return Snapshot(value.copy(), dict.copy, dict)
    if cls is set and are_immutable(value):
        return Snapshot(value.copy(), set.copy, set)
    arguments = _row_arguments(value)
    return None if arguments is None else Snapshot(arguments, partial(_rebuild_row, cls), cls)


def _snapshot_of_items(value: list[Any] | tuple[Any, ...]) -> Snapshot | None:
    if are_immutable(value):
        return Snapshot(list(value), list.copy, list)  # a tuple of such has been found immutable before
    item_type = type(value[0])
    if len(set(map(id, value))) < len(value):
        return None  # only a deep copy keeps an item that is there twice one item
    if any(type(item) is not item_type for item in value):
        return None
    as_tuple = type(value) is tuple
    if item_type is dict:
        if not all(map(_is_flat, value)):
            return None
        copied = [item.copy() for item in value]
        return Snapshot(copied, _copy_dicts_to_tuple if as_tuple else _copy_dicts, type(value))
    arguments = [_row_arguments(item) for item in value]
    if None in arguments:
        return None
    rebuild = partial(_rebuild_rows_to_tuple if as_tuple else _rebuild_rows, item_type)
    return Snapshot(arguments, rebuild, type(value))


def _is_flat(value: dict[Any, Any]) -> bool:
    return are_immutable(value) and are_immutable(value.values())


def _row_arguments(row: Any) -> tuple[Any, ...] | None:
    """What a row is rebuilt from; None when it is no such row, or a value in it could be changed.

    The descriptions and the name index belong to the driver, which shares them between all rows of a
    result; no attribute leads to the index, so that it can be shared here as well.
    """
    cls = type(row)
    if (cls.__module__, cls.__qualname__) not in _REBUILT_ROWS:
        return None
    try:
        constructor, arguments = row.__reduce__()
        known = constructor is cls and arguments[0] is row.cursor_description and type(arguments[1]) is dict
    except Exception:  # noqa: BLE001 - a driver that does it in another way: a deep copy decides
        return None
    return arguments if known and are_immutable(arguments[2:]) else None


def _copy_dicts(stored: Sequence[dict[Any, Any]]) -> list[dict[Any, Any]]:
    return list(map(dict.copy, stored))


def _copy_dicts_to_tuple(stored: Sequence[dict[Any, Any]]) -> tuple[dict[Any, Any], ...]:
    return tuple(map(dict.copy, stored))


def _rebuild_row(row_type: Callable[..., object], arguments: tuple[Any, ...]) -> object:
    return row_type(*arguments)


def _rebuild_rows(row_type: Callable[..., object], stored: Sequence[tuple[Any, ...]]) -> list[object]:
    return list(starmap(row_type, stored))


def _rebuild_rows_to_tuple(
    row_type: Callable[..., object], stored: Sequence[tuple[Any, ...]]
) -> tuple[object, ...]:
    return tuple(starmap(row_type, stored))


# -- deep copies -------------------------------------------------------------------------------------


def _deep_snapshot(value: object, never: object) -> Snapshot:
    shared = _immutable_rows_in(value)
    kept = _checked_copy(lambda whole: copy.deepcopy(whole, _Memo(shared, never)), value)
    return Snapshot(kept, partial(_deepcopy_sharing, shared) if shared else copy.deepcopy, type(value))


class _Memo(dict[int, Any]):
    """What `copy.deepcopy` has copied already, or need not copy. It asks here before it copies anything."""

    def __init__(self, shared: dict[int, object], never: object) -> None:
        super().__init__(shared)
        self._never = never

    def get(self, number: int, default: Any = None) -> Any:
        """The copy of the object with this number.

        Raises:
            Uncopyable: it must not be copied: a repository would be, say, with its connections.
        """
        if number == id(self._never) and self._never is not None:
            raise _uncopyable(self._never)
        return super().get(number, default)


def _checked_copy(make: Callable[[Any], object], value: object) -> object:
    try:
        made = make(value)
    except Exception:  # noqa: BLE001 - foreign code may raise anything, with the value in its message
        raise _uncopyable(value) from None
    if type(made) is not type(value):
        raise _uncopyable(value)
    return made


def _immutable_rows_in(value: object) -> dict[int, object]:
    """Rows that need no copy, and mostly allow none (``sqlite3.Row``), in the form of deepcopy's memo."""
    found: dict[int, object] = {}
    seen: set[int] = set()
    pending = [value]
    while pending:
        item = pending.pop()
        if id(item) in seen:
            continue
        seen.add(id(item))
        if isinstance(item, dict):
            pending.extend(dict.values(item))
        elif isinstance(item, list):
            pending.extend(list.__iter__(item))
        elif isinstance(item, tuple):
            pending.extend(tuple.__iter__(item))
        elif is_immutable_row(type(item)) and is_immutable(item):
            found[id(item)] = item
    return found


def _deepcopy_sharing(shared: dict[int, object], value: object) -> object:
    return copy.deepcopy(value, dict(shared))
