"""sqlite3's attribute `autocommit`, where CPython's suite on 3.12 found a transaction of the last user."""

from __future__ import annotations

import sqlite3
from typing import Any

import pytest
from backends import SQLITE3, Driver, on

LEGACY = getattr(sqlite3, "LEGACY_TRANSACTION_CONTROL", None)
MODES = [LEGACY, True, False]
INSERT = "INSERT INTO person VALUES (6, 'Zoe')"

pytestmark = [
    pytest.mark.skipif(LEGACY is None, reason="new in Python 3.12"),
    on(SQLITE3, modes=("pooled",)),
]


def leave_work(driver: Driver, mode: Any, later: Any, work: str = INSERT) -> None:
    """Somebody connects in one mode, changes to another, and drops a transaction."""
    connection = driver.connect(autocommit=mode)
    connection.autocommit = later
    if not connection.in_transaction:
        connection.execute("BEGIN IMMEDIATE")
    connection.execute(work)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("later", MODES)
def test_work_that_was_dropped_is_lost_in_any_mode(driver: Driver, mode: Any, later: Any) -> None:
    leave_work(driver, mode, later)
    driver.connect(autocommit=mode).commit()
    assert driver.rows("SELECT id FROM person WHERE id = 6") == []


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("later", MODES)
@pytest.mark.parametrize("work", [INSERT, "SELECT 1"], ids=["wrote", "read"])
def test_the_next_user_begins_as_with_a_new_connection(
    driver: Driver, mode: Any, later: Any, work: str
) -> None:
    leave_work(driver, mode, later, work)
    reused = driver.stats.reused

    def look(connection: Any) -> object:
        seen = [connection.autocommit, connection.in_transaction]
        connection.execute("INSERT INTO neighbour VALUES ('x')")
        seen.append(connection.in_transaction)
        connection.rollback()
        return *seen, connection.in_transaction

    pooled, bare = driver.connect(autocommit=mode), driver.other_connection(autocommit=mode)
    assert look(pooled) == look(bare)
    assert driver.stats.reused == reused + 1
