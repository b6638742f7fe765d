"""Seals: who has the key can open, whoever has not can neither read nor make nor move anything."""

from __future__ import annotations

import copy
import pickle
from itertools import pairwise
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from wire_values import shown_by

from wats_accel.wire import KeyMaterialError, NotReadableError, Sealer

OLD, NEW, OTHER = b"old!" * 4, b"new!" * 8, b"other!!!" * 3


def test_each_size_of_key_seals_and_opens() -> None:
    for key in (OLD, NEW, OTHER):
        assert Sealer([key]).open(Sealer([key]).seal(b"data", b"place"), b"place") == b"data"


def test_it_is_plain_aes_gcm_that_any_library_can_open() -> None:
    sealed = Sealer([NEW]).seal(b"data", b"place")
    assert AESGCM(NEW).decrypt(sealed[8:20], sealed[20:], sealed[:8] + b"place") == b"data"


def test_keys_are_changed_without_a_moment_at_which_somebody_cannot_read() -> None:
    steps = [Sealer([OLD]), Sealer([OLD, NEW]), Sealer([NEW, OLD]), Sealer([NEW])]
    for before, after in pairwise(steps):
        for writer, reader in ((before, after), (after, before), (before, before)):
            assert reader.open(writer.seal(b"data", b""), b"") == b"data"


def test_a_key_that_was_dropped_opens_nothing() -> None:
    with pytest.raises(NotReadableError) as caught:
        Sealer([NEW]).open(Sealer([OLD]).seal(b"data", b""), b"")
    assert caught.value.reason == "key"


@pytest.mark.parametrize("bad", [b"", b"x" * 7, b"x" * 8, b"x" * 40])
def test_noise_is_not_opened(bad: bytes) -> None:
    with pytest.raises(NotReadableError):
        Sealer([NEW]).open(bad, b"")


def test_what_is_cut_off_is_not_opened() -> None:
    sealed = Sealer([NEW]).seal(b"data", b"")
    for length in range(len(sealed)):
        with pytest.raises(NotReadableError):
            Sealer([NEW]).open(sealed[:length], b"")


def test_the_key_id_is_sealed_as_well() -> None:
    both = Sealer([OLD, NEW])
    sealed = both.seal(b"data", b"")
    with pytest.raises(NotReadableError) as caught:
        both.open(bytes.fromhex(both.key_ids[1]) + sealed[8:], b"")
    assert caught.value.reason == "seal"


def test_no_two_seals_have_the_same_nonce() -> None:
    sealer = Sealer([NEW])
    assert len({sealer.seal(b"data", b"")[8:20] for _ in range(1000)}) == 1000


@pytest.mark.parametrize(
    ("keys", "why"),
    [
        ([], "there is no key"),
        ([b"secret"], "16, 24 or 32 bytes"),
        ([b"s" * 31], "16, 24 or 32 bytes"),
        (["secret-text-of16"], "16, 24 or 32 bytes"),
        ([bytearray(16)], "16, 24 or 32 bytes"),
        ([OLD, NEW, OLD], "twice"),
    ],
    ids=["none", "short", "long", "text", "bytearray", "twice"],
)
def test_keys_that_cannot_be_used_are_refused_and_not_shown(keys: Any, why: str) -> None:
    with pytest.raises(KeyMaterialError, match=why) as caught:
        Sealer(keys)
    for told in (str(caught.value), shown_by(caught.value)):
        assert "secret" not in told
        assert "old!" not in told


def test_nothing_shows_a_key() -> None:
    sealer = Sealer([OLD, NEW])
    assert repr(sealer) == "<Sealer, 2 keys>"
    assert len(sealer.key_ids) == 2
    shown = repr(vars(sealer)) + "".join(sealer.key_ids)
    assert "old!" not in shown
    assert OLD.hex() not in shown


@pytest.mark.parametrize(
    "copier", [pickle.dumps, copy.copy, copy.deepcopy], ids=["pickle", "copy", "deepcopy"]
)
def test_keys_are_not_carried_off(copier: Any) -> None:
    with pytest.raises(TypeError, match="is not copied"):
        copier(Sealer([OLD]))
