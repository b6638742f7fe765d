"""Hits of 200 rows of 12 columns as pyodbc gives them, and the query that they save."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import pytest
from interleaved import loop, side_by_side
from measured_application import WATS, ByDatabase, never
from rivals import CACHEBOX, CACHEBOX_DEEP, DOGPILE_PICKLE, LRU_CACHE, repository_of
from tables import QUERY, ROWS, create

THE_QUERY = "the query itself"
PEERS = (WATS, THE_QUERY, LRU_CACHE, CACHEBOX, CACHEBOX_DEEP, DOGPILE_PICKLE)


def measured(connect: Callable[[], Any]) -> dict[str, list[float]]:
    """The query runs on a connection that is open: the least that it can cost."""
    create(connect)
    with contextlib.closing(connect()) as connection:
        cursor = connection.cursor()

        def rows(name: str) -> Any:
            return cursor.execute(QUERY).fetchall()

        assert len(rows("ann")) == ROWS
        assert type(rows("ann")[0]).__name__ == "Row"
        runs = {THE_QUERY: loop("cursor.execute(query).fetchall()", cursor=cursor, query=QUERY)}
        for peer in PEERS:
            if peer != THE_QUERY:
                repository = ByDatabase(rows) if peer == WATS else repository_of(peer, rows)
                runs[peer] = loop("repository.get(name)", repository=repository, name="ann")
                runs[peer](2)
                repository.answer = never
        return side_by_side(runs)


@pytest.fixture(scope="module")
def on_sqlite(accelerator: Any, odbc: Any, sqlite_odbc: str) -> dict[str, list[float]]:
    return measured(lambda: odbc.connect(sqlite_odbc))


@pytest.fixture(scope="module")
def on_postgresql(accelerator: Any, odbc: Any, postgresql: str) -> dict[str, list[float]]:
    return measured(lambda: odbc.connect(postgresql))


@pytest.mark.parametrize("peer", PEERS)
def bench_rows_of_sqlite(report: Any, on_sqlite: Any, peer: str) -> None:
    report("hit: 200 rows of pyodbc, SQLite", peer, on_sqlite[peer])


@pytest.mark.parametrize("peer", PEERS)
def bench_rows_of_postgresql(report: Any, on_postgresql: Any, peer: str) -> None:
    report("hit: 200 rows of pyodbc, PostgreSQL", peer, on_postgresql[peer])
