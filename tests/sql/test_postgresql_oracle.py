"""Statements drawn at random, which PostgreSQL plans: the analysis tells all that they touch.

Asked twice: what its plan names, and what a role is refused that may do no more than the analysis tells.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from postgresql_oracle import PostgresqlOracle, RefusedError
from statement_words import POSTGRES, Relation, schemas
from truth import narrower, with_excluded
from write_strategies import Text, texts

from wats_accel.sql.access import ANY_COLUMN, NO_COLUMN, access, name_of
from wats_accel.sql.facts import Facts, Write
from wats_accel.sql.statement import facts_of

WHOLE, SHARE = 5_000, 200
_SCHEMAS = [
    (Relation("clients", ("id", "total")), Relation("orders", ("id", "total", "qty"))),
    *schemas(6, 15),
]


@pytest.fixture(scope="module")
def oracle(odbc: Any, postgresql: Any) -> Iterator[PostgresqlOracle]:
    connection = odbc.connect(postgresql.odbc())
    made = PostgresqlOracle(connection, _SCHEMAS)
    yield made
    made.close()


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_what_postgresql_touches_is_told(oracle: PostgresqlOracle, soak: bool) -> None:
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
        place, text = data.draw(texts(_SCHEMAS, POSTGRES))
        try:
            truth = oracle.truth(place, text)
        except RefusedError:
            refused += 1
            return
        taken += 1
        columns = {name_of(table.name): frozenset(map(name_of, table.columns)) for table in _SCHEMAS[place]}
        for known in (None, columns):
            facts = with_excluded(facts_of(text.sql, "postgres", known), text.sql)
            missing = narrower(facts, truth)
            assert not missing, f"{text.sql}\n{missing}"
            denied = oracle.denied(place, text, facts)
            assert denied is None, f"{text.sql}\n{denied}\n{facts}"

    asked()
    assert refused < taken / 2, "or little was asked"


@pytest.mark.parametrize(
    ("statement", "facts"),
    [
        pytest.param("SELECT qty FROM orders", Facts(reads=access({"orders": ["id"]})), id="a column"),
        pytest.param("SELECT count(*) FROM orders", Facts(), id="rows"),
        pytest.param(
            "SELECT c.id FROM clients c LEFT JOIN (SELECT DISTINCT id FROM orders) o USING (id)",
            Facts(reads=access({"clients": ["id"]})),
            id="a join that the planner leaves out",
        ),
        pytest.param(
            "UPDATE orders SET qty = 1, total = 2",
            Facts(writes=(Write("orders", "update", frozenset({"qty"})),)),
            id="a column set",
        ),
        pytest.param(
            "DELETE FROM orders", Facts(writes=(Write("orders", "insert", ANY_COLUMN),)), id="an event"
        ),
    ],
)
def test_who_tells_less_is_refused(oracle: PostgresqlOracle, statement: str, facts: Facts) -> None:
    assert "permission denied" in str(oracle.denied(0, Text(statement, (statement,)), facts))


@pytest.mark.parametrize(
    ("statement", "facts"),
    [
        pytest.param("SELECT qty FROM orders", Facts(reads=access({"orders": ["qty"]})), id="a column"),
        pytest.param("SELECT count(*) FROM orders", Facts(reads=access({"orders": NO_COLUMN})), id="rows"),
        pytest.param(
            "UPDATE orders SET qty = 1",
            Facts(writes=(Write("orders", "update", frozenset({"qty"})),)),
            id="set",
        ),
    ],
)
def test_who_tells_enough_is_not_refused(oracle: PostgresqlOracle, statement: str, facts: Facts) -> None:
    assert oracle.denied(0, Text(statement, (statement,)), facts) is None


def test_a_plan_names_what_is_used_and_no_more(oracle: PostgresqlOracle) -> None:
    sql = "SELECT count(o.qty) FROM orders o JOIN clients c ON c.id = o.id WHERE c.total > 1"
    assert str(oracle.truth(0, Text(sql, (sql,))).reads) == "clients(id, total), orders(id, qty)"
