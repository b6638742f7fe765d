"""The envelope: what stands around a document on the wire. Anything that is no such thing is a miss.

======  =======================================================================================
bytes   what
======  =======================================================================================
3       ``C1 57 41``; C1 is never used in MessagePack
1       the version of this format
1       flags: 1 compressed, 2 sealed
8       a hash of the schema: of whatever must be the same for who writes and who reads
4       without a seal: a checksum of all before it, of the place and of the rest
36      with a seal: 8 of the key's id and 12 of the nonce here, and 16 of the tag at the end
rest    the document; compressed first and sealed then
======  =======================================================================================
"""

from __future__ import annotations

import hashlib
import zlib
from typing import Any, Final

from wats_accel.wire.codec import Codec
from wats_accel.wire.compression import compress, decompress
from wats_accel.wire.places import Place
from wats_accel.wire.refusals import NotReadableError
from wats_accel.wire.seals import OVERHEAD, Sealer

FORMAT_VERSION: Final = 1
_MAGIC: Final = b"\xc1WA"
_COMPRESSED: Final = 1
_SEALED: Final = 2
_SCHEMA_BYTES: Final = 8
_HEAD: Final = len(_MAGIC) + 2 + _SCHEMA_BYTES
_SUM: Final = 4


class Envelope:
    """Packs values for the wire, and unpacks them. Used by any number of threads.

    Args:
        codec: makes documents.
        schema: what must be the same for who writes and who reads: versions, the configuration's hash.
        compress_from: documents with so many bytes are compressed; None: none is.
        sealer: seals everything, and then nothing is read that is not sealed. None: nothing is sealed,
            nothing sealed is read, and nobody may believe that a value is from one of us: the checksum is
            against accidents.
    """

    def __init__(
        self,
        codec: Codec,
        *,
        schema: bytes,
        compress_from: int | None = 1024,
        sealer: Sealer | None = None,
    ) -> None:
        self._codec = codec
        self._schema = hashlib.blake2b(schema, digest_size=_SCHEMA_BYTES).digest()
        self._compress_from = compress_from
        self._sealer = sealer
        # Nothing can be longer: what does not become smaller is not kept compressed.
        self._longest = _HEAD + max(_SUM, OVERHEAD) + codec.limits.most_bytes

    def pack(self, value: object, place: Place) -> bytes:
        """The bytes of a value that belongs to a place.

        Raises:
            NotEncodableError: as `Codec.encode`.
        """
        data = self._codec.encode(value)
        flags = 0
        if self._compress_from is not None and len(data) >= self._compress_from:
            smaller = compress(data)
            if len(smaller) < len(data):
                data, flags = smaller, _COMPRESSED
        if self._sealer is not None:
            head = self._head(flags | _SEALED)
            return head + self._sealer.seal(data, head + place.spelled())
        head = self._head(flags)
        return b"".join((head, _checksum(head, place, data), data))

    def unpack(self, packed: bytes, place: Place) -> Any:
        """The value that was packed for this place.

        Raises:
            NotReadableError: there is none in these bytes. There is no other exception, whatever they are.
        """
        flags = self._check_head(packed)
        head, rest = packed[:_HEAD], packed[_HEAD:]
        if self._sealer is not None:
            data = self._sealer.open(rest, head + place.spelled())
        else:
            data = rest[_SUM:]
            if rest[:_SUM] != _checksum(head, place, data):
                raise NotReadableError("damaged", "it was changed, or belongs to another place")
        if flags & _COMPRESSED:
            data = decompress(data, self._codec.limits.most_bytes)
        return self._codec.decode(data)

    def _head(self, flags: int) -> bytes:
        return _MAGIC + bytes((FORMAT_VERSION, flags)) + self._schema

    def _check_head(self, packed: bytes) -> int:
        if type(packed) is not bytes or len(packed) < _HEAD or not packed.startswith(_MAGIC):
            raise NotReadableError("foreign", "it is nothing that was written here")
        if len(packed) > self._longest:
            raise NotReadableError("document", "these are more bytes than may come from the wire")
        version, flags = packed[len(_MAGIC)], packed[len(_MAGIC) + 1]
        if version != FORMAT_VERSION or flags & ~(_COMPRESSED | _SEALED):
            raise NotReadableError("version", "it has another version of the format")
        if packed[_HEAD - _SCHEMA_BYTES : _HEAD] != self._schema:
            raise NotReadableError("schema", "another configuration has written it")
        if self._sealer is not None and not flags & _SEALED:
            raise NotReadableError("unsealed", "it is not sealed")
        if self._sealer is None and flags & _SEALED:
            raise NotReadableError("sealed", "it is sealed, and there is no key here")
        return flags


def _checksum(head: bytes, place: Place, data: bytes) -> bytes:
    return zlib.crc32(data, zlib.crc32(head + place.spelled())).to_bytes(_SUM, "big")
