"""Connections and cursors of a class of the application's own may do more than they are told."""

from __future__ import annotations

import sqlite3
from typing import Any

import pytest
from old_answers import fill, old_answers

RENAME = "UPDATE item SET name = 'x'"


class Committing(sqlite3.Connection):
    """Commits what is open when it is closed."""

    def close(self) -> None:
        self.commit()
        super().close()


class Lasting(sqlite3.Connection):
    """Stays open for others."""

    def close(self) -> None:
        pass


class Auditing(sqlite3.Connection):
    """Writes down what it is asked."""

    def execute(self, sql: str, *args: Any) -> Any:
        super().execute("INSERT INTO note (text) VALUES ('asked')")
        return super().execute(sql, *args)


class Registering(sqlite3.Connection):
    """Writes down that it was made."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.execute("INSERT INTO note (text) VALUES ('made')")


class AuditingCursor(sqlite3.Cursor):
    """Writes down what was fetched."""

    def fetchone(self) -> Any:
        self.connection.execute("INSERT INTO note (text) VALUES ('fetched')")
        return super().fetchone()


def test_a_close_that_commits_drops(accelerate: Any, shop: Any) -> None:
    with accelerate():
        fill(shop)
        connection = shop.connect(factory=Committing, isolation_level="DEFERRED")
        connection.execute(RENAME)
        connection.close()
        assert old_answers(shop) == set()
        fill(shop)
        with pytest.raises(sqlite3.ProgrammingError):
            connection.execute(RENAME)


@pytest.mark.parametrize("level", [None, "DEFERRED"])
def test_a_connection_that_stays_open_when_it_is_closed_is_seen_as_ever(
    accelerate: Any, shop: Any, level: str | None
) -> None:
    with accelerate():
        connection = shop.connect(factory=Lasting, isolation_level=level)
        connection.execute("UPDATE item SET price = 3")
        connection.close()
        connection.commit()
        fill(shop)
        connection.execute(RENAME)
        connection.commit()
        assert old_answers(shop) == set()
        sqlite3.Connection.close(connection._accel_raw)


def test_what_a_read_changes_out_of_sight_concerns_everything(accelerate: Any, shop: Any) -> None:
    with accelerate():
        fill(shop)
        connection = shop.connect(factory=Auditing)
        connection.execute("SELECT 1")
        assert old_answers(shop) == set()
        connection.close()


def test_so_does_what_is_changed_while_a_connection_is_made(accelerate: Any, shop: Any) -> None:
    with accelerate():
        fill(shop)
        connection = shop.connect(factory=Registering)
        assert old_answers(shop) == set()
        connection.close()


def test_so_does_what_is_changed_while_rows_are_fetched(accelerate: Any, shop: Any) -> None:
    with accelerate():
        connection = shop.connect()
        cursor = connection.cursor(AuditingCursor)
        cursor.execute("SELECT 1")
        fill(shop)
        assert cursor.fetchone() == (1,)
        assert old_answers(shop) == set()
        connection.close()


def test_in_a_transaction_it_counts_at_the_commit(accelerate: Any, shop: Any) -> None:
    with accelerate():
        connection = shop.connect(factory=Auditing, isolation_level="DEFERRED")
        fill(shop)
        connection.execute("SELECT 1")
        connection.fetched = shop.notes()
        connection.commit()
        assert old_answers(shop) == set()
        connection.close()
