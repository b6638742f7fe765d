"""Reading: from a node to the value that it stands for. Whoever has made the node may be an enemy."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any, Final
from uuid import UUID, SafeUUID

from wats_accel.wire import nodes, tables, zones
from wats_accel.wire.limits import Limits
from wats_accel.wire.refusals import not_a_document

_FEW: Final = 256
_MOST_ALIKE: Final = 64
"""Values with the hash of another one, in one set or dict: each has to be compared with all before it."""


class Reading:
    """One walk through one document.

    Args:
        limits: how large, and how deep.
    """

    def __init__(self, limits: Limits) -> None:
        self._left = limits.most_items
        self._deeper = limits.deepest

    def value_of(self, node: Any) -> Any:
        """What a node stands for.

        Raises:
            Exception: nobody has written such a node.
        """
        cls = type(node)
        if cls in nodes.SCALARS:
            return node
        read = _READERS.get(cls)
        if read is not None:
            return read(node)
        self._deeper -= 1
        if self._deeper < 0:
            raise not_a_document()
        value = _CONTAINERS[cls](self, node)
        self._deeper += 1
        return value

    def spend(self, count: int) -> None:
        """So many values more; raises `NotReadableError` if they are too many."""
        self._left -= count
        if self._left < 0:
            raise not_a_document()

    def _values_of(self, items: list[Any]) -> list[Any]:
        self.spend(1 + len(items))
        if nodes.SCALARS.issuperset(map(type, items)):
            return items
        return list(map(self.value_of, items))

    def _list(self, node: nodes.ListNode) -> list[Any]:
        return self._values_of(node.items)

    def _tuple(self, node: nodes.TupleNode) -> tuple[Any, ...]:
        return tuple(self._values_of(node.items))

    def _set(self, node: nodes.SetNode | nodes.FrozenSetNode) -> Any:
        values = self._values_of(node.items)
        _check_hashes(values)
        made = set(values) if type(node) is nodes.SetNode else frozenset(values)
        _check_whole(made, values)
        return made

    def _dict(self, node: nodes.DictNode) -> dict[Any, Any]:
        keys = self._values_of(node.keys)
        _check_hashes(keys)
        made = dict(zip(keys, self._values_of(node.values), strict=True))
        _check_whole(made, keys)
        return made

    def _table(self, node: nodes.TableNode) -> Any:
        return tables.read(node, self)


def _check_hashes(values: list[Any]) -> None:
    """Refuse what was made to have the same hash, for that would take a time without end to put into a set.

    That of texts cannot be foretold. Those of others can.
    """
    if len(values) > _FEW and set(map(type, values)) != {str}:
        hashes = set(map(hash, values))
        if len(values) - len(hashes) > _MOST_ALIKE:
            raise not_a_document()


def _check_whole(made: Collection[Any], values: list[Any]) -> None:
    if len(made) != len(values):  # one was there twice
        raise not_a_document()


_CONTAINERS: Final[dict[type, Callable[[Reading, Any], Any]]] = {
    nodes.ListNode: Reading._list,
    nodes.TupleNode: Reading._tuple,
    nodes.SetNode: Reading._set,
    nodes.FrozenSetNode: Reading._set,
    nodes.DictNode: Reading._dict,
    nodes.TableNode: Reading._table,
}


def _datetime(node: nodes.DateTimeNode) -> Any:
    return node.value.replace(fold=node.fold, tzinfo=zones.read(node.zone))


def _time(node: nodes.TimeNode) -> Any:
    return node.value.replace(fold=node.fold, tzinfo=zones.read(node.zone))


def _uuid(node: nodes.UuidNode) -> UUID:
    if node.is_safe is None:
        return node.value
    return UUID(int=node.value.int, is_safe=SafeUUID(node.is_safe))


def _value(node: Any) -> Any:
    return node.value


_READERS: Final[dict[type, Callable[[Any], Any]]] = {
    nodes.BytesNode: _value,
    nodes.ByteArrayNode: lambda node: bytearray(node.value),
    nodes.IntNode: lambda node: int.from_bytes(node.value, "little", signed=True),
    nodes.TextNode: lambda node: node.value.decode("utf-8", "surrogatepass"),
    nodes.DecimalNode: _value,
    nodes.DateTimeNode: _datetime,
    nodes.DateNode: _value,
    nodes.TimeNode: _time,
    nodes.DeltaNode: _value,
    nodes.UuidNode: _uuid,
}
