"""Keys are found where they should be, or it is said what is wrong there, and never what is there."""

from __future__ import annotations

import base64
import os
from pathlib import Path

import pytest
from wire_values import shown_by

from wats_accel.wire import KeyMaterialError, keys_from_environment, keys_from_file

KEYS = [bytes(range(size)) for size in (16, 24, 32)]
URLSAFE = base64.urlsafe_b64encode(b"\xfb\xff" * 16).decode()


def words() -> list[str]:
    return [word for key in KEYS for word in (key.hex(), key.hex().upper(), base64.b64encode(key).decode())]


@pytest.mark.parametrize("word", words())
def test_base64_and_hexadecimal_digits_are_read(word: str) -> None:
    assert keys_from_environment("KEYS", {"KEYS": f" {word}\n"})[0] in KEYS


def test_the_url_safe_alphabet_is_read() -> None:
    assert "-" in URLSAFE
    assert "_" in URLSAFE
    assert keys_from_environment("KEYS", {"KEYS": URLSAFE}) == (b"\xfb\xff" * 16,)


@pytest.mark.parametrize("between", [",", " ", "\n", "\r\n", " ; ", ",\n"])
def test_several_keys_keep_their_order(between: str) -> None:
    text = between.join(key.hex() for key in KEYS)
    assert keys_from_environment("KEYS", {"KEYS": text}) == tuple(KEYS)


def test_the_environment_of_the_process_is_the_usual_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WIRE_TEST_KEYS", KEYS[0].hex())
    assert keys_from_environment("WIRE_TEST_KEYS") == (KEYS[0],)


SECRET = "c2VjcmV0LXZhbHVlLXNlY3JldC12YWx1ZQ"
BAD = {
    "": "is empty",
    " ,\n": "is empty",
    SECRET: "key 1 in .* cannot be read: keys of 16, 24 or 32 bytes are wanted",
    base64.b64encode(b"secret-value-17ch").decode(): "key 1 in .* has 17 bytes: keys of 16, 24 or 32",
    f"{KEYS[0].hex()},{SECRET}": "key 2 in .* cannot be read",
    "sécret-välue-of-some-length": "key 1 in .* cannot be read",
}


@pytest.mark.parametrize("text", BAD, ids=range(len(BAD)))
def test_it_is_said_what_is_wrong_and_never_what_is_there(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "keys"
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)
    monkeypatch.setenv("KEYS", text)
    with pytest.raises(KeyMaterialError, match=BAD[text]) as in_environment:
        keys_from_environment("KEYS")
    with pytest.raises(KeyMaterialError, match=BAD[text]) as in_file:
        keys_from_file(path)
    for caught, where in ((in_environment, "the environment variable KEYS"), (in_file, f"the file {path}")):
        message = str(caught.value)
        assert where in message
        assert shown_by(caught.value)  # our frames are there
        for told in (message, shown_by(caught.value)):
            assert not any(word in told for word in (SECRET, "secret", "cret-v", KEYS[0].hex()))
        assert caught.value.__cause__ is None
        assert caught.value.__context__ is None


def test_a_variable_that_is_not_there_is_said_to_be_missing() -> None:
    with pytest.raises(KeyMaterialError, match="the environment variable KEYS is not set"):
        keys_from_environment("KEYS", {})


def written(path: Path, data: bytes = KEYS[0].hex().encode(), mode: int = 0o600) -> Path:
    path.write_bytes(data)
    path.chmod(mode)
    return path


def test_comments_and_a_mark_of_byte_order_are_passed_over(tmp_path: Path) -> None:
    text = f"\ufeff# the new one\r\n{KEYS[1].hex()}\r\n  # the old one\r\n{KEYS[0].hex()}\r\n"
    assert keys_from_file(written(tmp_path / "keys", text.encode())) == (KEYS[1], KEYS[0])


@pytest.mark.skipif(os.name != "posix", reason="files have such rights on POSIX only")
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o622, 0o601])
def test_a_file_that_is_open_to_others_is_refused(tmp_path: Path, mode: int) -> None:
    path = written(tmp_path / "keys", mode=mode)
    with pytest.raises(KeyMaterialError, match=r"is open to others than its owner; .*chmod 600"):
        keys_from_file(path)
    if mode != 0o601:
        assert keys_from_file(path, private=False) == (KEYS[0],)


@pytest.mark.skipif(os.name != "posix", reason="files have such rights on POSIX only")
def test_a_file_that_nobody_may_write_is_fine(tmp_path: Path) -> None:
    assert keys_from_file(written(tmp_path / "keys", mode=0o400)) == (KEYS[0],)


def test_a_file_that_cannot_be_read_is_said_to_be_so(tmp_path: Path) -> None:
    with pytest.raises(KeyMaterialError, match=r"the file .*gone cannot be read: FileNotFoundError"):
        keys_from_file(tmp_path / "gone")
    with pytest.raises(KeyMaterialError, match=r"is no plain file|cannot be read"):
        keys_from_file(tmp_path)
    with pytest.raises(KeyMaterialError, match="is no text"):
        keys_from_file(written(tmp_path / "binary", b"\xff" * 32))
    with pytest.raises(KeyMaterialError, match="is too large"):
        keys_from_file(written(tmp_path / "large", b"#" * 70_000))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no such pipes")
def test_a_pipe_holds_nobody_up(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe", 0o600)
    with pytest.raises(KeyMaterialError, match="is no plain file"):
        keys_from_file(tmp_path / "pipe")
