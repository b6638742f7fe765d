"""Mode sql over ODBC, on PostgreSQL: commits by cursors, procedures, functions, threads, lost connections."""

from __future__ import annotations

import sys
import threading
from collections import Counter
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest

from wats_accel.runtime import Accelerator
from wats_accel.testing import accelerated

SCHEMA = """
DROP SCHEMA public CASCADE; CREATE SCHEMA public;
CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT, price INTEGER);
CREATE TABLE note (
    text TEXT, item INTEGER REFERENCES item (id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED
);
INSERT INTO item VALUES (1, 'bolt', 10), (2, 'nut', 5);
INSERT INTO note VALUES ('first', 1);
CREATE PROCEDURE raise_prices() LANGUAGE SQL AS 'UPDATE item SET price = price + 1';
CREATE FUNCTION noted() RETURNS INTEGER LANGUAGE SQL AS
    'INSERT INTO note (text) VALUES (''noted''); SELECT 1';
"""
SQL: dict[str, Any] = {
    "tables": {"item": ["id", "name", "price"], "note": ["text", "item"]},
    "foreign_keys": [{"table": "note", "columns": "item", "parent": "item", "on_delete": "cascade"}],
    "procedures": {"raise_prices": {"writes": ["item.price"]}, "noted": {"writes": ["note"]}},
}


class Shop:
    """The usual way with pyodbc: a new connection for each call, and one for all transactions."""

    def __init__(self, driver: Any, text: str) -> None:
        self.driver = driver
        self.database = text
        self.runs: Counter[str] = Counter()

    def connect(self, **options: Any) -> Any:
        return self.driver.connect(self.database, **{"autocommit": True, **options})

    def query(self, name: str, sql: str) -> list[Any]:
        self.runs[name] += 1
        with self.connect().cursor() as cursor:
            return [tuple(row) for row in cursor.execute(sql).fetchall()]

    def names(self) -> list[Any]:
        return self.query("names", "SELECT name FROM item ORDER BY id")

    def prices(self) -> list[Any]:
        return self.query("prices", "SELECT price FROM item ORDER BY id")

    def notes(self) -> list[Any]:
        return self.query("notes", "SELECT text FROM note ORDER BY text")


@pytest.fixture
def shop(odbc: Any, postgresql: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The application on an empty database, to be accelerated."""
    text = postgresql.odbc()
    with odbc.connect(text, autocommit=True) as connection:
        connection.execute(SCHEMA)
    module = ModuleType("legacy_app")
    module.Shop = type("Shop", (Shop,), {})  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "legacy_app", module)
    return module.Shop(odbc, text)


@pytest.fixture
def accelerator(shop: Any) -> Iterator[Accelerator]:
    """In effect, in mode sql; every answer is stored."""
    config = {
        "version": 1,
        "pool": [{"connect": "pyodbc:connect"}],
        "invalidation": "sql",
        "sql": SQL,
        "cache": {"namespaces": {"shop": {}}},
        "repositories": [
            {
                "target": "legacy_app:Shop",
                "scope": "self.database",
                "cached": dict.fromkeys(["names", "prices", "notes"], "shop"),
            }
        ],
    }
    # `names` and the others are inherited: the patch goes to the subclass.
    with accelerated(config) as made:
        for name in ("names", "prices", "notes"):
            getattr(shop, name)()
        yield made
        assert made.problems == ()


def dropped(shop: Any) -> set[str]:
    """Which answers have to be loaded again."""
    before = dict(shop.runs)
    for name in before:
        getattr(shop, name)()
    return {name for name, runs in shop.runs.items() if runs > before[name]}


def test_leaving_a_cursors_block_commits_and_drops(shop: Any, accelerator: Accelerator) -> None:
    connection = shop.connect(autocommit=False)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE item SET name = 'screw' WHERE id = 1")
        assert accelerator.stats().total.invalidated == 0
    assert accelerator.stats().total.invalidated == 1
    assert shop.names()[0] == ("screw",)
    connection.close()


@pytest.mark.parametrize("end", ["rollback", "close", "ROLLBACK"])
def test_what_is_taken_back_drops_nothing(shop: Any, accelerator: Accelerator, end: str) -> None:
    connection = shop.connect(autocommit=False)
    connection.execute("UPDATE item SET name = 'screw' WHERE id = 1")
    connection.execute(end) if end == "ROLLBACK" else getattr(connection, end)()
    assert shop.names()[0] == ("bolt",)
    assert dropped(shop) == set()
    assert accelerator.stats().total.invalidated == 0


def test_a_transaction_in_texts_of_sql_drops_at_its_commit(shop: Any, accelerator: Accelerator) -> None:
    cursor = shop.connect().cursor()
    cursor.execute("BEGIN")
    cursor.execute("DELETE FROM item WHERE id = 1")
    assert accelerator.stats().total.invalidated == 0
    cursor.execute("COMMIT")
    assert shop.notes() == []
    assert dropped(shop) == {"names", "prices"}


def test_switching_autocommit_on_commits_and_drops(shop: Any, accelerator: Accelerator) -> None:
    connection = shop.connect(autocommit=False)
    connection.execute("UPDATE item SET name = 'screw' WHERE id = 1")
    connection.autocommit = True
    assert shop.names()[0] == ("screw",)
    connection.close()


@pytest.mark.parametrize("text", ["CALL raise_prices()", "{call raise_prices()}"])
def test_a_procedure_drops_what_the_schema_says(shop: Any, accelerator: Accelerator, text: str) -> None:
    connection = shop.connect()
    try:
        connection.execute(text)
    except shop.driver.Error:  # psqlODBC calls a function then
        assert text.startswith("{")
    assert dropped(shop) == {"prices"}
    connection.close()


def test_a_function_in_a_select_that_writes_drops_too(shop: Any, accelerator: Accelerator) -> None:
    connection = shop.connect()
    assert connection.execute("SELECT noted()").fetchone()[0] == 1
    assert ("noted",) in shop.notes()
    connection.close()
    transaction = shop.connect(autocommit=False)
    transaction.execute("SELECT noted()").fetchone()
    notes = accelerator.stats().total.invalidated
    transaction.commit()
    assert accelerator.stats().total.invalidated == notes + 1
    assert len(shop.notes()) == 3
    transaction.close()


def test_what_nobody_says_of_a_function_may_be_anything(shop: Any, accelerator: Accelerator) -> None:
    connection = shop.connect()
    connection.execute("CREATE FUNCTION secret() RETURNS INTEGER LANGUAGE SQL AS 'SELECT 1'")
    connection.execute("SELECT secret()").fetchone()
    assert dropped(shop) == {"names", "prices", "notes"}
    connection.close()


def test_a_deferred_check_that_fails_the_commit_drops(shop: Any, accelerator: Accelerator) -> None:
    connection = shop.connect(autocommit=False)
    connection.execute("INSERT INTO note VALUES ('orphan', 99)")
    with pytest.raises(shop.driver.Error):
        connection.commit()
    assert accelerator.stats().total.invalidated == 1
    connection.close()


def test_returned_rows_and_many_values(shop: Any, accelerator: Accelerator) -> None:
    connection = shop.connect()
    row = connection.execute("UPDATE item SET price = 1 WHERE id = 1 RETURNING price").fetchone()
    assert row[0] == 1
    connection.cursor().executemany("INSERT INTO note (text) VALUES (?)", [("a",), ("b",)])
    assert shop.prices()[0] == (1,)
    assert len(shop.notes()) == 3
    connection.close()


def test_a_commit_in_another_thread_than_the_write(shop: Any, accelerator: Accelerator) -> None:
    connection = shop.connect(autocommit=False)
    connection.execute("UPDATE item SET name = 'screw' WHERE id = 1")
    thread = threading.Thread(target=connection.commit)
    thread.start()
    thread.join()
    assert shop.names()[0] == ("screw",)
    connection.close()


def test_a_connection_that_the_server_ends_has_changed_nothing(shop: Any, accelerator: Accelerator) -> None:
    connection = shop.connect(autocommit=False)
    connection.execute("UPDATE item SET name = 'screw' WHERE id = 1")
    number = connection.execute("SELECT pg_backend_pid()").fetchone()[0]
    with shop.connect().cursor() as killer:
        killer.execute(f"SELECT pg_terminate_backend({int(number)})").fetchone()
    with pytest.raises(shop.driver.Error):
        connection.execute("UPDATE item SET name = 'nail' WHERE id = 1")
    assert shop.names()[0] == ("bolt",)
    connection.close()
