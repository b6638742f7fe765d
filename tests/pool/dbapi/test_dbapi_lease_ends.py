"""Ends of leases: closed, interrupted or reached round the proxies, a connection comes back at most once."""

from __future__ import annotations

import functools
import gc
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from backends import ODBC, SQLITE3, Driver, in_use, on, outcome

ALL = "SELECT id, name FROM person ORDER BY id"
ZOE = "INSERT INTO person VALUES (6, 'Zoe')"
HAS_ZOE = "SELECT COUNT(*) FROM person WHERE name = 'Zoe'"
PATIENCE = 20.0
"""Seconds until a thread that does not come to an end is a failure."""

pooled_only = on(modes=("pooled",))


def zoes(driver: Driver) -> int:
    """How many there are, as somebody else sees it."""
    return int(driver.rows(HAS_ZOE)[0][0])


# -- explicit close ------------------------------------------------------------------------------------------


@pooled_only
def test_close_gives_it_back_whatever_still_refers_to_it(driver: Driver) -> None:
    connection = driver.connect()
    cursor = connection.cursor()
    cursor.execute(ALL).fetchone()
    connection.close()
    assert in_use(driver) == 0
    assert outcome(cursor.fetchone).raised is driver.module.ProgrammingError


@pooled_only
def test_close_through_a_cursor_gives_it_back(driver: Driver) -> None:
    cursor = driver.connect().cursor()
    cursor.connection.close()
    assert in_use(driver) == 0
    assert outcome(cursor.execute, "SELECT 1").raised is driver.module.ProgrammingError


@pooled_only
def test_what_is_left_of_a_closed_connection_cannot_reach_its_next_user(driver: Driver) -> None:
    connection = driver.connect()
    cursor = connection.cursor()
    cursor.execute(ALL).fetchone()
    connection.close()
    following = driver.connect()
    reading = following.cursor().execute(ALL)
    following.execute(ZOE)
    for action in (cursor.close, connection.commit, connection.rollback, connection.close):
        outcome(action)
    outcome(functools.partial(setattr, connection, "autocommit", True))
    del cursor, connection, action
    gc.collect()
    assert len(reading.fetchall()) in (5, 6)
    assert zoes(driver) == 0
    following.commit()
    assert zoes(driver) == 1


@pooled_only
def test_closing_twice_gives_it_back_once(driver: Driver) -> None:
    driver.connect().close()
    connection = driver.connect()
    connection.close()
    outcome(connection.close)
    one, two = driver.connect(), driver.connect()
    assert one._accel_raw is not two._accel_raw
    del connection
    gc.collect()
    assert in_use(driver) == 2


@on(*ODBC, modes=("pooled",))
def test_a_cursor_that_is_closed_twice_gives_it_back_once(driver: Driver) -> None:
    cursor = driver.connect().cursor()
    cursor.close()
    outcome(cursor.close)
    assert in_use(driver) == 0
    kept = [driver.connect() for _ in range(3)]
    del cursor
    assert in_use(driver) == 3
    assert len({id(connection._accel_raw) for connection in kept}) == 3


@pooled_only
def test_the_applications_log_hears_nothing_of_connections_that_come_and_go(
    driver: Driver, caplog: pytest.LogCaptureFixture
) -> None:
    driver.connect().close()
    outcome(driver.connect().execute, "SELEC 1")
    gc.collect()
    assert [record.name for when in ("setup", "call") for record in caplog.get_records(when)] == []


# -- ways round the proxies ----------------------------------------------------------------------------------


@on(SQLITE3)
def test_a_cursor_that_a_row_factory_has_kept_still_works(driver: Driver) -> None:
    kept: list[Any] = []

    def use() -> None:
        connection = driver.connect()
        connection.row_factory = lambda cursor, row: kept.append(cursor) or row
        assert connection.execute(ALL).fetchone() == (1, "Ada")

    use()
    gc.collect()
    driver.neighbour()
    assert kept[0].execute("SELECT 7").fetchone() == (7,)


@on(SQLITE3)
def test_a_cursor_inside_an_object_of_the_applications_own_still_works(driver: Driver) -> None:
    class Reader:
        def __init__(self, connection: Any) -> None:
            self.inner = driver.module.Cursor(connection)

    made = outcome(lambda: driver.connect().cursor(Reader))
    if made.raised is None:  # sqlite3 wants a cursor, and so it is asked for one in the same words
        gc.collect()
        assert made.told.inner.execute("SELECT 7").fetchone() == (7,)  # type: ignore[attr-defined]  # Reader
    assert driver.same_as_bare(lambda connection: connection.cursor(Reader)).raised is made.raised


@pooled_only
@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit])
def test_a_call_that_was_interrupted_costs_its_connection(driver: Driver, kind: type[BaseException]) -> None:
    def rows() -> Iterator[tuple[int, str]]:
        yield (6, "Zoe")
        raise kind

    connection = driver.connect()
    raw = connection._accel_raw
    with pytest.raises(kind):
        connection.cursor().executemany("INSERT INTO person VALUES (?, ?)", rows())
    connection.close()
    assert in_use(driver) == 0
    assert driver.connect()._accel_raw is not raw
    assert zoes(driver) == 0


@pooled_only
def test_one_closed_while_another_thread_is_inside_comes_back_when_that_is_out(driver: Driver) -> None:
    connection = driver.connect() if driver.is_odbc else driver.connect(check_same_thread=False)
    inside, go_on = threading.Event(), threading.Event()

    def rows() -> Iterator[tuple[int, str]]:
        inside.set()
        assert go_on.wait(PATIENCE)
        yield (6, "Zoe")

    def insert() -> None:
        outcome(connection.cursor().executemany, "INSERT INTO person VALUES (?, ?)", rows())

    thread = threading.Thread(target=insert, daemon=True)
    thread.start()
    assert inside.wait(PATIENCE)
    connection.close()
    seen = in_use(driver)
    go_on.set()
    thread.join(PATIENCE)
    assert not thread.is_alive()
    assert (seen, in_use(driver)) == (1, 0)
    assert zoes(driver) == 0
