"""A statement that changes data and returns rows may be committed only when its rows are done with."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Any

import pytest
from old_answers import fill, old_answers, rows

RETURNING = "UPDATE item SET name = name || '!' RETURNING id"


@pytest.fixture(autouse=True)
def journal(shop: Any) -> None:
    """Another connection reads the old rows until the commit, and keeps nobody waiting."""
    connection = shop.connect()
    connection.execute("PRAGMA journal_mode = wal")
    connection.close()


def drop(cursors: list[Any]) -> None:
    """The application forgets its cursor."""
    cursors.clear()
    gc.collect()


ENDS: dict[str, Callable[[list[Any]], object]] = {
    "fetchall": lambda cursors: cursors[0].fetchall(),
    "fetchone": lambda cursors: [cursors[0].fetchone() for _ in range(3)],
    "iteration": lambda cursors: list(cursors[0]),
    "close": lambda cursors: cursors[0].close(),
    "execute": lambda cursors: cursors[0].execute("SELECT 1"),
    "dropped": drop,
}


@pytest.mark.parametrize("by_cursor", [False, True], ids=["connection", "cursor"])
@pytest.mark.parametrize("options", [{}, {"factory": None}], ids=["pooled", "looked on"])
@pytest.mark.parametrize("end", ENDS)
def test_what_is_read_before_the_rows_are_done_with_is_not_kept(
    accelerate: Any, shop: Any, end: str, options: dict[str, Any], by_cursor: bool
) -> None:
    pool = [{"connect": "sqlite3:connect", "enabled": "factory" not in options}]
    with accelerate(pool=pool):
        fill(shop)
        connection = shop.connect()
        cursors = [(connection.cursor() if by_cursor else connection).execute(RETURNING)]
        assert shop.names() == shop.names() == [("bolt",), ("nut",)], "nothing is committed yet"
        ENDS[end](cursors)
        assert rows(shop, "SELECT name FROM item") == [("bolt!",), ("nut!",)]
        assert old_answers(shop) == set()
        fill(shop)  # cached as ever
        connection.close()


def test_a_load_that_had_read_before_is_not_kept_either(accelerate: Any, shop: Any) -> None:
    cursors: list[Any] = []

    def slow(self: Any) -> list[Any]:
        found: list[Any] = self.query("slow", "SELECT name FROM item ORDER BY id")
        if not cursors:
            cursors.append("begun")
            self.begin()
        return found

    type(shop).slow = slow
    with accelerate(cached={"slow": "shop"}):
        connection = shop.connect()
        shop.begin = lambda: cursors.append(connection.execute(RETURNING))
        shop.slow()
        cursors.pop().close()
        assert shop.slow() == [("bolt!",), ("nut!",)]
        connection.close()


@pytest.mark.parametrize("end", ["close", "dropped"])
def test_a_blob_is_written_when_it_is_closed(accelerate: Any, shop: Any, end: str) -> None:
    shop.write("UPDATE item SET name = x'61626364' WHERE id = 1")
    with accelerate():
        fill(shop)
        connection = shop.connect()
        if not hasattr(connection, "blobopen"):
            pytest.skip("this sqlite3 has no blobs")
        blobs = [connection.blobopen("item", "name", 1)]
        blobs[0].write(b"x")
        blobs[0].write(b"y")
        shop.names()
        ENDS[end](blobs)
        assert shop.names()[0] == (b"xycd",)
        assert old_answers(shop) == set()
        connection.close()


def test_in_a_transaction_the_commit_counts(accelerate: Any, shop: Any) -> None:
    with accelerate():
        fill(shop)
        connection = shop.connect(isolation_level="DEFERRED")
        assert connection.execute(RETURNING).fetchall() == [(1,), (2,)]
        shop.names()
        connection.commit()
        connection.close()
        assert old_answers(shop) == set()
        fill(shop)
