"""Sealing: what stands in a key for an argument that nobody may read.

A keyed hash: equal values have equal ones, so a hit is found, and nobody who sees one can find out the value
by trying, because its key is made at random for each cached method and never leaves the process.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Hashable
from datetime import date, timedelta
from fractions import Fraction
from types import EllipsisType, NoneType, NotImplementedType
from typing import Any, Final, Protocol
from uuid import UUID

from wats_accel.cache.freezing import TooLarge, Unfreezable, freeze
from wats_accel.cache.sealed import Sealed

_LARGEST: Final = 65_536  # characters or bytes: each call hashes all of them


class _Hasher(Protocol):
    def update(self, data: bytes, /) -> None: ...


class Sealer:
    """Seals the secret arguments of one method.

    Args:
        number_of: gives a living object a number that no other ever gets. It tells classes apart.
    """

    def __init__(self, number_of: Callable[[object], int]) -> None:
        self._key = os.urandom(32)
        self._number_of = number_of

    def seal(self, value: object) -> Sealed:
        """What stands for a value.

        Raises:
            Unfreezable: it has no value identity, or none that could be hashed: an object of a foreign type
                says no more than what it is equal to.
            TooLarge: of these, the one that says that it would take too long.
        """
        if type(value) is str and len(value) <= _LARGEST:  # most are; in one step it takes half as long
            text = b"S" + value.encode("utf-8", "surrogatepass")
            return Sealed(hashlib.blake2b(text, key=self._key, digest_size=32).digest())
        return Sealed(self._digest(freeze(value)))

    def seal_all(self, values: tuple[Any, ...]) -> tuple[Sealed, ...]:
        """What stands for each of some values; raises as `seal`."""
        return tuple(map(self.seal, values))

    def _digest(self, frozen: Hashable) -> bytes:
        hasher = hashlib.blake2b(key=self._key, digest_size=32)
        self._add(frozen, hasher)
        return hasher.digest()

    def _add(self, frozen: Any, hasher: _Hasher) -> None:
        """Hash a frozen value: what it is, how long it is, and then itself, so that no two read the same."""
        cls = type(frozen)
        if cls is tuple:
            hasher.update(b"(%d," % len(frozen))
            for part in frozen:
                self._add(part, hasher)
        elif cls is frozenset:
            hasher.update(b"{%d," % len(frozen))
            for digest in sorted(map(self._digest, frozen)):
                hasher.update(digest)
        elif issubclass(cls, type):
            hasher.update(b"c%d," % self._number_of(frozen))
        else:
            tag, spell = _SPELLED.get(cls, (b"", None))
            if spell is None:
                raise Unfreezable(f"{cls.__module__}.{cls.__qualname__} has no value that can be hashed")
            if cls in (str, bytes) and len(frozen) > _LARGEST:
                raise TooLarge
            spelled = spell(frozen)
            hasher.update(b"%b%d," % (tag, len(spelled)))
            hasher.update(spelled)

    def __repr__(self) -> str:
        return "<Sealer>"


def _hexadecimal(number: int) -> bytes:
    return b"%x" % number  # in decimals a long number could be refused


# What a frozen value consists of in the end, by exact type.
_SPELLED: Final[dict[type, tuple[bytes, Callable[[Any], bytes]]]] = {
    str: (b"s", lambda value: value.encode("utf-8", "surrogatepass")),
    bytes: (b"b", bytes),
    NoneType: (b"n", lambda _: b""),
    bool: (b"t", lambda value: b"1" if value else b"0"),
    int: (b"i", _hexadecimal),
    date: (b"d", lambda value: value.isoformat().encode()),
    timedelta: (b"e", lambda value: b"%d %d %d" % (value.days, value.seconds, value.microseconds)),
    UUID: (b"u", lambda value: value.bytes),
    Fraction: (b"f", lambda value: b"%x/%x" % (value.numerator, value.denominator)),
    EllipsisType: (b".", lambda _: b""),
    NotImplementedType: (b"!", lambda _: b""),
}
