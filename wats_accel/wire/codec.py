"""The codec: values to bytes that tell their exact types, and back; nothing in the bytes is ever run."""

from __future__ import annotations

from typing import Any

from wats_accel.wire.limits import Limits


class Codec:
    """Writes and reads documents. Used by any number of threads.

    Args:
        limits: how large and how deep a value may be; by default `Limits`'s own.

    Raises:
        ImportError: msgspec or ormsgpack is missing: they come with ``wats-accel[redis]``.
    """

    def __init__(self, limits: Limits | None = None) -> None:
        from wats_accel.wire import documents  # noqa: PLC0415 - it imports msgspec and ormsgpack

        self._limits = limits or Limits()
        self._write = documents.write
        self._read = documents.read

    @property
    def limits(self) -> Limits:
        """How large and how deep a value may be."""
        return self._limits

    def encode(self, value: object) -> bytes:
        """The document of a value.

        Raises:
            NotEncodableError: it would not come back equal and of the same types at each depth, or is too
                large. Names a type, never the value.
        """
        return self._write(value, self._limits)

    def decode(self, data: bytes) -> Any:
        """The value of a document. Each call gives another one, that nobody else has.

        Raises:
            NotReadableError: these bytes are no document, or one that is too large. There is no other
                exception, whatever the bytes are.
        """
        return self._read(data, self._limits)
