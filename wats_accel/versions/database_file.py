"""The file of an SQLite database: a connection keeps the one that it has opened, whatever takes its place."""

from __future__ import annotations

import os
from typing import Any

from wats_accel.versions.asking import rows_of
from wats_accel.versions.source import SourceLostError


class DatabaseFile:
    """The file that a connection has open.

    Attributes:
        identity: which file it is, however it is called; empty if the database has none, as in memory.
    """

    def __init__(self, connection: Any) -> None:
        rows = rows_of(connection, "PRAGMA database_list")
        self._path = next((str(row[2] or "") for row in rows if row[1] == "main"), "")
        self.identity = self._found()

    def check(self) -> None:
        """Make sure that others, when they connect, still get the same file.

        Raises:
            SourceLostError: it has been replaced, or is gone.
        """
        if self._found() != self.identity:
            raise SourceLostError("the file of the database has been replaced")

    def _found(self) -> str:
        if not self._path:
            return ""
        try:
            found = os.stat(self._path)
        except OSError:
            raise SourceLostError("the file of the database is gone") from None
        return f"{found.st_dev}:{found.st_ino}"
