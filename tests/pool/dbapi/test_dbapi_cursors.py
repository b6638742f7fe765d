"""Cursors: executing, fetching, and what they tell about a result."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from backends import ODBC, PEOPLE, POSTGRESQL, SQLITE3, SQLITE_ODBC, Driver, on, outcome

ALL = "SELECT id, name FROM person ORDER BY id"


def plain(rows: Any) -> list[tuple[Any, ...]]:
    """Rows without their type."""
    return [tuple(row) for row in rows]


@pytest.fixture
def cursor(driver: Driver, request: pytest.FixtureRequest) -> Iterator[Any]:
    """A cursor whose connection nobody keeps."""
    yield driver.connect().cursor()
    request.node.funcargs.clear()  # pytest would keep it until the pool is gone


# -- fetching -------------------------------------------------------------------------------------------


def test_fetchone_gives_row_after_row_and_then_none(cursor: Any) -> None:
    cursor.execute(ALL)
    assert plain(cursor.fetchone() for _ in PEOPLE) == PEOPLE
    assert cursor.fetchone() is None
    assert cursor.fetchone() is None


def test_fetchall_gives_what_is_left(cursor: Any) -> None:
    cursor.execute(ALL)
    cursor.fetchone()
    rows = cursor.fetchall()
    assert type(rows) is list
    assert plain(rows) == PEOPLE[1:]
    assert cursor.fetchall() == []


@pytest.mark.parametrize(("size", "count"), [(0, 0), (1, 1), (3, 3), (99, 5)])
def test_fetchmany_gives_up_to_so_many(driver: Driver, cursor: Any, size: int, count: int) -> None:
    if driver.backend == SQLITE3 and size == 0:
        count = 5  # sqlite3 takes 0 for "all", up to 3.14
    cursor.execute(ALL)
    rows = cursor.fetchmany(size)
    assert type(rows) is list
    assert len(rows) in (count, size)
    assert plain(rows) == PEOPLE[: len(rows)]


def test_fetchmany_goes_on_where_it_stopped(cursor: Any) -> None:
    cursor.execute(ALL)
    assert [plain(cursor.fetchmany(2)) for _ in range(4)] == [PEOPLE[:2], PEOPLE[2:4], PEOPLE[4:], []]


@on(SQLITE3)
def test_fetchmany_takes_its_size_by_name(cursor: Any) -> None:
    assert len(cursor.execute(ALL).fetchmany(size=2)) == 2


def test_arraysize_is_one_and_can_be_set(cursor: Any) -> None:
    assert cursor.arraysize == 1
    assert len(cursor.execute(ALL).fetchmany()) == 1
    cursor.arraysize = 3
    assert cursor.arraysize == 3
    assert len(cursor.fetchmany()) == 3


def test_the_ways_of_fetching_can_be_mixed(cursor: Any) -> None:
    cursor.execute(ALL)
    got = [cursor.fetchone(), *cursor.fetchmany(1), next(cursor), *cursor.fetchall()]
    assert plain(got) == PEOPLE


def test_a_query_that_finds_nothing_gives_nothing(cursor: Any) -> None:
    empty = "SELECT id FROM person WHERE id > 99"
    assert cursor.execute(empty).fetchone() is None
    assert cursor.execute(empty).fetchall() == []
    assert list(cursor.execute(empty)) == []


def test_a_new_query_ends_the_old_result(cursor: Any) -> None:
    cursor.execute(ALL).fetchone()
    cursor.execute("SELECT id FROM person WHERE id = 5")
    assert plain(cursor.fetchall()) == [(5,)]


def test_two_cursors_of_a_connection_read_side_by_side(driver: Driver) -> None:
    connection = driver.connect()
    one, two = connection.cursor(), connection.cursor()
    one.execute(ALL)
    two.execute("SELECT id, name FROM person ORDER BY id DESC")
    got = [(tuple(one.fetchone()), tuple(two.fetchone())) for _ in PEOPLE]
    assert got == list(zip(PEOPLE, PEOPLE[::-1], strict=True))


# -- iteration ------------------------------------------------------------------------------------------


def test_a_cursor_is_its_own_iterator(cursor: Any) -> None:
    cursor.execute(ALL)
    assert iter(cursor) is cursor
    assert plain(cursor) == PEOPLE


def test_next_gives_rows_and_then_stops(cursor: Any) -> None:
    cursor.execute(ALL)
    assert plain(next(cursor) for _ in PEOPLE) == PEOPLE
    with pytest.raises(StopIteration):
        next(cursor)
    assert next(cursor, "nothing") == "nothing"


def test_a_loop_that_is_left_can_be_taken_up_again(cursor: Any) -> None:
    for row in cursor.execute(ALL):
        if row[0] == 2:
            break
    assert [row[0] for row in cursor] == [3, 4, 5]


def test_iteration_goes_into_anything_that_iterates(cursor: Any) -> None:
    assert dict(plain(cursor.execute(ALL))) == dict(PEOPLE)
    assert {tuple(row) for row in cursor.execute(ALL)} == set(PEOPLE)
    first, *others = cursor.execute(ALL)
    assert (tuple(first), len(others)) == (PEOPLE[0], 4)


def test_a_cursor_has_neither_a_length_nor_items(driver: Driver) -> None:
    for ask in (len, lambda cursor: cursor[0], lambda cursor: 1 in cursor):
        driver.same_as_bare(lambda connection, ask=ask: ask(connection.cursor().execute(ALL)))


# -- executing ------------------------------------------------------------------------------------------


def test_execute_gives_the_cursor_itself(cursor: Any) -> None:
    assert cursor.execute("SELECT 1") is cursor
    assert cursor.execute(ALL).fetchone()[1] == "Ada"


def test_a_connection_executes_through_a_new_cursor(driver: Driver) -> None:
    connection = driver.connect()
    one, two = connection.execute(ALL), connection.execute("SELECT 7")
    assert one is not two
    assert isinstance(one, driver.module.Cursor)
    assert one.connection is connection
    assert (one.fetchone()[1], two.fetchone()[0]) == ("Ada", 7)


@pytest.mark.parametrize("values", [(2,), [2]], ids=["tuple", "list"])
def test_values_come_as_a_sequence(cursor: Any, values: Any) -> None:
    assert cursor.execute("SELECT name FROM person WHERE id = ?", values).fetchone()[0] == "Bob"


@on(*ODBC)
def test_values_may_come_one_by_one(cursor: Any) -> None:
    query = "SELECT name FROM person WHERE id = ? OR id = ? ORDER BY id"
    assert plain(cursor.execute(query, 2, 3)) == [("Bob",), ("Cid",)]


@on(SQLITE3)
@pytest.mark.parametrize("sign", [":", "@", "$"])
def test_values_may_come_by_name(cursor: Any, sign: str) -> None:
    assert cursor.execute(f"SELECT name FROM person WHERE id = {sign}id", {"id": 2}).fetchone() == ("Bob",)


ROWS = [(10, "x"), (11, "y"), (12, "z")]
INSERT = "INSERT INTO person VALUES (?, ?)"


@pytest.mark.parametrize(
    "make",
    [list, tuple, iter, lambda rows: (row for row in rows), lambda rows: [list(row) for row in rows]],
    ids=["list", "tuple", "iterator", "generator", "lists"],
)
def test_executemany_takes_rows_from_anything(driver: Driver, make: Callable[[Any], Any]) -> None:
    with driver.connect() as connection:
        connection.cursor().executemany(INSERT, make(ROWS))
    assert driver.rows("SELECT id, name FROM person WHERE id > 9 ORDER BY id") == ROWS


def test_executemany_gives_what_the_driver_gives(driver: Driver) -> None:
    cursor = driver.connect().cursor()
    told = cursor.executemany(INSERT, ROWS)
    assert told is (None if driver.is_odbc else cursor)


def test_executemany_may_use_its_own_cursor_while_it_runs(driver: Driver) -> None:
    connection = driver.connect()
    reading, writing = connection.cursor(), connection.cursor()
    reading.execute("SELECT id + 20, name FROM person ORDER BY id")
    writing.executemany(INSERT, [tuple(row) for row in reading])
    assert writing.execute("SELECT COUNT(*) FROM person").fetchone()[0] == 10


def test_executemany_stops_where_its_generator_raises(driver: Driver) -> None:
    def rows() -> Iterator[tuple[int, str]]:
        yield ROWS[0]
        raise LookupError("no more")

    driver.same_as_bare(lambda connection: connection.cursor().executemany(INSERT, rows()))


@on(SQLITE3)
def test_a_connection_has_executemany_and_executescript(driver: Driver) -> None:
    connection = driver.connect()
    cursor = connection.executemany(INSERT, ROWS)
    assert isinstance(cursor, driver.module.Cursor)
    assert cursor.rowcount == 3
    script = connection.executescript("INSERT INTO person VALUES (20, 'p'); DELETE FROM person WHERE id < 9")
    assert script.connection is connection
    assert len(driver.rows(ALL)) == 4


@on(SQLITE3)
def test_a_cursor_executes_scripts(cursor: Any) -> None:
    assert cursor.executescript("CREATE TABLE t (a); INSERT INTO t VALUES (1)") is cursor
    assert cursor.execute("SELECT a FROM t").fetchall() == [(1,)]


# -- what is told about a result -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "sql",
    [
        *(
            "SELECT id, name AS called FROM person",
            "SELECT COUNT(*) FROM person",
            "SELECT 'a' AS b, 1.5 AS c",
        ),
        *("UPDATE person SET name = 'N'", "DELETE FROM person WHERE id < 3"),
        *("INSERT INTO person VALUES (6, 'Zoe')", "CREATE TABLE another (id INTEGER)"),
    ],
)
def test_description_and_rowcount_are_the_drivers_own(driver: Driver, sql: str) -> None:
    def look(connection: Any) -> Any:
        cursor = connection.cursor()
        before = cursor.description, cursor.rowcount
        cursor.execute(sql)
        after = cursor.description, cursor.rowcount
        connection.rollback()
        connection.execute("DROP TABLE IF EXISTS another")  # sqlite3 makes tables without a transaction
        return before, after

    assert driver.same_as_bare(look).raised is None


def test_description_names_the_columns(cursor: Any) -> None:
    assert cursor.description is None
    cursor.execute("SELECT id, name AS called FROM person")
    assert [column[0] for column in cursor.description] == ["id", "called"]
    assert {len(column) for column in cursor.description} == {7}
    cursor.execute("DELETE FROM person")
    assert cursor.description is None


@pytest.mark.parametrize(
    ("sql", "count"),
    [
        ("UPDATE person SET name = 'N'", 5),
        ("DELETE FROM person WHERE id < 3", 2),
        ("DELETE FROM person WHERE id > 99", 0),
    ],
)
def test_rowcount_says_how_many_were_changed(cursor: Any, sql: str, count: int) -> None:
    assert cursor.rowcount == -1
    assert cursor.execute(sql).rowcount == count


@on(SQLITE3)
def test_lastrowid_is_that_of_the_last_insert(cursor: Any) -> None:
    assert cursor.lastrowid is None
    cursor.execute("INSERT INTO person (name) VALUES ('Zoe')")
    assert cursor.lastrowid == 6
    cursor.execute("SELECT 1")
    assert cursor.lastrowid == 6


@pytest.mark.parametrize("name", ["setinputsizes", "setoutputsize"])
def test_sizes_may_be_given(driver: Driver, name: str) -> None:
    given = ([(1, 10, 0)],) if name == "setinputsizes" else (100,)
    driver.same_as_bare(lambda connection: getattr(connection.cursor(), name)(*given))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("arraysize", 7), ("arraysize", "seven"), ("rowcount", 7), ("description", ()), ("lastrowid", 7)),
        *(("row_factory", None), ("noscan", True), ("fast_executemany", True), ("connection", None)),
        ("messages", []),
    ],
)
def test_attributes_can_be_set_where_the_driver_lets_them(driver: Driver, name: str, value: object) -> None:
    def set_and_read(connection: Any) -> Any:
        cursor = connection.cursor()
        told = outcome(setattr, cursor, name, value)
        return told, outcome(getattr, cursor, name) if name != "connection" else None

    driver.same_as_bare(set_and_read)


@on(SQLITE_ODBC, POSTGRESQL)
def test_commands_that_give_no_rows_cannot_be_fetched_from(driver: Driver) -> None:
    for fetch in ("fetchone", "fetchall", "fetchmany", "fetchval", "__next__"):
        told = driver.same_as_bare(
            lambda connection, fetch=fetch: getattr(
                connection.execute("DELETE FROM neighbour WHERE 1 = 0"), fetch
            )()
        )
        assert told.raised is driver.module.ProgrammingError


@on(SQLITE3)
def test_commands_that_give_no_rows_are_fetched_from_in_vain(cursor: Any) -> None:
    cursor.execute("DELETE FROM neighbour")
    assert (cursor.fetchone(), cursor.fetchall(), cursor.fetchmany(), list(cursor)) == (None, [], [], [])


@on(SQLITE3)
def test_returning_gives_rows_of_a_write(cursor: Any) -> None:
    cursor.execute("INSERT INTO person (name) VALUES ('Zoe') RETURNING id, name")
    assert cursor.fetchall() == [(6, "Zoe")]
