"""Statements drawn at random, which SQLite executes: the analysis tells all that its authoriser was told."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlite_oracle import RefusedError, SqliteOracle
from statement_words import SQLITE, schemas
from truth import Truth, narrower, with_excluded
from write_strategies import Text, texts

from wats_accel.sql.access import name_of
from wats_accel.sql.statement import facts_of

WHOLE, SHARE = 20_000, 500
_SCHEMAS = schemas(seed=5, number=40)


@pytest.fixture(scope="module")
def oracles() -> Iterator[list[SqliteOracle]]:
    made = [SqliteOracle(tables) for tables in _SCHEMAS]
    yield made
    for oracle in made:
        oracle.close()


def _truth(oracle: SqliteOracle, text: Text) -> Truth:
    known = Truth()
    for statement in text.statements:
        known |= oracle.truth(statement)
    return known


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.skipif(sqlite3.sqlite_version_info < (3, 39), reason="SQLite 3.39 is the first with FULL JOIN")
def test_what_sqlite_touches_is_told(oracles: list[SqliteOracle], soak: bool) -> None:
    """With the tables' columns known, and without."""
    taken, refused = 0, 0

    @settings(
        max_examples=WHOLE if soak else SHARE,
        derandomize=not soak,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.data())
    def asked(data: st.DataObject) -> None:
        nonlocal taken, refused
        place, text = data.draw(texts(_SCHEMAS, SQLITE))
        try:
            truth = _truth(oracles[place], text)
        except RefusedError:
            refused += 1
            return
        taken += 1
        columns = {name_of(table.name): frozenset(map(name_of, table.columns)) for table in _SCHEMAS[place]}
        for known in (None, columns):
            missing = narrower(with_excluded(facts_of(text.sql, "sqlite", known), text.sql), truth)
            assert not missing, f"{text.sql}\n{missing}"

    asked()
    assert refused < taken / 4, "or little was asked"


@pytest.mark.parametrize(
    ("statement", "reads", "writes"),
    [
        pytest.param("SELECT count(*) FROM clients", "clients()", [], id="rows-only"),
        pytest.param(
            "WITH clients AS (SELECT total FROM orders) SELECT total FROM clients",
            "orders(total)",
            [],
            id="cte",
        ),
        pytest.param("UPDATE orders SET total = qty", "orders(qty)", ["update orders total"], id="update"),
        pytest.param("DELETE FROM orders", "", ["delete orders *"], id="delete"),
    ],
)
def test_the_oracle_itself_tells_what_it_should(statement: str, reads: str, writes: list[str]) -> None:
    tables = schemas(seed=0, number=1)[0]
    names = ("clients", "orders")
    tables = tuple(type(tables[0])(name, ("id", "total", "qty")) for name in names)
    oracle = SqliteOracle(tables)
    try:
        truth = oracle.truth(statement)
    finally:
        oracle.close()
    assert str(truth.reads) == reads
    assert [f"{w.event} {w.table} {','.join(sorted(w.columns))}" for w in truth.writes] == writes
