"""Scopes: for each class, the attribute that tells one database from another."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from wats_accel.audit.attribute_paths import attributes_of, classes_of
from wats_accel.sql.source.files import read_files
from wats_accel.sql.source.index import Index
from wats_accel.sql.source.modules import ClassInfo

_TELLING: Final = (
    "connection_string",
    "conn_string",
    "conn_str",
    "connection_url",
    "database_url",
    "db_url",
    "dsn",
    "url",
    "uri",
    "db_path",
    "database_path",
    "db_file",
    "database_file",
    "database",
    "db_name",
    "database_name",
    "path",
    "filename",
)
"""Names of attributes that tell which database an object talks to, the best first."""

_DEEPEST: Final = 3


def scopes_of(folder: Path, owners: Iterable[str]) -> dict[str, str]:
    """The path to what tells databases apart, such as ``self.db.connection_string``, where one is found.

    Args:
        folder: the source tree.
        owners: classes, as in a configuration.
    """
    files, _ = read_files(folder)
    index = Index(files)
    found = {}
    for owner in owners:
        cls = index.classes.get(owner)
        path = _shortest(index, cls) if cls is not None else None
        if path is not None:
            found[owner] = f"self.{path}"
    return found


def _shortest(index: Index, cls: ClassInfo) -> str | None:
    """The path with the fewest steps; of several, the one with the best name."""
    level: list[tuple[str, ClassInfo]] = [("", cls)]
    seen = {cls.target}
    for _ in range(_DEEPEST):
        paths = [
            (_TELLING.index(name), f"{prefix}{name}")
            for prefix, known in level
            for name in attributes_of(index, known)
            if name in _TELLING
        ]
        if paths:
            return min(paths)[1]
        level = list(_deeper(index, level, seen))
    return None


def _deeper(
    index: Index, level: Iterable[tuple[str, ClassInfo]], seen: set[str]
) -> Iterator[tuple[str, ClassInfo]]:
    for prefix, known in level:
        for name in attributes_of(index, known):
            for inner in classes_of(index, known, name):
                if inner.target not in seen:
                    seen.add(inner.target)
                    yield f"{prefix}{name}.", inner
