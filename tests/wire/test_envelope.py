"""An envelope gives back what was packed for this place, by this configuration, and nothing else."""

from __future__ import annotations

import tracemalloc
import zlib
from typing import Any

import pytest
from wire_values import same

from wats_accel.wire import Codec, Envelope, Limits, NotEncodableError, NotReadableError, Place, Sealer

CODEC = Codec()
PLACE = Place("users", "names:one", 7)
ROWS = [(number, f"server {number}") for number in range(200)]
KEY, OTHER_KEY = b"k" * 32, b"o" * 16
SEALERS = {"plain": None, "sealed": Sealer([KEY])}


@pytest.fixture(params=SEALERS)
def sealer(request: pytest.FixtureRequest) -> Sealer | None:
    return SEALERS[request.param]


def envelope(sealer: Sealer | None = None, **given: Any) -> Envelope:
    return Envelope(given.pop("codec", CODEC), **{"schema": b"1", "sealer": sealer, **given})


def reason_of(reader: Envelope, packed: bytes, place: Place = PLACE) -> str:
    with pytest.raises(NotReadableError) as caught:
        reader.unpack(packed, place)
    assert caught.value.__cause__ is None
    return caught.value.reason


@pytest.mark.parametrize("compress_from", [None, 0, 1024])
def test_what_was_packed_comes_back(sealer: Sealer | None, compress_from: int | None) -> None:
    used = envelope(sealer, compress_from=compress_from)
    for value in (None, ROWS, "x", {"a": (1, b"2")}):
        assert same(used.unpack(used.pack(value, PLACE), PLACE), value)


def test_who_compresses_and_who_does_not_can_read_each_other(sealer: Sealer | None) -> None:
    small, large = envelope(sealer, compress_from=100), envelope(sealer, compress_from=None)
    assert len(small.pack(ROWS, PLACE)) < len(large.pack(ROWS, PLACE)) / 2
    assert large.unpack(small.pack(ROWS, PLACE), PLACE) == ROWS
    assert small.unpack(large.pack(ROWS, PLACE), PLACE) == ROWS


def test_what_compression_does_not_make_smaller_is_left_as_it_is() -> None:
    noise = bytes(range(256))
    assert len(envelope(compress_from=0).pack(noise, PLACE)) == len(
        envelope(compress_from=None).pack(noise, PLACE)
    )


OTHER_PLACES = {
    "another key": Place("users", "names:two", 7),
    "another namespace": Place("groups", "names:one", 7),
    "an older version": Place("users", "names:one", 6),
    "no version": Place("users", "names:one"),
    "a version of another type": Place("users", "names:one", "7"),
    "the border elsewhere": Place("usersn", "ames:one", 7),
}


@pytest.mark.parametrize("other", OTHER_PLACES)
def test_a_value_is_refused_anywhere_else(sealer: Sealer | None, other: str) -> None:
    packed = envelope(sealer).pack(ROWS, OTHER_PLACES[other])
    assert reason_of(envelope(sealer), packed) == ("seal" if sealer else "damaged")


def test_an_old_value_comes_back_where_no_version_is_asked_for(sealer: Sealer | None) -> None:
    """What a version is for: without one, whoever keeps the values may give any that this key ever had."""
    used, place = envelope(sealer), Place("users", "names:one")
    old, new = used.pack("old", place), used.pack("new", place)
    assert (used.unpack(old, place), used.unpack(new, place)) == ("old", "new")


def test_a_value_of_another_schema_is_refused(sealer: Sealer | None) -> None:
    packed = envelope(sealer, schema=b"2").pack(ROWS, PLACE)
    assert reason_of(envelope(sealer), packed) == "schema"
    forged = packed[:5] + envelope(sealer).pack(ROWS, PLACE)[5:13] + packed[13:]
    assert reason_of(envelope(sealer), forged) == ("seal" if sealer else "damaged")


def test_who_has_a_key_reads_nothing_that_is_not_sealed() -> None:
    assert reason_of(envelope(Sealer([KEY])), envelope().pack(ROWS, PLACE)) == "unsealed"


def test_who_has_no_key_reads_nothing_that_is_sealed() -> None:
    assert reason_of(envelope(), envelope(Sealer([KEY])).pack(ROWS, PLACE)) == "sealed"


def test_taking_the_mark_of_a_seal_away_does_not_help() -> None:
    packed = bytearray(envelope(Sealer([KEY])).pack(ROWS, PLACE))
    packed[4] &= ~2
    assert reason_of(envelope(), bytes(packed)) == "damaged"


def test_who_has_another_key_cannot_read() -> None:
    assert reason_of(envelope(Sealer([OTHER_KEY])), envelope(Sealer([KEY])).pack(ROWS, PLACE)) == "key"


def test_no_byte_can_be_changed_nor_left_out(sealer: Sealer | None) -> None:
    used = envelope(sealer, compress_from=1)
    packed = used.pack({"a": ["some", "values"], "b": None}, PLACE)
    for at in range(len(packed)):
        changed = bytearray(packed)
        changed[at] ^= 1
        for bad in (
            bytes(changed),
            packed[:at],
            packed[:at] + packed[at + 1 :],
            packed + packed[at : at + 1],
        ):
            reason_of(used, bad)


FOREIGN: list[Any] = [b"", b"\x80\x04N.", b"\xc1WA", b"text" * 10, b"\xc1WA\x02" + b"\0" * 40]
FOREIGN += ["a text, by a client that decodes", bytearray(40), None, 7]


@pytest.mark.parametrize("bad", FOREIGN, ids=range(len(FOREIGN)))
def test_anything_else_is_a_miss(sealer: Sealer | None, bad: Any) -> None:
    assert reason_of(envelope(sealer), bad) in ("foreign", "version")
    with pytest.raises(NotReadableError):
        CODEC.decode(bad)


def test_flags_that_are_not_known_yet_are_another_version() -> None:
    packed = bytearray(envelope().pack(ROWS, PLACE))
    packed[4] |= 4
    assert reason_of(envelope(), bytes(packed)) == "version"


def test_nothing_of_a_value_can_be_seen_through_a_seal() -> None:
    packed = envelope(Sealer([KEY]), compress_from=None).pack("a secret text", PLACE)
    assert b"secret" not in packed
    assert packed != envelope(Sealer([KEY]), compress_from=None).pack("a secret text", PLACE)


def test_what_is_no_value_for_the_wire_is_refused(sealer: Sealer | None) -> None:
    with pytest.raises(NotEncodableError):
        envelope(sealer).pack(object(), PLACE)


# -- what would be too large ------------------------------------------------------------------------------


def forged(used: Envelope, document: bytes, flags: int) -> bytes:
    """With a right checksum: what somebody without a key can make."""
    head = bytearray(used.pack(None, PLACE)[:13])
    head[4] = flags
    checksum = zlib.crc32(document, zlib.crc32(bytes(head) + PLACE.spelled()))
    return bytes(head) + checksum.to_bytes(4, "big") + document


def test_a_small_thing_that_becomes_very_large_is_refused_before_it_does() -> None:
    bomb = zlib.compress(b"\0" * 50 * 2**20, 9)
    assert len(bomb) < 2**20
    used = envelope()
    packed = forged(used, bomb, 1)
    tracemalloc.start()
    try:
        assert reason_of(used, packed) == "document"
        assert tracemalloc.get_traced_memory()[1] < 20 * 2**20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("document", "flags"),
    [
        (b"no zlib", 1),
        (zlib.compress(b"\xc0")[:-1], 1),
        (zlib.compress(b"\xc0") + b"x", 1),
        (b"\xc1", 0),
        (b"", 0),
    ],
    ids=["no zlib", "cut off", "more behind it", "no document", "nothing"],
)
def test_what_has_a_right_checksum_is_not_believed(document: bytes, flags: int) -> None:
    used = envelope()
    assert used.unpack(forged(used, zlib.compress(b"\xc0"), 1), PLACE) is None
    assert reason_of(used, forged(used, document, flags)) in ("damaged", "document")


def test_what_is_too_large_is_not_looked_at() -> None:
    used = envelope(codec=Codec(Limits(most_bytes=1000)))
    assert reason_of(used, envelope(compress_from=None).pack("x" * 2000, PLACE)) == "document"
    assert used.unpack(used.pack("x" * 900, PLACE), PLACE) == "x" * 900
    with pytest.raises(NotEncodableError):
        used.pack("x" * 1000, PLACE)
