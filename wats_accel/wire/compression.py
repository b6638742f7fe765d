"""Compression: the standard library's zlib, at its quickest, and never more than was foreseen coming out."""

from __future__ import annotations

import zlib
from typing import Final

from wats_accel.wire.refusals import NotReadableError

_LEVEL: Final = 1


def compress(data: bytes) -> bytes:
    """The data, smaller if it can be."""
    return zlib.compress(data, _LEVEL)


def decompress(data: bytes, most_bytes: int) -> bytes:
    """What was compressed.

    Args:
        data: the whole of it, and nothing else.
        most_bytes: as soon as more come out, it is refused, however small `data` is.

    Raises:
        NotReadableError: it is nothing that was compressed, or too much.
    """
    stream = zlib.decompressobj()
    try:
        found = stream.decompress(data, most_bytes + 1)
    except zlib.error:
        raise NotReadableError("damaged", "what is inside cannot be decompressed") from None
    if len(found) > most_bytes:
        raise NotReadableError("document", "these are more bytes than may come from the wire")
    if not stream.eof or stream.unused_data:
        raise NotReadableError("damaged", "what is inside cannot be decompressed")
    return found
