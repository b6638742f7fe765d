"""DDL: the script that makes a version table with its triggers, or takes them away again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, Literal

from wats_accel.errors import AccelError, shown
from wats_accel.records import record
from wats_accel.versions import ddl_postgresql, ddl_sqlite, ddl_sqlserver
from wats_accel.versions.dialects import DEFAULT_NAME, Dialect, Place
from wats_accel.versions.names import Part, TableNameError, key, written_parts

Method = Literal["triggers", "change-tracking"]

_NAMES: Final = {
    "sqlite": "SQLite",
    "postgresql": "PostgreSQL 13 or newer",
    "sqlserver": "SQL Server 2016 SP1 or newer",
}
_ABOUT: Final = {
    "triggers": "Triggers that note which tables are written to, in the table {table}.",
    "change-tracking": "Change Tracking, which tells which tables have been written to.",
}
_OUTPUT_NOTE: Final = """\
-- Read this first: on a table with a trigger, SQL Server refuses INSERT, UPDATE, DELETE and MERGE with OUTPUT
-- but without INTO. If the application has such statements, use Change Tracking (--by change-tracking).
"""
_TRACKING_NOTE: Final = """\
-- Each table needs a primary key. Whoever asks needs SELECT on each table, and VIEW CHANGE TRACKING. As that
-- shows the keys of rows that are gone, this script grants it to nobody. For all tables of a schema:
--     GRANT VIEW CHANGE TRACKING ON SCHEMA::dbo TO the_user_who_asks
"""


class DdlError(AccelError):
    """There is no script for what was asked."""


@record(frozen=True, slots=True)
class Script:
    """A script, statement by statement.

    Attributes:
        dialect: whom it is for.
        comment: what it is, in lines that are comments.
        statements: in their order. On SQL Server each is a batch of its own.
    """

    dialect: Dialect
    comment: str
    statements: tuple[str, ...]

    def __str__(self) -> str:
        """For the database's own command line: sqlite3, psql, sqlcmd."""
        end = "\nGO" if self.dialect == "sqlserver" else ";"
        return self.comment + "".join(f"\n{statement}{end}\n" for statement in self.statements)


def script(
    dialect: Dialect,
    tables: Iterable[str],
    *,
    name: str = DEFAULT_NAME,
    method: Method = "triggers",
    drop: bool = False,
) -> Script:
    """The script for these tables. It may be run again, also with other tables: then only these count.

    Each run begins a new epoch: whoever asks is told that everything may have changed.

    Args:
        dialect: of the database.
        tables: to be watched, by name, with a schema or without. What is in quotes or brackets is taken as
            it is.
        name: of the version table.
        method: triggers, or what SQL Server has of its own.
        drop: take everything away instead.

    Raises:
        TableNameError: a name cannot be read, or be one of a table there.
        DdlError: there are no tables, or no such method there.
    """
    if method == "change-tracking" and dialect != "sqlserver":
        raise DdlError("Change Tracking is a part of SQL Server: other databases have triggers only")
    place = Place.of(dialect, name)
    wanted = tuple(_distinct(dialect, tables, own=place.name))
    if not wanted and not drop:
        raise DdlError("there are no tables to be watched")
    if method == "change-tracking":
        statements = ddl_sqlserver.untrack(wanted) if drop else ddl_sqlserver.track(wanted)
    else:
        statements = _of_triggers(place, wanted, drop=drop)
    return Script(dialect, _comment(place, wanted, method, drop=drop), tuple(statements))


def _of_triggers(place: Place, tables: Sequence[tuple[Part, ...]], *, drop: bool) -> Iterator[str]:
    if place.dialect == "sqlite":
        names = [table[-1].text for table in tables]
        return ddl_sqlite.drop(place, names) if drop else ddl_sqlite.create(place, names)
    if place.dialect == "postgresql":
        return ddl_postgresql.drop(place) if drop else ddl_postgresql.create(place, tables)
    return ddl_sqlserver.drop(place, tables) if drop else ddl_sqlserver.create(place, tables)


def _distinct(dialect: Dialect, tables: Iterable[str], *, own: str) -> Iterator[tuple[Part, ...]]:
    """Each table once; the version table itself is none of them."""
    seen: set[tuple[str, ...]] = set()
    for table in tables:
        parts = written_parts(table)
        if dialect == "sqlite" and len(parts) > 1:
            if parts[0].text.casefold() != "main":
                raise TableNameError(
                    f"{shown(table)!r}: a trigger of SQLite watches tables of its own file only"
                )
            parts = parts[1:]
        known = tuple(part.text if part.exact else part.text.casefold() for part in parts)
        if known not in seen and key(table) != own.casefold():
            seen.add(known)
            yield parts


def _comment(place: Place, tables: Sequence[tuple[Part, ...]], method: Method, *, drop: bool) -> str:
    about = _ABOUT[method].format(table=place.part())
    first = f"-- {'Takes away: ' if drop else ''}{about}\n"
    note = _TRACKING_NOTE if method == "change-tracking" else _OUTPUT_NOTE
    note = note if place.dialect == "sqlserver" and not drop else ""
    return (
        f"{first}-- For {_NAMES[place.dialect]}. Written by `wats-accel freshness-ddl`; may be run again.\n"
        f"-- Tables: {len(tables)}.\n{note}"
    )
