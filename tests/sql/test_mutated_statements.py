"""Statements that are spoilt word by word, as far as a database takes them: the analysis misses nothing.

SQLite tells what it touches while it prepares a statement. PostgreSQL tells on which columns a function
depends whose body the statement is.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from itertools import chain
from random import Random
from typing import Any, Final

import pytest
from mutations import POSTGRES, POSTGRES_WORDS, SQLITE, SQLITE_WORDS, Mutations
from sqlite_oracle import RefusedError, SqliteOracle
from statement_words import Relation
from truth import Truth, hides, narrower, with_excluded

from wats_accel.sql.access import ANY, Access, access
from wats_accel.sql.facts import Facts
from wats_accel.sql.statement import facts_of

SQLITE_WHOLE, SQLITE_SHARE = 600_000, 20_000
POSTGRES_WHOLE, POSTGRES_SHARE = 300_000, 10_000
_TABLES: Final = (
    Relation("t", ("a", "b", "c", "d", "key", "value")),
    Relation("u", ("a", "d", "e", "f", "x", "y")),
    Relation("v", ("x", "y", "z", "a", "t", "u")),
    Relation("w", ("k", "a", "b", "name", "type")),
)
_READ: Final = re.compile(
    r"\s*(SELECT|WITH|VALUES|INSERT|REPLACE|UPDATE|DELETE|MERGE|TABLE)\b", re.IGNORECASE
)
_JOIN_IN_PARENTHESES: Final = re.compile(r"\( [^()]*(\bJOIN\b|,)", re.IGNORECASE)
"""SQLite makes a query of all its columns of it, though nobody asks for more than some of them."""


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.skipif(sqlite3.sqlite_version_info < (3, 39), reason="older ones do not know all of the words")
def test_what_sqlite_takes_all_the_same_is_told(soak: bool) -> None:
    oracle = SqliteOracle(_TABLES)
    oracle.also(
        "CREATE UNIQUE INDEX one ON w (a)", "CREATE INDEX ix ON t (a)", 'CREATE TABLE "left" (a, b, rank)'
    )
    mutations = Mutations(SQLITE, SQLITE_WORDS, Random(20))
    taken = 0
    number = SQLITE_WHOLE if soak else SQLITE_SHARE
    for sql in chain(mutations.seeds(), mutations.take(number)):
        if not _READ.match(sql) or _JOIN_IN_PARENTHESES.search(sql):
            continue
        try:
            truth = oracle.truth(f"EXPLAIN {sql}")
        except RefusedError:
            continue
        taken += 1
        mutations.keep(sql)
        missing = narrower(with_excluded(facts_of(sql, "sqlite"), sql), truth)
        assert not missing, f"{sql}\n{missing}"
    oracle.close()
    assert taken > number / 50, "or little was asked"


# -- PostgreSQL ------------------------------------------------------------------------------------------

_DEFINITIONS: Final = (
    *(
        f"CREATE TABLE {table.name} ({', '.join(f'{name} int' for name in table.columns)})"
        for table in _TABLES[:3]
    ),
    "CREATE TABLE w (k int PRIMARY KEY, a int UNIQUE, b int, name text, type text)",
    "CREATE TYPE pair AS (r1 int, r2 int)",
    "CREATE TABLE p (k int, name text, nota text, arr int[], j jsonb, j2 jsonb, ts timestamp, c pair)",
    "CREATE SCHEMA s",
    "CREATE TABLE s.t (a int, b int)",
)
_FUNCTION: Final = "CREATE OR REPLACE FUNCTION asked(int) RETURNS void LANGUAGE sql BEGIN ATOMIC {} ; END"
_DEPENDENCIES: Final = """
SELECT t.relname, a.attname
FROM pg_depend d
JOIN pg_class t ON t.oid = d.refobjid AND t.relkind = 'r'
LEFT JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = d.refobjsubid AND a.attnum > 0
WHERE d.classid = 'pg_proc'::regclass AND d.objid = 'asked(int)'::regprocedure
"""


@pytest.fixture(scope="module")
def cursor(odbc: Any, postgresql: Any) -> Iterator[Any]:
    connection = odbc.connect(postgresql.odbc(), autocommit=True)
    cursor = connection.cursor()
    cursor.execute("DROP DATABASE IF EXISTS mutated")
    cursor.execute("CREATE DATABASE mutated")
    own = odbc.connect(postgresql.odbc("mutated"), autocommit=True)
    try:
        if _version(own) < 14:
            pytest.skip("before version 14 PostgreSQL has no functions whose bodies it reads at once")
        for definition in _DEFINITIONS:
            own.execute(definition)
        yield own.cursor()
    finally:
        own.close()
        cursor.execute("DROP DATABASE mutated WITH (FORCE)")
        connection.close()


def _version(connection: Any) -> int:
    return int(connection.execute("SHOW server_version_num").fetchone()[0]) // 10_000


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_what_postgresql_takes_all_the_same_is_told(cursor: Any, odbc: Any, soak: bool) -> None:
    number = POSTGRES_WHOLE if soak else POSTGRES_SHARE
    mutations = Mutations(POSTGRES, POSTGRES_WORDS, Random(21))
    taken = 0
    for sql in chain(mutations.seeds(), mutations.take(number)):
        if not _READ.match(sql):
            continue
        try:
            cursor.execute(_FUNCTION.format(sql))
        except odbc.Error:
            continue
        taken += 1
        mutations.keep(sql)
        facts = facts_of(sql, "postgres")
        if not hides(facts, "reads"):
            missing = narrower(_touched(facts), Truth(_depends(cursor)))
            assert not missing, f"{sql}\n{missing}"
    assert taken > number / 50, "or little was asked"


def _depends(cursor: Any) -> Access:
    found: dict[str, set[str]] = {}
    for table, column in cursor.execute(_DEPENDENCIES).fetchall():
        found.setdefault(table, set()).update({column} - {None})
    return access(found)


def _touched(facts: Facts) -> Facts:
    """What is read, and the columns that are written, which PostgreSQL does not tell apart."""
    written = {write.table: {ANY} if write.event == "insert" else set() for write in facts.writes}
    for write in facts.writes:
        written[write.table] |= write.columns if write.event == "update" else set()
    return Facts(reads=facts.reads | access(written))
