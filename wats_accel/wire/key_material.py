"""Key material: keys from an environment variable or a file, as base64 or in hexadecimal digits.

Several keys stand one after the other, with commas, spaces or line ends between them, and the first one is
used to write: that is how keys are changed without a moment at which somebody cannot read what others write.
A line of a file that begins with ``#`` is a comment.
"""

from __future__ import annotations

import base64
import contextlib
import os
import re
import stat
from collections.abc import Mapping
from typing import Final

from wats_accel.frames import forgetful
from wats_accel.wire.refusals import KeyMaterialError

SIZES: Final = (16, 24, 32)
"""Bytes of a key."""
_LARGEST_FILE: Final = 65_536
_HEXADECIMAL: Final = re.compile(r"(?:[0-9A-Fa-f]{32}|[0-9A-Fa-f]{48}|[0-9A-Fa-f]{64})")
_BETWEEN: Final = re.compile(r"[\s,;]+")
_FOR_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


def keys_from_environment(name: str, environment: Mapping[str, str] | None = None) -> tuple[bytes, ...]:
    """The keys in an environment variable.

    Args:
        name: of the variable.
        environment: by default that of the process.

    Raises:
        KeyMaterialError: there is no such variable, or it has no usable keys.
    """
    keys: tuple[bytes, ...] = _from_environment(name, environment)
    return keys


def keys_from_file(path: str | os.PathLike[str], *, private: bool = True) -> tuple[bytes, ...]:
    """The keys in a file.

    Args:
        path: of the file.
        private: whether nobody but its owner may have any right to it, which is looked at where files have
            such rights: not on Windows. False is for what a container's own runtime puts in place.

    Raises:
        KeyMaterialError: there is no such file, others may read it, or it has no usable keys.
    """
    keys: tuple[bytes, ...] = _from_file(path, private)
    return keys


@forgetful  # else a traceback that shows variables would show keys
def _from_environment(name: str, environment: Mapping[str, str] | None) -> tuple[bytes, ...]:
    text = (os.environ if environment is None else environment).get(name)
    where = f"the environment variable {name}"
    if text is None:
        raise KeyMaterialError(f"{where} is not set")
    return _keys(text, where)


@forgetful
def _from_file(path: str | os.PathLike[str], private: bool) -> tuple[bytes, ...]:
    where = f"the file {os.fspath(path)}"
    try:
        data = _read(path, where, private=private)
    except OSError as error:
        raise KeyMaterialError(f"{where} cannot be read: {type(error).__name__}") from None
    text = data.decode("utf-8-sig", "replace")
    if "\ufffd" in text:
        raise KeyMaterialError(f"{where} is no text: {_FORM}")
    return _keys("\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#")), where)


def _read(path: str | os.PathLike[str], where: str, *, private: bool) -> bytes:
    # What is looked at is what is read, even if the file is replaced meanwhile; and a pipe holds nobody up.
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    with os.fdopen(descriptor, "rb") as file:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise KeyMaterialError(f"{where} is no plain file")
        if private and os.name == "posix" and found.st_mode & _FOR_OTHERS:
            raise KeyMaterialError(
                f"{where} is open to others than its owner; take their rights away: chmod 600"
            )
        data = file.read(_LARGEST_FILE + 1)
    if len(data) > _LARGEST_FILE:
        raise KeyMaterialError(f"{where} is too large to be a file of keys")
    return data


_FORM: Final = "keys of 16, 24 or 32 bytes are wanted, in base64 or hexadecimal digits"


def _keys(text: str, where: str) -> tuple[bytes, ...]:
    words = [word for word in _BETWEEN.split(text) if word]
    if not words:
        raise KeyMaterialError(f"{where} is empty: {_FORM}")
    return tuple(_key(word, f"key {number} in {where}") for number, word in enumerate(words, 1))


def _key(word: str, where: str) -> bytes:
    if _HEXADECIMAL.fullmatch(word):
        return bytes.fromhex(word)
    key = None
    with contextlib.suppress(ValueError):
        key = base64.b64decode(word.replace("-", "+").replace("_", "/"), validate=True)
    if key is None:  # not in a handler: the other exception would hang on this one
        raise KeyMaterialError(f"{where} cannot be read: {_FORM}")
    if len(key) not in SIZES:
        raise KeyMaterialError(f"{where} has {len(key)} bytes: {_FORM}")
    return key
