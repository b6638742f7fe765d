"""Leases: a connection is one user's for as long as anything of theirs can still reach it, and no longer."""

from __future__ import annotations

import gc
import operator
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from backends import SQLITE3, Driver, in_use, on, outcome

ALL = "SELECT id, name FROM person ORDER BY id"
ZOE = "INSERT INTO person VALUES (6, 'Zoe')"
HAS_ZOE = "SELECT COUNT(*) FROM person WHERE name = 'Zoe'"


class Box:
    """Something of the application's that holds whatever is put into it."""

    content: Any


def zoes(driver: Driver) -> int:
    """How many there are, as somebody else sees it."""
    return int(driver.rows(HAS_ZOE)[0][0])


def read_half(driver: Driver) -> Any:
    """A cursor in the middle of a result, its connection forgotten."""
    cursor = driver.connect().cursor()
    cursor.execute(ALL).fetchone()
    return cursor


# -- who keeps a connection, in both modes ------------------------------------------------------------------


def test_a_cursor_keeps_its_connection_open(driver: Driver) -> None:
    cursor = read_half(driver)
    gc.collect()
    assert [row[1] for row in cursor] == ["Bob", "Cid", "Dan", "Eve"]
    assert cursor.execute("SELECT 7").fetchone()[0] == 7


def test_a_cursor_of_a_forgotten_connection_can_commit_through_it(driver: Driver) -> None:
    cursor = driver.connect().cursor()
    cursor.execute(ZOE)
    gc.collect()
    cursor.connection.commit()
    assert zoes(driver) == 1


def test_a_forgotten_connection_is_found_again_through_any_of_its_cursors(driver: Driver) -> None:
    connection = driver.connect()
    one, two = connection.cursor(), connection.cursor()
    number = id(connection)
    del connection
    gc.collect()
    assert one.connection is two.connection
    assert id(one.connection) == number


def test_a_cursor_goes_on_when_another_of_the_same_connection_is_closed(driver: Driver) -> None:
    connection = driver.connect()
    one, two = connection.cursor(), connection.cursor()
    del connection
    one.execute(ALL).fetchone()
    two.execute(ALL)
    two.close()
    gc.collect()
    assert [row[1] for row in one] == ["Bob", "Cid", "Dan", "Eve"]


@pytest.mark.parametrize("name", ["execute", "cursor", "commit", "rollback"])
def test_a_bound_method_keeps_its_connection(driver: Driver, name: str) -> None:
    method = getattr(driver.connect(), name)
    gc.collect()
    arguments = ("SELECT 7",) if name == "execute" else ()
    told = method(*arguments)
    assert (told is None) == (name in ("commit", "rollback"))


@pytest.mark.parametrize("name", ["execute", "fetchone", "close"])
def test_a_bound_method_of_a_cursor_keeps_both(driver: Driver, name: str) -> None:
    method = getattr(read_half(driver), name)
    gc.collect()
    arguments = ("SELECT 7",) if name == "execute" else ()
    assert outcome(method, *arguments).raised is None


def test_a_query_in_one_expression_works(driver: Driver) -> None:
    assert driver.connect().cursor().execute(ALL).fetchone()[1] == "Ada"
    assert driver.connect().execute("SELECT 7").fetchall()[0][0] == 7
    assert [row[0] for row in driver.connect().cursor().execute(ALL)] == [1, 2, 3, 4, 5]


def test_a_generator_over_a_cursor_works_after_its_function_has_gone(driver: Driver) -> None:
    def names() -> Iterator[str]:
        for row in driver.connect().cursor().execute(ALL):
            yield row[1]

    running = names()
    assert next(running) == "Ada"
    gc.collect()
    assert list(running) == ["Bob", "Cid", "Dan", "Eve"]


def test_a_finalizer_of_the_applications_own_can_still_write_and_commit(driver: Driver) -> None:
    class Diary(Box):
        def __del__(self) -> None:
            self.content.execute(ZOE)
            self.content.connection.commit()

    diary: Any = Diary()
    diary.content = driver.connect().cursor()
    diary.itself = diary
    del diary
    gc.collect()
    assert zoes(driver) == 1


@on(modes=("pooled",))  # from Python 3.12 on, sqlite3's own finalizer has closed it
def test_what_a_finalizer_saves_from_being_collected_still_works(driver: Driver) -> None:
    saved: list[Any] = []

    class Survivor(Box):
        def __del__(self) -> None:
            saved.append(self.content)

    survivor: Any = Survivor()
    survivor.content = driver.connect().cursor()
    survivor.itself = survivor
    del survivor
    gc.collect()
    assert in_use(driver) == 1
    assert saved.pop().execute("SELECT 7").fetchone()[0] == 7


# -- when it comes back --------------------------------------------------------------------------------------

pooled_only = on(modes=("pooled",))


@pooled_only
def test_a_forgotten_connection_comes_back_at_once(driver: Driver) -> None:
    connection = driver.connect()
    assert in_use(driver) == 1
    del connection
    assert driver.stats.checked_out == 0


@pooled_only
def test_one_with_a_cursor_comes_back_when_both_are_forgotten(driver: Driver) -> None:
    connection = driver.connect()
    cursor = connection.cursor()
    del connection
    assert in_use(driver) == 1
    del cursor
    assert driver.stats.checked_out == 0


@pooled_only
@pytest.mark.parametrize("read", ["fetchone", "fetchall", "nothing"])
def test_a_closed_cursor_gives_a_forgotten_connection_back(driver: Driver, read: str) -> None:
    cursor = driver.connect().cursor()
    cursor.execute(ALL)
    if read != "nothing":
        getattr(cursor, read)()
    assert in_use(driver) == 1
    cursor.close()
    assert in_use(driver) == 0


@on(SQLITE3, modes=("pooled",))
def test_a_closed_cursor_keeps_a_connection_whose_work_it_could_still_commit(driver: Driver) -> None:
    cursor = driver.connect().cursor()
    cursor.execute(ZOE)
    cursor.close()
    assert in_use(driver) == 1
    cursor.connection.commit()
    assert zoes(driver) == 1
    del cursor
    assert in_use(driver) == 0


@pooled_only
def test_the_last_of_several_cursors_gives_it_back(driver: Driver) -> None:
    connection = driver.connect()
    cursors = [connection.cursor() for _ in range(3)]
    del connection
    for left in (2, 1):
        cursors.pop().close()
        assert (len(cursors), in_use(driver)) == (left, 1)
    cursors.pop()
    assert in_use(driver) == 0


@pooled_only
def test_rows_do_not_keep_a_connection(driver: Driver) -> None:
    rows = driver.connect().cursor().execute(ALL).fetchall()
    assert in_use(driver) == 0
    assert rows[4][1] == "Eve"


@pooled_only
def test_a_traceback_keeps_it_until_the_exception_is_forgotten(driver: Driver) -> None:
    def fail() -> None:
        cursor = driver.connect().cursor()
        cursor.execute("SELEC 1")

    try:
        fail()
    except driver.module.Error as error:
        kept = error
    assert in_use(driver) == 1
    del kept
    assert in_use(driver) == 0


@pooled_only
def test_an_exception_of_the_applications_own_gives_it_back_when_handled(driver: Driver) -> None:
    def fail() -> None:
        with driver.connect() as connection:
            connection.execute(ZOE)
            raise LookupError("mine")

    for _ in range(3):
        assert outcome(fail).raised is LookupError
        assert in_use(driver) == 0
    assert zoes(driver) == 0


@pooled_only
@pytest.mark.parametrize("what", ["connection", "cursor", "both"])
def test_a_reference_cycle_gives_it_back_when_it_is_collected(driver: Driver, what: str) -> None:
    connection = driver.connect()
    held = {
        "connection": connection,
        "cursor": connection.cursor(),
        "both": (connection, connection.cursor()),
    }
    box: Any = Box()
    box.content, box.itself = held[what], box
    del connection, held
    assert in_use(driver) == 1
    del box
    assert driver.stats.checked_out == 1
    assert in_use(driver) == 0


@pooled_only
def test_a_suspended_generator_keeps_it_until_it_is_dropped(driver: Driver) -> None:
    def names() -> Iterator[str]:
        cursor = driver.connect().cursor()
        for row in cursor.execute(ALL):
            yield row[1]

    running = names()
    next(running)
    assert in_use(driver) == 1
    running.close()
    assert in_use(driver) == 0


@pooled_only
@pytest.mark.parametrize("block", ["connection", "cursor"])
def test_leaving_a_with_block_does_not_give_it_back(driver: Driver, block: str) -> None:
    if block == "cursor" and not driver.has_context_cursor:
        block = "connection"
    connection = driver.connect()
    with connection if block == "connection" else connection.cursor():
        connection.execute("SELECT 1").fetchone()
    assert in_use(driver) == 1
    assert connection.execute("SELECT 7").fetchone()[0] == 7


@pooled_only
def test_the_same_few_connections_serve_one_query_after_another(driver: Driver) -> None:
    before = driver.stats.opened
    for number in range(30):
        cursor = driver.connect().cursor()
        assert (
            cursor.execute("SELECT id FROM person WHERE id > ?", (number % 5,)).fetchone()[0]
            == number % 5 + 1
        )
        del cursor
    assert driver.stats.opened == before


@on(SQLITE3, modes=("pooled",))
@pytest.mark.parametrize(
    "make",
    [
        operator.methodcaller("iterdump"),
        pytest.param(
            lambda connection: connection.blobopen("picture", "content", 1),
            marks=pytest.mark.skipif(sys.version_info < (3, 11), reason="sqlite3 has no blobs yet"),
        ),
    ],
    ids=["iterdump", "blob"],
)
def test_whatever_works_on_a_connection_keeps_it(driver: Driver, make: Callable[[Any], Any]) -> None:
    outside = driver.other_connection()
    outside.execute("CREATE TABLE picture (id INTEGER PRIMARY KEY, content BLOB)")
    outside.execute("INSERT INTO picture VALUES (1, x'616263')")
    outside.commit()
    working = make(driver.connect())
    next(working) if hasattr(working, "__next__") else working.read(1)
    assert in_use(driver) == 1
    del working
    assert in_use(driver) == 0
