"""Sealed: what stands for a secret argument wherever its value would."""

from __future__ import annotations

from typing import Final

STARS: Final = "***"
"""What people see of a secret."""


class Sealed:
    """A keyed hash: equal for equal values of one type, and telling nothing else. Made by a `Sealer`."""

    __slots__ = ("_digest",)

    def __init__(self, digest: bytes) -> None:
        self._digest = digest

    def __eq__(self, other: object) -> bool:
        return type(other) is Sealed and self._digest == other._digest

    def __hash__(self) -> int:
        return hash(self._digest)

    def __repr__(self) -> str:
        return STARS
