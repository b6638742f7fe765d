"""Rows of a catalogue: what a query of it gives, whatever the driver."""

from __future__ import annotations

from typing import Any

Row = dict[str, Any]


class Catalogue:
    """A connection, asked with SELECTs only.

    Args:
        connection: of any DB-API driver; it stays the caller's.
    """

    def __init__(self, connection: Any) -> None:
        self.connection = connection

    def rows(self, sql: str) -> list[Row]:
        """The rows of a query, by the names of its columns in small letters.

        Raises whatever the driver raises.
        """
        cursor = self.connection.cursor()
        try:
            cursor.execute(sql)
            names = [str(column[0]).lower() for column in cursor.description]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        finally:
            cursor.close()

    def rows_if_possible(self, sql: str) -> list[Row] | None:
        """The rows of a query; None if the database refuses it, as it does without the right for it."""
        try:
            return self.rows(sql)
        except Exception:  # noqa: BLE001 - each driver has errors of its own
            self._forget_failure()
            return None

    def _forget_failure(self) -> None:
        """A transaction that has failed answers nothing more on PostgreSQL."""
        try:
            self.connection.rollback()
        except Exception:  # noqa: BLE001 - then there is none
            return
