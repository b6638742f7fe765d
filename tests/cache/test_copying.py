"""Whatever a caller does to what he got, nobody else sees it, and the types are those of the original."""

from __future__ import annotations

import copy
import enum
import io
import sqlite3
import threading
import types
from collections import OrderedDict, defaultdict, namedtuple
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wats_accel.cache.copying import CopyMode, Snapshot, Uncopyable, take_snapshot
from wats_accel.cache.freezing import freeze

MODES: list[CopyMode] = ["auto", "deep"]
Pair = namedtuple("Pair", "x y")


class Color(enum.Enum):
    RED = 1


class Rows(list):  # type: ignore[type-arg]  # as legacy code writes it
    pass


@dataclass
class User:
    name: str
    groups: list[int]


@dataclass(frozen=True, slots=True)
class Sealed:
    name: str


class Uncopied:
    def __deepcopy__(self, memo: object) -> object:
        raise RuntimeError("secret-value")


class Turncoat:
    def __deepcopy__(self, memo: object) -> object:
        return "secret-value"


class Declared:
    """Its author says that it may be shared."""

    def __deepcopy__(self, memo: object) -> Declared:
        return self


class UncopiedRows(list):  # type: ignore[type-arg]  # as legacy code writes it
    def __copy__(self) -> object:
        raise RuntimeError("secret-value")


def sqlite_rows(sql: str = "select 1 as a, 'x' as b union select 2, 'y'") -> list[sqlite3.Row]:
    connection = sqlite3.connect(":memory:")
    try:
        connection.row_factory = sqlite3.Row
        return connection.execute(sql).fetchall()
    finally:
        connection.close()


@pytest.fixture
def connection(odbc: Any, sqlite_odbc: Callable[[str], str]) -> Iterator[Any]:
    """Of pyodbc, to a database in memory."""
    made = odbc.connect(sqlite_odbc(":memory:"), autocommit=True)
    try:
        yield made
    finally:
        made.close()


@pytest.fixture
def select(connection: Any) -> Callable[[str], list[Any]]:
    """Fetches all rows of a statement."""
    return lambda sql: connection.cursor().execute(sql).fetchall()


USERS = "select 1 as id, 'Ann' as name, 1.5 as rate, null as note union all select 2, 'Bob', 2.5, 'x'"


# -- what is the same, and what a caller may do ------------------------------------------------------


def same(left: object, right: object) -> bool:
    """Equal, with exactly the same types all the way down: what frozen forms are for."""
    return freeze(left) == freeze(right)


def spoil(value: Any) -> None:
    """Change everything in a value that can be changed."""
    if isinstance(value, dict):
        for item in value.values():
            spoil(item)
        value.clear()
        value["spoilt"] = True
    elif isinstance(value, list):
        for item in value:
            spoil(item)
        value.append("spoilt")
        value.reverse()
    elif isinstance(value, tuple):
        for item in value:
            spoil(item)
    elif isinstance(value, set):
        value.clear()
        value.add("spoilt")
    elif isinstance(value, bytearray):
        value.extend(b"spoilt")


scalars = st.sampled_from([None, True, 0, 1, 1.0, "", "a", b"a", Decimal(1), datetime(2026, 1, 1), Color.RED])
hashables = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=2).map(tuple) | st.frozensets(scalars, max_size=2),
    max_leaves=3,
)
rows = st.dictionaries(st.sampled_from(["id", "name"]), hashables)
tables = st.lists(rows, max_size=3)
values = (
    rows
    | tables
    | tables.map(tuple)
    | st.recursive(
        hashables | st.sets(hashables, max_size=3) | st.binary(max_size=2).map(bytearray),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.lists(inner, max_size=3).map(tuple)
            | st.tuples(inner, inner).map(lambda pair: Pair(*pair))
            | st.dictionaries(scalars, inner, max_size=3)
            | st.dictionaries(scalars, inner, max_size=3).map(OrderedDict)
            | inner.map(lambda item: [item, item])
        ),
        max_leaves=8,
    )
)


@given(values, st.sampled_from(MODES))
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_whatever_callers_do_the_next_one_gets_the_original_value(value: Any, mode: CopyMode) -> None:
    original = copy.deepcopy(value)
    snapshot = take_snapshot(value, mode)
    spoil(value)

    for _ in range(3):
        given_value = snapshot.give()
        assert same(given_value, original)
        spoil(given_value)


# -- auto: how much is copied ------------------------------------------------------------------------


@pytest.mark.parametrize("mode", [*MODES, "list", "none"])
@pytest.mark.parametrize(
    "value",
    [
        pytest.param(None, id="None"),
        pytest.param((7, True), id="a tuple"),
        pytest.param(Pair(1, "x"), id="a named tuple"),
        pytest.param(frozenset({1, (2, "x")}), id="a frozenset"),
        pytest.param(Color.RED, id="a member"),
        pytest.param(Sealed("x"), id="a frozen dataclass"),
        pytest.param(sqlite_rows()[0], id="a row of sqlite3"),
        pytest.param(tuple(sqlite_rows()), id="a tuple of rows of sqlite3"),
        pytest.param(User, id="a class"),
    ],
)
def test_what_nobody_can_change_is_shared(value: object, mode: CopyMode) -> None:
    snapshot = take_snapshot(value, mode)

    assert snapshot.thaw is None
    assert snapshot.give() is value


@pytest.mark.parametrize(
    "items",
    [
        pytest.param([], id="nothing"),
        pytest.param([(1, "x"), (2, "y")], id="tuples"),
        pytest.param(sqlite_rows(), id="rows of sqlite3"),
        pytest.param(["a", 1, None], id="scalars"),
    ],
)
def test_of_a_list_of_immutables_only_the_list_is_new(items: list[Any]) -> None:
    snapshot = take_snapshot(items)
    one, two = snapshot.give(), snapshot.give()

    assert isinstance(one, list)
    assert one == two == items
    assert one is not two
    assert one is not items
    assert all(item is known for item, known in zip(one, items, strict=True))


@pytest.mark.parametrize("make", [list, tuple])
def test_each_dict_of_a_list_or_tuple_is_new(make: Callable[[Any], Any]) -> None:
    original = make([{"id": 1, "name": "Ann"}, {"id": 2, "name": "Bob"}])
    snapshot = take_snapshot(original)
    one: Any = snapshot.give()
    one[0]["name"] = "changed"
    original[1]["name"] = "changed"

    assert snapshot.give() == make([{"id": 1, "name": "Ann"}, {"id": 2, "name": "Bob"}])


@pytest.mark.parametrize("value", [{"id": 1}, {1, "x"}], ids=["a dict", "a set"])
def test_a_flat_dict_or_set_is_new(value: Any) -> None:
    original = value.copy()
    snapshot = take_snapshot(value)
    spoil(value)
    spoil(snapshot.give())

    assert snapshot.give() == original


@pytest.mark.parametrize(
    "value",
    [
        pytest.param([{"id": 1}, None], id="a dict and None"),
        pytest.param([{"id": 1}, OrderedDict(id=2)], id="two kinds of dict"),
        pytest.param([{"id": 1, "groups": [1]}], id="a dict that holds a list"),
        pytest.param({"id": 1, "groups": {1, 2}}, id="a set in a dict"),
        pytest.param([User("Ann", [1])], id="an object"),
        pytest.param(([1], 1), id="a page of items and their number"),
        pytest.param(defaultdict(list, {"a": [1]}), id="a defaultdict"),
        pytest.param(Rows([1]), id="a list of one's own"),
        pytest.param(Pair([1], 1), id="a list in a named tuple"),
        pytest.param(bytearray(b"x"), id="a bytearray"),
    ],
)
@pytest.mark.parametrize("mode", MODES)
def test_anything_else_is_copied_in_depth(value: Any, mode: CopyMode) -> None:
    original = copy.deepcopy(value)
    snapshot = take_snapshot(value, mode)
    spoil(value)
    spoil(snapshot.give())

    assert same(snapshot.give(), original)


@pytest.mark.parametrize("item", [{"id": 1}, [1], {1}], ids=["a dict", "a list", "a set"])
@pytest.mark.parametrize("make", [list, tuple])
def test_an_item_that_is_there_twice_stays_one_item(make: Callable[[Any], Any], item: Any) -> None:
    given_value: Any = take_snapshot(make([item, item])).give()

    assert given_value[0] is given_value[1]
    assert given_value[0] is not item


def test_a_value_that_contains_itself_still_does() -> None:
    knot: list[Any] = []
    knot.append(knot)
    given_value: Any = take_snapshot(knot).give()

    assert given_value[0] is given_value
    assert given_value is not knot


@pytest.mark.parametrize(
    "wrap",
    [
        pytest.param(lambda found: (found, 2), id="in a page"),
        pytest.param(lambda found: {"rows": found}, id="in a dict"),
    ],
)
def test_rows_that_cannot_be_copied_are_shared_wherever_they_are(wrap: Callable[[Any], Any]) -> None:
    found = sqlite_rows()
    snapshot = take_snapshot(wrap([found[0], found[1], found[0]]))
    spoil(snapshot.give())

    assert snapshot.give() == wrap([found[0], found[1], found[0]])


def test_the_rows_of_a_value_that_contains_itself_are_found() -> None:
    knot: list[Any] = sqlite_rows()
    knot.append({"self": knot})
    given_value: Any = take_snapshot(knot).give()

    assert given_value[2]["self"] is given_value
    assert given_value[0] is knot[0]


def test_an_object_whose_author_declares_it_shareable_is_shared() -> None:
    declared = Declared()

    assert take_snapshot(declared).give() is declared


def test_functions_and_classes_are_given_as_they_are() -> None:
    assert take_snapshot([same, User]).give() == [same, User]


# -- rows of pyodbc ----------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("make", [list, tuple])
def test_a_caller_may_change_rows_of_pyodbc(
    select: Callable[[str], list[Any]], make: Callable[[Any], Any], mode: CopyMode
) -> None:
    fetched = make(select(USERS))
    expected = [tuple(row) for row in fetched]
    snapshot = take_snapshot(fetched, mode)
    fetched[0].name = "changed by the caller of the load"

    for _ in range(3):
        given_rows: Any = snapshot.give()
        assert type(given_rows) is make
        assert [tuple(row) for row in given_rows] == expected
        given_rows[0].name = given_rows[1][1] = "changed by a later caller"


def test_a_row_of_pyodbc_keeps_its_type_and_its_columns(select: Callable[[str], list[Any]]) -> None:
    fetched = select(USERS)
    given_rows: Any = take_snapshot(fetched).give()

    for row, known in zip(given_rows, fetched, strict=True):
        assert type(row) is type(known)
        assert row is not known
        assert row == known
        assert row.cursor_description == known.cursor_description
        assert (row.id, row.name, row.rate, row.note) == tuple(known)


def test_a_single_row_of_pyodbc_is_isolated(select: Callable[[str], list[Any]]) -> None:
    fetched = select(USERS)[0]
    snapshot = take_snapshot(fetched)
    fetched.name = "changed"
    given_row: Any = snapshot.give()
    given_row.name = "changed"

    again: Any = snapshot.give()
    assert tuple(again) == (1, "Ann", 1.5, None)


@pytest.mark.parametrize(
    "wrap",
    [
        pytest.param(lambda found: [found[0], found[0]], id="one row twice"),
        pytest.param(lambda found: [found[0], None], id="a row and None"),
        pytest.param(lambda found: (found, len(found)), id="a page of rows and their number"),
    ],
)
def test_rows_of_pyodbc_in_other_values_are_isolated(
    select: Callable[[str], list[Any]], wrap: Callable[[Any], Any]
) -> None:
    fetched = select(USERS)
    snapshot = take_snapshot(wrap(fetched))
    fetched[0].name = "changed"
    spoil(snapshot.give())

    assert "Ann" in str(snapshot.give())
    assert "spoilt" not in str(snapshot.give())


def test_a_value_of_a_row_that_can_be_changed_is_isolated(select: Callable[[str], list[Any]]) -> None:
    fetched = select(USERS)
    fetched[0].note = [1]  # as an output converter could have made it
    snapshot = take_snapshot(fetched)
    given_rows: Any = snapshot.give()
    given_rows[0].note.append(2)

    assert snapshot.give()[0].note == [1]  # type: ignore[index]  # a list of rows


class _LikeRow:
    """A row that goes by the name of pyodbc's and pickles in another way."""

    __module__ = "pyodbc"
    __qualname__ = "Row"

    def __init__(self, values: list[int]) -> None:
        self.values = values

    def __reduce__(self) -> Any:
        return _LikeRow, (self.values,)


def test_rows_of_a_driver_that_pickles_in_another_way_are_copied_in_depth() -> None:
    snapshot = take_snapshot([_LikeRow([1])])
    given_rows: Any = snapshot.give()
    given_rows[0].values.append(2)

    assert snapshot.give()[0].values == [1]  # type: ignore[index]  # a list of rows


# -- the other modes ---------------------------------------------------------------------------------


def test_mode_list_gives_a_new_list_of_the_same_items() -> None:
    items = [{"id": 1}]
    snapshot = take_snapshot(items, "list")
    items.append({"id": 2})
    given_value: Any = snapshot.give()
    given_value.append({"id": 3})

    assert snapshot.give() == [{"id": 1}]
    assert given_value[0] is items[0]


def test_mode_list_keeps_the_type_of_a_list_of_ones_own() -> None:
    items = Rows([{"id": 1}])
    snapshot = take_snapshot(items, "list")
    spoil(snapshot.give())
    items.clear()

    assert type(snapshot.give()) is Rows
    assert len(snapshot.give()) == 1  # type: ignore[arg-type]  # a list


@pytest.mark.parametrize(
    ("value", "mode"),
    [
        pytest.param({"id": 1}, "list", id="list, but no list"),
        pytest.param({"id": 1}, "none", id="none and a dict"),
        pytest.param([{"id": 1}], "none", id="none and a list"),
        pytest.param(Uncopied(), "none", id="none and what cannot be copied"),
    ],
)
def test_these_modes_share_the_value(value: object, mode: CopyMode) -> None:
    assert take_snapshot(value, mode).give() is value


# -- what cannot be kept -----------------------------------------------------------------------------


async def _coroutine() -> None:
    return None


async def _async_generator() -> Any:
    yield 1


def _cursor() -> Any:
    connection = sqlite3.connect(":memory:")
    cursor = connection.cursor()
    connection.close()
    return cursor


@pytest.mark.parametrize("mode", [*MODES, "list", "none"])
@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda: iter([1]), id="an iterator"),
        pytest.param(lambda: (number for number in [1]), id="a generator"),
        pytest.param(lambda: map(str, [1]), id="a map"),
        pytest.param(_cursor, id="a cursor"),
        pytest.param(lambda: io.StringIO("secret-value"), id="an open file"),
        pytest.param(_async_generator, id="an async generator"),
    ],
)
def test_what_is_used_up_by_reading_it_is_refused(make: Callable[[], object], mode: CopyMode) -> None:
    with pytest.raises(Uncopyable) as caught:
        take_snapshot(make(), mode)

    assert "secret-value" not in str(caught.value)


def test_a_coroutine_is_refused() -> None:
    coroutine = _coroutine()
    try:
        with pytest.raises(Uncopyable):
            take_snapshot(coroutine, "none")
    finally:
        coroutine.close()


@pytest.mark.parametrize("wrap", [lambda value: value, lambda value: [value]], ids=["alone", "in a list"])
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    "make",
    [
        pytest.param(threading.Lock, id="a lock"),
        pytest.param(lambda: types, id="a module"),
        pytest.param(lambda: {"id": 1}.values(), id="a view"),
        pytest.param(Uncopied, id="a copy that fails"),
        pytest.param(lambda: [(number for number in [1])], id="a generator inside"),
    ],
)
def test_what_cannot_be_copied_is_refused(
    make: Callable[[], object], mode: CopyMode, wrap: Callable[[Any], Any]
) -> None:
    with pytest.raises(Uncopyable) as caught:
        take_snapshot(wrap(make()), mode)

    assert "secret-value" not in str(caught.value)


def test_a_connection_is_refused(connection: Any) -> None:
    assert connection.execute("select 1").fetchall()
    with pytest.raises(Uncopyable, match=r"pyodbc\.Connection"):
        take_snapshot(connection)


@pytest.mark.parametrize("value", [Turncoat(), UncopiedRows()], ids=["another type", "a list"])
def test_a_copy_of_another_type_or_none_at_all_is_refused(value: object) -> None:
    with pytest.raises(Uncopyable, match=type(value).__name__):
        take_snapshot(value, "list" if isinstance(value, list) else "auto")


def test_a_value_nested_beyond_the_stack_is_refused() -> None:
    value: list[Any] = []
    for _ in range(100_000):
        value = [value]

    with pytest.raises(Uncopyable):
        take_snapshot(value)


def test_a_snapshot_does_not_show_its_value() -> None:
    assert "secret-value" not in repr(take_snapshot(["secret-value"]))


def test_a_snapshot_with_nothing_to_thaw_gives_what_it_stores() -> None:
    assert Snapshot("kept", None).give() == "kept"
    assert Snapshot([1], list.copy).give() == [1]


@pytest.mark.parametrize(
    "wrap", [lambda it: it, lambda it: [it], lambda it: {"v": it}], ids=["bare", "list", "dict"]
)
def test_a_sentinel_stays_itself(wrap: Callable[[object], Any]) -> None:
    sentinel = object()
    given = take_snapshot(wrap(sentinel)).give()
    assert repr(sentinel) in repr(given)
