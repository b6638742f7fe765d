"""What an answer tells of the names of its values, and what looks like a secret among them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from wats_accel.errors import Problem
from wats_accel.secret_names import SecretNames
from wats_accel.shared.in_clear import InClear, names_in


@pytest.mark.parametrize(
    "answer", [None, 7, "password", b"x", [], [(1, "token")], ({1, 2}, [Decimal(1)], date(2026, 1, 1))]
)
def test_values_tell_no_names(answer: Any) -> None:
    assert names_in(answer) == set()


@pytest.mark.parametrize(
    "answer",
    [
        {"id": 1, "note": None},
        [{"id": 1}, {"note": 2}],
        ([(1, {"id": 1}, [{"note": {3}}])], "x"),
        {"id": {"note": 1}},
        {("x", 1): {"id": {7: {"note": 1}}}},
    ],
)
def test_dicts_tell_their_keys_at_any_depth(answer: Any) -> None:
    assert names_in(answer) == {"id", "note"}


@pytest.fixture
def sqlite() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:")
    connection.row_factory = sqlite3.Row
    yield connection
    connection.close()


def test_rows_of_sqlite_tell_their_columns(sqlite: sqlite3.Connection) -> None:
    rows = sqlite.execute("SELECT 1 AS id, 2 AS Con_Senha").fetchall()
    assert names_in(rows) == names_in({1: tuple(rows)}) == {"id", "Con_Senha"}


def test_rows_of_pyodbc_tell_their_columns_also_of_several_queries(odbc: Any, sqlite_odbc: Any) -> None:
    connection = odbc.connect(sqlite_odbc(":memory:"))
    one = connection.execute("SELECT 1 AS id, 2 AS note").fetchall()
    other = connection.execute("SELECT 1 AS Con_Senha").fetchone()
    assert names_in(one * 2) == {"id", "note"}
    assert names_in([*one, other, *one]) == {"id", "note", "Con_Senha"}
    connection.close()


def judge(method: str = "list") -> tuple[InClear, list[Problem]]:
    told: list[Problem] = []
    rules: Any = SimpleNamespace(namespace="users", method=method, target="app:Users.list")
    return InClear(rules, SecretNames(["senha", "Token"]), told.append), told


def test_one_secret_is_enough_and_told_once() -> None:
    known, told = judge()
    assert not known.holds_back([{"id": 1}], None)
    assert not known.is_over
    assert known.holds_back([{"id": 1, "USU_SENHA": "x"}], None)
    assert known.holds_back([{"api_token": 1}], None)
    assert known.is_over
    assert [str(problem.key_path) for problem in told] == ["('shared', 'namespaces')"]
    assert "USU_SENHA looks like a secret" in told[0].message


def test_columns_that_were_read_count_and_so_does_the_name_of_the_method() -> None:
    assert judge()[0].holds_back([(1, "x")], {"users": ("id", "senha")})
    assert not judge()[0].holds_back([(1, "x")], {"senhas": ("id", "*")})
    assert judge("get_token")[0].holds_back("x", None)
