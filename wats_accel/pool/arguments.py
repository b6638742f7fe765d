"""Arguments of `connect`: two calls whose arguments are equal may share a pool."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_ATOMS = (str, bytes, int, float, complex, bool, type(None))


class NotComparableError(Exception):
    """Arguments that do not say whether they are equal to others."""


@dataclass(frozen=True, slots=True)
class Arguments:
    """What a connection is opened with. Its repr shows none of it: a password may be there.

    Attributes:
        args: by position.
        kwargs: by name.
    """

    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]

    def __repr__(self) -> str:
        return f"<{len(self.args) + len(self.kwargs)} connect arguments>"

    def key(self) -> object:
        """Something hashable that is equal for equal arguments only: types count, as 1 is not True.

        Raises:
            NotComparableError: one of them does not tell.
        """
        named = sorted(self.kwargs.items())
        return _frozen(self.args), tuple((name, _frozen(value)) for name, value in named)


def _frozen(value: Any) -> object:
    kind = type(value)
    if kind in _ATOMS:
        return kind, value
    if kind in (list, tuple):
        return kind, tuple(_frozen(item) for item in value)
    if kind is dict:
        return kind, tuple((_frozen(key), _frozen(item)) for key, item in value.items())
    return _opaque(value)


def _opaque(value: Any) -> object:
    try:
        hash(value)
    except TypeError as error:
        raise NotComparableError from error
    return type(value), value
