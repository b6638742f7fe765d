"""Random views in views, and queries of them: whatever SQLite's authoriser is asked for is told."""

from __future__ import annotations

import sqlite3
from contextlib import closing

from hypothesis import given, settings
from hypothesis import strategies as st

from wats_accel.sql.access import ANY
from wats_accel.sql.schema_building import schema_of
from wats_accel.sql.schema_scan import scan_schema
from wats_accel.sql.statement import facts_of

TABLES = ("t0", "t1", "t2")
COLUMNS = ("a", "b", "c")
FORMS = (
    "SELECT {x}.a, {y}.b, {x}.c FROM {x} JOIN {y} ON {x}.a = {y}.c",
    "SELECT a, b, c FROM {x} WHERE b IN (SELECT c FROM {y})",
    "SELECT * FROM {x}",
    "SELECT a, count(*) AS b, max(c) AS c FROM {x} GROUP BY a",
    "SELECT a, b, c FROM {x} UNION SELECT c, b, a FROM {y}",
    "WITH q AS (SELECT a AS b, b AS a, c FROM {y}) SELECT a, b, c FROM q WHERE EXISTS (SELECT 1 FROM {x})",
    "SELECT p.a AS b, p.b AS a, (SELECT min(c) FROM {y} AS z WHERE z.a = p.a) AS c FROM {x} AS p",
    "SELECT {x}.*, 1 AS d FROM {x} LEFT JOIN {y} AS o USING (a) ORDER BY o.b",
)


@st.composite
def views(draw: st.DrawFn) -> list[str]:
    """SELECTs: each of the tables and of the views before it; the last one is the query."""
    known = list(TABLES)
    made: list[str] = []
    for number in range(draw(st.integers(1, 5))):
        x, y = draw(st.lists(st.sampled_from(known), min_size=2, max_size=2, unique=True))
        made.append(draw(st.sampled_from(FORMS)).format(x=x, y=y))
        known.append(f"v{number}")
    return made


def asked_for(connection: sqlite3.Connection, query: str) -> set[tuple[str, str]]:
    """The tables and columns that the authoriser is asked for."""
    reads: set[tuple[str, str]] = set()

    def authorise(action: int, table: str | None, column: str | None, *_: object) -> int:
        if action == sqlite3.SQLITE_READ and table in TABLES:
            reads.add((str(table), str(column)))
        return sqlite3.SQLITE_OK

    connection.set_authorizer(authorise)
    connection.execute(query)
    connection.set_authorizer(lambda *_: sqlite3.SQLITE_OK)  # None is refused before Python 3.11
    return reads


@settings(max_examples=200, deadline=None)
@given(views())
def test_whatever_a_query_of_views_reads_is_told(selects: list[str]) -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        for table in TABLES:
            connection.execute(f"CREATE TABLE {table} ({', '.join(COLUMNS)})")
        for number, select in enumerate(selects[:-1]):
            connection.execute(f"CREATE VIEW v{number} AS {select}")
        schema = schema_of([scan_schema(connection).description])
        really = asked_for(connection, selects[-1])
    told = schema.effect(facts_of(selects[-1], "sqlite", schema.columns), strict=True).reads
    assert not told.unknown
    for table, column in really:
        known = told.access.columns(table)
        assert table in told.access
        assert not column or column in known or ANY in known, (table, column, selects)
