"""The scan of a schema: a live database, asked for its tables, keys, triggers, views and routines."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from wats_accel.errors import AccelError
from wats_accel.sql.catalogue.postgresql import scan_postgresql
from wats_accel.sql.catalogue.rows import Catalogue
from wats_accel.sql.catalogue.sqlite import scan_sqlite
from wats_accel.sql.catalogue.sqlserver import scan_sqlserver
from wats_accel.sql.catalogue.standard import scan_odbc, scan_standard
from wats_accel.sql.schema_description import SchemaDescription

# Asked in this order, each only if the one before is refused.
_QUESTIONS: Final[Mapping[str, tuple[str, str]]] = {
    "sqlite": ("SQLite", "SELECT sqlite_version() AS version"),
    "postgres": ("PostgreSQL", "SELECT current_setting('server_version') AS version"),
    "tsql": ("SQL Server", "SELECT CAST(SERVERPROPERTY('ProductVersion') AS nvarchar(128)) AS version"),
    "mysql": ("MySQL", "SELECT VERSION() AS version"),
    "oracle": ("Oracle", "SELECT version FROM product_component_version WHERE ROWNUM = 1"),
}
_SCANS: Final[Mapping[str, Callable[[Catalogue], SchemaDescription]]] = {
    "sqlite": scan_sqlite,
    "postgres": scan_postgresql,
    "tsql": scan_sqlserver,
}


class SchemaScanError(AccelError):
    """A database cannot be scanned."""


@dataclass(frozen=True, slots=True)
class ScannedSchema:
    """A database as it was found: what it is, with its version, and what there is in it."""

    product: str
    description: SchemaDescription


def scan_schema(connection: Any, dialect: str = "") -> ScannedSchema:
    """Ask a database for its schema. Nothing but SELECTs and catalogue functions are used.

    Args:
        connection: of any DB-API driver, with nothing uncommitted: a question that the database does not
            understand is followed by a rollback. It stays the caller's.
        dialect: one of `statement.DIALECTS`, if the caller knows; else the database is asked.

    Raises:
        SchemaScanError: the database tells nothing of itself that is understood here. Whatever the driver
            raises on the way is raised, too.
    """
    catalogue = Catalogue(connection)
    dialect, product = _identified(catalogue, dialect)
    scan = _SCANS.get(dialect)
    if scan is not None:
        return ScannedSchema(product, scan(catalogue))
    description = scan_standard(catalogue, dialect)
    if description is None and hasattr(connection, "getinfo"):  # pyodbc
        description = scan_odbc(catalogue, dialect)
    if description is None:
        raise SchemaScanError("neither this database nor its driver tells which tables there are")
    return ScannedSchema(product, description)


def _identified(catalogue: Catalogue, dialect: str) -> tuple[str, str]:
    """The dialect, and the product with its version."""
    for candidate, (product, question) in _QUESTIONS.items():
        if dialect in ("", candidate):
            rows = catalogue.rows_if_possible(question)
            if rows:
                return candidate, f"{product} {rows[0]['version']}"
    return dialect, "a database that does not tell its version"
