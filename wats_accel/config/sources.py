"""Config files (YAML, TOML) and mappings, read as documents."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from wats_accel.config.documents import Document, failure, plain, position_of

_LARGEST_BYTES = 10_000_000

_Parser = Callable[[str, str], Document]


def read_document(path: str | os.PathLike[str]) -> Document:
    """Read a `.yaml`, `.yml` or `.toml` file in UTF-8; an empty file is an empty mapping.

    Raises:
        SourceError: the file cannot be read, or does not hold one mapping of text keys.
    """
    name = os.fspath(path)
    parser_for(name)  # rather this than that there is no such file
    return parse_document(name, _read_text(name))


def parse_document(name: str, text: str) -> Document:
    """Read the text of a file of this name; its suffix says whether it is YAML or TOML.

    Raises:
        SourceError: the text does not hold one mapping of text keys.
    """
    parse = parser_for(name)
    try:
        return parse(name, text)
    except RecursionError:
        raise failure(name, "the values are nested too deeply") from None


def parser_for(name: str) -> _Parser:
    """What reads the text of a file of this name, once it is loaded.

    Raises:
        SourceError: the suffix is of no known type.
        ImportError: the library that it needs is missing.
    """
    suffix = Path(name).suffix
    load = _PARSERS.get(suffix.lower())
    if load is None:
        raise failure(name, f"the file type {suffix!r} is not known: use one of {', '.join(_PARSERS)}")
    return load()


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


# What reads the one kind of file is of no use for the other, and for mappings neither is.


def _of_yaml() -> _Parser:
    from wats_accel.config.yaml_source import parse_yaml  # noqa: PLC0415 - as above

    return parse_yaml


def _of_toml() -> _Parser:
    from wats_accel.config.toml_source import parse_toml  # noqa: PLC0415 - as above

    return parse_toml


_PARSERS = {".yaml": _of_yaml, ".yml": _of_yaml, ".toml": _of_toml}
