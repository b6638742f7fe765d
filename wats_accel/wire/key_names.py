"""Key names: what an entry is called outside of the process.

The same call has the same name in every process and on every machine, and no two calls have the same one:
types count, so that 1, 1.0, ``True`` and ``"1"`` are four. Nobody without the secret can find out by trying
what stands in a name.
"""

from __future__ import annotations

import hashlib
import re
import struct
import sys
from collections import OrderedDict, deque
from collections.abc import Callable
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from pathlib import PosixPath, PurePosixPath, PureWindowsPath, WindowsPath
from types import EllipsisType, NoneType, NotImplementedType
from typing import Any, Final
from uuid import UUID

from wats_accel.wire.refusals import KeyMaterialError, NotEncodableError, not_encodable

FEWEST_SECRET_BYTES: Final = 16
_DIGEST_BYTES: Final = 20
_DEEPEST: Final = 64
_MOST_READABLE: Final = 80
_MOST_BITS: Final = 256
_NOT_PLAIN: Final = re.compile(r"[^A-Za-z0-9_.@-]")


def key_name(
    prefix: str, namespace: str, method: str, key: object, secret: bytes | None, *, readable: bool = False
) -> str:
    """The name of an entry: ``prefix:namespace:method:hash``, in ASCII.

    Args:
        prefix: put first as it is, so that it may have what a cluster goes by.
        namespace: of the answer.
        method: that gave it.
        key: of the call: values that are themselves (None, bool, int, float, str, bytes, date, timedelta,
            UUID, Fraction), classes that such values are tagged with, and tuples and frozensets of all these.
        secret: at least 16 bytes, the same on all machines. None only if names may be readable.
        readable: whether the key's texts and numbers, shortened, may stand before the hash.

    Raises:
        NotEncodableError: something in the key means this process only: an object, an enumeration, the seal
            of a secret argument. Or it is nested too deeply.
        KeyMaterialError: the secret is missing, or too short.
    """
    if secret is None and not readable:
        raise KeyMaterialError("without a secret, names would tell what stands in them to whoever tries")
    if secret is not None and len(secret) < FEWEST_SECRET_BYTES:
        raise KeyMaterialError(f"a secret for names must have {FEWEST_SECRET_BYTES} bytes or more")
    digest = _digest((namespace, method, key), secret or b"")
    shown = [_plain(",".join(_texts_in(key)))[:_MOST_READABLE]] if readable else []
    return ":".join((prefix, _plain(namespace), _plain(method), *shown, digest))


def _plain(text: str) -> str:
    """Without anything that a key of Redis means something by, or that is no ASCII; still unmistakable."""
    return _NOT_PLAIN.sub(lambda found: "".join(f"%{byte:02X}" for byte in _utf8(found[0])), text)


def _texts_in(value: Any) -> list[str]:
    if type(value) in (tuple, frozenset):
        return [text for part in value for text in _texts_in(part)]
    if type(value) is int and value.bit_length() > _MOST_BITS:  # a long one could be refused, and is not read
        return ["..."]
    return [] if isinstance(value, type) else [str(value)]


def _digest(value: Any, secret: bytes) -> str:
    hashed = hashlib.blake2b(
        _spell(value, 0),
        key=secret if len(secret) <= hashlib.blake2b.MAX_KEY_SIZE else hashlib.blake2b(secret).digest(),
        digest_size=_DIGEST_BYTES,
        person=b"wats_accel names",
    )
    return hashed.hexdigest()


def _spell(value: Any, deep: int) -> bytes:
    """What it is, how long it is, and then itself: no two values read the same."""
    cls = type(value)
    if deep > _DEEPEST:
        raise NotEncodableError("a key is nested too deeply")
    if cls is tuple:
        return b"(%d:%b" % (len(value), b"".join([_spell(part, deep + 1) for part in value]))
    if cls is frozenset:
        return b"{%d:%b" % (len(value), b"".join(sorted(_spell(part, deep + 1) for part in value)))
    if isinstance(value, type):
        return _tagged(b"c", _name_of(value))
    tag, spell = _SPELLED.get(cls, (b"", None))
    if spell is None:
        raise not_encodable(cls, "means something else in another process")
    return _tagged(tag, spell(value))


def _tagged(tag: bytes, spelled: bytes) -> bytes:
    return b"%b%d:%b" % (tag, len(spelled), spelled)


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _name_of(cls: type) -> bytes:
    zoneinfo = sys.modules.get("zoneinfo")
    if cls in _CLASSES or (zoneinfo is not None and cls is zoneinfo.ZoneInfo):
        return f"{cls.__module__}.{cls.__qualname__}".encode()
    raise not_encodable(cls, "may be another class in another process")


_CLASSES: Final = frozenset({
    NoneType, bool, int, float, complex, str, bytes, bytearray, Decimal, Fraction, datetime, date, time,
    timedelta, timezone, UUID, EllipsisType, NotImplementedType, range, slice, tuple, list, dict, set,
    frozenset, deque, OrderedDict, PurePosixPath, PureWindowsPath, PosixPath, WindowsPath,
})  # fmt: skip
_SPELLED: Final[dict[type, tuple[bytes, Callable[[Any], bytes]]]] = {
    NoneType: (b"n", lambda _: b""),
    bool: (b"t", lambda value: b"1" if value else b"0"),
    int: (b"i", lambda value: b"%x" % value),  # in decimals a long one could be refused
    float: (b"r", lambda value: struct.pack(">d", value)),
    str: (b"s", _utf8),
    bytes: (b"b", bytes),
    date: (b"d", lambda value: value.isoformat().encode()),
    timedelta: (b"e", lambda value: b"%d %d %d" % (value.days, value.seconds, value.microseconds)),
    UUID: (b"u", lambda value: value.bytes),
    Fraction: (b"f", lambda value: b"%x/%x" % (value.numerator, value.denominator)),
    EllipsisType: (b".", lambda _: b""),
    NotImplementedType: (b"!", lambda _: b""),
}
