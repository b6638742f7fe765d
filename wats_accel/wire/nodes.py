"""Nodes: the shapes that a document consists of.

A document is one node in MessagePack. ``None``, bools, ints of 64 bits, floats and texts stand for
themselves. Everything else is an array that begins with its tag, one of the classes below. There is no
map and no extension type, so nothing is hashed, and nothing is called, before our own code has seen it.
msgspec checks all of that while it reads, in C.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Annotated, Any, Final, Union
from uuid import UUID

import msgspec
from msgspec import Meta, Struct

SCALARS: Final = frozenset({type(None), bool, int, float, str})
"""What stands for itself, by exact type; an int of more than 64 bits and a text with half a pair do not."""

Naive = Annotated[datetime, Meta(tz=False)]
NaiveTime = Annotated[time, Meta(tz=False)]
Fold = Annotated[int, Meta(ge=0, le=1)]


class Node(Struct, array_like=True, forbid_unknown_fields=True, gc=False):
    """What does not stand for itself."""


class ListNode(Node, tag=0):
    """A list."""

    items: list[AnyNode]


class TupleNode(Node, tag=1):
    """A tuple."""

    items: list[AnyNode]


class SetNode(Node, tag=2):
    """A set."""

    items: list[AnyNode]


class FrozenSetNode(Node, tag=3):
    """A frozenset."""

    items: list[AnyNode]


class DictNode(Node, tag=4):
    """A dict, in its order."""

    keys: list[AnyNode]
    values: list[AnyNode]


class BytesNode(Node, tag=5):
    """Bytes."""

    value: bytes


class ByteArrayNode(Node, tag=6):
    """A bytearray."""

    value: bytes


class IntNode(Node, tag=7):
    """An int of more than 64 bits: its bytes, the lowest first, in two's complement."""

    value: bytes


class TextNode(Node, tag=8):
    """A text with half of a surrogate pair, which is no UTF-8: the bytes of Python's ``surrogatepass``."""

    value: bytes


class DecimalNode(Node, tag=9):
    """A decimal; all its digits count."""

    value: Decimal


class ZoneNode(Node, tag=10):
    """A fixed distance to UTC, with a name or without, or a zone of the IANA with nothing but a name."""

    name: str | None
    offset: timedelta | None


class DateTimeNode(Node, tag=11):
    """A date and time: its fields, its fold and its zone."""

    value: Naive
    fold: Fold
    zone: ZoneNode | None


class DateNode(Node, tag=12):
    """A date."""

    value: date


class TimeNode(Node, tag=13):
    """A time of day."""

    value: NaiveTime
    fold: Fold
    zone: ZoneNode | None


class DeltaNode(Node, tag=14):
    """A length of time."""

    value: timedelta


class UuidNode(Node, tag=15):
    """A UUID, and whether it was made in a way that is safe for several processes, if that is known."""

    value: UUID
    is_safe: int | None


class TableNode(Node, tag=16):
    """Rows of one kind, column by column.

    What is the same for all rows is there once.

    Attributes:
        shape: two letters: what holds the rows, and what each row is; see `tables`.
        head: what all rows have in common, as a document of the row's kind.
        plan: a letter for each column; see `columns`.
        columns: an array of as many arrays of one length.
    """

    shape: str
    head: bytes
    plan: str
    columns: bytes


AnyNode = Union[  # noqa: UP007 - it is evaluated, and must be on Python 3.10 with names that come later
    None, bool, int, float, str,
    ListNode, TupleNode, SetNode, FrozenSetNode, DictNode, BytesNode, ByteArrayNode, IntNode, TextNode,
    DecimalNode, DateTimeNode, DateNode, TimeNode, DeltaNode, UuidNode, TableNode,
]  # fmt: skip

encode: Final = msgspec.msgpack.Encoder(uuid_format="bytes").encode
_decode: Final = msgspec.msgpack.Decoder(AnyNode).decode


def decode(data: bytes) -> Any:
    """The node, not yet what it stands for.

    Raises:
        Exception: the bytes are none: whatever msgspec has to say of that.
    """
    return _decode(data)
