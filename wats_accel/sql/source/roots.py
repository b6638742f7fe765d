"""Roots: the folders of a tree that its modules are imported from, told by the imports themselves."""

from __future__ import annotations

import ast
import dataclasses
from collections.abc import Iterable

from wats_accel.sql.source.files import SourceFile


def with_names_as_imported(files: list[SourceFile]) -> list[SourceFile]:
    """Files whose modules are called as the tree imports them.

    Where everything is in a folder ``src`` that is no package and the code says ``from shop.db import …``,
    ``src/shop/db.py`` is ``shop.db``; where it says ``from src.shop.db import …`` it keeps its long name.
    """
    packages = {file.module for file in files if file.is_package}
    imported = set(_imported(files))
    folders = {file.module.partition(".")[0] for file in files if "." in file.module} - packages
    stripped = {folder for folder in folders if _is_root(folder, files, imported)}
    if not stripped:
        return files
    taken = {file.module for file in files}
    return [_renamed(file, taken) if file.module.partition(".")[0] in stripped else file for file in files]


def _is_root(folder: str, files: list[SourceFile], imported: set[str]) -> bool:
    """Whether modules are imported from inside a folder, and none by the folder's name."""
    inside = {file.module.split(".")[1] for file in files if file.module.startswith(f"{folder}.")}
    beside = {file.module.partition(".")[0] for file in files} - {folder}
    return folder not in imported and not imported.isdisjoint(inside - beside)


def _renamed(file: SourceFile, taken: set[str]) -> SourceFile:
    name = file.module.partition(".")[2]
    return file if name in taken else dataclasses.replace(file, module=name)


def _imported(files: Iterable[SourceFile]) -> Iterable[str]:
    """The first parts of the names that are imported."""
    for file in files:
        for node in ast.walk(file.tree):
            if isinstance(node, ast.ImportFrom) and not node.level and node.module:
                yield node.module.partition(".")[0]
            elif isinstance(node, ast.Import):
                yield from (alias.name.partition(".")[0] for alias in node.names)
