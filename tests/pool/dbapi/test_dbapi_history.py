"""History: what a connection remembers of rows that were inserted is its user's own."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Callable
from typing import Any

import pytest
from backends import POSTGRESQL, SQLITE3, SQLITE_ODBC, Driver, on, outcome

NEW = "INSERT INTO counted (name) VALUES ('x')"
ASKED = {
    SQLITE3: ("SELECT last_insert_rowid()", "SELECT changes()"),
    SQLITE_ODBC: ("SELECT last_insert_rowid()", "SELECT changes()"),
    POSTGRESQL: ("SELECT lastval()", "SELECT currval('counted_id_seq')"),
}


@pytest.fixture(autouse=True)
def _counted(driver: Driver) -> None:
    """A table that numbers its rows; those that are there by now have the numbers 1 and 2."""
    key = "SERIAL PRIMARY KEY" if driver.backend == POSTGRESQL else "INTEGER PRIMARY KEY AUTOINCREMENT"
    outside = driver.other_connection()
    outside.execute(f"CREATE TABLE counted (id {key}, name TEXT UNIQUE)")
    outside.execute("INSERT INTO counted (name) VALUES ('first')")
    outside.execute("INSERT INTO counted (name) VALUES ('second')")
    outside.commit()
    outside.close()


def memory(driver: Driver, connection: Any) -> list[Any]:
    """What a connection says to those who ask for the last number."""
    told = []
    for sql in ASKED[driver.backend]:
        told.append(outcome(lambda sql=sql: connection.execute(sql).fetchone()[0]))
        connection.rollback()
    return [*told, outcome(getattr, connection, "total_changes")]


def last_number(driver: Driver, executing: Any) -> int:
    """The last number, asked as an application asks for it."""
    return int(executing.execute(ASKED[driver.backend][0]).fetchone()[0])


# -- for whoever inserts -------------------------------------------------------------------------------------


@pytest.mark.parametrize("ask", ["cursor", "another cursor", "connection"])
def test_the_last_number_is_told_to_whoever_inserted(driver: Driver, ask: str) -> None:
    connection = driver.connect()
    cursor = connection.cursor()
    cursor.execute(NEW)
    asking = {"cursor": cursor, "another cursor": connection.cursor(), "connection": connection}[ask]
    assert last_number(driver, asking) == 3
    connection.commit()
    assert last_number(driver, asking) == 3


def test_the_last_number_is_told_to_a_cursor_whose_connection_is_forgotten(driver: Driver) -> None:
    cursor = driver.connect().cursor()
    cursor.execute(NEW)
    gc.collect()
    assert last_number(driver, cursor) == 3
    cursor.connection.commit()
    assert last_number(driver, cursor) == 3


def test_the_last_number_survives_neighbours_that_insert_meanwhile(driver: Driver) -> None:
    connection = driver.connect()
    connection.execute(NEW)
    connection.commit()
    for name in "yz":
        with driver.connect() as neighbour:
            neighbour.execute("INSERT INTO counted (name) VALUES (?)", (name,))
    assert last_number(driver, connection) == 3


def test_every_one_of_many_users_is_told_their_own_number(driver: Driver) -> None:
    numbers = []
    for position in range(5):
        cursor = driver.connect().cursor()
        cursor.execute("INSERT INTO counted (name) VALUES (?)", (str(position),))
        numbers.append(last_number(driver, cursor))
        cursor.connection.commit()
        del cursor
        gc.collect()
    assert numbers == [3, 4, 5, 6, 7]


@on(SQLITE3)
def test_numbers_of_changes_are_told_to_whoever_changed(driver: Driver) -> None:
    def change(connection: Any) -> Any:
        seen = [connection.total_changes]
        for sql in ("UPDATE counted SET name = name", "DELETE FROM counted WHERE id = 99", "SELECT 1"):
            cursor = connection.execute(sql)
            changes = connection.execute("SELECT changes()").fetchone()[0]
            seen.append((cursor.rowcount, connection.total_changes, changes))
        connection.rollback()
        return seen, connection.total_changes

    assert driver.same_as_bare(change).told == ([0, (2, 2, 2), (0, 2, 0), (-1, 2, 0)], 2)


@on(SQLITE3)
def test_lastrowid_belongs_to_the_cursor(driver: Driver) -> None:
    def insert(connection: Any) -> Any:
        one, two = connection.cursor(), connection.cursor()
        seen = [one.lastrowid]
        one.execute(NEW)
        seen += [one.lastrowid, two.lastrowid, connection.cursor().lastrowid]
        one.executemany("INSERT INTO counted (name) VALUES (?)", [("y",), ("z",)])
        seen += [one.lastrowid, two.execute("SELECT 1").lastrowid]
        outcome(one.execute, NEW)
        return [*seen, one.lastrowid]

    assert driver.same_as_bare(insert).raised is None


# -- for whoever comes next ----------------------------------------------------------------------------------


def many(connection: Any) -> None:
    connection.cursor().executemany("INSERT INTO counted (name) VALUES (?)", [("y",), ("z",)])


def failing(connection: Any) -> None:
    outcome(connection.execute, "INSERT INTO counted (name) VALUES ('first')")


def half_failing(connection: Any) -> None:
    outcome(
        connection.cursor().executemany, "INSERT INTO counted (name) VALUES (?)", [("y",), ("y",), ("z",)]
    )


def on_conflict(connection: Any) -> None:
    connection.execute(
        "INSERT INTO counted (name) VALUES ('first') ON CONFLICT (name) DO UPDATE SET name = 'again'"
    )


def of_a_select(connection: Any) -> None:
    connection.execute("INSERT INTO counted (name) SELECT name FROM person")


def in_small_letters(connection: Any) -> None:
    connection.execute("/* x */ insert\ninto counted (name) values ('x')")


def returning(connection: Any) -> None:
    cursor = connection.execute("INSERT INTO counted (name) VALUES ('x') RETURNING id")
    outcome(cursor.fetchall)  # SQLite's ODBC driver inserts, and has no rows to show


def behind_with(connection: Any) -> None:
    connection.execute("WITH names AS (SELECT 'x' AS name) INSERT INTO counted (name) SELECT name FROM names")


def a_change(connection: Any) -> None:
    connection.execute("UPDATE person SET name = name")
    connection.execute("DELETE FROM person WHERE id = 1")


def two_kinds(connection: Any) -> None:
    connection.execute(NEW)
    connection.execute("UPDATE person SET name = name")
    connection.execute("DELETE FROM person WHERE id = 99")


def in_a_with_block(connection: Any) -> None:
    with connection:
        connection.execute(NEW)


WRITES: list[Callable[[Any], None]] = [
    *(many, failing, half_failing, on_conflict, of_a_select, in_small_letters, returning, behind_with),
    *(a_change, two_kinds, in_a_with_block),
]


@on(modes=("pooled",))
@pytest.mark.parametrize("end", ["commit", "rollback", "nothing"])
@pytest.mark.parametrize("write", WRITES, ids=lambda write: write.__name__)
def test_the_next_user_remembers_nothing(driver: Driver, write: Callable[[Any], None], end: str) -> None:
    connection = driver.connect()
    write(connection)
    if end != "nothing":
        getattr(connection, end)()
    del connection
    gc.collect()
    following = driver.connect()
    found = memory(driver, following)
    following.close()
    with contextlib.closing(driver._bare_connect(driver.database)) as new:
        assert found == memory(driver, new)


@on(SQLITE3, modes=("pooled",))
def test_the_next_user_remembers_nothing_of_a_script(driver: Driver) -> None:
    driver.connect().executescript(f"{NEW}; UPDATE person SET name = name;")
    gc.collect()
    assert memory(driver, driver.connect()) == memory(driver, driver.other_connection())


@on(modes=("pooled",))
def test_forgetting_costs_no_connection(driver: Driver) -> None:
    driver.neighbour()
    opened = driver.stats.opened
    for name in "uvwxyz":
        with driver.connect() as connection:
            connection.execute("INSERT INTO counted (name) VALUES (?)", (name,))
        del connection
        gc.collect()
    assert driver.stats.opened == opened
    assert len(driver.rows("SELECT id FROM counted")) == 8


@on(modes=("pooled",))
def test_forgetting_writes_nothing_and_leaves_no_table_behind(driver: Driver) -> None:
    with driver.connect() as connection:
        connection.execute(NEW)
    del connection
    gc.collect()
    held = driver.connect()
    assert [row[1] for row in driver.rows("SELECT id, name FROM counted ORDER BY id")] == [
        "first",
        "second",
        "x",
    ]
    if driver.backend == POSTGRESQL:
        tables = driver.rows("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'")
    else:
        tables = [tuple(row) for row in held.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        assert len(held.execute("PRAGMA database_list").fetchall()) == 1
    assert {name for (name,) in tables} - {"sqlite_sequence"} == {"person", "neighbour", "counted"}
    del held


@on(SQLITE3, modes=("pooled",))
def test_forgetting_waits_for_nobodys_lock(driver: Driver) -> None:
    connection = driver.connect()
    connection.execute(NEW)
    connection.commit()
    driver.other_connection(isolation_level=None).execute("BEGIN EXCLUSIVE")
    del connection
    gc.collect()
    assert driver.stats.checked_out == 0
    assert memory(driver, driver.connect())[0].told == 0
