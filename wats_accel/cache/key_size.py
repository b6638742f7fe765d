"""The size of a key: with whole documents in keys that are kept, a caller could fill the memory."""

from __future__ import annotations

from typing import Any, Final

from wats_accel.cache.entries import Key

LARGEST_KEY: Final = 65_536
"""Characters of texts, bytes, and `ITEM` for each value and each container."""
_LARGE_NUMBER: Final = 1 << 56
ITEM: Final = 8


def is_too_large(key: Key, *, most: int = LARGEST_KEY) -> bool:
    """Whether a key is larger than `most`; of a larger one not more is looked at than that."""
    left = most - ITEM * len(key)
    part: Any
    for part in key:  # most keys are flat
        cls = type(part)
        if cls is str:
            left -= len(part)
        elif cls is not int or not -_LARGE_NUMBER < part < _LARGE_NUMBER:
            return _is_nested_too_large(key, most)
    return left < ITEM


def _is_nested_too_large(key: Key, most: int) -> bool:
    left = most
    pending: list[Any] = [key]
    while pending:
        part = pending.pop()
        cls = type(part)
        left -= ITEM
        if cls is str or cls is bytes:
            left -= len(part)
        elif cls is int:
            left -= part.bit_length() // 8
        elif cls is tuple or cls is frozenset:
            if len(part) * ITEM > left:
                return True
            pending.extend(part)
        if left < 0:
            return True
    return False
