"""Settings: what is set is set on the driver's own object, and the next user finds what a new one has."""

from __future__ import annotations

import gc
import warnings
from collections.abc import Callable
from typing import Any

import pytest
from backends import ODBC, POSTGRESQL, SQLITE3, Driver, on, outcome

VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, 1, 300, -1, 2**40, 1.5, "", "x", "IMMEDIATE", "text", b"x"),
    *((), [], {}, int, bytes, str, bytearray, print),
)
PLAIN = (type(None), bool, int, float, str, bytes, type)
ALL = "SELECT id, name FROM person ORDER BY id"


def readable(found: Any) -> list[str]:
    """Names of a connection's or cursor's attributes that are no methods."""
    return [
        name
        for name in dir(found)
        if not name.startswith("__")
        and not callable(getattr(found.__class__, name))
        and name not in ("connection", "hdbc", "hstmt", "fetch_decimal_as_string")
    ]


def portrait(found: Any) -> dict[str, Any]:
    """What can be read of it."""
    return {name: outcome(getattr, found, name) for name in readable(found)}


def set_everything(found: Any) -> dict[str, Any]:
    """Set every attribute to every value; gives what came of that, and what could be read then."""
    return {
        f"{name}={value!r}": (outcome(setattr, found, name, value), outcome(getattr, found, name))
        for name in readable(found)
        for value in VALUES
    }


# -- on the driver's object ----------------------------------------------------------------------------------


def test_every_value_is_taken_or_refused_as_by_the_bare_connection(driver: Driver) -> None:
    assert driver.same_as_bare(set_everything).raised is None


def test_every_value_is_taken_or_refused_as_by_the_bare_cursor(driver: Driver) -> None:
    assert driver.same_as_bare(lambda connection: set_everything(connection.cursor())).raised is None


@pytest.mark.parametrize("what", ["connection", "cursor"])
def test_what_can_be_read_of_a_new_one_is_what_the_bare_driver_shows(driver: Driver, what: str) -> None:
    told = driver.same_as_bare(
        lambda connection: portrait(connection if what == "connection" else connection.cursor())
    )
    assert told.told


def test_attributes_that_are_no_settings_cannot_be_invented(driver: Driver) -> None:
    for name in ("nothing", "_accel", "autocomit", "__nothing__"):
        told = driver.same_as_bare(lambda connection, name=name: setattr(connection, name, 1))
        assert told.raised is AttributeError


def test_a_setting_reaches_the_driver(driver: Driver) -> None:
    connection = driver.connect()
    if driver.is_odbc:
        connection.autocommit = True
        connection.execute("INSERT INTO person VALUES (6, 'Zoe')")
        assert len(driver.rows(ALL)) == 6
    else:
        connection.row_factory = driver.module.Row
        connection.text_factory = bytes
        assert connection.execute(ALL).fetchone()["name"] == b"Ada"


# -- for the next one ----------------------------------------------------------------------------------------


def test_the_next_one_finds_every_setting_as_in_a_new_connection(driver: Driver) -> None:
    for _ in range(2):
        set_everything(driver.connect())
        assert portrait(driver.connect()) == portrait(driver.other_connection())


def test_the_next_ones_cursors_are_as_new_as_well(driver: Driver) -> None:
    connection = driver.connect()
    set_everything(connection)
    set_everything(connection.cursor())
    del connection
    assert portrait(driver.connect().cursor()) == portrait(driver.other_connection().cursor())


@pytest.mark.parametrize("end", ["close", "drop", "error", "cursor"])
def test_settings_end_with_their_connection_however_it_ends(driver: Driver, end: str) -> None:
    connection = driver.connect()
    name, value = ("maxwrite", 1000) if driver.is_odbc else ("isolation_level", "EXCLUSIVE")
    before = getattr(connection, name)
    setattr(connection, name, value)
    cursor = connection.cursor()
    if end == "error":
        assert outcome(connection.execute, "SELECT * FROM nowhere").raised is not None
    if end == "close":
        connection.close()
    if end == "cursor":
        del connection
        assert getattr(cursor.connection, name) == value
        cursor.close()
    else:
        del connection
    del cursor
    assert getattr(driver.connect(), name) == before


def test_settings_last_while_any_cursor_of_their_connection_is_in_use(driver: Driver) -> None:
    name, value = ("maxwrite", 1000) if driver.is_odbc else ("isolation_level", "EXCLUSIVE")
    connection = driver.connect()
    setattr(connection, name, value)
    cursor = connection.cursor()
    del connection
    driver.neighbour()
    assert getattr(cursor.connection, name) == value


def test_two_connections_at_a_time_have_settings_of_their_own(driver: Driver) -> None:
    name, value = ("maxwrite", 1000) if driver.is_odbc else ("isolation_level", "EXCLUSIVE")
    one, two = driver.connect(), driver.connect()
    before = getattr(two, name)
    setattr(one, name, value)
    assert (getattr(one, name), getattr(two, name)) == (value, before)


@on(*ODBC, modes=("pooled",))
@pytest.mark.parametrize("name", ["autocommit", "maxwrite", "timeout", "readvar_initsize", "decimal_mode"])
def test_a_setting_that_can_be_put_back_costs_no_connection(driver: Driver, name: str) -> None:
    if outcome(getattr, driver.connect(), name).raised is AttributeError:
        pytest.skip(f"this pyodbc has no {name}")
    value = {"autocommit": True, "decimal_mode": "text"}.get(name, 300)
    if outcome(setattr, driver.connect(), name, value).raised is not None:
        return  # such as the time-out of an ODBC driver that has none
    opened = driver.stats.opened
    for _ in range(3):
        connection = driver.connect()
        before = getattr(connection, name)
        setattr(connection, name, value)
        del connection
        assert getattr(driver.connect(), name) == before
    assert driver.stats.opened == opened


@on(SQLITE3, modes=("pooled",))
@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("isolation_level", lambda module: None),
        ("isolation_level", lambda module: "IMMEDIATE"),
        ("row_factory", lambda module: module.Row),
        ("text_factory", lambda module: bytes),
        ("text_factory", lambda module: bytearray),
    ],
)
def test_a_setting_of_sqlite3_that_can_be_put_back_costs_no_connection(
    driver: Driver, name: str, make: Callable[[Any], Any]
) -> None:
    opened = driver.stats.opened
    for _ in range(3):
        connection = driver.connect()
        setattr(connection, name, make(driver.module))
        del connection
        assert getattr(driver.connect(), name) is getattr(driver.other_connection(), name)
    assert driver.stats.opened == opened


@on(*ODBC)
def test_an_autocommit_that_is_asked_for_again_is_no_change(driver: Driver) -> None:
    connection = driver.connect(autocommit=True)
    connection.autocommit = True
    connection.execute("INSERT INTO person VALUES (6, 'Zoe')")
    assert len(driver.rows(ALL)) == 6
    connection.autocommit = False
    connection.execute("DELETE FROM person")
    del connection
    assert driver.connect(autocommit=True).autocommit is True
    assert len(driver.rows(ALL)) == 6


@on(*ODBC)
def test_work_of_a_connection_that_went_on_without_autocommit_is_not_committed_on_its_return(
    driver: Driver,
) -> None:
    for autocommit in (True, False):
        connection = driver.connect(autocommit=autocommit)
        connection.autocommit = False
        connection.execute("DELETE FROM person")
        del connection
        assert driver.connect(autocommit=autocommit).autocommit is autocommit
        assert len(driver.rows(ALL)) == 5


@on(SQLITE3)
def test_work_before_a_change_of_isolation_level_is_not_committed_on_its_return(driver: Driver) -> None:
    for level in ("IMMEDIATE", "EXCLUSIVE", "DEFERRED", ""):
        connection = driver.connect(isolation_level=None)
        connection.isolation_level = level
        connection.execute("DELETE FROM person")
        assert connection.in_transaction
        del connection
        gc.collect()  # sqlite3's connections are part of a cycle
        assert driver.connect(isolation_level=None).isolation_level is None
        assert len(driver.rows(ALL)) == 5


@on(SQLITE3)
def test_a_begin_by_hand_is_rolled_back_at_the_end(driver: Driver) -> None:
    for level in (None, ""):
        connection = driver.connect(isolation_level=level)
        connection.execute("BEGIN")
        connection.execute("DELETE FROM person")
        del connection
        gc.collect()
        assert not driver.connect(isolation_level=level).in_transaction
        assert len(driver.rows(ALL)) == 5


@on(POSTGRESQL)
def test_a_begin_by_hand_in_autocommit_is_rolled_back_at_the_end(driver: Driver) -> None:
    connection = driver.connect(autocommit=True)
    connection.execute("BEGIN")
    connection.execute("DELETE FROM person")
    del connection
    assert len(driver.connect(autocommit=True).execute(ALL).fetchall()) == 5
    assert len(driver.rows(ALL)) == 5


# -- quietly -------------------------------------------------------------------------------------------------


def test_nothing_that_the_driver_warns_of_is_done_on_the_users_behalf(driver: Driver) -> None:
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        connection = driver.connect()
        cursor = connection.cursor()
        cursor.execute(ALL).fetchone()
        connection.close()
        driver.neighbour()
    assert [str(warning.message) for warning in seen if warning.category is not ResourceWarning] == []


@on(*ODBC)
def test_a_deprecated_setting_warns_as_often_as_the_bare_driver_does(driver: Driver) -> None:
    def warned(connection: Any) -> list[str]:
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            outcome(setattr, connection, "fetch_decimal_as_string", True)
            connection.close()
        return [str(warning.message) for warning in seen]

    driver.same_as_bare(warned)
