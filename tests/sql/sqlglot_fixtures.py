"""The statements of sqlglot's own tests, as its source package has them; none of them is kept here.

The folder of the unpacked package is what ``WATS_ACCEL_SQLGLOT_SOURCE`` names; else the package index is
asked, once, and what it gives is kept in ``build/``.
"""

from __future__ import annotations

import ast
import contextlib
import os
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Final

import sqlglot

NAMED: Final = "WATS_ACCEL_SQLGLOT_SOURCE"

_BUILD: Final = Path(__file__).parents[2] / "build"
_PATIENCE_SECONDS: Final = 180
_DIALECTS: Final = frozenset(dialect.value for dialect in sqlglot.Dialects)

Statement = tuple[str, str]
"""A dialect, empty for none in particular, and a text."""


class NotHereError(Exception):
    """The source package is not here, and cannot be had."""


@cache
def folder() -> Path:
    """The folder of sqlglot's tests.

    Raises:
        NotHereError: there is none.
    """
    named = os.environ.get(NAMED)
    package = f"sqlglot-{version('sqlglot')}"
    source = Path(named) if named else _BUILD / package
    if not named and not source.is_dir():
        _fetch(package)
    tests = source / "tests"
    if not tests.is_dir():
        raise NotHereError(f"{tests} is no folder")
    return tests


def _fetch(package: str) -> None:
    """Have the package's folder in `build/`, whole or not at all: others may be fetching it, too."""
    _BUILD.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=_BUILD, prefix="fetching-") as name:
        place = Path(name)
        _unpack(_download(package, place), place)
        with contextlib.suppress(OSError):  # somebody else was quicker
            (place / package).rename(_BUILD / package)


def _download(package: str, place: Path) -> Path:
    """Ask pip, which has to build what tells it the package's name; nothing is installed."""
    wanted = package.replace("-", "==", 1)
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    command += ["--retries=1", "--no-deps", "--no-binary=sqlglot", f"--dest={place}", wanted]
    try:
        done = subprocess.run(
            command,
            timeout=_PATIENCE_SECONDS,
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotHereError(f"the source package of {wanted} could not be fetched in time") from error
    file = place / f"{package}.tar.gz"
    if done.returncode or not file.is_file():
        raise NotHereError(f"the source package of {wanted} could not be fetched")
    return file


def _unpack(file: Path, place: Path) -> None:
    """Only what is read: the tests; checked, since the name of a member may lead anywhere."""
    with tarfile.open(file) as package:
        for member in package.getmembers():
            parts = Path(member.name).parts
            content = package.extractfile(member)
            if content is not None and len(parts) > 2 and parts[1] == "tests" and ".." not in parts:
                target = place.joinpath(*parts)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(content.read())


@cache
def statements() -> tuple[Statement, ...]:
    """All of them, each once, in the order of the files.

    Raises:
        NotHereError: there are none.
    """
    return tuple(dict.fromkeys((*shipped(), *_of_tests())))


def shipped() -> Iterator[Statement]:
    """Those in files of their own: of no dialect in particular."""
    for file in sorted((folder() / "fixtures").rglob("*.sql")):
        text = file.read_text(encoding="utf-8")
        parts = text.split("\n") if file.stem == "identity" else text.split(";\n")
        yield from (("", part.strip()) for part in parts if part.strip())


def _of_tests() -> Iterator[Statement]:
    """Whatever text stands in the tests of a dialect, even if it is no SQL at all."""
    for file in sorted((folder() / "dialects").glob("test_*.py")):
        own = file.stem.removeprefix("test_")
        dialect = own if own in _DIALECTS else ""
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Dict):
                yield from _of_dictionary(node)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value:
                yield dialect, node.value


def _of_dictionary(node: ast.Dict) -> Iterator[Statement]:
    """``{"tsql": "SELECT …"}``: the same in other dialects."""
    for key, value in zip(node.keys, node.values, strict=True):
        pair = (key, value)
        if all(isinstance(one, ast.Constant) and isinstance(one.value, str) for one in pair):
            dialect, text = (one.value for one in pair if isinstance(one, ast.Constant))
            if dialect in _DIALECTS:
                yield dialect, text
