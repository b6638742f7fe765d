"""Connections from the pool against those of other pools; statements through what stands before a cursor."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from dbutils.pooled_db import PooledDB
from interleaved import Run, loop, side_by_side
from measured_application import WATS, in_production
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.pool import QueuePool
from tables import QUERY, create

BARE = "the driver's own"
SQLALCHEMY, DBUTILS = "SQLAlchemy (QueuePool)", "DBUtils (PooledDB)"
SQLALCHEMY_ASKS = "SQLAlchemy (QueuePool, pre_ping)"
CHECKOUTS = (WATS, SQLALCHEMY, DBUTILS, BARE)
ASKED = (WATS, SQLALCHEMY_ASKS, BARE)
WHOLES = (WATS, SQLALCHEMY, SQLALCHEMY_ASKS, DBUTILS, BARE)
STATEMENTS = (WATS, BARE)
DATABASES = ("SQLite", "SQLite over ODBC", "PostgreSQL over ODBC")
_CHECKOUT = "connection = connect(); cursor = connection.cursor(); cursor.close(); connection.close()"
_QUERY = "cursor.execute(query).fetchall()"
_WHOLE = (
    "connection = connect(); cursor = connection.cursor(); cursor.execute(query); "
    "rows = cursor.fetchall(); cursor.close(); connection.close()"
)
_CONFIGURATION = """
version: 1
logging: {{format: text, summary_every: 5m}}
pool:
  - {{connect: "sqlite3:connect", size: 5, max_overflow: 10, pre_ping: {0}}}
  - {{connect: "pyodbc:connect", size: 5, max_overflow: 10, pre_ping: {0}}}
"""
NOT_ASKED, ASKED_EACH_TIME = "30s", "always"
"""Whether a connection has to answer before it is lent: others have that, too, or have it not."""


@pytest.fixture(scope="module", params=DATABASES)
def database(request: Any, odbc: Any, tmp_path_factory: Any) -> Iterator[tuple[str, Any, str]]:
    """Its name, its driver, and what `connect` is given."""
    if request.param == "SQLite":
        module, text = sqlite3, str(tmp_path_factory.mktemp("bare") / "measured.db")
    else:
        fixture = "sqlite_odbc" if request.param == "SQLite over ODBC" else "postgresql"
        module, text = odbc, request.getfixturevalue(fixture)
    create(lambda: module.connect(text))
    yield request.param, module, text
    with contextlib.closing(module.connect(text)) as connection:
        connection.cursor().execute("DROP TABLE measured")
        connection.commit()


@contextlib.contextmanager
def _connects(module: Any, text: str) -> Iterator[dict[str, Callable[[], Any]]]:
    """How each gives a connection. Those of the others are made before the driver is patched."""
    bare = module.connect
    options = {"check_same_thread": False} if module is sqlite3 else {}
    dialect = DefaultDialect()
    dialect.dbapi = module  # a pool by itself has none, and asks nobody without one
    alchemy, asking = (
        QueuePool(lambda: bare(text, **options), pool_size=5, max_overflow=10, **extra)
        for extra in ({}, {"pre_ping": True, "dialect": dialect})
    )
    unpatched = SimpleNamespace(**vars(module))
    dbutils = PooledDB(unpatched, 0, 5, 0, 15, True, None, None, True, None, 1, None, text, **options)
    try:
        yield {
            WATS: lambda: module.connect(text),
            SQLALCHEMY: alchemy.connect,
            SQLALCHEMY_ASKS: asking.connect,
            DBUTILS: dbutils.connection,
            BARE: lambda: bare(text),
        }
    finally:
        alchemy.dispose()
        asking.dispose()
        dbutils.close()


def _loops(statement: str, connects: dict[str, Callable[[], Any]], whose: tuple[str, ...]) -> dict[str, Run]:
    return {who: loop(statement, connect=connects[who], query=QUERY) for who in whose}


def _statements(connects: dict[str, Callable[[], Any]]) -> dict[str, list[float]]:
    with contextlib.ExitStack() as stack:
        opened = {who: stack.enter_context(contextlib.closing(connects[who]())) for who in STATEMENTS}
        runs = {
            who: loop(_QUERY, cursor=connection.cursor(), query=QUERY) for who, connection in opened.items()
        }
        return side_by_side(runs, rounds=300, seconds=0.003)


@pytest.fixture(scope="module")
def measured(database: Any, tmp_path_factory: Any) -> dict[str, dict[str, list[float]]]:
    """For each kind of use the seconds of each."""
    _, module, text = database
    folder, found = Path(tmp_path_factory.mktemp("pool")), {}
    with _connects(module, text) as connects:
        with in_production(folder, _CONFIGURATION.format(NOT_ASKED)):
            found["checkout"] = side_by_side(_loops(_CHECKOUT, connects, CHECKOUTS))
            found["statements"] = _statements(connects)
        with in_production(folder, _CONFIGURATION.format(ASKED_EACH_TIME)):
            found["asked"] = side_by_side(_loops(_CHECKOUT, connects, ASKED))
            found["whole"] = side_by_side(_loops(_WHOLE, connects, WHOLES), rounds=60)
    return found


@pytest.mark.parametrize("who", CHECKOUTS)
def bench_checkout(report: Any, database: Any, measured: Any, who: str) -> None:
    report(f"pool: connect, cursor, close; {database[0]}", who, measured["checkout"][who])


@pytest.mark.parametrize("who", ASKED)
def bench_checkout_asked(report: Any, database: Any, measured: Any, who: str) -> None:
    report(f"pool: connect, cursor, close, asked each time; {database[0]}", who, measured["asked"][who])


@pytest.mark.parametrize("who", STATEMENTS)
def bench_statements(report: Any, database: Any, measured: Any, who: str) -> None:
    report(f"pool: execute, fetchall; {database[0]}", who, measured["statements"][who])


@pytest.mark.parametrize("who", WHOLES)
def bench_whole(report: Any, database: Any, measured: Any, who: str) -> None:
    report(f"pool: connect, query, close; {database[0]}", who, measured["whole"][who])
