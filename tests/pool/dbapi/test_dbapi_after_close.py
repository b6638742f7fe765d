"""After a close: whatever is done then is answered as the bare driver answers it."""

from __future__ import annotations

import ctypes
import gc
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from backends import ODBC, SQLITE3, Driver, Outcome, on, outcome

ALL = "SELECT id, name FROM person ORDER BY id"
ARGUMENTS: dict[str, tuple[Any, ...]] = {
    "__call__": ("SELECT 1",),
    "__enter__": (),
    "__exit__": (None, None, None),
    "add_output_converter": (4, str),
    "blobopen": ("person", "name", 1),
    "create_aggregate": ("mine", 1, object),
    "create_collation": ("mine", None),
    "create_function": ("mine", 1, str),
    "create_window_function": ("mine", 1, None),
    "deserialize": (b"",),
    "execute": ("SELECT 1",),
    "executemany": ("SELECT 1", [()]),
    "executescript": ("SELECT 1",),
    "get_output_converter": (4,),
    "getinfo": (17,),
    "getlimit": (0,),
    "remove_output_converter": (4,),
    "set_attr": (113, 1),
    "set_authorizer": (None,),
    "set_progress_handler": (None, 1),
    "set_trace_callback": (None,),
    "setinputsizes": ([],),
    "setlimit": (0, 1),
    "setoutputsize": (1,),
    "skip": (1,),
    **dict.fromkeys(("columns", "primaryKeys", "rowIdColumns", "rowVerColumns", "statistics"), ("person",)),
}
CHANGING = "__init__", "__setattr__", "__delattr__"
CATALOG = frozenset(
    {"columns", "foreignKeys", "getTypeInfo", "primaryKeys", "procedureColumns", "procedures"}
    | {"rowIdColumns", "rowVerColumns", "statistics", "tables"}
)
"""The methods of pyodbc's cursors that ask what there is in a database."""


def names(kind: type) -> list[str]:
    """Everything that objects of a type offer of their own."""
    own = [name for name in dir(kind) if not hasattr(object, name)]
    return [name for name in own if name not in CHANGING and name != "backup"]


def touch(thing: Any, name: str) -> object:
    """Read an attribute; of a method, what calling it does, without arguments and with good ones."""
    found = outcome(getattr, thing, name)
    if found.raised is not None or not callable(found.told) or isinstance(found.told, type):
        return _shown(found, thing)
    tries = {(), ARGUMENTS.get(name, ())}
    return [_shown(outcome(found.told, *arguments), thing) for arguments in sorted(tries, key=len)]


def _shown(found: Outcome, thing: Any) -> object:
    if found.told is thing:
        return "itself"
    if isinstance(found.told, ctypes.c_void_p):
        return bool(found.told)
    return "a connection" if hasattr(found.told, "cursor") else found


def touch_all(driver: Driver, prepare: Callable[[Any], Any], chosen: Iterable[str]) -> None:
    """Compare these attributes and methods of what `prepare` makes of a connection."""

    def touched(connection: Any) -> dict[str, object]:
        thing = prepare(connection)
        return {name: touch(thing, name) for name in chosen}

    assert driver.same_as_bare(touched).told


def closed(connection: Any) -> Any:
    connection.close()
    return connection


def cursor_of_closed(connection: Any) -> Any:
    cursor = connection.cursor()
    connection.close()
    return cursor


def reading_cursor_of_closed(connection: Any) -> Any:
    cursor = connection.cursor()
    cursor.execute(ALL).fetchone()
    connection.close()
    return cursor


def closed_cursor(connection: Any) -> Any:
    cursor = connection.cursor()
    cursor.close()
    return cursor


def read_and_closed_cursor(connection: Any) -> Any:
    cursor = connection.cursor()
    cursor.execute(ALL).fetchone()
    cursor.close()
    return cursor


def both_closed(connection: Any) -> Any:
    return closed_cursor_then_connection(connection, connection.cursor())


def closed_cursor_then_connection(connection: Any, cursor: Any) -> Any:
    cursor.close()
    connection.close()
    return cursor


# -- every attribute and method ----------------------------------------------------------------------------


def test_a_closed_connection_answers_as_the_bare_one(driver: Driver) -> None:
    touch_all(driver, closed, names(driver.module.Connection))


without_a_future = pytest.mark.parametrize(
    "prepare",
    [cursor_of_closed, reading_cursor_of_closed, closed_cursor, read_and_closed_cursor, both_closed],
    ids=lambda prepare: prepare.__name__,
)


@without_a_future
def test_a_cursor_without_a_future_answers_as_the_bare_one(driver: Driver, prepare: Any) -> None:
    touch_all(driver, prepare, [name for name in names(driver.module.Cursor) if name not in CATALOG])


@on(*ODBC)
@without_a_future
def test_a_cursor_without_a_future_is_asked_for_the_catalog(driver: Driver, prepare: Any) -> None:
    if tuple(map(int, driver.module.version.split(".")[:2])) < (5, 5):
        pytest.skip("pyodbc before 5.5 crashes when a closed cursor is asked for the catalog")
    assert set(names(driver.module.Cursor)) >= CATALOG
    touch_all(driver, prepare, CATALOG)


@pytest.mark.parametrize(
    ("prepare", "kind"),
    [(closed, "Connection"), (cursor_of_closed, "Cursor"), (closed_cursor, "Cursor")],
    ids=["connection", "cursor_of_closed", "closed_cursor"],
)
@pytest.mark.parametrize("value", [None, 0, 1, "text"])
def test_attributes_are_set_after_a_close_as_the_bare_driver_lets_them(
    driver: Driver, prepare: Any, kind: str, value: object
) -> None:
    def set_all(connection: Any) -> object:
        thing = prepare(connection)
        return {name: outcome(setattr, thing, name, value) for name in names(getattr(driver.module, kind))}

    driver.same_as_bare(set_all)


# -- single truths -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("what", ["connection", "cursor"])
def test_closing_twice_does_what_the_driver_does(driver: Driver, what: str) -> None:
    def close_twice(connection: Any) -> object:
        thing = connection if what == "connection" else connection.cursor()
        return [outcome(thing.close) for _ in range(3)]

    first, *_ = driver.same_as_bare(close_twice).told  # type: ignore[misc]  # it is the list above
    assert first == Outcome(None, None)


@on(*ODBC)
def test_closed_tells_whether_the_connection_is_closed(driver: Driver) -> None:
    connection = driver.connect()
    assert connection.closed is False
    cursor = connection.cursor()
    cursor.close()
    assert connection.closed is False
    connection.close()
    assert connection.closed is True


@on(SQLITE3)
def test_sqlite3_has_no_closed_when_pooled_either(driver: Driver) -> None:
    assert not hasattr(driver.connect(), "closed")
    assert not hasattr(closed(driver.connect()), "closed")


def test_a_closed_connection_makes_no_cursor(driver: Driver) -> None:
    told = driver.same_as_bare(lambda connection: closed(connection).cursor())
    assert told.raised is driver.module.ProgrammingError


def test_work_not_committed_is_lost_even_if_the_closed_connection_is_kept(driver: Driver) -> None:
    connection = driver.connect()
    connection.execute("INSERT INTO person VALUES (6, 'Zoe')")
    connection.close()
    assert outcome(connection.commit).raised is driver.module.ProgrammingError
    assert driver.rows("SELECT id FROM person WHERE id = 6") == []


def test_a_with_block_in_which_the_connection_is_closed_ends_as_with_the_bare_one(driver: Driver) -> None:
    def close_inside(connection: Any) -> None:
        with connection:
            connection.close()

    driver.same_as_bare(close_inside)


def test_an_exception_in_a_block_that_closes_its_connection_ends_as_with_the_bare_one(driver: Driver) -> None:
    def close_and_raise(connection: Any) -> None:
        with connection:
            connection.close()
            raise LookupError("mine")

    driver.same_as_bare(close_and_raise)


@on(*ODBC)
@pytest.mark.parametrize("what", ["cursor", "connection"])
def test_a_cursors_block_in_which_it_is_closed_ends_as_with_the_bare_one(driver: Driver, what: str) -> None:
    def close_inside(connection: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO neighbour VALUES ('x')")
            (cursor if what == "cursor" else connection).close()

    driver.same_as_bare(close_inside)


def test_a_loop_over_a_cursor_ends_when_the_connection_is_closed_in_it(driver: Driver) -> None:
    def loop(connection: Any) -> list[int]:
        seen = []
        for row in connection.cursor().execute(ALL):
            seen.append(row[0])
            if len(seen) == 2:
                connection.close()
        return seen

    told = driver.same_as_bare(loop)
    assert told.raised is driver.module.ProgrammingError


def test_a_loop_over_a_cursor_ends_when_the_cursor_is_closed_in_it(driver: Driver) -> None:
    def loop(connection: Any) -> None:
        cursor = connection.cursor()
        for _ in cursor.execute(ALL):
            cursor.close()

    assert driver.same_as_bare(loop).raised is driver.module.ProgrammingError


def test_other_cursors_go_on_when_one_is_closed(driver: Driver) -> None:
    connection = driver.connect()
    one, two = connection.cursor(), connection.cursor()
    one.execute(ALL).fetchone()
    two.close()
    assert [row[0] for row in one] == [2, 3, 4, 5]
    assert connection.execute("SELECT 7").fetchone()[0] == 7


def test_a_closed_cursor_does_not_end_the_transaction(driver: Driver) -> None:
    connection = driver.connect()
    cursor = connection.cursor()
    cursor.execute("INSERT INTO person VALUES (6, 'Zoe')")
    cursor.close()
    assert driver.rows("SELECT id FROM person WHERE id = 6") == []
    connection.commit()
    assert driver.rows("SELECT id FROM person WHERE id = 6") == [(6,)]


def test_rows_and_their_description_outlive_the_connection(driver: Driver) -> None:
    connection = driver.connect()
    cursor = connection.cursor()
    rows = cursor.execute(ALL).fetchall()
    description = cursor.description
    connection.close()
    del cursor, connection
    gc.collect()
    assert [tuple(row) for row in rows][4] == (5, "Eve")
    assert [column[0] for column in description] == ["id", "name"]


def test_equality_hash_and_name_outlive_the_close(driver: Driver) -> None:
    connection = driver.connect()
    cursor = connection.cursor()
    known, shown = {connection: "c", cursor: "k"}, (repr(connection), repr(cursor))
    connection.close()
    assert (known[connection], known[cursor]) == ("c", "k")
    assert (repr(connection), repr(cursor)) == shown
    assert isinstance(connection, driver.module.Connection)
    assert isinstance(cursor, driver.module.Cursor)


@on(SQLITE3)
def test_what_was_set_can_still_be_read_of_a_closed_connection(driver: Driver) -> None:
    def set_and_close(connection: Any) -> object:
        connection.row_factory = driver.module.Row
        connection.text_factory = bytes
        connection.isolation_level = "IMMEDIATE"
        connection.close()
        readable = ("row_factory", "text_factory", "isolation_level", "in_transaction", "total_changes")
        return {name: outcome(getattr, connection, name) for name in readable}

    driver.same_as_bare(set_and_close)


@on(SQLITE3)
def test_what_a_cursor_has_told_can_still_be_read_when_its_connection_is_closed(driver: Driver) -> None:
    def read(connection: Any) -> object:
        writing = connection.execute("INSERT INTO person (name) VALUES ('Zoe')")
        reading = connection.execute(ALL)
        reading.arraysize = 3
        connection.close()
        told = ("description", "rowcount", "lastrowid", "arraysize", "row_factory")
        return [outcome(getattr, cursor, name) for cursor in (writing, reading) for name in told]

    driver.same_as_bare(read)
