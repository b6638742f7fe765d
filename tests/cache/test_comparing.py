"""Whether a caller could tell two answers apart, and what is said of it without naming a value."""

from __future__ import annotations

import array
import copy
import re
import sqlite3
import threading
from collections import Counter, OrderedDict, defaultdict, deque, namedtuple
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from pathlib import PurePosixPath
from types import SimpleNamespace
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from wats_accel.cache.comparing import Incomparable, difference

Point = namedtuple("Point", "x y")


class Colour(Enum):
    RED = 1
    BLUE = 2


class Code(int):
    note: str


class Rows(list[Any]):
    """A list with an attribute."""


class Plain:
    def __init__(self, **attributes: Any) -> None:
        self.__dict__.update(attributes)


class Slotted:
    __slots__ = ("name", "other")

    def __init__(self, name: Any) -> None:
        self.name = name


class SlottedWithMore(Slotted):
    pass


@dataclass
class User:
    key: int
    name: str = field(compare=False)


@dataclass(frozen=True, slots=True)
class Sealed:
    key: int
    names: tuple[str, ...]


class ById:
    """Equal by its id only, as the models of some libraries are."""

    def __init__(self, key: int, name: str) -> None:
        self.key, self.name = key, name

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ById) and self.key == other.key

    def __hash__(self) -> int:
        return self.key


def user_with(name: Any) -> Plain:
    return Plain(key=1, name=name)


def sealed_row(*values: Any) -> sqlite3.Row:
    connection = sqlite3.connect(":memory:")
    try:
        connection.row_factory = sqlite3.Row
        columns = ", ".join(f"? AS c{number}" for number in range(len(values)))
        row: sqlite3.Row = connection.execute(f"SELECT {columns}", values).fetchone()
        return row
    finally:
        connection.close()


def renamed_row() -> sqlite3.Row:
    connection = sqlite3.connect(":memory:")
    try:
        connection.row_factory = sqlite3.Row
        row: sqlite3.Row = connection.execute("SELECT 1 AS c0, 'a' AS other").fetchone()
        return row
    finally:
        connection.close()


def with_attribute(rows: Rows, note: Any) -> Rows:
    rows.note = note  # type: ignore[attr-defined]  # that is what the class is for
    return rows


VALUES: dict[str, Any] = {
    "none": None,
    "text": "ada",
    "bytes": b"ada",
    "bytearray": bytearray(b"ada"),
    "memoryview": memoryview(b"ada"),
    "number": 7,
    "truth": True,
    "float": 0.5,
    "not a number": float("nan"),
    "complex": complex(1, float("nan")),
    "decimal": Decimal("1.50"),
    "decimal nan": Decimal("nan"),
    "fraction": Fraction(1, 3),
    "date": date(2024, 1, 1),
    "time": time(9, 30, tzinfo=timezone.utc),
    "datetime": datetime(2024, 1, 1, 9, 30),
    "datetime in a zone": datetime(2024, 1, 1, tzinfo=ZoneInfo("Europe/Berlin")),
    "timedelta": timedelta(days=1),
    "timezone": timezone(timedelta(hours=1), "one"),
    "uuid": UUID(int=1),
    "path": PurePosixPath("a/b"),
    "range": range(3),
    "enum": Colour.RED,
    "subclass of int": Code(3),
    "rows": [(1, "a", None), (2, "b", 0.5)],
    "dicts": [{"id": 1, "when": datetime(2024, 1, 1)}, {"id": 2, "when": None}],
    "set": {1, "a", None},
    "frozenset": frozenset({1, (2, 3)}),
    "deque": deque([1, 2], maxlen=3),
    "ordered": OrderedDict(a=1, b=2),
    "default": defaultdict(list, a=[1]),
    "counter": Counter("aab"),
    "named tuple": Point(1, [2]),
    "list with an attribute": with_attribute(Rows([1]), "x"),
    "namespace": SimpleNamespace(a=[1], b=None),
    "plain object": user_with(["ada"]),
    "slots": Slotted("ada"),
    "slots and a dictionary": SlottedWithMore("ada"),
    "dataclass": User(1, "ada"),
    "sealed dataclass": Sealed(1, ("ada",)),
    "object that is equal by its id": ById(1, "ada"),
    "array": array.array("i", [1, 2]),
    "pattern": re.compile("a+"),
    "exception": ValueError("a", 1),
    "row": sealed_row(1, "a", None),
}


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
def test_a_value_is_the_same_as_another_one_with_the_same_content(value: Any) -> None:
    if isinstance(value, sqlite3.Row):
        other: Any = sealed_row(*tuple(value))
    elif isinstance(value, memoryview):
        other = memoryview(bytes(value))
    else:
        other = copy.deepcopy(value)
    assert difference(value, other) is None
    assert difference([value], [other]) is None
    assert difference({"a": (value, value)}, {"a": (other, value)}) is None


DIFFERENT: dict[str, tuple[Any, Any, str]] = {
    "another text": ("ada", "bob", "another str"),
    "another number": (1, 2, "another int"),
    "a number for a truth": (True, 1, "bool -> int"),
    "a float for a number": (1, 1.0, "int -> float"),
    "nothing for a row": ((1,), None, "tuple -> None"),
    "a list for a tuple": ([1], (1,), "list -> tuple"),
    "a subclass for its base": (Code(1), 1, "Code -> int"),
    "the sign of zero": (0.0, -0.0, "another float"),
    "digits of a decimal": (Decimal("1.0"), Decimal("1.00"), "another Decimal"),
    "one instant in two zones": (
        datetime(2024, 1, 1, 12, tzinfo=timezone.utc),
        datetime(2024, 1, 1, 13, tzinfo=timezone(timedelta(hours=1))),
        "another datetime",
    ),
    "one reading in two zones": (
        datetime(2024, 1, 1, 12, tzinfo=timezone.utc),
        datetime(2024, 1, 1, 12, tzinfo=timezone(timedelta(hours=1))),
        "time zone: another timezone",
    ),
    "the fold of a time": (
        datetime(2024, 1, 1, 12, fold=0),
        datetime(2024, 1, 1, 12, fold=1),
        "another datetime",
    ),
    "the name of a zone": (timezone(timedelta(0), "a"), timezone(timedelta(0), "b"), "another timezone"),
    "another member": (Colour.RED, Colour.BLUE, "another Colour"),
    "another class": (int, str, "another type"),
    "one item more": ([1] * 12, [1] * 13, "list of 12 -> 13 items"),
    "an item": (["a", "b"], ["a", "c"], "item 2: another str"),
    "a field of a row": ([(1, 2)] * 2, [(1, 2), (1, 3)], "item 2, field 2: another int"),
    "one field more": ([(1, 2)], [(1, 2, 3)], "item 1: tuple of 2 -> 3 fields"),
    "a row that is gone": ((1, "a"), (1, None), "field 2: str -> None"),
    "other keys": ([{"a": 1}], [{"b": 1}], "item 1: dict has other keys"),
    "keys of another type": ({1: 0}, {True: 0}, "dict has other keys"),
    "one key more": ({"a": 1}, {"a": 1, "b": 2}, "dict of 1 -> 2 keys"),
    "another order of keys": ({"a": 1, "b": 2}, {"b": 2, "a": 1}, "dict in another order"),
    "a value": ({"a": 1, "b": [1]}, {"a": 1, "b": [2]}, "value 2, item 1: another int"),
    "other members": ({1, 2}, {1, 3}, "set has other items"),
    "members of another type": ({1}, {True}, "set has other items"),
    "one member more": (frozenset(), frozenset({1}), "frozenset of 0 -> 1 items"),
    "a named tuple": (Point(1, 2), Point(1, 3), "field 2: another int"),
    "an attribute of a list": (
        with_attribute(Rows([1]), "x"),
        with_attribute(Rows([1]), "y"),
        "attribute 1: another str",
    ),
    "an attribute": (user_with("ada"), user_with("bob"), "attribute 2: another str"),
    "an attribute more": (Plain(a=1), Plain(a=1, b=2), "Plain has other attributes"),
    "a slot": (Slotted("ada"), Slotted("bob"), "attribute 1: another str"),
    "a field that does not count for equality": (User(1, "ada"), User(1, "bob"), "attribute 2: another str"),
    "an object that is equal by its id": (ById(1, "ada"), ById(1, "bob"), "attribute 2: another str"),
    "a sealed dataclass": (Sealed(1, ("ada",)), Sealed(2, ("ada",)), "item 1: another int"),
    "bytes": (bytearray(b"a"), bytearray(b"b"), "another bytearray"),
    "a pattern": (re.compile("a"), re.compile("b"), "another Pattern"),
    "a field of a driver's row": (sealed_row(1, "a"), sealed_row(1, "b"), "field 2: another str"),
    "the columns of a driver's row": (sealed_row(1, "a"), renamed_row(), "Row has other columns"),
    "a deque's length": (deque([1]), deque([1, 2]), "deque of 1 -> 2 items"),
}


@pytest.mark.parametrize(("kept", "own", "how"), DIFFERENT.values(), ids=DIFFERENT)
def test_what_differs_is_told_by_place_and_shape(kept: Any, own: Any, how: str) -> None:
    assert difference(kept, own) == how
    assert difference(own, kept) is not None


def test_no_value_is_told() -> None:
    secret, other = "hunter2", "s3cret"
    for wrap in (
        lambda value: value,
        lambda value: [value],
        lambda value: {value: 1},
        lambda value: {"a": value},
        lambda value: {value},
        lambda value: Plain(**{value: 1}),
        lambda value: user_with(value),
        lambda value: Point(1, value),
    ):
        how = difference(wrap(secret), wrap(other))
        assert how is not None
        assert secret not in how
        assert other not in how


# -- rows of ODBC ----------------------------------------------------------------------------------------


def test_rows_of_odbc_are_compared_by_columns_and_values(odbc: Any, sqlite_odbc: Any) -> None:
    connection = odbc.connect(sqlite_odbc(":memory:"), autocommit=True)
    try:

        def rows(sql: str) -> Any:
            return connection.execute(sql).fetchall()

        two = "SELECT 1 AS one, 'a' AS two UNION ALL SELECT 2, 'b' ORDER BY 1"
        assert difference(rows(two), rows(two)) is None
        assert difference(rows(two), rows(two.replace("'b'", "'c'"))) == "item 2, field 2: another str"
        assert difference(rows(two), rows(two.replace("two", "three"))) == "item 1: Row has other columns"
        assert difference(rows(two)[0], tuple(rows(two)[0])) == "Row -> tuple"
    finally:
        connection.close()


# -- classes that are made anew --------------------------------------------------------------------------


def answer_with_a_named_tuple_of_its_own(value: int, fields: str = "a b") -> Any:
    return namedtuple("Answer", fields)(1, value)


def test_a_named_tuple_that_each_call_makes_anew_is_the_same_type() -> None:
    one, other = answer_with_a_named_tuple_of_its_own(2), answer_with_a_named_tuple_of_its_own(2)
    assert difference(one, other) is None
    assert difference(one, answer_with_a_named_tuple_of_its_own(3)) == "field 2: another int"
    assert difference(one, answer_with_a_named_tuple_of_its_own(2, "a c")) == "Answer -> Answer"


def test_of_another_class_that_each_call_makes_anew_nobody_knows_what_it_is() -> None:
    with pytest.raises(Incomparable):
        difference(type("Answer", (), {})(), type("Answer", (), {})())


# -- what nobody can tell --------------------------------------------------------------------------------


class Refusing:
    def __reduce_ex__(self, protocol: Any) -> Any:
        raise PermissionError("no")


class RefusingWithAnOpinion(Refusing):
    def __init__(self, opinion: bool) -> None:
        self.opinion = opinion

    def __eq__(self, other: object) -> bool:
        return self.opinion

    __hash__ = None  # type: ignore[assignment]  # as for any class with an equality of its own


def deeply_nested(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(object, id="bare object"),
        pytest.param(lambda: lambda: None, id="function"),
        pytest.param(threading.Lock, id="lock"),
        pytest.param(lambda: (item for item in ()), id="generator"),
        pytest.param(Refusing, id="object that refuses to be taken apart"),
        pytest.param(lambda: {Plain()}, id="set of objects"),
        pytest.param(lambda: deeply_nested(100), id="nested deeply"),
        pytest.param(lambda: deeply_nested(3_000), id="nested more deeply than the interpreter bears"),
        pytest.param(lambda: [bytearray()] * 1_000_001, id="too large"),
    ],
)
def test_what_shows_nothing_by_which_it_could_be_compared_is_not(make: Any) -> None:
    with pytest.raises(TypeError):
        difference([make()], [make()])


def test_an_object_that_shows_no_state_is_taken_at_its_word() -> None:
    assert difference(RefusingWithAnOpinion(True), RefusingWithAnOpinion(True)) is None
    assert difference(RefusingWithAnOpinion(False), RefusingWithAnOpinion(False)) is not None


def test_a_value_that_contains_itself_ends() -> None:
    one: list[Any] = [1]
    other: list[Any] = [1]
    one.append(one)
    other.append(other)
    assert difference(one, other) is None
    other.append(2)
    assert difference(one, other) == "list of 2 -> 3 items"
    left, right = Plain(name="a"), Plain(name="a")
    left.me, right.me = [left], [right]  # type: ignore[attr-defined]  # whatever it is given
    assert difference(left, right) is None
    right.me.append(3)  # type: ignore[attr-defined]  # the same
    assert difference(left, right) == "attribute 2: list of 1 -> 2 items"


def test_parts_that_are_made_for_the_comparison_do_not_hide_each_other() -> None:
    """Addresses are used again as soon as a value is gone."""
    rows = [Plain(pair=(number, [number])) for number in range(2_000)]
    for changed in (0, 999, 1_999):
        others = copy.deepcopy(rows)
        others[changed].pair[1][0] = -1  # type: ignore[attr-defined]  # whatever it is given
        assert difference(rows, others) == f"item {changed + 1}, attribute 1, field 2, item 1: another int"
