"""Batches of T-SQL drawn at random, which SQLite executes in its own words: the analysis misses nothing."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlite_oracle import RefusedError, SqliteOracle
from statement_words import schemas
from truth import Truth, narrower
from tsql_batches import Batch, tsql_batches

from wats_accel.sql.access import name_of
from wats_accel.sql.statement import facts_of

WHOLE, SHARE = 20_000, 300
_SCHEMAS = schemas(seed=7, number=40)


@pytest.fixture(scope="module")
def oracles() -> Iterator[list[SqliteOracle]]:
    made = [SqliteOracle(tables) for tables in _SCHEMAS]
    yield made
    for oracle in made:
        oracle.close()


def _truth(oracle: SqliteOracle, batch: Batch) -> Truth:
    known = batch.besides
    for statement in batch.text.statements:
        known |= oracle.truth(statement)
    return known


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.skipif(sqlite3.sqlite_version_info < (3, 39), reason="SQLite 3.39 is the first with FULL JOIN")
def test_what_sqlite_touches_instead_is_told(oracles: list[SqliteOracle], soak: bool) -> None:
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
        place, batch = data.draw(tsql_batches(_SCHEMAS))
        try:
            truth = _truth(oracles[place], batch)
        except RefusedError:
            refused += 1
            return
        taken += 1
        columns = {name_of(table.name): frozenset(map(name_of, table.columns)) for table in _SCHEMAS[place]}
        for known in (None, columns):
            missing = narrower(facts_of(batch.text.sql, "tsql", known), truth)
            assert not missing, f"{batch.text.sql}\n{missing}"

    asked()
    assert refused < taken / 4, "or little was asked"
