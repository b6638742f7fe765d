"""Connections: transactions, settings, and what `with` does to them."""

from __future__ import annotations

import gc
from typing import Any

import pytest
from backends import ODBC, SQLITE3, SQLITE_ODBC, Driver, on, outcome

ZOE = "INSERT INTO person VALUES (6, 'Zoe')"
HAS_ZOE = "SELECT COUNT(*) FROM person WHERE name = 'Zoe'"


def zoes(driver: Driver) -> int:
    """How many there are, as somebody else sees it."""
    return int(driver.rows(HAS_ZOE)[0][0])


def insert_and_raise(context: Any, executing: Any) -> None:
    """Write in a ``with`` block that ends with an exception of the application's own."""
    with context:
        executing.execute(ZOE)
        raise LookupError("mine")


# -- transactions ----------------------------------------------------------------------------------------


def test_others_see_what_is_committed_and_not_before(driver: Driver) -> None:
    connection = driver.connect()
    connection.execute(ZOE)
    assert zoes(driver) == 0
    assert connection.commit() is None
    assert zoes(driver) == 1


def test_a_rollback_undoes_what_was_not_committed(driver: Driver) -> None:
    connection = driver.connect()
    connection.execute(ZOE)
    assert connection.rollback() is None
    connection.commit()
    assert zoes(driver) == 0


def test_a_connection_sees_its_own_work_before_the_commit(driver: Driver) -> None:
    connection = driver.connect()
    connection.execute(ZOE)
    assert connection.cursor().execute(HAS_ZOE).fetchone()[0] == 1


@pytest.mark.parametrize("end", ["close", "drop", "drop the cursor last"])
def test_work_that_is_not_committed_is_lost(driver: Driver, end: str) -> None:
    connection = driver.connect()
    cursor = connection.cursor()
    cursor.execute(ZOE)
    if end == "close":
        connection.close()
    if end == "drop the cursor last":
        del connection
        del cursor
    else:
        del cursor, connection
    gc.collect()  # sqlite3's connections are part of a cycle
    assert zoes(driver) == 0
    driver.other_connection().execute(ZOE)  # and nothing is locked


def test_committed_work_stays_after_the_end(driver: Driver) -> None:
    connection = driver.connect()
    connection.execute(ZOE)
    connection.commit()
    connection.close()
    assert zoes(driver) == 1


@pytest.mark.parametrize("method", ["commit", "rollback"])
def test_commit_and_rollback_may_be_called_with_nothing_to_end(driver: Driver, method: str) -> None:
    connection = driver.connect()
    for _ in range(2):
        assert getattr(connection, method)() is None


def test_a_connection_is_good_for_many_transactions(driver: Driver) -> None:
    connection = driver.connect()
    for number in range(10, 20):
        connection.execute("INSERT INTO person VALUES (?, 'N')", (number,))
        connection.commit() if number % 2 else connection.rollback()
    assert [row[0] for row in driver.rows("SELECT id FROM person WHERE id >= 10 ORDER BY id")] == [
        *(11, 13, 15, 17, 19)
    ]


@on(*ODBC)
@pytest.mark.parametrize("method", ["commit", "rollback"])
def test_a_cursor_can_end_the_transaction_of_its_connection(driver: Driver, method: str) -> None:
    connection = driver.connect()
    cursor = connection.cursor()
    connection.cursor().execute(ZOE)
    getattr(cursor, method)()
    connection.close()
    assert zoes(driver) == (method == "commit")


def test_a_table_that_is_made_in_a_transaction_goes_with_it(driver: Driver) -> None:
    connection = driver.connect()
    connection.execute(ZOE)
    connection.execute("CREATE TABLE passing (id INTEGER)")
    connection.rollback()
    assert driver.same_as_bare(lambda mine: mine.execute("SELECT * FROM passing")).raised is not None


# -- with -------------------------------------------------------------------------------------------------


def test_with_gives_the_connection_itself(driver: Driver) -> None:
    connection = driver.connect()
    with connection as inside:
        assert inside is connection


def test_with_commits_and_does_not_close(driver: Driver) -> None:
    with driver.connect() as connection:
        connection.execute(ZOE)
    assert zoes(driver) == 1
    assert connection.execute("SELECT 1").fetchone()[0] == 1


def test_with_rolls_back_and_does_not_close_when_its_block_raises(driver: Driver) -> None:
    connection = driver.connect()
    assert outcome(insert_and_raise, connection, connection).raised is LookupError
    connection.commit()
    assert zoes(driver) == 0
    assert connection.execute("SELECT 1").fetchone()[0] == 1


def test_with_may_be_used_again_and_nested(driver: Driver) -> None:
    connection = driver.connect()
    with connection:
        with connection:
            connection.execute(ZOE)
        assert zoes(driver) == 1
        connection.execute("DELETE FROM person WHERE name = 'Zoe'")
    assert zoes(driver) == 0


def test_with_on_a_new_connection_commits_although_nobody_else_keeps_it(driver: Driver) -> None:
    with driver.connect() as connection:
        cursor = connection.cursor()
        del connection
        cursor.execute(ZOE)
    assert zoes(driver) == 1


@on(*ODBC)
def test_with_on_a_cursor_commits_and_does_not_close(driver: Driver) -> None:
    connection = driver.connect()
    with connection.cursor() as cursor:
        cursor.execute(ZOE)
    assert zoes(driver) == 1
    assert cursor.execute("SELECT 1").fetchone()[0] == 1


@on(*ODBC)
def test_with_on_a_cursor_gives_the_cursor_itself(driver: Driver) -> None:
    cursor = driver.connect().cursor()
    with cursor as inside:
        assert inside is cursor


@on(*ODBC)
def test_with_on_a_cursor_neither_commits_nor_rolls_back_when_its_block_raises(driver: Driver) -> None:
    connection = driver.connect()
    cursor = connection.cursor()
    assert outcome(insert_and_raise, cursor, cursor).raised is LookupError
    assert zoes(driver) == 0
    connection.commit()
    assert zoes(driver) == 1


@on(*ODBC)
def test_with_on_a_cursor_of_a_forgotten_connection_commits(driver: Driver) -> None:
    with driver.connect().cursor() as cursor:
        cursor.execute(ZOE)
    assert zoes(driver) == 1


@on(SQLITE3)
def test_a_cursor_without_with_has_none_when_pooled_either(driver: Driver) -> None:
    assert not hasattr(driver.connect().cursor(), "__enter__")
    assert not hasattr(type(driver.connect().cursor()), "__exit__")


@pytest.mark.parametrize("arguments", [(None,), (None, None, None)], ids=len)
def test_exit_may_be_called_by_hand(driver: Driver, arguments: tuple[Any, ...]) -> None:
    driver.same_as_bare(lambda connection: connection.__exit__(*arguments))


# -- settings ---------------------------------------------------------------------------------------------


@on(*ODBC)
def test_autocommit_can_be_read_and_set(driver: Driver) -> None:
    connection = driver.connect()
    assert connection.autocommit is False
    connection.autocommit = True
    assert connection.autocommit is True
    connection.execute(ZOE)
    assert zoes(driver) == 1


@on(*ODBC)
def test_autocommit_can_be_asked_for_at_connect(driver: Driver) -> None:
    driver.neighbour(autocommit=True)
    connection = driver.connect(autocommit=True)
    assert connection.autocommit is True
    connection.execute(ZOE)
    assert zoes(driver) == 1


@on(*ODBC)
def test_connections_with_and_without_autocommit_do_not_mix(driver: Driver) -> None:
    driver.neighbour(autocommit=True)
    assert driver.connect().autocommit is False
    assert driver.connect(autocommit=True).autocommit is True
    assert driver.connect(autocommit=False).autocommit is False


@on(*ODBC)
def test_switching_autocommit_on_commits(driver: Driver) -> None:
    connection = driver.connect()
    connection.execute(ZOE)
    connection.autocommit = True
    assert zoes(driver) == 1


@on(*ODBC)
def test_autocommit_lasts_for_the_connection_only(driver: Driver) -> None:
    driver.connect().autocommit = True
    connection = driver.connect()
    assert connection.autocommit is False
    connection.execute(ZOE)
    assert zoes(driver) == 0


@on(SQLITE_ODBC)
@pytest.mark.parametrize("name", ["timeout", "maxwrite"])
def test_numbers_are_settings_of_one_connection(driver: Driver, name: str) -> None:
    connection = driver.connect()
    before = getattr(connection, name)
    setattr(connection, name, 300)
    assert getattr(connection, name) == 300
    del connection
    assert getattr(driver.connect(), name) == before == getattr(driver.other_connection(), name)


@on(SQLITE3)
@pytest.mark.parametrize("level", [None, "", "DEFERRED", "IMMEDIATE", "EXCLUSIVE"])
def test_isolation_level_can_be_read_and_set(driver: Driver, level: str | None) -> None:
    connection = driver.connect()
    connection.isolation_level = level
    assert connection.isolation_level == level
    connection.execute(ZOE)
    assert connection.in_transaction is (level is not None)
    connection.rollback()
    assert zoes(driver) == (level is None)


@on(SQLITE3)
def test_isolation_level_lasts_for_the_connection_only(driver: Driver) -> None:
    driver.connect().isolation_level = None
    connection = driver.connect()
    assert connection.isolation_level == ""
    connection.execute(ZOE)
    assert connection.in_transaction


@on(SQLITE3)
def test_isolation_level_can_be_asked_for_at_connect(driver: Driver) -> None:
    driver.neighbour(isolation_level=None)
    assert driver.connect(isolation_level=None).isolation_level is None
    assert driver.connect().isolation_level == ""


@on(SQLITE3)
def test_in_transaction_is_true_between_the_first_write_and_the_commit(driver: Driver) -> None:
    connection = driver.connect()
    seen = [connection.in_transaction]
    connection.execute(ZOE)
    seen.append(connection.in_transaction)
    connection.commit()
    seen.append(connection.in_transaction)
    assert seen == [False, True, False]


@on(SQLITE3)
def test_total_changes_counts_from_the_connect(driver: Driver) -> None:
    connection = driver.connect()
    assert connection.total_changes == 0
    connection.execute(ZOE)
    connection.execute("UPDATE person SET name = name")
    assert connection.total_changes == 7
    connection.rollback()
    assert connection.total_changes == 7


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("isolation_level", "nonsense"), ("isolation_level", 1), ("in_transaction", True)),
        *(("total_changes", 1), ("autocommit", "perhaps"), ("timeout", "soon"), ("closed", True)),
        *(("maxwrite", -1), ("searchescape", "!")),
    ],
)
def test_a_value_that_cannot_be_set_is_refused_in_the_same_words(
    driver: Driver, name: str, value: object
) -> None:
    told = driver.same_as_bare(lambda connection: setattr(connection, name, value))
    assert outcome(setattr, driver.connect(), name, value) == told
