"""Files: the Python files of a source tree, read and parsed, and the names that their modules have."""

from __future__ import annotations

import ast
import os
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from wats_accel.sql.source.facts import Place, SourceUnknown

_SKIPPED: Final = frozenset({"__pycache__", "build", "dist", "node_modules", "site-packages", "venv", "env"})
_LARGEST: Final = 4_000_000
"""Bytes. What is larger has been generated, and is no code that anybody has written."""


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file that could be parsed.

    Attributes:
        path: of the file.
        shown: relative to the folder that was asked for, with forward slashes.
        module: the dotted name of its module.
        is_package: whether it is an ``__init__.py``.
        tree: its code.
    """

    path: Path
    shown: str
    module: str
    is_package: bool
    tree: ast.Module


def read_files(folder: Path) -> tuple[list[SourceFile], list[SourceUnknown]]:
    """All files of a tree that can be parsed, in the order of their names, and the others with the reason."""
    prefix = _names_above(folder)
    found: list[SourceFile] = []
    unreadable: list[SourceUnknown] = []
    for path in _python_files(folder):
        shown = path.relative_to(folder).as_posix()
        tree = _parsed(path)
        if isinstance(tree, _Failure):
            unreadable.append(SourceUnknown(tree.why, Place(shown, tree.line)))
            continue
        names = [*prefix, *path.relative_to(folder).with_suffix("").parts]
        is_package = names[-1] == "__init__"
        module = ".".join(names[:-1] if is_package else names)
        found.append(SourceFile(path, shown, module, is_package, tree))
    return found, unreadable


def _names_above(folder: Path) -> list[str]:
    """The packages that the folder is in, outermost first, itself among them if it is one."""
    names: list[str] = []
    while (folder / "__init__.py").is_file() and folder.name:
        names.insert(0, folder.name)
        folder = folder.parent
    return names


def _python_files(folder: Path) -> Iterator[Path]:
    """In order; what links lead to is followed once."""
    seen: set[str] = set()
    for here, folders, files in os.walk(folder, followlinks=True):
        real = os.path.realpath(here)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        folders[:] = sorted(name for name in folders if not _is_skipped(here, name))
        yield from (Path(here, name) for name in sorted(files) if name.endswith((".py", ".pyw")))


def _is_skipped(here: str, name: str) -> bool:
    if name.startswith(".") or name in _SKIPPED or name.endswith(".egg-info"):
        return True
    return os.path.isfile(os.path.join(here, name, "pyvenv.cfg"))


@dataclass(frozen=True, slots=True)
class _Failure:
    why: str
    line: int


def _parsed(path: Path) -> ast.Module | _Failure:
    """The code of a file. The compiler reads its byte-order mark and the cookie of its encoding itself."""
    try:
        content = path.read_bytes()
        if len(content) > _LARGEST:
            return _Failure("the file is too large", 1)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the application's own, such as odd escapes
            return ast.parse(content)
    except SyntaxError as error:
        return _Failure(f"no valid Python: {error.msg}", error.lineno or 1)
    except (ValueError, OSError, RecursionError, MemoryError) as error:
        return _Failure(f"it cannot be read: {type(error).__name__}", 1)
