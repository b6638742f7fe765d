"""Seals: values that nobody can read, make or move to another place who has not the key. AES-GCM.

A seal is what the library cryptography makes of it: nothing of the method is our own. The nonce of each is 96
random bits, so that one key shall not seal more than 2**32 values; see docs/explanation/on-the-wire.md.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from typing import Final

from wats_accel.wire.key_material import SIZES
from wats_accel.wire.refusals import KeyMaterialError, NotReadableError

KEY_ID_BYTES: Final = 8
_NONCE_BYTES: Final = 12
_TAG_BYTES: Final = 16
OVERHEAD: Final = KEY_ID_BYTES + _NONCE_BYTES + _TAG_BYTES
"""Bytes by which sealing makes anything longer."""


class Sealer:
    """Seals and opens. Used by any number of threads.

    Args:
        keys: of 16, 24 or 32 bytes. The first one seals, each of them opens. To change keys: add the new one
            behind the old one everywhere, then put it first everywhere, then drop the old one.

    Raises:
        KeyMaterialError: there is no key, one of another size, or one twice.
        ImportError: the library cryptography is missing: it comes with ``wats-accel[redis]``.
    """

    def __init__(self, keys: Iterable[bytes]) -> None:
        from cryptography.exceptions import InvalidTag  # noqa: PLC0415 - it takes long, and few need it
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415 - as above

        self._ciphers: dict[bytes, AESGCM] = {}
        known = list(keys)
        problem = _problem_with(known)
        if problem is not None:
            del keys, known  # a traceback that shows variables shall show none
            raise KeyMaterialError(problem)
        self._invalid = InvalidTag
        self._ciphers = {_id_of(key): AESGCM(key) for key in known}
        self._own_id = _id_of(known[0])
        self._own = self._ciphers[self._own_id]

    @property
    def key_ids(self) -> tuple[str, ...]:
        """What tells the keys apart, the one that seals first; nobody can find a key by it."""
        return tuple(key_id.hex() for key_id in self._ciphers)

    def seal(self, data: bytes, associated: bytes) -> bytes:
        """The data sealed.

        Args:
            data: what nobody shall read.
            associated: what whoever opens it must know to be the same. It is not inside.
        """
        nonce = os.urandom(_NONCE_BYTES)
        return self._own_id + nonce + self._own.encrypt(nonce, data, self._own_id + associated)

    def open(self, sealed: bytes, associated: bytes) -> bytes:
        """What was sealed.

        Raises:
            NotReadableError: with an unknown key; or anything of it, or of what is associated, is another.
        """
        key_id, rest = sealed[:KEY_ID_BYTES], sealed[KEY_ID_BYTES:]
        cipher = self._ciphers.get(key_id)
        if cipher is None:
            raise NotReadableError("key", "it is sealed with a key that is not known here")
        try:
            return cipher.decrypt(rest[:_NONCE_BYTES], rest[_NONCE_BYTES:], key_id + associated)
        except (self._invalid, ValueError):  # the latter: too short to be anything
            raise NotReadableError("seal", "its seal is not that of this place") from None

    def __repr__(self) -> str:
        return f"<Sealer, {len(self._ciphers)} keys>"

    def __reduce__(self) -> str:
        raise TypeError("a Sealer has keys, and is not copied")


def _problem_with(keys: list[bytes]) -> str | None:
    if not keys:
        return "there is no key to seal with"
    if any(type(key) is not bytes or len(key) not in SIZES for key in keys):
        return "a key to seal with must have 16, 24 or 32 bytes"
    if len(set(map(_id_of, keys))) != len(keys):
        return "a key to seal with is there twice"
    return None


def _id_of(key: bytes) -> bytes:
    return hashlib.blake2b(key, digest_size=KEY_ID_BYTES, person=b"wats_accel keyid").digest()
