"""The fixture `driver` of the behaviour suite: every back end, bare and pooled."""

from __future__ import annotations

import gc
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import backends
import pool_bench
import pytest
from backends import POSTGRESQL, SQLITE3, Driver

_LOCK_TIMEOUT = ";Timeout=2000"
"""In milliseconds: who waits for his own lock should not do so for the driver's 100 seconds."""
_CLEAR = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid();
DROP SCHEMA public CASCADE; CREATE SCHEMA public
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Dropping a connection that is open is what these tests are about; newer Pythons warn of it."""
    for item in items:
        if {"driver", "bench"} & {*getattr(item, "fixturenames", ())}:
            item.add_marker(pytest.mark.filterwarnings("ignore:unclosed database:ResourceWarning"))


@pytest.fixture(scope="module", autouse=True)
def _quick_collections() -> Iterator[None]:
    """What these tests have the garbage collector look at is their own garbage, not all there is."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture(params=backends.cases())
def driver(request: pytest.FixtureRequest, tmp_path: Path, pool_rules: dict[str, Any]) -> Iterator[Driver]:
    """A driver and a database of two tables. When it is pooled, a neighbour has been there before."""
    backend, mode = request.param
    made = _make(request, backend, tmp_path)
    try:
        if mode == "bare":
            yield made
        else:
            seen = {"enabled": False, "invalidation": "sql"} if mode == "seen" else {}
            yield from _pooled(made, pool_rules | seen)
    finally:
        made.close_outside()


@pytest.fixture
def pool_rules() -> dict[str, Any]:
    """How the pool is configured; for tests to override."""
    return {}


def _pooled(driver: Driver, rules: dict[str, Any]) -> Iterator[Driver]:
    with backends.pooled(driver, **rules):
        yield driver
        gc.collect()
        assert driver.stats.checked_out == 0


def _make(request: pytest.FixtureRequest, backend: str, folder: Path) -> Driver:
    if backend == POSTGRESQL:
        module, text = request.getfixturevalue("odbc"), request.getfixturevalue("postgresql").odbc()
        backends.create_tables(_emptied(module, text))
        return Driver(backend, module, text)
    file = folder / "suite.db"
    shutil.copyfile(request.getfixturevalue("sqlite_tables"), file)
    if backend == SQLITE3:
        return Driver(backend, sqlite3, str(file))
    module, in_file = (request.getfixturevalue(name) for name in ("odbc", "sqlite_odbc"))
    return Driver(backend, module, in_file(file) + _LOCK_TIMEOUT)


@pytest.fixture(scope="session")
def sqlite_tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with the tables, to be copied: that is quicker than to write them safely to a disk."""
    file = tmp_path_factory.mktemp("tables") / "tables.db"
    backends.create_tables(sqlite3.connect(file))
    return file


@pytest.fixture
def empty_postgresql_database(odbc: Any, postgresql: Any) -> str:
    """The ODBC string of a database that has nothing in it, nor anybody; one for all tests, made empty."""
    text: str = postgresql.odbc()
    _emptied(odbc, text).close()
    return text


def _emptied(odbc: Any, text: str) -> Any:
    """A connection to a database that has nothing in it, nor anybody else."""
    connection = odbc.connect(text, autocommit=True)
    connection.execute(_CLEAR)
    return connection


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Callable[..., pool_bench.Bench]]:
    """Makes a `connect` pooled, with these rules: sqlite3's, on a file, unless told otherwise."""
    with ExitStack() as stack:

        def make(module: Any = sqlite3, database: Any = None, **rules: Any) -> pool_bench.Bench:
            place = str(tmp_path / "bench.db") if database is None else database
            return stack.enter_context(pool_bench.benched(module, place, **rules))

        yield make
