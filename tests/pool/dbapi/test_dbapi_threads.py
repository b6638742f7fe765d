"""Threads: who may use a connection where, and what becomes of it when a thread ends."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from backends import ODBC, SQLITE3, Driver, Outcome, on, outcome

ALL = "SELECT id, name FROM person ORDER BY id"
PATIENCE = 20.0
"""Seconds until a thread that does not come to an end is a failure."""


def in_threads(actions: Iterable[Callable[[], Any]]) -> list[Outcome]:
    """Do things in threads of their own, at the same time; gives what came of each."""
    told: dict[int, Outcome] = {}
    threads = [
        threading.Thread(
            target=lambda number=number, action=action: told.update({number: outcome(action)}), daemon=True
        )
        for number, action in enumerate(actions)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert not any(thread.is_alive() for thread in threads), "a thread does not come to an end"
    return [told[number] for number in range(len(threads))]


def elsewhere(action: Callable[..., Any], *arguments: Any) -> Outcome:
    """What comes of it in another thread."""
    (told,) = in_threads([lambda: action(*arguments)])
    return told


# -- sqlite3's check -----------------------------------------------------------------------------------------

CALLS: dict[str, Callable[[Any, Any], Any]] = {
    "cursor": lambda connection, cursor: connection.cursor(),
    "commit": lambda connection, cursor: connection.commit(),
    "rollback": lambda connection, cursor: connection.rollback(),
    "close": lambda connection, cursor: connection.close(),
    "execute": lambda connection, cursor: connection.execute("SELECT 1"),
    "executemany": lambda connection, cursor: connection.executemany("SELECT 1", []),
    "executescript": lambda connection, cursor: connection.executescript("SELECT 1"),
    "call": lambda connection, cursor: connection("SELECT 1"),
    "enter": lambda connection, cursor: connection.__enter__() is connection,
    "exit": lambda connection, cursor: connection.__exit__(None, None, None),
    "iterdump": lambda connection, cursor: next(connection.iterdump()),
    "interrupt": lambda connection, cursor: connection.interrupt(),
    "total_changes": lambda connection, cursor: connection.total_changes,
    "in_transaction": lambda connection, cursor: connection.in_transaction,
    "isolation_level": lambda connection, cursor: connection.isolation_level,
    "set isolation_level": lambda connection, cursor: setattr(connection, "isolation_level", None),
    "row_factory": lambda connection, cursor: connection.row_factory,
    "set row_factory": lambda connection, cursor: setattr(connection, "row_factory", None),
    "set text_factory": lambda connection, cursor: setattr(connection, "text_factory", str),
    "create_function": lambda connection, cursor: connection.create_function("mine", 0, list),
    "create_aggregate": lambda connection, cursor: connection.create_aggregate("mine", 0, list),
    "create_collation": lambda connection, cursor: connection.create_collation("mine", None),
    "set_authorizer": lambda connection, cursor: connection.set_authorizer(None),
    "set_progress_handler": lambda connection, cursor: connection.set_progress_handler(None, 1),
    "set_trace_callback": lambda connection, cursor: connection.set_trace_callback(None),
    "getlimit": lambda connection, cursor: connection.getlimit(0),
    "setlimit": lambda connection, cursor: connection.setlimit(0, 100_000),
    "serialize": lambda connection, cursor: len(connection.serialize()) > 0,
    "blobopen": lambda connection, cursor: connection.blobopen("person", "name", 1),
    "a method that there is not": lambda connection, cursor: connection.nothing(),
    "cursor's execute": lambda connection, cursor: cursor.execute("SELECT 1"),
    "cursor's executemany": lambda connection, cursor: cursor.executemany("SELECT 1", []),
    "cursor's executescript": lambda connection, cursor: cursor.executescript("SELECT 1"),
    "fetchone": lambda connection, cursor: cursor.fetchone(),
    "fetchmany": lambda connection, cursor: cursor.fetchmany(),
    "fetchall": lambda connection, cursor: cursor.fetchall(),
    "next": lambda connection, cursor: next(cursor),
    "iter": lambda connection, cursor: iter(cursor) is cursor,
    "list": lambda connection, cursor: list(cursor),
    "cursor's close": lambda connection, cursor: cursor.close(),
    "description": lambda connection, cursor: cursor.description,
    "rowcount": lambda connection, cursor: cursor.rowcount,
    "lastrowid": lambda connection, cursor: cursor.lastrowid,
    "set arraysize": lambda connection, cursor: setattr(cursor, "arraysize", 3),
    "cursor's connection": lambda connection, cursor: cursor.connection is connection,
    "setinputsizes": lambda connection, cursor: cursor.setinputsizes([]),
    "repr": lambda connection, cursor: len(repr(cursor)) > 0 and len(repr(connection)) > 0,
}


@on(SQLITE3)
@pytest.mark.parametrize("name", CALLS)
def test_another_thread_is_refused_what_the_bare_driver_refuses(driver: Driver, name: str) -> None:
    def try_elsewhere(connection: Any) -> Outcome:
        cursor = connection.execute(ALL)
        return elsewhere(CALLS[name], connection, cursor)

    driver.same_as_bare(try_elsewhere)


@on(SQLITE3)
def test_the_refusal_names_both_threads(driver: Driver) -> None:
    connection = driver.connect()
    told: list[Any] = []

    def use() -> None:
        try:
            connection.execute("SELECT 1")
        except driver.module.ProgrammingError as error:
            told.extend((str(error), threading.get_ident()))

    assert elsewhere(use).raised is None
    text, other = told
    assert text == (
        "SQLite objects created in a thread can only be used in that same thread. "
        f"The object was created in thread id {threading.get_ident()} and this is thread id {other}."
    )


@on(SQLITE3)
def test_a_refused_call_does_nothing(driver: Driver) -> None:
    connection = driver.connect()
    connection.execute("DELETE FROM person")
    assert elsewhere(connection.commit).raised is driver.module.ProgrammingError
    assert elsewhere(connection.close).raised is driver.module.ProgrammingError
    assert len(driver.rows(ALL)) == 5
    assert connection.execute(ALL).fetchall() == []


@on(SQLITE3)
def test_each_thread_may_use_what_it_has_opened_itself(driver: Driver) -> None:
    def use() -> Any:
        return driver.connect().execute(ALL).fetchall()[4]

    assert in_threads([use] * 6) == [Outcome(None, (5, "Eve"))] * 6
    assert use() == (5, "Eve")


@on(SQLITE3)
def test_a_connection_that_another_thread_has_had_before_is_checked_against_the_new_one(
    driver: Driver,
) -> None:
    assert elsewhere(driver.neighbour).raised is None
    connection = driver.connect()
    assert connection.execute("SELECT 7").fetchone() == (7,)
    assert elsewhere(connection.execute, "SELECT 1").raised is driver.module.ProgrammingError


@on(SQLITE3)
@pytest.mark.parametrize("value", [False, 0, True, 1])
def test_check_same_thread_is_what_it_was_asked_to_be(driver: Driver, value: Any) -> None:
    driver.neighbour(check_same_thread=not value)
    connection = driver.connect(check_same_thread=value)
    cursor = connection.execute(ALL)
    told = elsewhere(cursor.fetchone)
    assert told.raised is (driver.module.ProgrammingError if value else None)
    assert elsewhere(connection.commit).raised is (driver.module.ProgrammingError if value else None)


@on(SQLITE3)
@pytest.mark.filterwarnings("ignore:Passing more than 1 positional argument:DeprecationWarning")
def test_check_same_thread_may_come_by_position(driver: Driver) -> None:
    connection = driver.connect(5.0, 0, "", False)
    assert elsewhere(lambda: connection.execute(ALL).fetchone()) == Outcome(None, (1, "Ada"))
    checked = driver.connect(5.0, 0, "", True)
    assert elsewhere(checked.cursor).raised is driver.module.ProgrammingError


# -- handed over ---------------------------------------------------------------------------------------------


def shared(driver: Driver) -> Any:
    """A connection that threads may share."""
    return driver.connect() if driver.is_odbc else driver.connect(check_same_thread=False)


def test_a_connection_is_handed_to_another_thread_with_its_transaction(driver: Driver) -> None:
    connection = shared(driver)
    connection.execute("INSERT INTO person VALUES (6, 'Zoe')")
    assert elsewhere(lambda: connection.execute("INSERT INTO person VALUES (7, 'Yan')")).raised is None
    assert len(driver.rows(ALL)) == 5
    assert elsewhere(connection.commit).raised is None
    assert [row[0] for row in driver.rows(ALL)] == [1, 2, 3, 4, 5, 6, 7]


def test_a_cursor_is_handed_to_another_thread_in_the_middle_of_its_result(driver: Driver) -> None:
    cursor = shared(driver).cursor()
    assert cursor.execute(ALL).fetchone()[0] == 1
    assert elsewhere(lambda: cursor.fetchone()[0]) == Outcome(None, 2)
    assert elsewhere(lambda: [row[0] for row in cursor.fetchmany(2)]) == Outcome(None, [3, 4])
    assert [row[0] for row in cursor] == [5]


def test_a_connection_opened_in_a_thread_outlives_it(driver: Driver) -> None:
    kept: list[Any] = []
    assert elsewhere(lambda: kept.append(shared(driver).execute(ALL))).raised is None
    gc.collect()
    assert [row[0] for row in kept.pop()] == [1, 2, 3, 4, 5]


def test_closing_in_one_thread_is_seen_in_another(driver: Driver) -> None:
    connection = shared(driver)
    cursor = connection.execute(ALL)
    assert elsewhere(connection.close).raised is None
    assert outcome(cursor.fetchone).raised is driver.module.ProgrammingError
    assert outcome(connection.cursor).raised is driver.module.ProgrammingError


def test_threads_take_turns_on_one_connection(driver: Driver) -> None:
    connection = shared(driver)
    turn = threading.Lock()

    def write(number: int) -> None:
        for step in range(5):
            with turn:
                connection.execute("INSERT INTO person VALUES (?, 'N')", (number * 10 + step,))
                connection.commit()

    told = in_threads([lambda number=number: write(number) for number in (10, 20, 30, 40)])
    assert told == [Outcome(None, None)] * 4
    assert len(driver.rows("SELECT id FROM person WHERE id >= 100")) == 20


# -- threads that end ----------------------------------------------------------------------------------------


@on(modes=("pooled",))
@pytest.mark.parametrize("keep", ["a variable", "a thread's own storage", "an exception"])
def test_what_a_thread_held_comes_back_when_it_dies(driver: Driver, keep: str) -> None:
    storage = threading.local()

    def hold() -> None:
        cursor = driver.connect().cursor()
        cursor.execute("INSERT INTO person VALUES (6, 'Zoe')")
        if keep == "a thread's own storage":
            storage.cursor = cursor
        if keep == "an exception":
            raise LookupError("mine")

    assert elsewhere(hold).raised is (LookupError if keep == "an exception" else None)
    gc.collect()
    assert driver.stats.checked_out == 0
    assert len(driver.rows(ALL)) == 5


@on(modes=("pooled",))
def test_the_next_thread_gets_the_connection_of_one_that_died(driver: Driver) -> None:
    before = driver.stats.opened
    for _ in range(5):
        assert elsewhere(lambda: driver.connect().execute("SELECT 7").fetchone()[0]) == Outcome(None, 7)
    assert driver.stats.opened == before


@on(*ODBC, modes=("pooled",))
@pytest.mark.parametrize("end", ["close", "drop"])
def test_a_connection_may_end_in_another_thread_than_it_began(driver: Driver, end: str) -> None:
    kept = [driver.connect()]

    def finish() -> None:
        connection = kept.pop()
        if end == "close":
            connection.close()

    assert elsewhere(finish).raised is None
    assert driver.stats.checked_out == 0


# -- never two holders ---------------------------------------------------------------------------------------


@on(modes=("pooled",))
@pytest.mark.parametrize("end", ["close", "drop", "a cursor dropped last", "garbage"])
def test_no_two_threads_ever_hold_one_connection(driver: Driver, end: str) -> None:
    held: set[int] = set()
    lock = threading.Lock()
    start = threading.Barrier(6)

    def take_and_give_back() -> None:
        connection = driver.connect()
        cursor = connection.cursor()
        number = id(getattr(connection, "_accel_raw", connection))
        with lock:
            assert number not in held
            held.add(number)
        cursor.execute("SELECT 1").fetchone()
        with lock:
            held.remove(number)
        if end == "close":
            connection.close()
        if end == "garbage":
            cycle: list[Any] = [cursor]
            cycle.append(cycle)
        if end == "a cursor dropped last":
            del connection
            cursor.execute("SELECT 1").fetchone()

    def work() -> None:
        start.wait(PATIENCE)
        for _ in range(15):
            take_and_give_back()

    assert in_threads([work] * 6) == [Outcome(None, None)] * 6
    gc.collect()
    assert driver.stats.checked_out == 0


@on(modes=("pooled",))
def test_one_connection_closed_by_many_threads_at_once_comes_back_once(driver: Driver) -> None:
    for _ in range(5):
        connection = shared(driver)
        start = threading.Barrier(4)

        def close(connection: Any = connection, start: threading.Barrier = start) -> None:
            start.wait(PATIENCE)
            outcome(connection.close)

        assert in_threads([close] * 4) == [Outcome(None, None)] * 4
        del connection, close
        kept = [shared(driver) for _ in range(3)]
        assert len({id(getattr(one, "_accel_raw", one)) for one in kept}) == 3
        assert driver.stats.checked_out == 3
        del kept
