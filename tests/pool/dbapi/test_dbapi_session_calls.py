"""Sessions: what a call of the driver has left in one is nothing that the next user could find."""

from __future__ import annotations

import contextlib
import gc
import sys
from collections.abc import Callable
from typing import Any

import pytest
from backends import ODBC, PEOPLE, SQLITE3, Driver, on, outcome

ALL = "SELECT id, name FROM person ORDER BY id"
LIMITS = range(11)

since_python_3_11 = pytest.mark.skipif(sys.version_info < (3, 11), reason="sqlite3 has no such methods yet")


def call_next(driver: Driver, ask: Callable[[Any], Any]) -> None:
    """The next user, and somebody who has just connected, are answered the same."""
    gc.collect()
    following = driver.connect()
    told = outcome(ask, following)
    following.close()
    with contextlib.closing(driver._bare_connect(driver.database)) as new:
        assert told == outcome(ask, new)


# -- sqlite3: calls that change a connection -----------------------------------------------------------------


class Total:
    """An aggregate."""

    def __init__(self) -> None:
        self.total = 0

    def step(self, value: int) -> None:
        self.total += value

    inverse = step

    def value(self) -> int:
        return self.total

    finalize = value


def refuse(*_: Any) -> int:
    """As an authorizer or a progress handler: nothing is allowed."""
    return 1


def mine(*_: Any) -> str:
    """As a factory: whatever is found, this is made of it."""
    return "mine"


CALLS: dict[str, Callable[[Any], Any]] = {
    "a function": lambda connection: connection.create_function("mine", 1, lambda value: 42),
    "a function by name": lambda connection: connection.create_function(
        name="mine", narg=1, func=lambda value: 42, deterministic=True
    ),
    "a function in place of SQLite's": lambda connection: connection.create_function(
        "upper", 1, lambda value: "!"
    ),
    "an aggregate": lambda connection: connection.create_aggregate("mine", 1, Total),
    "an aggregate for windows": lambda connection: connection.create_window_function("mine", 1, Total),
    "a collation": lambda connection: connection.create_collation("mine", lambda one, two: 0),
    "a collation in place of SQLite's": lambda connection: connection.create_collation(
        "NOCASE", lambda one, two: 0
    ),
    "an authorizer": lambda connection: connection.set_authorizer(refuse),
    "a progress handler": lambda connection: connection.set_progress_handler(refuse, 1),
    "a trace callback": lambda connection: connection.set_trace_callback(print),
    "a limit": lambda connection: connection.setlimit(1, 20),
    "a row factory": lambda connection: setattr(connection, "row_factory", mine),
    "the driver's row factory": lambda connection: setattr(
        connection, "row_factory", __import__("sqlite3").Row
    ),
    "a text factory": lambda connection: setattr(connection, "text_factory", mine),
    "bytes for text": lambda connection: setattr(connection, "text_factory", bytes),
    "another database": lambda connection: connection.deserialize(connection.serialize()),
    "an interruption": lambda connection: connection.interrupt(),
    "extensions": lambda connection: connection.enable_load_extension(True),
}
QUESTIONS = (
    *("SELECT mine(1)", "SELECT mine(id) FROM person", "SELECT upper('a')", "SELECT 'a' = 'B' COLLATE mine"),
    *(
        "SELECT 'a' = 'B' COLLATE NOCASE",
        ALL,
        "SELECT load_extension('nothing')",
        "SELECT 'long enough text'",
    ),
    "SELECT DISTINCT name FROM pragma_function_list ORDER BY name",
)


def answers(connection: Any) -> dict[str, Any]:
    """What a connection says to everything that the calls above can change."""
    told = {sql: outcome(lambda sql=sql: connection.execute(sql).fetchall()) for sql in QUESTIONS}
    limits = {str(limit): outcome(lambda limit=limit: connection.getlimit(limit)) for limit in LIMITS}
    factories = {
        name: getattr(connection, name) for name in ("row_factory", "text_factory", "isolation_level")
    }
    return told | limits | factories


@on(SQLITE3)
@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("end", ["close", "drop"])
def test_the_next_user_finds_nothing_of_what_was_called(
    driver: Driver, name: str, end: str, capsys: pytest.CaptureFixture[str]
) -> None:
    connection = driver.connect()
    if outcome(CALLS[name], connection).raised is AttributeError:
        pytest.skip("this Python's sqlite3 has no such method")
    if end == "close":
        connection.close()
    del connection
    capsys.readouterr()
    call_next(driver, answers)
    assert capsys.readouterr().out == ""


@on(SQLITE3)
@pytest.mark.parametrize("name", CALLS)
def test_what_was_called_works_for_whoever_called_it(driver: Driver, name: str) -> None:
    def call_and_ask(connection: Any) -> Any:
        connection.execute(ALL).fetchall()  # a new one has to read the schema first, and a handler sees that
        return outcome(CALLS[name], connection), answers(connection)

    driver.same_as_bare(call_and_ask)


@on(SQLITE3)
@pytest.mark.parametrize("method", ["set_authorizer", "set_trace_callback", "row_factory"])
def test_a_callback_may_refer_to_the_connection_that_it_belongs_to(driver: Driver, method: str) -> None:
    def connect_and_ask() -> Any:
        connection = driver.connect()
        seen: list[Any] = []

        def callback(*given: Any) -> Any:
            seen.append(connection.in_transaction)
            return 0

        if method == "row_factory":
            connection.row_factory = callback
        else:
            getattr(connection, method)(callback)
        connection.execute("SELECT 1").fetchone()
        return set(seen)

    assert connect_and_ask() == {False}
    call_next(driver, answers)


@since_python_3_11
@on(SQLITE3)
def test_calls_that_change_nothing_give_what_the_driver_gives(driver: Driver) -> None:
    def ask(connection: Any) -> Any:
        serialized = connection.serialize()
        return (
            list(connection.iterdump()),
            connection.serialize() == serialized,
            [connection.getlimit(limit) for limit in LIMITS],
            outcome(connection.getlimit, 99),
            connection.interrupt(),
        )

    assert driver.same_as_bare(ask).raised is None


@since_python_3_11
@on(SQLITE3, modes=("pooled",))
def test_calls_that_change_nothing_cost_no_connection(driver: Driver) -> None:
    opened = driver.stats.opened
    for _ in range(3):
        connection = driver.connect()
        list(connection.iterdump())
        connection.getlimit(0)
        connection.serialize()
        connection.execute("SELECT 1").fetchone()
        connection.close()
    assert driver.stats.opened == opened


@on(SQLITE3)
def test_a_dump_that_was_begun_does_not_trouble_the_next_user(driver: Driver) -> None:
    dump = driver.connect().iterdump()
    next(dump)
    del dump
    gc.collect()
    following = driver.connect()
    following.execute("DROP TABLE neighbour")
    following.commit()
    assert driver.rows(ALL) == PEOPLE


@since_python_3_11
@on(SQLITE3)
def test_a_blob_is_read_written_and_over_with_its_connection(driver: Driver) -> None:
    outside = driver.other_connection()
    outside.execute("CREATE TABLE picture (id INTEGER PRIMARY KEY, content BLOB)")
    outside.execute("INSERT INTO picture VALUES (1, x'616263')")
    outside.commit()

    def use(connection: Any) -> Any:
        with connection.blobopen("picture", "content", 1) as blob:
            told = blob.read(2), blob.tell(), len(blob), blob[0], blob[0:2], blob.seek(0)
            blob.write(b"abc")
        kept = connection.blobopen("picture", "content", 1, readonly=True)
        refused = outcome(kept.write, b"-")
        connection.close()
        return told, refused, outcome(blob.read), outcome(kept.read), outcome(kept.close), outcome(len, kept)

    assert driver.same_as_bare(use).raised is None


@on(SQLITE3)
def test_detect_types_belongs_to_the_connections_that_ask_for_it(driver: Driver) -> None:
    module = driver.module
    sql = 'SELECT name AS "name [mine]" FROM person WHERE id = 1'
    module.register_converter("mine", lambda value: ("converted", value))
    try:
        driver.neighbour(detect_types=module.PARSE_COLNAMES)
        assert driver.connect(detect_types=module.PARSE_COLNAMES).execute(sql).fetchone() == (
            ("converted", b"Ada"),
        )
        assert driver.connect().execute(sql).fetchone() == ("Ada",)
    finally:
        del module.converters["MINE"]


@on(SQLITE3)
@pytest.mark.parametrize("count", [0, 1, 128])
def test_cached_statements_may_be_asked_for(driver: Driver, count: int) -> None:
    driver.neighbour(cached_statements=count)
    connection = driver.connect(cached_statements=count)
    assert [connection.execute(ALL).fetchall() for _ in range(3)] == [PEOPLE] * 3


# -- pyodbc: converters, encodings, attributes ---------------------------------------------------------------


def text_type(connection: Any) -> int:
    """The ODBC type of the column `name`."""
    return next(row.data_type for row in connection.cursor().columns("person") if row.column_name == "name")


@on(*ODBC)
def test_a_converter_works_and_is_gone_for_the_next_user(driver: Driver) -> None:
    connection = driver.connect()
    kind = text_type(connection)
    connection.add_output_converter(kind, lambda value: "converted")
    assert connection.execute(ALL).fetchone()[1] == "converted"
    assert connection.get_output_converter(kind)(b"") == "converted"
    connection.remove_output_converter(kind)
    assert connection.execute(ALL).fetchone()[1] == "Ada"
    connection.add_output_converter(kind, lambda value: "converted")
    del connection
    call_next(driver, lambda mine: (mine.get_output_converter(kind), mine.execute(ALL).fetchone()[1]))


@on(*ODBC)
def test_a_converter_may_refer_to_its_connection(driver: Driver) -> None:
    connection = driver.connect()
    kind = text_type(connection)
    connection.add_output_converter(kind, lambda value: connection.autocommit)
    assert connection.execute(ALL).fetchone()[1] is False
    connection.clear_output_converters()
    connection.close()
    call_next(driver, lambda mine: mine.execute(ALL).fetchone()[1])


@on(*ODBC)
@pytest.mark.parametrize("method", ["setencoding", "setdecoding"])
def test_an_encoding_is_gone_for_the_next_user(driver: Driver, method: str) -> None:
    connection = driver.connect()
    kinds = (driver.module.SQL_WCHAR,) if method == "setdecoding" else ()
    getattr(connection, method)(*kinds, encoding="utf-16-be" if kinds else "latin-1")
    del connection
    text = "h\u00e9\u20ac\u4f60"

    def write_and_read(mine: Any) -> Any:
        mine.execute("INSERT INTO person VALUES (9, ?)", (text,))
        found = mine.execute("SELECT name FROM person WHERE id = 9").fetchone()[0]
        mine.rollback()
        return found

    call_next(driver, write_and_read)
    assert write_and_read(driver.connect()) == text


@on(*ODBC)
def test_an_attribute_of_odbc_is_gone_for_the_next_user(driver: Driver) -> None:
    module = driver.module
    set_it = module.SQL_ATTR_ACCESS_MODE, 1
    connection = driver.connect()
    assert outcome(connection.set_attr, *set_it) == outcome(driver.other_connection().set_attr, *set_it)
    del connection

    def write(mine: Any) -> None:
        mine.execute("INSERT INTO neighbour VALUES ('x')")
        mine.rollback()

    call_next(driver, write)
