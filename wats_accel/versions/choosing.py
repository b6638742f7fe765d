"""Choosing: a source by its name, as a configuration has it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from wats_accel.errors import AccelError
from wats_accel.versions.change_tracking import ChangeTracking
from wats_accel.versions.data_version import DataVersion
from wats_accel.versions.dialects import DEFAULT_NAME, Dialect
from wats_accel.versions.source import VersionSource
from wats_accel.versions.version_table import VersionTable

SourceName = Literal["version-table", "sqlserver-change-tracking", "sqlite-data-version"]


class NoSuchSourceError(AccelError, ValueError):
    """A database has no source of that name."""


def source_of(
    kind: SourceName,
    dialect: Dialect,
    *,
    name: str = DEFAULT_NAME,
    tables: Iterable[str] | None = None,
) -> VersionSource:
    """A source that has not begun.

    Args:
        kind: its name.
        dialect: of the database.
        name: of the version table, where it is one.
        tables: those that are to be watched, where the source does not know by itself; None: all that it can.

    Raises:
        NoSuchSourceError: that database has no such source.
        TableNameError: a name cannot be read.
    """
    if kind == "version-table":
        return VersionTable(dialect, name)
    if kind == "sqlserver-change-tracking" and dialect == "sqlserver":
        return ChangeTracking(tables)
    if kind == "sqlite-data-version" and dialect == "sqlite":
        return DataVersion()
    raise NoSuchSourceError(f"{dialect} has no source of versions that is called {kind}")
