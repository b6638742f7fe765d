"""Tables: rows of one kind, written column by column, with what they have in common written once.

Two letters say what a table was: the first what holds the rows, the second what each row is.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from itertools import repeat
from operator import setitem
from typing import Any, Final, Protocol

import msgspec

from wats_accel.wire import columns
from wats_accel.wire.driver_rows import KINDS, kind_of
from wats_accel.wire.nodes import TableNode, encode
from wats_accel.wire.refusals import not_a_document, not_encodable

_HOLDERS: Final[dict[type, str]] = {list: "l", tuple: "t"}
_ALONE: Final = "1"
"""No list of rows, but one row."""
_ROWS: Final[dict[type, str]] = {tuple: "t", list: "l", dict: "d"}
_MUTABLE: Final = frozenset({"l", "d", *(letter for letter, kind in KINDS.items() if kind.mutable)})
_LONGEST_HEAD: Final = 65_536
"""Bytes: what is made of some of them is remembered."""
_FEWEST: Final = 2
"""Rows that are no driver's, for a table to be worth its while."""
_read_keys: Final = msgspec.msgpack.Decoder(list[str]).decode


class Writer(Protocol):
    """What a table needs of who writes the document that it is in. Each may raise `NotEncodableError`."""

    def spend(self, count: int) -> None:
        """So many values are written: are they too many?"""
        ...

    def meet(self, values: Sequence[Any]) -> None:
        """These can be changed: is one of them there twice?"""
        ...

    def node_of(self, value: Any) -> Any:
        """The node of a value inside a row."""
        ...


class Reader(Protocol):
    """What a table needs of who reads the document that it is in. Each may raise any exception."""

    def spend(self, count: int) -> None:
        """So many values are made: are they too many?"""
        ...

    def value_of(self, node: Any) -> Any:
        """What a node inside a row stands for."""
        ...


def write_row(row: Any, writer: Writer) -> TableNode:
    """A row of a driver.

    Raises:
        NotEncodableError: it is none; or it cannot be written.
    """
    letter = kind_of(type(row))
    if letter is None:
        raise not_encodable(type(row))
    return _write(_ALONE + letter, [row], writer)


def write_rows(rows: list[Any] | tuple[Any, ...], writer: Writer) -> TableNode | None:
    """A list or tuple of rows; None: it is to be written value by value.

    Raises:
        NotEncodableError: there are rows in it that cannot be written; and what `writer` raises.
    """
    cls = type(rows[0])
    letter = _ROWS.get(cls)
    if letter is None:
        letter = kind_of(cls)
    elif len(rows) < _FEWEST:
        return None
    if letter is None or list(map(type, rows)).count(cls) != len(rows):
        return None
    shape = _HOLDERS[type(rows)] + letter
    if letter in KINDS:
        return _write(shape, rows, writer)
    if not 1 <= len(rows[0]) <= columns.WIDEST or (letter == "d" and not columns.are_alike(rows)):
        return None
    try:
        found = list(zip(*(map(dict.values, rows) if letter == "d" else rows), strict=True))
    except ValueError:  # rows of several widths
        return None
    return _write_columns(shape, rows, found, encode(list(rows[0])) if letter == "d" else b"", writer)


def _write(shape: str, rows: Sequence[Any], writer: Writer) -> TableNode:
    """Rows of a driver."""
    if not 1 <= len(rows[0]) <= columns.WIDEST:
        raise not_encodable(type(rows[0]), "has too many columns, or none")
    head = KINDS[shape[1]].head_of(rows)
    # All have one description, so one width. To ask each for one value more would raise as many exceptions.
    found = list(zip(*rows, strict=False))
    return _write_columns(shape, rows, found, head, writer)


def _write_columns(
    shape: str, rows: Sequence[Any], found: Sequence[columns.Column], head: bytes, writer: Writer
) -> TableNode:
    writer.spend(len(rows) * (1 + len(found)))
    if shape[1] in _MUTABLE:
        writer.meet(rows)
    if len(head) > _LONGEST_HEAD:
        raise not_encodable(type(rows[0]), "has names that are too long")
    plan, data = columns.write(found, writer.node_of)
    return TableNode(shape, head, plan, data)


def read(node: TableNode, reader: Reader) -> Any:
    """The rows of a table, as they were.

    Raises:
        Exception: nobody has written such a table.
    """
    if len(node.shape) != 2:
        raise not_a_document()
    holder, letter = node.shape[0], node.shape[1]
    found = columns.read(node.plan, node.columns)
    reader.spend(len(found[0]) * (1 + len(found)))
    if "x" in node.plan:
        found = [
            list(map(reader.value_of, column)) if kind == "x" else column
            for kind, column in zip(node.plan, found, strict=True)
        ]
    rows = _rebuilt(letter, node.head, found)
    if holder == "l":
        return rows if type(rows) is list else list(rows)
    if holder == "t":
        return tuple(rows)
    if holder == _ALONE and letter in KINDS:
        (row,) = rows
        return row
    raise not_a_document()


def _rebuilt(letter: str, head: bytes, found: Sequence[Sequence[Any]]) -> Iterable[Any]:
    if len(head) > _LONGEST_HEAD:
        raise not_a_document()
    if letter in KINDS:
        return KINDS[letter].rebuild(head, found)
    if letter == "d":
        names = _read_keys(head)
        if len(set(names)) != len(found):
            raise not_a_document()
        return _dicts(names, found)
    if head:
        raise not_a_document()
    if letter == "t":
        return zip(*found, strict=True)
    if letter == "l":
        return map(list, zip(*found, strict=True))
    raise not_a_document()


def _dicts(names: list[str], found: Sequence[Sequence[Any]]) -> list[dict[str, Any]]:
    """A dict for each row: column by column, which takes two thirds of the time of row by row."""
    rows = list(map(dict.copy, repeat(dict.fromkeys(names), len(found[0]))))
    for name, column in zip(names, found, strict=True):
        deque(map(setitem, rows, repeat(name), column), maxlen=0)  # it runs through, and keeps nothing
    return rows
