"""Columns: the values of a table, column by column, each by what it holds.

Exact types have to come back, and looking at the type of each value takes longer in Python than all of the
writing. So a column of plain values is written by ormsgpack, which refuses a subclass, an enumeration, a date
and all else that only resembles a plain value, in the same pass. What it does not refuse (lists, tuples,
dicts, bytes and what resembles these) can neither be joined with texts nor added to numbers, which is quickly
tried. Other columns have their types looked at, and are written by msgspec.

A plan has a letter for each column:

====  =============================================================================
a     None, bools, ints of 64 bits, floats, texts: as they are
n     decimals, as texts
m     the same, with None among them
d     dates with a time, without a zone and with fold 0; None among them
D     dates; None among them
t     times of day, without a zone and with fold 0; None among them
e     lengths of time; None among them
u     UUIDs of unknown safety; None among them
b     bytes; None among them
x     anything else: nodes
====  =============================================================================
"""

from __future__ import annotations

import decimal
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache
from operator import attrgetter
from types import NoneType
from typing import Any, Final
from uuid import UUID, SafeUUID

import msgspec
import ormsgpack

from wats_accel.wire import nodes

Column = Sequence[Any]

WIDEST: Final = 1024
"""Columns of a table; what is wider is written row by row."""

_EXACT: Final = (
    ormsgpack.OPT_PASSTHROUGH_SUBCLASS
    | ormsgpack.OPT_PASSTHROUGH_ENUM
    | ormsgpack.OPT_PASSTHROUGH_DATACLASS
    | ormsgpack.OPT_PASSTHROUGH_DATETIME
    | ormsgpack.OPT_PASSTHROUGH_UUID
)
_ZONE: Final = attrgetter("tzinfo")
_FOLD: Final = attrgetter("fold")
_SAFETY: Final = attrgetter("is_safe")
_PLAIN: Final = "a"
_TYPED: Final[dict[type, str]] = {
    Decimal: "n",
    datetime: "d",
    date: "D",
    time: "t",
    timedelta: "e",
    UUID: "u",
    bytes: "b",
}
_OF_LETTER: Final = {letter: cls for cls, letter in _TYPED.items()}
_LETTERS: Final = {**dict.fromkeys(nodes.SCALARS, _PLAIN), **_TYPED}
_TYPE_OF: Final[dict[str, Any]] = {
    "a": list[bool | int | float | str | None],
    "n": list[str],
    "m": list[Decimal | None],
    "d": list[nodes.Naive | None],
    "D": list[date | None],
    "t": list[nodes.NaiveTime | None],
    "e": list[timedelta | None],
    "u": list[UUID | None],
    "b": list[bytes | None],
    "x": list[nodes.AnyNode],
}
# As wide as can be: a decimal is made with all its digits, whatever context the application has set.
_DECIMALS: Final = decimal.Context(
    prec=decimal.MAX_PREC,
    Emin=decimal.MIN_EMIN,
    Emax=decimal.MAX_EMAX,
    traps=[decimal.InvalidOperation],
)


def write(columns: Iterable[Column], node_of: Callable[[Any], Any]) -> tuple[str, bytes]:
    """The plan of some columns, and their bytes.

    Args:
        columns: all of one length.
        node_of: makes the node of a value that no letter but the last one knows.

    Raises:
        NotEncodableError: `node_of` does.
    """
    written = [_write(column, node_of) for column in columns]
    plan = "".join([letter for letter, _ in written])
    head = b"\xdc" + len(plan).to_bytes(2, "big")  # an array of so many
    return plan, b"".join([head, *[data for _, data in written]])


def _write(column: Column, node_of: Callable[[Any], Any]) -> tuple[str, bytes]:
    letter = _LETTERS.get(type(column[0]), "x")
    if column[0] is None:
        letter = _letter_behind_none(column)
    if letter == _PLAIN:
        plain = _write_plain(column)
        if plain is not None:
            return letter, plain
    elif letter != "x":
        known = _write_typed(column, letter)
        if known is not None:
            return known
    return "x", nodes.encode([node_of(value) for value in column])


def _letter_behind_none(column: Column) -> str:
    for value in column:
        if value is not None:
            return _LETTERS.get(type(value), "x")
    return _PLAIN


def _write_plain(column: Column) -> bytes | None:
    data = _packed(column)
    if data is None:
        return None
    first = type(column[0])
    try:
        if first is str:
            "".join(column)
            return data
        if first is not NoneType:
            sum(column)
            return data
    except TypeError:  # None among them, mostly
        pass
    return data if nodes.SCALARS.issuperset(map(type, column)) else None


def _packed(values: Sequence[Any]) -> bytes | None:
    """None: there is something else in it, an int of more than 64 bits, or half of a surrogate pair."""
    try:
        return ormsgpack.packb(values, None, _EXACT)
    except TypeError:
        return None


def _behind_count(data: bytes, count: int) -> bytes:
    """The values of an array, without its head."""
    return data[1 if count < 16 else 3 if count < 2**16 else 5 :]


def _write_typed(column: Column, letter: str) -> tuple[str, bytes] | None:
    """None: the column is not what its first value seemed to tell."""
    types = list(map(type, column))
    known = types.count(_OF_LETTER[letter])
    nones = 0 if known == len(types) else types.count(NoneType)
    if known + nones != len(types):
        return None
    check = _CHECKS.get(letter)
    if check is not None:
        values = [value for value in column if value is not None] if nones else column
        if not check(values):
            return None
    try:
        data = nodes.encode(column)
    except OverflowError:  # the first or the last moment that there is, somewhere else
        return None
    if letter == "d" and _has_a_zone(data, len(column)):
        return None
    return "m" if letter == "n" and nones else letter, data


def _has_a_zone(data: bytes, count: int) -> bool:
    """Whether there is a moment in a zone among some dates with a time that were written.

    It is written as an extension, which begins with one of three bytes. Nothing else in such a column has
    these, but for the count of its values. To ask each value takes six times as long.
    """
    values = _behind_count(data, count)
    return b"\xd6" in values or b"\xd7" in values or b"\xc7" in values


def _have_no_fold(values: Column) -> bool:
    return not any(map(_FOLD, values))


def _are_times_of_no_zone(values: Column) -> bool:
    return _have_no_fold(values) and list(map(_ZONE, values)).count(None) == len(values)


def _are_of_unknown_safety(values: Column) -> bool:
    return all(safety is SafeUUID.unknown for safety in map(_SAFETY, values))


_CHECKS: Final = {"d": _have_no_fold, "t": _are_times_of_no_zone, "u": _are_of_unknown_safety}


def are_plain(values: list[Any]) -> bool:
    """Whether scalars stand for themselves: ints of 64 bits, texts without half of a surrogate pair."""
    return _packed(values) is not None


def are_alike(rows: Sequence[dict[Any, Any]]) -> bool:
    """Whether all dicts have the same plain texts for keys, in the same order."""
    names = list(rows[0])
    one = _packed(names) if set(map(type, names)) == {str} else None
    if one is None:
        return False
    # Written, they are the names of the first so many times: that tells types, texts and order in one pass.
    data = _packed([*map(list, rows)])
    return data is not None and _behind_count(data, len(rows)) == one * len(rows)


def read(plan: str, data: bytes) -> list[list[Any]]:
    """The columns, those of nodes as nodes.

    Raises:
        Exception: the bytes hold no columns of this plan, all of one length.
    """
    if not 1 <= len(plan) <= WIDEST:
        raise ValueError
    columns = _decoder_of(plan)(data)
    if len(set(map(len, columns))) != 1:
        raise ValueError
    if "n" not in plan:
        return list(columns)
    make = _DECIMALS.create_decimal
    return [
        list(map(make, column)) if letter == "n" else column
        for letter, column in zip(plan, columns, strict=True)
    ]


@lru_cache(maxsize=256)
def _decoder_of(plan: str) -> Callable[[bytes], tuple[list[Any], ...]]:
    kinds: Any = tuple[tuple(_TYPE_OF[letter] for letter in plan)]  # type: ignore[misc]  # made at run time
    return msgspec.msgpack.Decoder(kinds).decode
