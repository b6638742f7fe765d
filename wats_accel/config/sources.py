"""Config files (YAML, TOML) and mappings, read as documents."""

from __future__ import annotations

import os
import re
import stat
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from wats_accel.config.documents import Document, Position, failure, plain, position_of
from wats_accel.config.toml_positions import deepest_position, toml_positions
from wats_accel.config.yaml_source import parse_yaml

if sys.version_info >= (3, 11):
    import tomllib
else:
    # unused-ignore: tomli is installed on Python 3.10 only, and mypy runs for 3.10 everywhere.
    import tomli as tomllib  # type: ignore[import-not-found,unused-ignore]

_TOML_PLACE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")
_TOO_LONG = re.compile(r"\b\d[\d_]{600,}")  # Python refuses more than 4300 digits, and never less than 640

_LARGEST_BYTES = 10_000_000


def read_document(path: str | os.PathLike[str]) -> Document:
    """Read a `.yaml`, `.yml` or `.toml` file in UTF-8; an empty file is an empty mapping.

    Raises:
        SourceError: the file cannot be read, or does not hold one mapping of text keys.
    """
    name = os.fspath(path)
    _parser_for(name)  # rather this than that there is no such file
    return parse_document(name, _read_text(name))


def parse_document(name: str, text: str) -> Document:
    """Read the text of a file of this name; its suffix says whether it is YAML or TOML.

    Raises:
        SourceError: the text does not hold one mapping of text keys.
    """
    parse = _parser_for(name)
    try:
        return parse(name, text)
    except RecursionError:
        raise failure(name, "the values are nested too deeply") from None


def _parser_for(name: str) -> Callable[[str, str], Document]:
    suffix = Path(name).suffix
    parse = _PARSERS.get(suffix.lower())
    if parse is None:
        raise failure(name, f"the file type {suffix!r} is not known: use one of {', '.join(_PARSERS)}")
    return parse


def mapping_document(data: Mapping[str, Any]) -> Document:
    """Return a document that owns a copy of `data`, as deep as its mappings, lists and tuples go.

    Raises:
        SourceError: a key is not text, or the values contain themselves.
    """
    try:
        return Document("<mapping>", plain(data))
    except RecursionError:
        raise failure("<mapping>", "the values are nested too deeply") from None


def _read_text(name: str) -> str:
    odd = _why_odd(name)
    if odd is not None:
        raise failure(name, odd)
    try:
        return Path(name).read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = error.object[: error.start].decode()
        place = position_of(before, len(before))
        raise failure(name, "the file is not UTF-8: save it as UTF-8", place) from None
    except FileNotFoundError:
        raise failure(name, "there is no such file") from None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        if os.path.isdir(name):  # Windows calls this a missing permission
            raise failure(name, "this is a directory, not a file") from None
        why = getattr(error, "strerror", None) or error
        raise failure(name, f"the file cannot be read: {why}") from None


def _why_odd(name: str) -> str | None:
    try:
        found = os.stat(name)
    except (OSError, ValueError):  # whoever reads it says why
        return None
    if stat.S_ISDIR(found.st_mode):
        return None
    if not stat.S_ISREG(found.st_mode):  # a device or a pipe might never end
        return "this is not a file"
    return "the file is too large to be a configuration" if found.st_size > _LARGEST_BYTES else None


def _parse_toml(name: str, text: str) -> Document:
    try:
        data = plain(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        message = _TOML_PLACE.sub("", str(error).splitlines()[0])
        raise failure(name, f"not valid TOML: {message}", _toml_position(error, text)) from None
    except ValueError:  # the one case: int() refuses thousands of digits
        too_long = _TOO_LONG.search(text)
        place = position_of(text, too_long.start() if too_long else 0)
        raise failure(name, "not valid TOML: a number is too long", place) from None
    except RecursionError:
        raise failure(name, "the values are nested too deeply", deepest_position(text)) from None
    return Document(name, data, lambda: toml_positions(text))


def _toml_position(error: ValueError, text: str) -> Position:
    """Take the place from the attributes that Python 3.14 has, else from the error's own words."""
    match = _TOML_PLACE.search(str(error))
    said = Position(int(match[1]), int(match[2])) if match and match[1] else position_of(text, len(text))
    return Position(getattr(error, "lineno", said.line), getattr(error, "colno", said.column))


_PARSERS = {".yaml": parse_yaml, ".yml": parse_yaml, ".toml": _parse_toml}
