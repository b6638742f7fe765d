"""What a text costs grows with its length and not faster, whatever is in it; calls are counted, not time."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest

from wats_accel.sql.facts import Facts
from wats_accel.sql.statement import facts_of

_SHAPES: dict[str, Callable[[int], str]] = {
    "a list of values": lambda n: f"SELECT a FROM t WHERE b IN ({', '.join(map(str, range(n)))})",
    "parentheses": lambda n: f"SELECT {'(' * n}a{')' * n} FROM t",
    "parentheses that stay open": lambda n: "SELECT " + "(" * n,
    "queries in queries": lambda n: "SELECT a FROM " + "(SELECT a FROM " * n + "t" + ") x" * n,
    "queries in conditions": lambda n: "SELECT b FROM t WHERE b IN " + "(SELECT b FROM t WHERE b IN " * n,
    "joins": lambda n: f"SELECT t0.x FROM t0 {' '.join(f'JOIN t{i} ON t{i}.a = t0.a' for i in range(1, n))}",
    "unions": lambda n: " UNION ALL ".join(f"SELECT a{i} FROM t" for i in range(n)),
    "a batch": lambda n: "\n".join(f"UPDATE t{i} SET a = 1 WHERE b = {i}" for i in range(n)),
    "rows": lambda n: f"INSERT INTO t VALUES {', '.join(f'({i}, ?)' for i in range(n))}",
    "ifs": lambda n: "IF 1 = 1 BEGIN " * n + "DELETE t" + " END" * n,
    "cases": lambda n: "SELECT " + "CASE WHEN a = 1 THEN " * n + "b" + " END" * n + " FROM t",
    "words": lambda n: "SELECT " * n,
    "tables after tables": lambda n: "SELECT a FROM " * n,
    "dots": lambda n: f"SELECT {'a.' * n}b FROM t",
    "conditions": lambda n: f"SELECT a FROM t WHERE {' AND '.join(f'x{i} = 1' for i in range(n))}",
    "CTEs, each over the last, twice": lambda n: (
        "WITH c0 AS (SELECT a FROM t)"
        + "".join(f", c{i} AS (SELECT x.a FROM c{i - 1} x, c{i - 1} y)" for i in range(1, n))
        + f" SELECT a FROM c{n - 1}"
    ),
    "quotes": lambda n: "SELECT '" + "a''" * n,
    "brackets": lambda n: "[" * n,
    "comments": lambda n: "/*" * n,
    "dollars": lambda n: "SELECT $" + "$a" * n,
    "braces": lambda n: "{call " * n,
}
_FEW, _MANY = 50, 200


def _calls(sql: str, dialect: str) -> int:
    """How many calls of functions it takes to read a text; none of it is remembered."""
    number = 0

    def count(frame: FrameType, event: str, argument: Any) -> None:
        nonlocal number
        number += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        facts_of(sql, dialect)
    finally:
        sys.setprofile(before)
    return number


@pytest.mark.parametrize("dialect", ["tsql", "postgres", "sqlite"])
@pytest.mark.parametrize("shape", _SHAPES)
def test_effort_grows_no_faster_than_the_text(shape: str, dialect: str) -> None:
    """Four times the text costs less than eight times the calls: with squares it would be sixteen."""
    make = _SHAPES[shape]
    facts_of("SELECT 1", dialect)  # what is imported late is imported now
    few, many = (_calls(f"{make(size)} ", dialect) for size in (_FEW, _MANY))
    assert many < 8 * max(few, 1_000)


def test_a_text_too_long_to_read_is_unknown_and_costs_nothing() -> None:
    sql = f"SELECT a FROM t WHERE b IN ({', '.join(map(str, range(200_000)))})"
    facts = facts_of(sql, "tsql")
    assert {unknown.hides for unknown in facts.unknowns} == {"both"}
    assert _calls(f"{sql} ", "tsql") < 1_000


@pytest.mark.parametrize("shape", _SHAPES)
def test_no_depth_is_too_deep(shape: str) -> None:
    assert isinstance(facts_of(_SHAPES[shape](2_000), "tsql"), Facts)
