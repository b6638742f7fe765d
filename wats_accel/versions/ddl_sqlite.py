"""The version table of SQLite: a row for each table, which its triggers give another number.

One transaction writes at a time, and commits data and number together. A number is drawn at random, not
counted: if a backup is restored and written to, no number comes again that anybody has seen with other
data.

The triggers only update a row. So they leave alone what an application can ask for:
``last_insert_rowid()``, ``changes()``, the count of rows of its statement. ``total_changes()`` counts what
triggers do; that is SQLite's. They fire for each row, as all of SQLite's do, and for what foreign keys
cascade.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from wats_accel.versions.dialects import Place
from wats_accel.versions.names import in_quotes, literal

_EVENTS: Final = ("insert", "update", "delete")


def create(place: Place, tables: Sequence[str]) -> Iterator[str]:
    """The statements that make the table, or bring it up to date; `tables` by their names alone."""
    yield "BEGIN IMMEDIATE"
    yield (
        f"CREATE TABLE IF NOT EXISTS {place.part()} (\n"
        "    table_name TEXT NOT NULL COLLATE NOCASE PRIMARY KEY,\n"
        "    number INTEGER NOT NULL,\n"
        "    trigger_name TEXT NOT NULL\n"
        ") WITHOUT ROWID"
    )
    for table in tables:
        yield from _triggers(place, table)
    yield f"DELETE FROM {place.part()}"
    rows = [("", ""), *((table, _trigger(place, table)) for table in tables)]
    values = ",\n".join(f"    ({literal(name)}, random(), {literal(trigger)})" for name, trigger in rows)
    yield f"INSERT INTO {place.part()} (table_name, number, trigger_name) VALUES\n{values}"
    yield f"DROP VIEW IF EXISTS {place.part('_now')}"
    yield _view(place)
    yield "COMMIT"


def drop(place: Place, tables: Sequence[str]) -> Iterator[str]:
    """The statements that take it all away again."""
    yield "BEGIN IMMEDIATE"
    for table in tables:
        for event in _EVENTS:
            yield f"DROP TRIGGER IF EXISTS {in_quotes(f'{_trigger(place, table)} {event}')}"
    yield f"DROP VIEW IF EXISTS {place.part('_now')}"
    yield f"DROP TABLE IF EXISTS {place.part()}"
    yield "COMMIT"


def _trigger(place: Place, table: str) -> str:
    return f"{place.name} {table}"


def _triggers(place: Place, table: str) -> Iterator[str]:
    for event in _EVENTS:
        name = in_quotes(f"{_trigger(place, table)} {event}")
        yield f"DROP TRIGGER IF EXISTS {name}"
        yield (
            f"CREATE TRIGGER {name} AFTER {event.upper()} ON {in_quotes(table)} BEGIN\n"
            f"    UPDATE {place.part()} SET number = random() WHERE table_name = {literal(table)};\n"
            "END"
        )


def _view(place: Place) -> str:
    """A table whose triggers are gone, with the table itself, say, has no number."""
    of_table = "t.type = 'trigger' AND t.tbl_name = w.table_name COLLATE NOCASE"
    names = ", ".join(f"w.trigger_name || ' {event}'" for event in _EVENTS)
    return (
        f"CREATE VIEW {place.part('_now')} AS\n"
        "SELECT w.table_name AS table_name,\n"
        "    CASE WHEN w.table_name = '' OR (\n"
        "        SELECT count(*) FROM sqlite_master AS t\n"
        f"        WHERE {of_table}\n"
        f"            AND t.name IN ({names})\n"
        f"    ) = {len(_EVENTS)} THEN w.number END AS number,\n"
        "    0 AS pending\n"
        f"FROM {place.part()} AS w"
    )
