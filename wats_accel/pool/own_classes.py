"""Own classes: connections and cursors of a class that somebody has derived from the driver's.

Their methods may do more than their names say, on the driver's own object, where nobody sees it.
"""

from __future__ import annotations

import functools
from typing import Any

_IMMUTABLE_TYPE = 1 << 8  # of CPython's flags
_HEAP_TYPE = 1 << 9


def is_written_in_c(kind: type[Any]) -> bool:
    """Whether a class is one of an extension module."""
    return not kind.__flags__ & _HEAP_TYPE or bool(kind.__flags__ & _IMMUTABLE_TYPE)


def has_own_methods(raw_type: type[Any]) -> bool:
    """Whether a class in Python is derived from a driver's that is written in C."""
    asked: Any = _has_own_methods
    known: bool = asked(raw_type)
    return known


@functools.lru_cache(maxsize=256)
def _has_own_methods(raw_type: type[Any]) -> bool:
    in_c = [is_written_in_c(kind) for kind in raw_type.__mro__[:-1]]
    return any(in_c) and not all(in_c)


def changes_so_far(raw_type: type[Any], link: Any) -> int | None:
    """How many rows a connection has changed, if an own class may do so out of sight.

    Of the drivers that let their classes be derived from, sqlite3 counts.

    Args:
        raw_type: of the object that a method is called of.
        link: the driver's connection; None if it is out of reach.

    Returns:
        None if there is no own class, or no count.
    """
    if not has_own_methods(raw_type):
        return None
    try:
        counted: int | None = link.total_changes
    except Exception:  # noqa: BLE001 - it does not count, or is closed
        return None
    return counted
