"""Statements: the tables and columns that a text of SQL reads and writes."""

from __future__ import annotations

from collections.abc import Mapping

from wats_accel.sql.access import Columns
from wats_accel.sql.facts import Facts

DIALECTS = ("tsql", "postgres", "sqlite", "mysql", "oracle", "")
"""Names of dialects, as the SQL library has them; empty: none in particular."""


def facts_of(sql: str, dialect: str = "", columns: Mapping[str, Columns] | None = None) -> Facts:
    """What a text does. Never raises; remembered by text, bounded.

    Args:
        sql: one statement or several, with parameters of any style.
        dialect: one of `DIALECTS`; an unknown one is read as none in particular.
        columns: the columns of tables, where they are known: then a column without a table's name is
            counted for those that have it only.
    """
    raise NotImplementedError
