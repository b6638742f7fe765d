"""Messages: what processes tell each other of their invalidations."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from wats_accel.cache.elsewhere import Tables
from wats_accel.cache.selection import EVERYTHING, AnyOf, Selection
from wats_accel.patterns import KeyPattern
from wats_accel.records import record

Told = tuple[KeyPattern, Selection]

_FORMAT: Final = 1
_MOST_TEXTS: Final = 1_000
_LARGEST: Final = 1 << 20


@record(frozen=True, slots=True)
class Message:
    """What one process has dropped.

    Attributes:
        drops: patterns with what they were bound to.
        tables: that have changed; an empty mapping if none.
        everything: whether all may have changed.
    """

    drops: tuple[Told, ...] = ()
    tables: Tables | None = None
    everything: bool = False


ANYTHING: Final = Message(everything=True)
"""What a message means that cannot be read."""


def written(message: Message, *, with_arguments: bool) -> bytes:
    """A message in bytes.

    Args:
        message: to be written.
        with_arguments: whether arguments may be told; without them a drop means all answers of its methods.
    """
    told = {
        "format": _FORMAT,
        "drops": [_drop_as_told(drop, with_arguments=with_arguments) for drop in message.drops],
        "tables": message.tables,
        "everything": message.everything,
    }
    return json.dumps(told, separators=(",", ":")).encode()


def _drop_as_told(drop: Told, *, with_arguments: bool) -> list[Any]:
    pattern, selection = drop
    exact = [known for known in selection.conditions if type(known) is AnyOf] if with_arguments else []
    few = sum(len(known.texts) for known in exact) <= _MOST_TEXTS
    conditions = [[known.position, sorted(known.texts)] for known in exact] if few else []
    return [pattern.namespace, pattern.method, conditions]


def read(text: bytes) -> Message:
    """The message that these bytes are; `ANYTHING` if they are none. Raises nothing."""
    try:
        return _read(text)
    except Exception:  # noqa: BLE001 - bytes from a network may be anything, and it may have meant anything
        return ANYTHING


def _read(text: bytes) -> Message:
    if len(text) > _LARGEST:
        return ANYTHING
    told = json.loads(text)
    if told["format"] != _FORMAT or told["everything"] is not False:
        return ANYTHING
    return Message(tuple(map(_told, told["drops"])), _tables(told["tables"]))


def _told(drop: Sequence[Any]) -> Told:
    namespace, method, conditions = drop
    if not all(isinstance(part, str) and part and ":" not in part for part in (namespace, method)):
        raise ValueError("no pattern")
    # Not parsed: what others send must not take the room of the patterns that are remembered.
    pattern = KeyPattern(f"{namespace}:{method}", namespace, method, ())
    bound = tuple(AnyOf(int(position), frozenset(map(str, texts))) for position, texts in conditions)
    return pattern, Selection(bound) if bound else EVERYTHING


def _tables(told: object) -> Tables | None:
    if told is None:
        return None
    if not isinstance(told, Mapping):
        raise TypeError("no tables")
    return {str(table): [str(column) for column in columns] for table, columns in told.items()}
