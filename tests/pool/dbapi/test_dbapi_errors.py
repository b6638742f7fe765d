"""Errors: the driver's own classes and words, and nothing of the pool's in them."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from typing import Any

import pytest
from backends import ODBC, POSTGRESQL, SQLITE3, Driver, on, outcome

NAMES = (
    *("Warning", "Error", "InterfaceError", "DatabaseError", "DataError", "OperationalError"),
    *("IntegrityError", "InternalError", "ProgrammingError", "NotSupportedError"),
)


def execute(*arguments: Any) -> Callable[[Any], Any]:
    """What a connection's cursor does with these arguments."""
    return lambda connection: connection.cursor().execute(*arguments).fetchall() and None


def executemany(*arguments: Any) -> Callable[[Any], Any]:
    """The same for many."""
    return lambda connection: connection.cursor().executemany(*arguments) and None


ERRORS: dict[str, dict[str, Callable[[Any], Any]]] = {
    "statements": {
        "no SQL at all": execute("SELEC 1"),
        "an unfinished statement": execute("SELECT ("),
        "no such table": execute("SELECT * FROM nowhere"),
        "no such column": execute("SELECT nothing FROM person"),
        "no such function": execute("SELECT nothing(1)"),
        "a duplicate key": execute("INSERT INTO person VALUES (1, 'again')"),
        "a table that is there": execute("CREATE TABLE person (id INTEGER)"),
        "statements in bytes": execute(b"SELECT 1"),
        "no statement": execute(None),
        "no argument": lambda connection: connection.cursor().execute(),
        "nothing to execute": execute(""),
        "a comment only": execute("-- nothing"),
        "two statements": execute("SELECT 1; SELECT 2"),
    },
    "values": {
        "too few values": execute("SELECT id FROM person WHERE id = ? OR name = ?", (1,)),
        "too many values": execute("SELECT id FROM person WHERE id = ?", (1, 2)),
        "values for no place": execute("SELECT 1", (1,)),
        "no values": execute("SELECT id FROM person WHERE id = ?"),
        "a value of no known type": execute("SELECT id FROM person WHERE name = ?", (object(),)),
        "values in no sequence": execute("SELECT id FROM person WHERE id = ?", 5),
        "a number that is too large": execute("INSERT INTO person VALUES (?, 'x')", (2**70,)),
    },
    "many": {
        "many with a duplicate": executemany("INSERT INTO person VALUES (?, ?)", [(6, "x"), (1, "again")]),
        "many with too few values": executemany("INSERT INTO person VALUES (?, ?)", [(6, "x"), (7,)]),
        "many of nothing": executemany("INSERT INTO person VALUES (?, ?)", []),
        "many of no rows": executemany("INSERT INTO person VALUES (?, ?)", [1, 2]),
        "many of no iterable": executemany("INSERT INTO person VALUES (?, ?)", 5),
        "many without values": lambda connection: connection.cursor().executemany("SELECT 1"),
    },
    "fetching": {
        "fetchone before execute": lambda connection: connection.cursor().fetchone(),
        "fetchall before execute": lambda connection: connection.cursor().fetchall(),
        "fetchmany before execute": lambda connection: connection.cursor().fetchmany(2),
        "next before execute": lambda connection: next(connection.cursor()),
        "fetchmany of text": lambda connection: connection.execute("SELECT 1").fetchmany("two"),
        "fetchmany of too much": lambda connection: connection.execute("SELECT 1").fetchmany(1, 2, 3),
        "fetchone of something": lambda connection: connection.execute("SELECT 1").fetchone(1),
    },
    "calls": {
        "a keyword that is none": lambda connection: connection.commit(now=True),
        "commit of something": lambda connection: connection.commit(1),
        "close of something": lambda connection: connection.close(1),
        "cursor of something": lambda connection: connection.cursor("mine"),
        "cursor without arguments of its own": lambda connection: connection.cursor(factory=list),
        "cursor's close of something": lambda connection: connection.cursor().close(1),
        "adding": lambda connection: connection + 1,
        "comparing": lambda connection: connection < connection,
        "calling a cursor": lambda connection: connection.cursor()(),
        "awaiting": lambda connection: connection.cursor().__await__(),
    },
    "attributes": {
        "no such attribute": lambda connection: connection.nothing,
        "no such attribute of a cursor": lambda connection: connection.cursor().nothing,
        "no such attribute to set": lambda connection: setattr(connection, "nothing", 1),
        "no such attribute of a cursor to set": lambda connection: setattr(connection.cursor(), "nothing", 1),
        "no such attribute to delete": lambda connection: delattr(connection, "nothing"),
        "an attribute that cannot be deleted": lambda connection: delattr(connection, "commit"),
        "a method that cannot be set": lambda connection: setattr(connection, "commit", print),
        "a cursor's method that cannot be set": lambda connection: setattr(
            connection.cursor(), "execute", print
        ),
    },
}


@pytest.mark.parametrize("group", ERRORS)
def test_errors_are_the_drivers_own(driver: Driver, group: str) -> None:
    for name, action in ERRORS[group].items():
        driver.same_as_bare(lambda mine, name=name, action=action: (name, outcome(action, mine)))


# -- classes -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sql", "kinds"),
    [
        ("SELEC 1", {"OperationalError", "ProgrammingError", "Error"}),
        ("INSERT INTO person VALUES (1, 'again')", {"IntegrityError", "Error"}),
    ],
)
def test_errors_are_caught_by_the_modules_classes(driver: Driver, sql: str, kinds: set[str]) -> None:
    with pytest.raises(driver.module.Error) as caught:
        driver.connect().execute(sql)
    assert type(caught.value) in {getattr(driver.module, kind) for kind in kinds}
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


@on(SQLITE3)
@pytest.mark.parametrize("name", NAMES)
def test_sqlite3s_connections_have_the_error_classes(driver: Driver, name: str) -> None:
    assert getattr(driver.connect(), name) is getattr(driver.module, name)


@on(SQLITE3)
def test_errors_carry_sqlites_code_and_name(driver: Driver) -> None:
    def codes(connection: Any) -> tuple[object, ...]:
        try:
            connection.execute("INSERT INTO person VALUES (1, 'again')")
        except driver.module.IntegrityError as error:
            return tuple(getattr(error, name, None) for name in ("sqlite_errorcode", "sqlite_errorname"))
        raise AssertionError("no error")

    expected = (1555, "SQLITE_CONSTRAINT_PRIMARYKEY") if sys.version_info >= (3, 11) else (None, None)
    assert driver.same_as_bare(codes).told == expected


@on(*ODBC)
def test_errors_carry_the_state_first(driver: Driver) -> None:
    with pytest.raises(driver.module.Error) as caught:
        driver.connect().execute("SELECT * FROM nowhere")
    state, text = caught.value.args
    assert len(state) == 5
    assert text.startswith(f"[{state}]")
    driver.same_as_bare(execute("SELECT * FROM nowhere"))


def test_an_exception_of_the_pools_users_own_passes_unchanged(driver: Driver) -> None:
    mine = LookupError("mine")

    def rows() -> Any:
        raise mine
        yield

    with pytest.raises(LookupError) as caught:
        driver.connect().cursor().executemany("INSERT INTO person VALUES (?, ?)", rows())
    assert caught.value is mine


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_interruptions_pass_unchanged(driver: Driver, kind: type[BaseException]) -> None:
    def rows() -> Any:
        yield (6, "Zoe")
        raise kind

    with pytest.raises(kind):
        driver.connect().cursor().executemany("INSERT INTO person VALUES (?, ?)", rows())
    assert driver.rows("SELECT id FROM person WHERE id = 6") == []


# -- afterwards ----------------------------------------------------------------------------------------------


def test_a_connection_is_good_after_an_error_and_a_rollback(driver: Driver) -> None:
    connection = driver.connect()
    cursor = connection.cursor()
    for sql in ("SELEC 1", "SELECT * FROM nowhere", "INSERT INTO person VALUES (1, 'again')"):
        assert outcome(cursor.execute, sql).raised is not None
        connection.rollback()
        assert cursor.execute("SELECT name FROM person WHERE id = 1").fetchone()[0] == "Ada"


def test_work_before_an_error_is_kept_or_lost_as_with_the_bare_driver(driver: Driver) -> None:
    def fail_in_the_middle(connection: Any) -> object:
        connection.execute("INSERT INTO neighbour VALUES ('before')")
        failed = outcome(connection.execute, "SELECT * FROM nowhere")
        following = outcome(lambda: connection.execute("SELECT 7").fetchone()[0])
        committed = outcome(connection.commit)
        found = connection.execute("SELECT COUNT(*) FROM neighbour WHERE note = 'before'").fetchone()[0]
        connection.execute("DELETE FROM neighbour WHERE note = 'before'")
        connection.commit()
        return failed, following, committed, found

    driver.same_as_bare(fail_in_the_middle)


@pytest.mark.parametrize("sql", ["SELEC 1", "SELECT * FROM nowhere", "INSERT INTO person VALUES (1, 'x')"])
def test_the_next_user_does_not_see_that_the_last_one_failed(driver: Driver, sql: str) -> None:
    for _ in range(3):
        assert outcome(driver.connect().execute, sql).raised is not None
        gc.collect()  # sqlite3's connections are part of a cycle
        assert driver.connect().execute("SELECT 7").fetchone()[0] == 7


@on(modes=("pooled",))
@pytest.mark.parametrize("sql", ["SELECT * FROM nowhere", "INSERT INTO person VALUES (1, 'x')"])
def test_an_error_of_the_statements_own_costs_no_connection(driver: Driver, sql: str) -> None:
    before = driver.stats.opened
    for _ in range(5):
        assert outcome(driver.connect().execute, sql).raised is not None
    driver.connect().close()
    assert driver.stats.opened == before


# -- locks ---------------------------------------------------------------------------------------------------


@on(SQLITE3)
@pytest.mark.parametrize("how", ["write", "read", "commit"])
def test_a_locked_file_is_reported_in_sqlites_words(driver: Driver, how: str) -> None:
    holder = driver.other_connection(isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE" if how == "read" else "BEGIN IMMEDIATE" if how == "write" else "BEGIN")
    holder.execute("SELECT * FROM person").fetchone()

    def try_it(connection: Any) -> None:
        connection.execute("SELECT COUNT(*) FROM person" if how == "read" else "DELETE FROM neighbour")
        connection.commit()

    attempts = [
        outcome(try_it, make(timeout=0)) for make in (driver.connect, driver.other_connection) for _ in "12"
    ]
    assert attempts == attempts[:1] * 4
    assert attempts[0].raised is driver.module.OperationalError
    assert attempts[0].told == ("database is locked",)


@on(POSTGRESQL)
def test_a_locked_row_is_reported_in_the_servers_words(driver: Driver) -> None:
    holder = driver.other_connection()
    holder.execute("UPDATE person SET name = 'held' WHERE id = 1")
    told = driver.same_as_bare(execute("SELECT name FROM person WHERE id = 1 FOR UPDATE NOWAIT"))
    assert told.raised is not None
    assert "55P03" in str(told.told)


# -- connecting ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("times", [1, 3])
def test_a_connect_that_fails_raises_the_drivers_own_error(driver: Driver, times: int) -> None:
    nowhere = "Driver={There is none};Database=x" if driver.is_odbc else "/no/such/folder/at/all.db"
    bare = outcome(driver._bare_connect, nowhere)
    assert bare.raised is not None
    for _ in range(times):
        assert outcome(driver.module.connect, nowhere) == bare


@pytest.mark.parametrize(
    "connect",
    [
        lambda module, database: module.connect(),
        lambda module, database: module.connect(None),
        lambda module, database: module.connect(5.5),
        lambda module, database: module.connect(database, timeout="soon"),
        lambda module, database: module.connect(database, *range(20)),
        lambda module, database: module.connect(database, 5, timeout=5),
    ],
    ids=["nothing", "none", "number", "text", "too much", "twice"],
)
def test_wrong_arguments_of_connect_raise_what_they_raise(
    driver: Driver, connect: Callable[[Any, Any], Any]
) -> None:
    class Bare:
        connect = staticmethod(driver._bare_connect)

    told = outcome(connect, driver.module, driver.database)
    assert told == outcome(connect, Bare, driver.database)
    assert told.raised is not None


@on(POSTGRESQL)
def test_a_wrong_database_or_user_is_refused_in_the_servers_words(driver: Driver) -> None:
    for wrong in ("Database=nowhere", "UID=nobody"):
        text = f"{wrong};{driver.database}" if "nobody" in wrong else f"{driver.database};{wrong}"
        assert outcome(driver.module.connect, text).raised in (outcome(driver._bare_connect, text).raised,)
