"""A Control-C at any line of the pool, while a call of the driver is settled, leaves no old answer behind."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable
from typing import Any

import pytest
from line_interrupts import Interrupter
from old_answers import rows

from wats_accel import transactions
from wats_accel.pool import connections, observing, outlasting, proxies, uncommitted

MODULES = (proxies, uncommitted, connections, outlasting, observing, transactions)
RENAME = "UPDATE item SET name = name || '!'"


def at_once(connection: Any) -> None:
    """It commits by itself."""
    connection.execute(RENAME)


def returning(connection: Any) -> None:
    """It commits when its rows are fetched."""
    connection.execute(f"{RENAME} RETURNING id").fetchall()


def by_method(connection: Any) -> None:
    """A transaction of the driver's."""
    connection.isolation_level = "DEFERRED"
    connection.execute(RENAME)
    connection.commit()


def by_text(connection: Any) -> None:
    """A transaction in SQL."""
    connection.execute("BEGIN")
    connection.execute(RENAME)
    connection.execute("COMMIT")


def by_attribute(connection: Any) -> None:
    """A transaction that an attribute commits."""
    connection.isolation_level = "DEFERRED"
    connection.execute(RENAME)
    connection.isolation_level = None


# One that strikes in a finalizer is dropped there by Python, which says so.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.soak
@pytest.mark.parametrize("action", [at_once, returning, by_method, by_text, by_attribute])
def test_an_interrupt_at_any_line_leaves_no_old_answer(
    accelerate: Any, shop: Any, action: Callable[[Any], None], soak: bool
) -> None:
    def is_old() -> bool:
        return bool(shop.names() != rows(shop, "SELECT name FROM item ORDER BY id"))

    old: list[int] = []
    number, has_struck = 0, True
    with accelerate():
        while has_struck:
            number += 1 if soak else 11
            is_old()
            connection = shop.connect(timeout=1)
            connection.execute("PRAGMA synchronous = OFF")
            interrupter = Interrupter(MODULES, number, KeyboardInterrupt())
            with contextlib.suppress(KeyboardInterrupt, sqlite3.Error):
                interrupter.call(lambda: action(connection))  # noqa: B023 - called at once
            has_struck = interrupter.has_struck
            old += [number] * is_old()
            with contextlib.suppress(sqlite3.Error):
                connection.rollback()
            connection.close()
            old += [number] * is_old()
    assert old == []
