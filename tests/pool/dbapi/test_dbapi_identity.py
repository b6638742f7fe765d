"""Identity: what a connection and a cursor are taken for, and what Python's own tools make of them."""

from __future__ import annotations

import contextlib
import copy
import gc
import inspect
import pickle
import re
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from backends import ODBC, PEOPLE, SQLITE3, Driver, on, outcome

ALL = "SELECT id, name FROM person ORDER BY id"
KINDS = "Connection", "Cursor"


def thing(connection: Any, kind: str) -> Any:
    """The connection itself, or a cursor of it."""
    return connection if kind == "Connection" else connection.cursor()


def both(driver: Driver, kind: str, ask: Callable[[Any], Any]) -> Any:
    """Ask something of a connection or cursor and of a bare one; gives the answer, which is the same."""
    return driver.same_as_bare(lambda connection: ask(thing(connection, kind))).told


# -- types ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_isinstance_takes_it_for_the_drivers_own(driver: Driver, kind: str) -> None:
    found = thing(driver.connect(), kind)
    assert isinstance(found, getattr(driver.module, kind))
    assert found.__class__ is getattr(driver.module, kind)
    assert not isinstance(
        found, (str, tuple, *(getattr(driver.module, other) for other in {*KINDS} - {kind}))
    )


@pytest.mark.parametrize("kind", KINDS)
def test_its_type_is_called_and_documented_like_the_drivers(driver: Driver, kind: str) -> None:
    mine, bare = type(thing(driver.connect(), kind)), getattr(driver.module, kind)
    for name in ("__name__", "__qualname__", "__module__", "__doc__"):
        assert getattr(mine, name) == getattr(bare, name)
    assert repr(mine) == repr(bare)


@pytest.mark.parametrize("kind", KINDS)
def test_dir_lists_what_the_driver_has(driver: Driver, kind: str) -> None:
    assert both(driver, kind, dir) == dir(getattr(driver.module, kind))


@pytest.mark.parametrize("kind", KINDS)
def test_it_has_exactly_the_attributes_that_the_driver_has(driver: Driver, kind: str) -> None:
    names = {
        *("__enter__", "__exit__", "__iter__", "__next__", "__call__", "__len__", "__bool__", "__getitem__"),
        *("__contains__", "__aenter__", "__await__", "__aiter__", "__reversed__", "__index__", "__fspath__"),
        *("__dict__", "__weakref__", "__slots__", "__wrapped__", "__int__", "__add__", "__del__"),
        *("closed", "autocommit", "callproc", "nextset", "xid", "tpc_begin", "messages", "errorhandler"),
        *("close", "commit", "rollback", "cursor", "execute", "fetchone", "connection", "description"),
    } - {"__weakref__", "__slots__"}

    def which(found: Any) -> set[str]:
        return {name for name in names if hasattr(found, name)}

    assert both(driver, kind, which)


@pytest.mark.parametrize("kind", KINDS)
def test_its_type_has_exactly_the_special_methods_that_the_drivers_has(driver: Driver, kind: str) -> None:
    names = "__enter__", "__exit__", "__iter__", "__next__", "__len__", "__bool__", "__getitem__", "__await__"

    def which(found: Any) -> list[bool]:
        return [hasattr(type(found), name) for name in names]

    both(driver, kind, which)


@pytest.mark.parametrize("kind", KINDS)
def test_methods_are_called_and_documented_like_the_drivers(driver: Driver, kind: str) -> None:
    mine, bare = type(thing(driver.connect(), kind)), getattr(driver.module, kind)
    for name, method in inspect.getmembers(bare, inspect.isroutine):
        if not hasattr(object, name) and name != "__del__":
            assert getattr(mine, name).__name__ == method.__name__ == name
            assert getattr(mine, name).__doc__ == method.__doc__


QUESTIONS: tuple[Callable[[Any], Any], ...] = (
    *(bool, callable, inspect.isclass, inspect.isgenerator, inspect.isawaitable),
    *(len, iter, next, int, abs, float, list, dict, str.upper, reversed, contextlib.closing),
    lambda found: isinstance(found, Iterator),
    lambda found: isinstance(found, contextlib.AbstractContextManager),
    lambda found: (found == found, found != found, found == 1, found is None),
    lambda found: found.__enter__() is found,
    lambda found: found + found,
    lambda found: found[0],
    lambda found: found["x"],
    lambda found: 1 in found,
    lambda found: found < found,
    lambda found: found(),
    lambda found: [*found],
    lambda found: f"{found:>10}",
    lambda found: vars(found),
)


@pytest.mark.parametrize("kind", KINDS)
def test_questions_about_it_are_answered_as_the_bare_driver_answers(driver: Driver, kind: str) -> None:
    def shown(told: Any, found: Any) -> object:
        return "itself" if told is found else told if isinstance(told, (bool, tuple, list)) else type(told)

    def asked(found: Any) -> dict[int, object]:
        told = [outcome(ask, found) for ask in QUESTIONS]
        return {
            number: (one.raised, one.told if one.raised else shown(one.told, found))
            for number, one in enumerate(told)
        }

    assert both(driver, kind, asked)


# -- being one thing -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_it_equals_itself_alone_and_is_a_key(driver: Driver, kind: str) -> None:
    one, two = (thing(driver.connect(), kind) for _ in range(2))
    assert one == one
    assert one != two
    assert {one: 1, two: 2}[one] == 1
    assert one in {one}
    assert two not in [one]
    assert hash(one) == hash(one)


@pytest.mark.parametrize("kind", KINDS)
def test_repr_is_the_drivers_with_an_address_of_its_own(driver: Driver, kind: str) -> None:
    one, two = (thing(driver.connect(), kind) for _ in range(2))
    assert repr(one) == str(one) == f"{one}"
    assert repr(one) != repr(two)
    shown = rf"<{driver.module.__name__}\.{kind} object at 0x[0-9a-f]+>"
    assert re.fullmatch(shown, repr(one))
    assert re.fullmatch(shown, repr(thing(driver.other_connection(), kind)))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("make", [copy.copy, copy.deepcopy, pickle.dumps], ids=lambda make: make.__name__)
def test_it_is_copied_and_pickled_no_more_than_the_bare_one(
    driver: Driver, kind: str, make: Callable[[Any], Any]
) -> None:
    told = driver.same_as_bare(lambda connection: make(thing(connection, kind)))
    assert told.raised is TypeError


def test_cursor_connection_is_the_connection(driver: Driver) -> None:
    connection = driver.connect()
    cursor = connection.cursor()
    assert cursor.connection is connection
    assert cursor.execute(ALL).connection is connection
    assert connection.execute(ALL).connection is connection
    assert connection.cursor().connection.cursor().connection is connection


def test_there_is_no_way_around_the_pool_through_an_attribute(driver: Driver) -> None:
    connection = driver.connect()
    cursor = connection.cursor()
    for found in (connection, cursor):
        for name in dir(found):
            value = outcome(getattr, found, name).told
            if isinstance(value, (driver.module.Connection, driver.module.Cursor)):
                assert value is connection


def test_rows_are_the_drivers_own(driver: Driver) -> None:
    connection = driver.connect()
    kind = driver.module.Row if driver.is_odbc else tuple
    rows = connection.execute(ALL).fetchall()
    assert {type(row) for row in rows} == {kind}
    assert type(connection.execute(ALL).fetchone()) is kind
    assert [tuple(row) for row in rows] == PEOPLE


@on(*ODBC)
def test_rows_of_pyodbc_copy_and_pickle_and_know_their_columns(driver: Driver) -> None:
    row = driver.connect().execute(ALL).fetchone()
    assert (row.id, row.name) == PEOPLE[0]
    assert tuple(copy.copy(row)) == tuple(pickle.loads(pickle.dumps(row))) == PEOPLE[0]
    assert [column[0] for column in row.cursor_description] == ["id", "name"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_weak_reference_ends_with_it_where_there_can_be_one(driver: Driver, kind: str) -> None:
    connection = driver.connect()
    found = thing(connection, kind)
    made = outcome(weakref.ref, found)
    if driver.pooled:  # pyodbc's own cannot be weakly referenced, nor can sqlite3's connections
        assert made.raised is None
    if made.raised is not None:
        assert made.raised is TypeError
        return
    reference: Any = made.told
    assert reference() is found
    del found, connection
    gc.collect()
    assert reference() is None


# -- passed to the driver's own code -------------------------------------------------------------------------


@on(SQLITE3)
@pytest.mark.parametrize("both_of_them", [True, False], ids=["to its like", "to a bare one"])
def test_a_backup_goes_from_one_to_another(driver: Driver, tmp_path: Path, both_of_them: bool) -> None:
    connect = driver.module.connect if both_of_them else driver._bare_connect
    with contextlib.closing(connect(str(tmp_path / "copy.db"))) as target:
        assert driver.connect().backup(target) is None
        assert target.execute(ALL).fetchall() == PEOPLE


@on(SQLITE3)
def test_a_backup_into_it_is_seen_by_others(driver: Driver, tmp_path: Path) -> None:
    with contextlib.closing(driver._bare_connect(str(tmp_path / "other.db"))) as source:
        source.executescript("CREATE TABLE brought (id INTEGER); INSERT INTO brought VALUES (7)")
        target = driver.connect()
        source.backup(getattr(target, "_accel_raw", target))
        target.close()
    assert driver.rows("SELECT id FROM brought") == [(7,)]


@on(SQLITE3)
def test_a_backup_reports_its_progress_and_refuses_itself(driver: Driver, tmp_path: Path) -> None:
    def copied(connection: Any) -> object:
        seen: list[Any] = []
        with contextlib.closing(driver._bare_connect(":memory:")) as target:
            connection.backup(target, pages=1, progress=lambda *told: seen.append(told), name="main", sleep=0)
            return seen, outcome(connection.backup, connection), outcome(connection.backup, None)

    driver.same_as_bare(copied)


@on(SQLITE3, modes=("pooled",))
def test_only_classes_of_the_driver_that_are_called_by_hand_want_its_very_own_objects(driver: Driver) -> None:
    cursor = driver.connect().execute(ALL)
    assert outcome(driver.module.Cursor, cursor.connection).raised is TypeError
    assert outcome(driver.module.Row, cursor, (1, "Ada")).raised is TypeError


# -- cursors of other types ----------------------------------------------------------------------------------


@on(SQLITE3)
@pytest.mark.parametrize("how", ["position", "name"])
def test_a_cursor_of_the_applications_own_class_is_one(driver: Driver, how: str) -> None:
    class Counting(driver.module.Cursor):  # type: ignore[name-defined,misc]  # known at run time
        count = 0

        def execute(self, *arguments: Any) -> Any:
            self.count += 1
            return super().execute(*arguments)

    connection = driver.connect()
    cursor = connection.cursor(Counting) if how == "position" else connection.cursor(factory=Counting)
    assert isinstance(cursor, Counting)
    assert cursor.execute(ALL).fetchall() == PEOPLE
    assert cursor.execute("SELECT 7").fetchone() == (7,)
    assert cursor.count == 2
    assert cursor.connection is connection


@on(SQLITE3)
def test_a_function_makes_cursors_as_well(driver: Driver) -> None:
    def made(connection: Any) -> object:
        seen: list[Any] = []

        def factory(given: Any) -> Any:
            seen.append(isinstance(given, driver.module.Connection))
            return driver.module.Cursor(given)

        return connection.cursor(factory).execute(ALL).fetchall(), seen

    driver.same_as_bare(made)


@on(SQLITE3, modes=("bare", "pooled"))
def test_a_connection_of_the_applications_own_class_is_one(driver: Driver) -> None:
    class Named(driver.module.Connection):  # type: ignore[name-defined,misc]  # known at run time
        def name(self, number: int) -> Any:
            return self.execute("SELECT name FROM person WHERE id = ?", (number,)).fetchone()[0]

    for _ in range(2):
        connection = driver.connect(factory=Named)
        assert type(connection) is Named
        assert connection.name(2) == "Bob"
        connection.close()


@on(SQLITE3, modes=("seen",))
def test_a_connection_of_the_applications_own_class_passes_for_one_where_it_is_seen(driver: Driver) -> None:
    class Named(driver.module.Connection):  # type: ignore[name-defined,misc]  # known at run time
        def name(self) -> str:
            return "named"

    connection = driver.connect(factory=Named)
    assert isinstance(connection, Named)
    assert connection.__class__ is Named
    assert connection.name() == "named"
    connection.close()


@on(SQLITE3)
@pytest.mark.parametrize("name", ["arraysize", "row_factory"])
def test_settings_of_a_cursor_are_its_own(driver: Driver, name: str) -> None:
    connection = driver.connect()
    one, two = connection.cursor(), connection.cursor()
    value = 9 if name == "arraysize" else driver.module.Row
    setattr(one, name, value)
    assert getattr(one, name) == value
    assert getattr(two, name) != value
    assert getattr(connection.cursor(), name) == getattr(two, name)
