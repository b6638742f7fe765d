"""The repository of the program that is frozen. It knows nothing of the package."""

from __future__ import annotations

import sqlite3
from typing import Any


class Stock:
    """Each call opens a connection of its own."""

    queries = 0

    def __init__(self, database: str) -> None:
        self.database = database

    def _run(self, sql: str, *values: object) -> list[Any]:
        connection = sqlite3.connect(self.database, isolation_level=None)
        try:
            return connection.execute(sql, values).fetchall()
        finally:
            connection.close()

    def create(self) -> None:
        self._run("CREATE TABLE item (name TEXT, amount INTEGER, seen INTEGER)")
        self._run("INSERT INTO item VALUES ('bolt', 10, 0)")

    def amounts(self) -> list[Any]:
        Stock.queries += 1
        return self._run("SELECT name, amount FROM item ORDER BY name")

    def receive(self, name: str, amount: int) -> None:
        self._run("UPDATE item SET amount = amount + ? WHERE name = ?", amount, name)

    def see(self, name: str) -> None:
        self._run("UPDATE item SET seen = seen + 1 WHERE name = ?", name)


def amounts_and_queries(database: str) -> tuple[list[Any], int]:
    """What two equal reads of one process give, and how many queries they make."""
    Stock.queries = 0
    stock = Stock(database)
    assert stock.amounts() == stock.amounts()
    return stock.amounts(), Stock.queries
