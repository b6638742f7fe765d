"""SQLite's own number: whether any other connection has committed anything."""

from __future__ import annotations

import itertools
from typing import Any, Final

from wats_accel.versions.answers import Versions
from wats_accel.versions.asking import commit_by_itself, rows_of
from wats_accel.versions.database_file import DatabaseFile
from wats_accel.versions.source import SourceLostError

_QUESTION: Final = "PRAGMA data_version"
_beginnings = itertools.count(1)


class DataVersion:
    """Asks SQLite for ``PRAGMA data_version``: one number for all tables. Nothing is put into the database.

    What the asking connection itself writes does not change it. It means something on its own connection
    only, so each beginning is an epoch.
    """

    def __init__(self) -> None:
        self._file: DatabaseFile | None = None
        self._epoch = ""

    def begin(self, connection: Any) -> Versions:
        """As the protocol has it."""
        commit_by_itself(connection)
        self._file = DatabaseFile(connection)
        self._epoch = f"connection {next(_beginnings)}"
        return self.poll(connection)

    def poll(self, connection: Any) -> Versions:
        """As the protocol has it.

        Raises:
            SourceLostError: the file of the database has been replaced, or nothing has begun.
        """
        if self._file is None:
            raise SourceLostError("a source that has not begun cannot be asked")
        self._file.check()
        return Versions(self._epoch, {}, rest=int(rows_of(connection, _QUESTION)[0][0]))
