"""The catalogue: tables in which a database tells of itself, and which change without being named."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from wats_accel.sql.access import ANY, Access, access

_PREFIXES: Final = ("sqlite_", "pg_", "pragma_")
_SEQUENCE_COLUMNS: Final = frozenset({"last_value", "is_called"})

DEFINED: Final = access(
    dict.fromkeys(
        (
            *("tables", "columns", "views", "routines", "triggers", "parameters", "schemata", "schemas"),
            *("table_constraints", "key_column_usage", "referential_constraints", "check_constraints"),
            *("objects", "all_objects", "all_columns", "indexes", "index_columns", "foreign_keys", "types"),
            *("procedures", "sql_modules", "sysobjects", "syscolumns", "sysindexes", "sequences", "synonyms"),
            *("computed_columns", "identity_columns", "default_constraints", "key_constraints"),
            *("all_tables", "user_tables", "all_tab_columns", "user_tab_columns", "user_objects"),
        ),
        (ANY,),
    )
)
"""What is changed by each definition: tables of information_schema, of SQL Server's sys, and of Oracle."""


def reads_catalogue(reads: Access, tables: Collection[str]) -> bool:
    """Whether something is read that changes without being named: by definitions, or by any write.

    Args:
        reads: tables and columns.
        tables: those that are known to be tables of the application's own.
    """
    return any(
        table not in tables
        and (table.startswith(_PREFIXES) or not _SEQUENCE_COLUMNS.isdisjoint(reads.columns(table)))
        for table in reads
    )
