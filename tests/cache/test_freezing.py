"""Two arguments share a key exactly when they are the same value; texts match loosely and leak nothing."""

from __future__ import annotations

import copy
import enum
import functools
import io
import re
import sqlite3
import struct
import uuid
import weakref
from collections import Counter, OrderedDict, defaultdict, deque, namedtuple
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal, localcontext
from fractions import Fraction
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wats_accel.cache.freezing import Unfreezable, are_immutable, freeze, is_immutable
from wats_accel.cache.texts import match_text, readable

patient = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])

NAN = float("nan")
NOON = datetime(2026, 11, 22, 12)
UTC = timezone.utc
PLUS_ONE = timezone(timedelta(hours=1))


class Color(enum.Enum):
    RED = 1
    GREEN = [1]  # noqa: RUF012 - an unhashable value is the point


class Level(enum.IntEnum):
    LOW = 1


class Mode(enum.Flag):
    READ = 1
    WRITE = 2


class Suit(str, enum.Enum):
    HEARTS = "Hearts"


class Name(str):
    pass


class Code(int):
    pass


class Bag(dict):  # type: ignore[type-arg]  # as legacy code writes it
    def items(self) -> Any:
        return [("always", "the same")]


class Rows(list):  # type: ignore[type-arg]  # as legacy code writes it
    def __iter__(self) -> Any:
        return iter(())


class Record(tuple):  # type: ignore[type-arg]  # as legacy code writes it
    pass


class Slotted(int):
    __slots__ = ()


class Point(NamedTuple):
    x: float
    y: float


Pair = namedtuple("Pair", "x y")


@dataclass
class Filter:
    name: str
    ids: list[int] = field(default_factory=list)
    note: str = field(default="", compare=False)


@dataclass(slots=True)
class SlotFilter:
    name: str
    ids: list[int]


@dataclass(frozen=True, slots=True)
class Sealed:
    name: str
    item: object = None


@dataclass(frozen=True)
class FrozenWithDict:
    name: str


@dataclass(frozen=True, slots=True)
class SealedList(list):  # type: ignore[type-arg]  # a list all the same
    name: str


class _Elsewhere:
    """A descriptor that keeps a field outside the object."""

    kept: dict[int, Any] = {}  # noqa: RUF012 - one store for the test's objects

    def __get__(self, owner: object, _: object = None) -> Any:
        return self.kept.get(id(owner), 0)

    def __set__(self, owner: object, value: object) -> None:
        self.kept[id(owner)] = value


@dataclass
class FieldElsewhere:
    number: Any = _Elsewhere()


class Plain:
    pass


class Entity:
    """Equal by its id alone, as domain objects often are."""

    def __init__(self, identity: int) -> None:
        self.identity = identity

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Entity) and other.identity == self.identity

    def __hash__(self) -> int:
        return hash(self.identity)


class EqualOnly:
    __hash__ = None  # type: ignore[assignment]  # says "not hashable"

    def __eq__(self, other: object) -> bool:
        return True


class FailingEquality:
    def __eq__(self, other: object) -> bool:
        raise RuntimeError("secret-value")

    def __hash__(self) -> int:
        return 1


class FailingHash:
    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        raise RuntimeError("secret-value")


class FailingState(str):
    @property
    def __dict__(self) -> Any:  # type: ignore[override]  # broken on purpose
        raise RuntimeError("secret-value")


class UnhashableMeta(type):
    def __eq__(cls, other: object) -> bool:
        return True

    __hash__ = None  # type: ignore[assignment]  # says "not hashable"


class OfUnhashableClass(metaclass=UnhashableMeta):
    pass


def zone(key: str | None) -> ZoneInfo:
    """A zone one hour east, made anew each time and without the system's zone files."""
    header = b"TZif" + bytes(16) + struct.pack(">6l", 0, 0, 0, 0, 1, 4)
    return ZoneInfo.from_file(io.BytesIO(header + struct.pack(">lbb", 3600, 0, 0) + b"ABC\0"), key)


def sqlite_row(sql: str) -> sqlite3.Row:
    connection = sqlite3.connect(":memory:")
    try:
        connection.row_factory = sqlite3.Row
        row: sqlite3.Row = connection.execute(sql).fetchone()
    finally:
        connection.close()
    return row


def nested(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


# -- the model: what "the same value" means for builtin values ---------------------------------------


def same(left: Any, right: Any) -> bool:
    if type(left) is not type(right):
        return False
    if isinstance(left, list | tuple):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, dict):
        return same(list(left.items()), list(right.items()))
    if isinstance(left, set | frozenset):
        return _same_members(list(left), list(right))
    if isinstance(left, float | Decimal):
        return repr(left) == repr(right)
    if isinstance(left, datetime):
        return repr(left) == repr(right) and left.fold == right.fold
    return bool(left == right)


def _same_members(left: list[Any], right: list[Any]) -> bool:
    for item in left:
        twins = [at for at, known in enumerate(right) if same(known, item)]
        if not twins:
            return False
        del right[twins[0]]
    return not right


scalars = st.sampled_from(
    [
        *(None, True, False, 0, 1, 0.0, -0.0, 1.0, NAN, float("nan"), "", "1", "a", "a_b", b"", b"1"),
        *(Decimal("1"), Decimal("1.0"), Decimal("NaN"), date(2026, 11, 22), timedelta(1), uuid.UUID(int=1)),
        *(NOON, NOON.replace(fold=1), NOON.replace(tzinfo=UTC), NOON.replace(hour=13, tzinfo=PLUS_ONE)),
    ]
)
hashables = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3).map(tuple) | st.frozensets(inner, max_size=3),
    max_leaves=4,
)
values = st.recursive(
    hashables,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(hashables, inner, max_size=3)
        | st.sets(hashables, max_size=3)
    ),
    max_leaves=8,
)


@given(values, values)
@patient
def test_two_values_freeze_alike_exactly_when_they_are_the_same(left: Any, right: Any) -> None:
    assert (freeze(left) == freeze(right)) is same(left, right)


@given(values)
@patient
def test_a_deep_copy_freezes_alike_and_the_form_is_hashable(value: Any) -> None:
    frozen, twin = freeze(value), freeze(copy.deepcopy(value))

    assert frozen == twin
    assert hash(frozen) == hash(twin)


# -- freeze ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", ["text", b"bytes", None], ids=repr)
def test_the_commonest_scalars_freeze_to_themselves(value: object) -> None:
    assert freeze(value) is value


DIFFERENT: dict[str, tuple[Any, ...]] = {
    "numbers of different types": (1, 1.0, True, "1", Decimal(1), Fraction(1), b"1", 1 + 0j, Code(1)),
    "signed zeros": (0.0, -0.0, 0, False, complex(0.0, -0.0), complex(-0.0, -0.0), complex(0.0, 0.0)),
    "decimals of different precision": (Decimal("1.0"), Decimal("1.00"), Decimal("1")),
    "one instant in different zones": (
        datetime(2026, 1, 1, 12, tzinfo=UTC),
        datetime(2026, 1, 1, 13, tzinfo=PLUS_ONE),
        datetime(2026, 1, 1, 12, tzinfo=timezone(timedelta(0), "GMT")),
        datetime(2026, 1, 1, 12),
        datetime(2026, 1, 1, 12, fold=1),
    ),
    "times": (time(12), time(12, fold=1), time(12, tzinfo=UTC), time(13, tzinfo=PLUS_ONE)),
    "time zones of one offset": (UTC, timezone(timedelta(0), "GMT"), timezone(timedelta(0), "Zulu")),
    "dates": (date(2026, 1, 1), datetime(2026, 1, 1), timedelta(1), date(2026, 1, 2)),
    "ranges and slices": (range(0), range(1, 1), range(0, 4, 3), range(0, 5, 3)),
    "slices": (slice(1), slice(1.0), slice(2), range(1)),
    "members and their values": (Color.RED, Color.GREEN, Mode.READ, Mode.READ | Mode.WRITE, 1, Level.LOW),
    "paths": (PurePosixPath("a"), PurePosixPath("A"), PureWindowsPath("a"), PureWindowsPath("A"), "a"),
    "bytes and bytearrays": (b"a", bytearray(b"a"), bytearray(b"b"), "a"),
    "containers": ([1], (1,), {1}, frozenset({1}), {1: 1}, Pair(1, 1), Point(1, 1)),
    "deques": (deque([1]), deque([1], 3), deque([2]), [1]),
    "nested types": ([1], [1.0], [True], [[1]], [(1,)], [None], []),
    "joined strings": (("a_b", "c"), ("a", "b_c"), ("a_b_c",), "a_b_c", ["a", "b_c"]),
    "order of a dict": ({1: 1, 2: 2}, {2: 2, 1: 1}, OrderedDict({1: 1, 2: 2}), OrderedDict({2: 2, 1: 1})),
    "several nan in a set": (
        {NAN},
        {NAN, float("nan")},
        {NAN, float("nan"), (1,)},
        {NAN, (NAN,), (float("nan"),)},
        {NAN, float("nan"), (NAN,)},
    ),
    "hidden state of containers": (
        {1: 1},
        defaultdict(int, {1: 1}),
        defaultdict(list, {1: 1}),
        Counter({1: 1}),
    ),
    "subclasses of scalars": ("a", Name("a"), Name("b"), Code(1), Code(2), Slotted(1)),
    "dataclasses": (
        Filter("a"),
        Filter("a", [1]),
        Filter("a", [True]),
        Filter("a", note="not compared"),
        SlotFilter("a", []),
        SlotFilter("a", [1]),
        Sealed("a", []),
    ),
    "classes": (int, float, Plain, Entity, "int"),
    "singletons": (..., NotImplemented, None, "None"),
    "foreign values": (Entity(1), Entity(2), 1),
    "rows of a driver": (
        sqlite_row("select 1 as a"),
        sqlite_row("select 1.0 as a"),
        sqlite_row("select 1 as b"),
        (1,),
    ),
    "uuids": (uuid.UUID(int=1), uuid.UUID(int=2), 1),
}


@pytest.mark.parametrize("alternatives", DIFFERENT.values(), ids=DIFFERENT)
def test_different_values_differ(alternatives: tuple[object, ...]) -> None:
    assert len({freeze(value) for value in alternatives}) == len(alternatives)


@pytest.mark.parametrize(
    "value",
    [
        *(value for name in sorted(DIFFERENT) if name != "rows of a driver" for value in DIFFERENT[name]),
        Decimal("sNaN"),
        Path("here"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_copy_freezes_alike(value: object) -> None:
    assert freeze(copy.deepcopy(value)) == freeze(value)


def test_two_rows_of_a_driver_with_the_same_values_freeze_alike() -> None:
    assert freeze(sqlite_row("select 1 as a, 'x' as b")) == freeze(sqlite_row("select 1 as a, 'x' as b"))


def test_all_nan_are_one_value() -> None:
    assert freeze(NAN) == freeze(float("nan"))
    assert freeze([Decimal("nan"), complex(NAN, 1)]) == freeze([Decimal("nan"), complex(float("nan"), 1)])


def test_two_zones_are_one_value_when_they_have_one_name() -> None:
    some, again, other = (NOON.replace(tzinfo=zone(name)) for name in ("A/Zone", "A/Zone", "B/Zone"))

    assert freeze(some) == freeze(again) != freeze(other)


def test_the_decimal_context_of_a_thread_does_not_count() -> None:
    expected = freeze(Decimal("1E+30"))
    with localcontext() as context:
        context.capitals = 0

        assert freeze(Decimal("1E+30")) == expected


def test_attributes_set_on_a_subclass_of_a_scalar_count() -> None:
    plain, marked = Name("a"), Name("a")
    marked.origin = "elsewhere"  # type: ignore[attr-defined]  # what legacy code does

    assert freeze(plain) != freeze(marked)


def test_attributes_beyond_the_fields_of_a_dataclass_count() -> None:
    plain, marked = Filter("a"), Filter("a")
    marked.extra = 1  # type: ignore[attr-defined]  # what legacy code does

    assert freeze(plain) != freeze(marked)


def test_an_empty_slot_is_a_value_of_its_own() -> None:
    half = SlotFilter("a", [])
    del half.ids

    assert freeze(half) == freeze(copy.copy(half)) != freeze(SlotFilter("a", []))


def test_a_field_that_a_descriptor_keeps_elsewhere_counts() -> None:
    one, two = FieldElsewhere(1), FieldElsewhere(2)

    assert freeze(one) != freeze(two)


def test_attrs_classes_are_values_by_their_attributes() -> None:
    attrs = pytest.importorskip("attrs")
    made = attrs.make_class("Made", ["name", "ids"], eq=False)
    slotted = attrs.make_class("Slotted", ["name", "ids"], slots=True)

    for cls in (made, slotted):
        assert freeze(cls("a", [1])) == freeze(cls("a", [1])) != freeze(cls("a", [1.0]))


def test_containers_cannot_hide_what_they_hold() -> None:
    assert freeze(Bag({1: 1})) == freeze(Bag({1: 1})) != freeze(Bag({1: 2}))
    assert freeze(Rows([1])) == freeze(Rows([1])) != freeze(Rows([2]))


def test_the_order_that_an_ordered_dict_was_given_counts() -> None:
    ordered, moved = OrderedDict(a=1, b=2), OrderedDict(a=1, b=2)
    moved.move_to_end("a")

    assert freeze(ordered) != freeze(moved) == freeze(OrderedDict(b=2, a=1))


def test_a_list_is_frozen_as_it_was() -> None:
    items = [1, [2]]
    before = freeze(items)
    items[1] = [3]

    assert freeze(items) != before


def test_a_foreign_object_that_changes_no_longer_equals_its_frozen_form() -> None:
    entity = Entity(1)
    before = freeze(entity)
    entity.identity = 2

    assert freeze(entity) != before


def _generator() -> Any:
    yield 1


UNFREEZABLE: dict[str, Callable[[], Any]] = {
    "a plain object": Plain,
    "a function": lambda: same,
    "a lambda": lambda: lambda: 1,
    "a method of a builtin": lambda: "secret".upper,
    "a method of an object": lambda: Entity(1).__hash__,
    "a slot of a builtin": lambda: "secret".__len__,
    "a partial": lambda: functools.partial(int, "1"),
    "an iterator": lambda: iter([1]),
    "a generator": _generator,
    "an open file": lambda: io.StringIO("secret"),
    "a weak reference": lambda: weakref.ref(Plain),
    "an object with an equality but no hash": EqualOnly,
    "an equality that fails": FailingEquality,
    "a hash that fails": FailingHash,
    "attributes that fail": lambda: FailingState("secret"),
    "a class that cannot be hashed": lambda: OfUnhashableClass,
    "an object of such a class": OfUnhashableClass,
    "a zone without a name": lambda: zone(None),
    "a defaultdict with a function": lambda: defaultdict(lambda: 1),
    "too deep": lambda: nested(100),
    "far too deep": lambda: nested(100_000),
    "too large": lambda: [0] * 100_001,
    "a function in a list": lambda: [[same]],
    "a function in a dataclass": lambda: Sealed("secret", same),
}


@pytest.mark.parametrize("make", UNFREEZABLE.values(), ids=UNFREEZABLE)
def test_what_has_no_value_identity_is_refused_without_showing_it(make: Callable[[], object]) -> None:
    with pytest.raises(Unfreezable) as caught:
        freeze(make())

    assert "secret" not in str(caught.value)


def test_a_container_that_contains_itself_is_refused() -> None:
    items: list[Any] = []
    items.extend([items, items])
    mapping: dict[str, Any] = {}
    mapping["self"] = (mapping,)
    knot = Sealed("knot", items)

    for value in (items, mapping, knot):
        with pytest.raises(Unfreezable):
            freeze(value)


def test_a_list_that_holds_one_list_in_exponentially_many_ways_is_refused_soon() -> None:
    value: list[Any] = [1, 2]
    for _ in range(60):
        value = [value, value]

    with pytest.raises(Unfreezable):
        freeze(value)


def test_the_message_names_the_type() -> None:
    with pytest.raises(Unfreezable, match=r"\.Plain has no value identity"):
        freeze([Plain()])


# -- is_immutable ------------------------------------------------------------------------------------

IMMUTABLE: dict[str, Any] = {
    "scalars": (None, 1, True, 1.0, 1j, "a", b"a", Decimal(1), NOON, date.max, time.max, timedelta(1), UTC),
    "more scalars": (Fraction(1), uuid.UUID(int=1), Path("a"), range(3), ..., NotImplemented),
    "members": (Color.RED, Color.GREEN, Level.LOW, Mode.READ | Mode.WRITE),
    "a class": Plain,
    "nested": ((1, (2, frozenset({3}))), (1, (2, 3))),
    "named tuples": (Point(1, 2), Pair(1, "a")),
    "sealed dataclasses": Sealed("a", Sealed("b", (1,))),
    "a row": sqlite_row("select 1 as a, 'x' as b"),
    "an empty tuple": (),
}
MUTABLE: dict[str, Any] = {
    "a list": [],
    "a list in a tuple": (1, ([],)),
    "a list in a named tuple": Pair(1, []),
    "a list in a sealed dataclass": Sealed("a", []),
    "a bytearray": bytearray(),
    "a dataclass": Filter("a"),
    "a dataclass with slots": SlotFilter("a", []),
    "a frozen dataclass with a __dict__": FrozenWithDict("a"),
    "a frozen dataclass that is a list": SealedList("a"),
    "a string with a __dict__": Name("a"),
    "a tuple with a __dict__": Record((1, 2)),
    "a plain object": Plain(),
    "a foreign value": Entity(1),
    "an object of a class that cannot be hashed": OfUnhashableClass(),
    "such an object in a tuple": (OfUnhashableClass(),),
}


@pytest.mark.parametrize("value", IMMUTABLE.values(), ids=IMMUTABLE)
def test_what_nobody_can_change_is_immutable(value: object) -> None:
    assert is_immutable(value)
    assert are_immutable([value, 1])


@pytest.mark.parametrize("value", MUTABLE.values(), ids=MUTABLE)
def test_what_somebody_could_change_is_not_immutable(value: object) -> None:
    assert not is_immutable(value)
    assert not are_immutable([1, value])


def test_a_frozen_dataclass_with_a_slot_of_its_base_is_not_immutable() -> None:
    class Base:
        __slots__ = ("hidden",)

    @dataclass(frozen=True, slots=True)
    class Derived(Base):
        name: str

    assert not is_immutable(Derived("a"))


def test_a_frozen_dataclass_with_a_slot_that_is_no_field_is_not_immutable() -> None:
    @dataclass(frozen=True)
    class Cached:
        __slots__ = ("found", "name")
        name: str

    assert not is_immutable(Cached("a"))


def test_a_row_of_sqlalchemy_is_immutable_when_its_values_are() -> None:
    row_type = type("Row", (tuple,), {"__module__": "sqlalchemy.engine.row"})

    assert is_immutable(row_type((1, "a")))
    assert not is_immutable(row_type((1, [])))


def test_immutability_of_deep_and_of_shared_tuples_is_found_soon() -> None:
    deep: Any = ()
    shared: Any = ((),)
    for _ in range(10_000):
        deep = (deep,)
    for _ in range(60):
        shared = (shared, shared)

    assert is_immutable(deep)
    assert is_immutable(shared)


# -- match_text --------------------------------------------------------------------------------------

ALIKE: dict[str, tuple[object, ...]] = {
    "5": (5, 5.0, Decimal("5"), Decimal("5.000"), "5", " 05 ", "+5", "5e0", b"5", Code(5), Name("5")),
    "1": (1, True, "1", "True", " True ", Level.LOW, Color.RED, "1.0", Decimal("1E0"), b"True"),
    "0": (0, False, -0.0, 0.0, "0", "-0", "False", Decimal("0E+5"), "0e999999999"),
    "100": (100, 1e2, "1e2", Decimal("1E+2"), "100.00"),
    "0.1": (0.1, "0.1", ".1", Decimal("0.10"), "1e-1"),
    "-7": (-7, "-7", -7.0, " -07.0"),
    "inf": (float("inf"), Decimal("Infinity"), "+inf"),
    "nan": (NAN, Decimal("NaN"), Decimal("sNaN123"), Decimal("-NaN")),
    "huge": (10**400, 10**100_000, -(10**400), Decimal("-1e999999999"), "1e400", "1e999999", "9" * 401),
    "jefferson": ("jefferson", " jefferson\t", b"jefferson", bytearray(b"jefferson"), Name("jefferson")),
    "None": (None, "None", " None "),
    "": ("", "   ", "''", b""),
    "hearts": ("hearts",),
    "2026-11-22 12:00:00": (NOON, "2026-11-22T12:00:00", str(NOON)),
}


@pytest.mark.parametrize(("text", "alike"), ALIKE.items(), ids=ALIKE)
def test_what_a_database_takes_for_the_same_has_one_text(text: str, alike: tuple[object, ...]) -> None:
    assert {match_text(value, fold=False) for value in alike} == {text}


@pytest.mark.parametrize(
    ("value", "folded", "unfolded"),
    [
        pytest.param("Jefferson", "jefferson", "Jefferson", id="a name"),
        pytest.param("STRASSE", "strasse", "STRASSE", id="upper case"),
        pytest.param("Straße", "strasse", "Straße", id="a sharp s"),
        pytest.param(Suit.HEARTS, "hearts", "Hearts", id="a member that is a string"),
        pytest.param(uuid.UUID(int=0xABC), uuid.UUID(int=0xABC).hex, uuid.UUID(int=0xABC).hex, id="a uuid"),
        pytest.param(None, "none", "None", id="None, as it would be in a pattern"),
        pytest.param("+abc", "+abc", "+abc", id="no number"),
        pytest.param("²", "²", "²", id="a digit that is no number"),
        pytest.param("1" + "x" * 500, "1" + "x" * 500, "1" + "x" * 500, id="a long string"),
        pytest.param("1e" + "9" * 20, "1e" + "9" * 20, "1e" + "9" * 20, id="an exponent beyond all"),
        pytest.param("1e-999999", "1E-999999", "1E-999999", id="a tiny number"),
    ],
)
def test_case_is_folded_on_demand(value: object, folded: str, unfolded: str) -> None:
    assert match_text(value, fold=True) == folded
    assert match_text(value, fold=False) == unfolded


def test_long_strings_are_compared_in_full() -> None:
    assert match_text("a" * 200 + "1", fold=True) != match_text("a" * 200 + "2", fold=True)


def test_containers_match_their_equals_only() -> None:
    assert match_text([1, 2], fold=False) == match_text([1, 2], fold=False) != match_text([1, 3], fold=False)


def test_a_decimal_context_that_lets_malformed_numbers_pass_changes_nothing() -> None:
    with localcontext() as context:
        for signal in context.traps:
            context.traps[signal] = False

        assert match_text("5th floor", fold=False) == "5th floor"


@given(st.one_of(st.integers(), st.floats(), st.text(), st.decimals(), st.binary(), values))
@patient
def test_no_value_is_too_odd_for_a_text(value: object) -> None:
    assert isinstance(match_text(value, fold=True), str)
    assert readable(value).isprintable()


@given(st.integers(), st.text(alphabet=" \t\n"))
@patient
def test_an_integer_and_its_digits_have_one_text(number: int, space: str) -> None:
    assert match_text(number, fold=False) == match_text(f"{space}{number}{space}", fold=True)


# -- readable ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        pytest.param("jefferson", "jefferson", id="a string"),
        pytest.param("João da Silva", "João da Silva", id="any script"),
        pytest.param("", "''", id="nothing"),
        pytest.param("a\nERROR forged", "a\\nERROR forged", id="a forged line"),
        pytest.param("\x1b[31m\u2028\u202e\x00", "\\x1b[31m\\u2028\\u202e\\x00", id="control characters"),
        pytest.param("\ud800", "\\ud800", id="a lone surrogate"),
        pytest.param("x" * 80, "x" * 80, id="80 characters"),
        pytest.param("x" * 81, "x" * 80 + "…", id="81 characters"),
        pytest.param("\n" * 80, "\\n" * 40 + "…", id="80 newlines"),
        pytest.param(Name("bob"), "bob", id="a subclass of str"),
        pytest.param(5, "5", id="an int"),
        pytest.param(True, "True", id="a bool"),
        pytest.param(Code(5), "5", id="a subclass of int"),
        pytest.param(1.5, "1.5", id="a float"),
        pytest.param(1j, "1j", id="a complex"),
        pytest.param(Decimal("1.50"), "1.50", id="a Decimal"),
        pytest.param(None, "None", id="None"),
        pytest.param(NOON, "2026-11-22T12:00:00", id="a datetime"),
        pytest.param(date(2026, 1, 1), "2026-01-01", id="a date"),
        pytest.param(time(12, 30), "12:30:00", id="a time"),
        pytest.param(timedelta(hours=1), "1:00:00", id="a timedelta"),
        pytest.param(uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001", id="a uuid"),
        pytest.param(PurePosixPath("a/b"), "a/b", id="a path"),
        pytest.param(UTC, "UTC", id="a time zone"),
        pytest.param(Color.RED, "Color.RED", id="a member"),
        pytest.param(Level.LOW, "Level.LOW", id="a member that is an int"),
        pytest.param(Suit.HEARTS, "Hearts", id="a member that is a string"),
    ],
)
def test_a_scalar_is_shown_on_one_short_line(value: object, shown: str) -> None:
    assert readable(value) == shown


@pytest.mark.parametrize(
    ("value", "pattern"),
    [
        pytest.param({"password": "hunter2", "a": 1}, r"dict\(2\)#[0-9a-f]{6}", id="a dict"),
        pytest.param(["hunter2"], r"list\(1\)#[0-9a-f]{6}", id="a list"),
        pytest.param(b"hunter2", r"bytes\(7\)#[0-9a-f]{6}", id="bytes"),
        pytest.param(Filter("hunter2"), r"Filter#[0-9a-f]{6}", id="a dataclass"),
        pytest.param(Plain(), "Plain", id="an object without value identity"),
        pytest.param([same], r"list\(1\)", id="a list without value identity"),
        pytest.param(10**5000, r"int#[0-9a-f]{6}", id="an int of too many digits"),
        pytest.param(type("a\nb", (), {})(), r"a\\nb", id="a type whose name breaks the line"),
    ],
)
def test_what_may_hold_secrets_is_shown_by_type_size_and_digest(value: object, pattern: str) -> None:
    shown = readable(value)

    assert "hunter2" not in shown
    assert shown == readable(value)
    assert len(shown) < 40
    assert re.fullmatch(pattern, shown)


def test_the_digest_tells_values_apart() -> None:
    assert readable({"a": 1}) == readable({"a": 1}) != readable({"a": 2})


def test_a_time_zone_that_fails_does_not_make_the_text_fail() -> None:
    class FailingZone(tzinfo):
        def utcoffset(self, _: datetime | None) -> timedelta:
            raise RuntimeError("secret-value")

        dst = utcoffset

        def tzname(self, _: datetime | None) -> str:
            return "secret-value"

    assert readable(NOON.replace(tzinfo=FailingZone())) == "datetime"
    assert match_text(NOON.replace(tzinfo=FailingZone()), fold=False) == "datetime"


def test_an_object_that_claims_to_be_a_string_is_taken_for_what_it_is() -> None:
    class Proxy:
        __class__ = property(lambda _: str)

    assert readable(Proxy()) == "Proxy"
    assert match_text(Proxy(), fold=False) == "Proxy"
