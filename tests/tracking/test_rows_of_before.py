"""Rows of a statement that was executed before a load began are none of the load's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

FETCHES: dict[str, Callable[[Any], Any]] = {
    "fetchall": lambda cursor: cursor.fetchall(),
    "fetchone": lambda cursor: [cursor.fetchone()],
    "fetchmany": lambda cursor: cursor.fetchmany(1),
    "iteration": list,
}


@pytest.mark.parametrize("fetch", FETCHES)
@pytest.mark.parametrize("options", [{}, {"isolation_level": "DEFERRED"}], ids=["autocommit", "transactions"])
def test_they_are_not_kept(accelerate: Any, shop: Any, fetch: str, options: dict[str, Any]) -> None:
    def rest(self: Any) -> Any:
        self.query("asked", "SELECT 1")
        return FETCHES[fetch](self.cursor)

    type(shop).rest = rest
    with accelerate(cached={"rest": "shop"}) as accelerator:
        connection = shop.connect(**options)
        shop.cursor = connection.execute("SELECT name FROM item")
        shop.rest()
        assert accelerator.stats().total.not_stored == {"read_before": 1}
        shop.cursor.execute("SELECT name FROM item WHERE id = 2")
        assert shop.rest() == [("nut",)]
        connection.close()


def test_an_outer_load_may_fetch_what_an_inner_one_has_executed_and_not_the_other_way_round(
    accelerate: Any, shop: Any
) -> None:
    shop_class = type(shop)

    def opened(self: Any) -> int:
        self.cursor = self.connection.execute("SELECT name FROM item ORDER BY id")
        return 1

    shop_class.opened = opened
    shop_class.first = lambda self: self.cursor.fetchall()
    shop_class.outer = lambda self: (self.opened(), self.first())
    with accelerate(cached=dict.fromkeys(("first", "outer"), "shop")) as accelerator:
        shop.connection = shop.connect()
        assert shop.outer() == shop.outer() == (1, [("bolt",), ("nut",)])
        assert accelerator.stats().total.not_stored == {"read_before": 1}
        shop.write("UPDATE item SET name = 'x'")
        assert shop.outer() == (1, [("x",), ("x",)])
        shop.connection.close()


def test_a_cursor_that_is_made_before_and_executed_inside_is_kept(accelerate: Any, shop: Any) -> None:
    def kept(self: Any) -> Any:
        self.runs["kept"] += 1
        return self.cursor.execute("SELECT name FROM item ORDER BY id").fetchall()

    type(shop).kept = kept
    with accelerate(cached={"kept": "shop"}):
        connection = shop.connect()
        shop.cursor = connection.cursor()
        assert shop.kept() == shop.kept()
        assert shop.runs["kept"] == 1
        shop.write("UPDATE item SET name = 'x'")
        assert shop.kept() == [("x",), ("x",)]
        connection.close()
