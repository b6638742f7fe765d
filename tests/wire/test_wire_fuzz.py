"""Whatever bytes come from the wire: a miss, or something of legal types; never another exception."""

from __future__ import annotations

import contextlib
import random
import struct
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
import pytest
from wire_values import is_legal, same, sqlite_rows

from wats_accel.wire import Codec, Envelope, NotReadableError, Place, Sealer

CODEC = Codec()
PLACE = Place("users", "k", 7)
WHEN = datetime(2026, 1, 2, 3, 4, 5, 6)
SEED = 20261127


def seeds() -> list[Any]:
    """One value of each kind that there is."""
    rows = [(1, "Ann", Decimal("1.50"), WHEN, None, True), (2, "Bob", Decimal("2"), WHEN, "x", False)]
    return [
        *(None, 1.5, "text", b"bytes", 2**99, "\ud800", Decimal("-0.00"), WHEN, date(2026, 1, 1), time(1), 7),
        *(timedelta(1, 2, 3), UUID(int=9), WHEN.replace(tzinfo=ZoneInfo("Europe/Berlin"), fold=1)),
        *(
            WHEN.replace(tzinfo=timezone(timedelta(hours=1), "x")),
            time(1, tzinfo=timezone.utc),
            bytearray(b"x"),
        ),
        *(rows, tuple(rows), list(map(list, rows)), [dict(zip("abcdef", row, strict=True)) for row in rows]),
        *(
            {1: {"a": [1, (2, {3, "4"})]}, None: frozenset({(1, 2)})},
            [(time(1), date(2026, 1, 1), b"x", {1})] * 1,
        ),
        *(sqlite_rows("SELECT 1 AS a, 'x' AS b UNION SELECT 2, NULL"), [(UUID(int=1), [WHEN]), (None, [])]),
    ]


def mutated(data: bytes, others: list[bytes], chance: random.Random) -> bytes:
    """The same bytes, but for one to four changes."""
    made = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(made) + 1)
        how = chance.randrange(6)
        if how == 0 and made:
            made[at % len(made)] ^= 1 << chance.randrange(8)
        elif how == 1 and made:
            made[at % len(made)] = chance.choice((0x00, 0x90, 0xC0, 0xC1, 0xC4, 0xD4, 0xDC, 0xDD, 0xDF, 0xFF))
        elif how == 2:
            del made[at : at + chance.randint(1, 5)]
        elif how == 3:
            made[at:at] = chance.randbytes(chance.randint(1, 4))
        elif how == 4:
            other = chance.choice(others)
            begin = chance.randrange(len(other) + 1)
            made[at:at] = other[begin : begin + chance.randint(1, 40)]
        elif len(made) > 4:
            made[at % (len(made) - 3) :][:4] = struct.pack(
                ">I", chance.choice((0, 1, 2**16, 2**31, 2**32 - 1))
            )
    return bytes(made)


@pytest.mark.soak
def test_changed_documents_are_misses_or_legal_values(soak: bool, odbc: Any) -> None:
    chance = random.Random(SEED)
    row = odbc.Row(
        (("a", int, None, 1, 1, 0, True), ("b", str, None, 1, 1, 0, True)), {"a": 0, "b": 1}, 1, "x"
    )
    written = [CODEC.encode(value) for value in [*seeds(), row, [row]]]
    read = 0
    for _ in range(100_000 if soak else 4_000):
        try:
            value = CODEC.decode(mutated(chance.choice(written), written, chance))
        except NotReadableError:
            continue
        read += 1
        assert is_legal(value)
    assert read  # else it is no test of what is read


def grown(chance: random.Random, deep: int = 0) -> Any:
    """Something like a node: a tag, and fields that may fit."""
    if deep > 4 or chance.random() < 0.3:
        texts = (
            "",
            "a",
            "1.5",
            "2026-01-01",
            "2026-01-01T00:00:00",
            "P1D",
            "01:00:00",
            "lt",
            "ld",
            "1s",
            "UTC",
        )
        plain = (None, True, 0, 1, -1, 1.5, *texts, b"", b"a" * 16, b"\xdc\x00\x01\x91\x01")
        return chance.choice(plain)
    fields = [grown(chance, deep + 1) for _ in range(chance.randrange(5))]
    if chance.random() < 0.5:
        return [chance.randrange(18), *fields]
    return [chance.randrange(18), fields, *fields[:1]]


@pytest.mark.soak
def test_what_looks_like_documents_is_a_miss_or_a_legal_value(soak: bool) -> None:
    chance = random.Random(SEED)
    encode = msgspec.msgpack.Encoder().encode
    read = 0
    for _ in range(100_000 if soak else 4_000):
        try:
            value = CODEC.decode(encode(grown(chance)))
        except NotReadableError:
            continue
        read += 1
        assert is_legal(value)
    assert read


@pytest.mark.soak
@pytest.mark.parametrize("sealer", [None, Sealer([b"k" * 32])], ids=["plain", "sealed"])
def test_changed_envelopes_are_misses(soak: bool, sealer: Sealer | None) -> None:
    """Without a seal as well: the checksum is against accidents."""
    chance = random.Random(SEED)
    envelope = Envelope(CODEC, schema=b"1", compress_from=60, sealer=sealer)
    values = seeds()
    packed = [envelope.pack(value, PLACE) for value in values]
    for _ in range(100_000 if soak else 4_000):
        at = chance.randrange(len(packed))
        bad = mutated(packed[at], packed, chance)
        if bad == packed[at]:
            assert same(envelope.unpack(bad, PLACE), values[at])
            continue
        with pytest.raises(NotReadableError):
            envelope.unpack(bad, PLACE)


@pytest.mark.soak
def test_noise_is_a_miss(soak: bool) -> None:
    chance = random.Random(SEED)
    envelope = Envelope(CODEC, schema=b"1")
    for _ in range(100_000 if soak else 500):
        noise = chance.randbytes(chance.randrange(200))
        with pytest.raises(NotReadableError):
            envelope.unpack(noise, PLACE)
        with contextlib.suppress(NotReadableError):
            assert is_legal(CODEC.decode(noise))
