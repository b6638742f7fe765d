"""Writing: from a value to the node that stands for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID, SafeUUID

from wats_accel.wire import columns, nodes, tables, zones
from wats_accel.wire.limits import Limits
from wats_accel.wire.refusals import NotEncodableError, not_encodable

_LEAST, _MOST = -(2**63), 2**64 - 1
"""What MessagePack has for an int."""


class Writing:
    """One walk through one value.

    Something that can be changed, and is there twice, would come back as two things, so that a change of one
    would not be seen in the other any more. It is refused, and a value that contains itself as well.

    Args:
        limits: how large, and how deep.
    """

    def __init__(self, limits: Limits) -> None:
        self._left = limits.most_items
        self._deeper = limits.deepest
        self._met: set[int] = set()

    def spend(self, count: int) -> None:
        """So many values more; raises `NotEncodableError` if they are too many."""
        self._left -= count
        if self._left < 0:
            raise NotEncodableError("there are more values in it than may go on the wire")

    def meet(self, values: Sequence[Any]) -> None:
        """These can be changed; raises `NotEncodableError` if one of them is there twice."""
        numbers = set(map(id, values))
        expected = len(values) + len(self._met)
        smaller, self._met = sorted((numbers, self._met), key=len)
        self._met |= smaller
        if len(self._met) != expected:
            raise not_encodable(type(values[0]), "is there twice, and would come back as two")

    def node_of(self, value: Any) -> Any:
        """The node of a value.

        Raises:
            NotEncodableError: it, or something in it, is of a type that is not written; it is too large,
                too deep, or contains the same thing that can be changed twice.
        """
        cls = type(value)
        write = _WRITERS.get(cls)
        if write is not None:
            return write(value)
        self._deeper -= 1
        if self._deeper < 0:
            raise not_encodable(cls, "contains itself, or is nested too deeply")
        if cls in _MUTABLE:
            self.meet((value,))
        node = _CONTAINERS.get(cls, Writing._row)(self, value)
        self._deeper += 1
        return node

    def _nodes_of(self, values: Any) -> list[Any]:
        self.spend(1 + len(values))
        if nodes.SCALARS.issuperset(map(type, values)):
            items = list(values)
            if columns.are_plain(items):
                return items
        return list(map(self.node_of, values))

    def _row(self, value: Any) -> Any:
        return tables.write_row(value, self)

    def _sequence(self, value: list[Any] | tuple[Any, ...]) -> Any:
        table = tables.write_rows(value, self) if value else None
        if table is not None:
            return table
        return (nodes.ListNode if type(value) is list else nodes.TupleNode)(self._nodes_of(value))

    def _set(self, value: set[Any] | frozenset[Any]) -> Any:
        return (nodes.SetNode if type(value) is set else nodes.FrozenSetNode)(self._nodes_of(value))

    def _dict(self, value: dict[Any, Any]) -> Any:
        return nodes.DictNode(self._nodes_of(value), self._nodes_of(value.values()))

    def _bytearray(self, value: bytearray) -> Any:
        return nodes.ByteArrayNode(bytes(value))


_MUTABLE: Final = frozenset({list, set, dict, bytearray})
_CONTAINERS: Final[dict[type, Callable[[Writing, Any], Any]]] = {
    list: Writing._sequence,
    tuple: Writing._sequence,
    set: Writing._set,
    frozenset: Writing._set,
    dict: Writing._dict,
    bytearray: Writing._bytearray,
}


def _itself(value: Any) -> Any:
    return value


def _text(value: str) -> Any:
    if value.isascii():
        return value
    try:
        value.encode()
    except UnicodeEncodeError:
        return nodes.TextNode(value.encode("utf-8", "surrogatepass"))
    return value


def _int(value: int) -> Any:
    if _LEAST <= value <= _MOST:
        return value
    return nodes.IntNode(value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True))


def _datetime(value: datetime) -> Any:
    return nodes.DateTimeNode(value.replace(tzinfo=None), value.fold, zones.write(value.tzinfo))


def _time(value: time) -> Any:
    return nodes.TimeNode(value.replace(tzinfo=None), value.fold, zones.write(value.tzinfo))


def _uuid(value: UUID) -> Any:
    safety = value.is_safe
    if type(safety) is not SafeUUID:
        raise not_encodable(UUID)
    return nodes.UuidNode(value, safety.value)


_WRITERS: Final[dict[type, Callable[[Any], Any]]] = {
    type(None): _itself,
    bool: _itself,
    float: _itself,
    str: _text,
    int: _int,
    bytes: nodes.BytesNode,
    Decimal: nodes.DecimalNode,
    datetime: _datetime,
    date: nodes.DateNode,
    time: _time,
    timedelta: nodes.DeltaNode,
    UUID: _uuid,
}
