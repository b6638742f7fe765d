"""A Control-C at any line of the tracking leaves no old answer behind; and mode rules does not load it."""

from __future__ import annotations

import contextlib
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from line_interrupts import Interrupter

from wats_accel.pool import observing
from wats_accel.tracking import analyses, dropping, readers, seen, sight, tracker, under_way

MODULES = (tracker, under_way, dropping, sight, readers, seen, analyses, observing)
BARE_CONNECT = sqlite3.connect


def at_once(shop: Any) -> None:
    """A write that commits by itself."""
    shop.write("UPDATE item SET name = name || '!'")


def in_a_transaction(shop: Any) -> None:
    """One that is committed later."""
    connection = shop.connect(isolation_level="DEFERRED")
    try:
        connection.execute("UPDATE item SET name = name || '!'")
        connection.commit()
    finally:
        connection.close()


def reading(shop: Any) -> None:
    """A load."""
    shop.notes()


@pytest.mark.soak
@pytest.mark.parametrize("action", [at_once, in_a_transaction, reading])
@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError])
def test_an_interrupt_at_any_line_leaves_no_old_answer(
    accelerate: Any, shop: Any, action: Callable[[Any], None], error: type[BaseException], soak: bool
) -> None:
    number = 0
    while True:
        number += 1 if soak else 7
        with accelerate(strict=False) as accelerator:
            shop.names()
            shop.prices()
            interrupter = Interrupter(MODULES, number, error())
            with contextlib.suppress(error, sqlite3.Error):
                interrupter.call(lambda: action(shop))
            for name, column in (("names", "name"), ("prices", "price")):
                for _ in range(2):
                    assert getattr(shop, name)() == committed(shop, column), f"line {number}"
            shop.write("UPDATE item SET name = name || '?', price = price + 1")
            assert shop.names() == committed(shop, "name"), f"line {number}, later"
            figures = accelerator.stats()
            assert figures.total.hits > 0 or accelerator.problems or figures.not_cached or figures.breakers
        if not interrupter.has_struck:
            break
    assert number > 10


def committed(shop: Any, column: str) -> list[Any]:
    """What the database has."""
    connection = BARE_CONNECT(shop.database)
    try:
        return list(connection.execute(f"SELECT {column} FROM item ORDER BY id").fetchall())
    finally:
        connection.close()


def test_mode_rules_loads_neither_the_reader_of_sql_nor_its_library() -> None:
    script = (
        "import sys, sqlite3\n"
        "from wats_accel.testing import accelerated\n"
        "with accelerated({'version': 1, 'pool': [{'connect': 'sqlite3:connect'}]}):\n"
        "    sqlite3.connect('file:x?mode=memory', uri=True).execute('SELECT 1').fetchall()\n"
        "assert not {'sqlglot', 'wats_accel.sql.statement'} & set(sys.modules), 'loaded'\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=50)
