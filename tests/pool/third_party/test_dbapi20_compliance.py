"""The compliance suite of the DB-API 2.0 ends over the pooled driver as it does over the bare one."""

from __future__ import annotations

import gc
import unittest
from typing import Any

import dbapi20
import pytest
from backends import BACKENDS, POSTGRESQL, SQLITE3, Driver

from wats_accel.testing import accelerated

PASSING_BARE = 24
"""At least so many of the suite's 36 tests: else a comparison would not say much."""


class Visited:
    """A driver's module whose pooled `connect` others have used just before, each time.

    Attributes:
        connections: how many the suite has got.
    """

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self.connections = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._driver.module, name)

    def connect(self, database: str) -> Any:
        """A connection, after three neighbours have come and gone."""
        for leave in (_leave_a_session, _leave_settings, _leave_tables):
            leave(self._driver, self._driver.module.connect(database))
        self.connections += 1
        return self._driver.module.connect(database)


def _leave_a_session(driver: Driver, connection: Any) -> None:
    on_postgresql = driver.backend == POSTGRESQL
    connection.execute("SET search_path TO nowhere" if on_postgresql else "PRAGMA query_only = ON")
    connection.commit()


def _leave_settings(driver: Driver, connection: Any) -> None:
    if driver.is_odbc:
        connection.autocommit = True
        connection.maxwrite = 300
    else:
        connection.isolation_level = None
        connection.row_factory = driver.module.Row


def _leave_tables(driver: Driver, connection: Any) -> None:
    if driver.backend == SQLITE3:
        connection.execute("BEGIN IMMEDIATE")
    cursor = connection.cursor()
    for name in ("booze", "barflys"):
        cursor.execute(f"CREATE TABLE IF NOT EXISTS dbapi20test_{name} (of_the_neighbour INTEGER)")
    connection.close()


def _test_nextset(case: Any) -> None:
    """Of the tests that are left to each driver, the one that may tell something."""
    connection = case._connect()
    try:
        cursor = connection.cursor()
        if hasattr(cursor, "nextset"):
            cursor.execute("SELECT 1; SELECT 2")
            told = [tuple(cursor.fetchone()), cursor.nextset(), tuple(cursor.fetchone()), cursor.nextset()]
            assert told == [(1,), True, (2,), False]
    finally:
        connection.close()


def outcomes(driver: Driver, module: Any) -> dict[str, str]:
    """How each test of the suite ends: "passed", or the words of what went wrong."""
    own = {"driver": module, "connect_args": (driver.database,), "test_nextset": _test_nextset}
    case = type("Compliance", (dbapi20.DatabaseAPI20Test,), own)
    return {name: _outcome(case(name)) for name in unittest.defaultTestLoader.getTestCaseNames(case)}


def _outcome(test: unittest.TestCase) -> str:
    result = unittest.TestResult()
    test.run(result)
    wrong = [text for _, text in (*result.failures, *result.errors)]
    return wrong[0].strip().splitlines()[-1] if wrong else "passed"


@pytest.mark.parametrize("driver", [(backend, "bare") for backend in BACKENDS], ids=BACKENDS, indirect=True)
def test_every_test_ends_pooled_as_it_ends_bare(driver: Driver) -> None:
    bare = outcomes(driver, driver.module)
    visited = Visited(driver)
    target = f"{driver.module.__name__}:connect"
    with accelerated({"version": 1, "pool": [{"connect": target}]}) as accelerator:
        pooled = outcomes(driver, visited)
        gc.collect()
        pool = accelerator.stats().pools[target]
    assert pooled == bare
    assert list(bare.values()).count("passed") >= PASSING_BARE
    # Of the neighbours' connections and the suite's own, each but the first of the former three.
    assert pool.reused >= 3 * visited.connections - 3
    assert pool.checked_out == 0
