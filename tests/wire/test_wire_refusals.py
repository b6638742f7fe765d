"""What could not come back exactly is refused by the name of its type, and what nobody wrote is a miss."""

from __future__ import annotations

import enum
import subprocess
import sys
import zoneinfo
from collections import OrderedDict, UserDict, defaultdict, deque, namedtuple
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from wire_values import same, unmeasured

from wats_accel.wire import Codec, Limits, NotEncodableError, NotReadableError, nodes

CODEC = Codec()
SECRET = "secret-value"


def sub(base: type, *arguments: Any) -> Any:
    """An object of a class made from this one."""
    return type(f"Own{base.__name__}", (base,), {})(*arguments)


class Color(enum.Enum):
    RED = SECRET


class Text(str, enum.Enum):
    RED = SECRET


class Number(enum.IntEnum):
    ONE = 1


class Flag(enum.IntFlag):
    ONE = 1


@dataclass
class User:
    name: str


class OwnZone(tzinfo):
    def utcoffset(self, when: datetime | None) -> timedelta | None:
        return None


def unnamed_zone() -> datetime:
    files = [Path(folder) / "UTC" for folder in zoneinfo.TZPATH]
    known = next((file for file in files if file.exists()), None)
    if known is None:  # no such files on Windows
        return datetime(2026, 1, 1, tzinfo=OwnZone())
    with known.open("rb") as file:
        return datetime(2026, 1, 1, tzinfo=ZoneInfo.from_file(file))


class Nameless(type):
    def __getattribute__(cls, name: str) -> Any:
        if name in ("__module__", "__qualname__"):
            raise RuntimeError(SECRET)
        return super().__getattribute__(name)


class Unhashable(type):
    __hash__ = None  # type: ignore[assignment]  # a metaclass may do so

    def __eq__(cls, other: object) -> bool:
        raise RuntimeError(SECRET)


Pair = namedtuple("Pair", "x y")
REFUSED: dict[str, Any] = {
    "str": sub(str, SECRET),
    "int": sub(int, 1),
    "float": sub(float, 1.5),
    "bytes": sub(bytes, b"x"),
    "bytearray": sub(bytearray, b"x"),
    "Decimal": sub(Decimal, 1),
    "datetime": sub(datetime, 2026, 1, 1),
    "date": sub(date, 2026, 1, 1),
    "time": sub(time, 1),
    "timedelta": sub(timedelta, 1),
    "UUID": type("OwnUUID", (UUID,), {})(int=1),
    "list": sub(list, [1]),
    "tuple": sub(tuple, (1,)),
    "dict": sub(dict, {"a": 1}),
    "set": sub(set, {1}),
    "frozenset": sub(frozenset, {1}),
    "namedtuple": Pair(1, SECRET),
    "enum": Color.RED,
    "text enum": Text.RED,
    "number enum": Number.ONE,
    "flag": Flag.ONE,
    "dataclass": User(SECRET),
    "object": object(),
    "class": str,
    "function": same,
    "generator": (number for number in ()),
    "iterator": iter([1]),
    "complex": 1j,
    "range": range(3),
    "Fraction": Fraction(1, 3),
    "path": Path(SECRET),
    "memoryview": memoryview(b"x"),
    "OrderedDict": OrderedDict(a=1),
    "defaultdict": defaultdict(int, a=1),
    "UserDict": UserDict(a=1),
    "deque": deque([1]),
    "exception": ValueError(SECRET),
    "ellipsis": ...,
    "of a nameless class": Nameless("X", (), {})(),
    "of a class without a hash": Unhashable("X", (), {})(),
    "own zone": datetime(2026, 1, 1, tzinfo=OwnZone()),
    "own zone of a time": time(1, tzinfo=OwnZone()),
    "a zone without a name": unnamed_zone(),
    "a zone of one's own": datetime(2026, 1, 1, tzinfo=ZoneInfo.no_cache("UTC")),
}
PLACES = {
    "alone": lambda bad: bad,
    "in a list": lambda bad: [1, bad],
    "in a tuple": lambda bad: ("x", bad),
    "in a dict": lambda bad: {"a": bad},
    "as a key": lambda bad: {bad: 1},
    "in a set": lambda bad: {"y", bad},
    "after a text": lambda bad: [("a", 1), (bad, 2)],
    "after None": lambda bad: [(None, 1), (bad, 2)],
    "after a number": lambda bad: [(1, 1), (bad, 2)],
    "after a datetime": lambda bad: [(datetime(2026, 1, 1), 1), (bad, 2)],
    "after a Decimal": lambda bad: [[Decimal(1), 1], [bad, 2]],
    "in rows with names": lambda bad: [{"a": 1}, {"a": bad}],
    "as a name": lambda bad: [{"a": 1}, {bad: 1}],
    "as a row": lambda bad: [bad, bad],
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_would_not_come_back_exactly_is_refused(kind: str) -> None:
    bad = REFUSED[kind]
    for place, put in PLACES.items():
        try:
            value = put(bad)
        except TypeError:
            continue  # it has no hash
        with pytest.raises(NotEncodableError) as caught:
            pytest.fail(f"{place}: {CODEC.encode(value)!r}")
        assert SECRET not in str(caught.value)
        assert caught.value.__cause__ is caught.value.__context__ is None


def test_the_message_names_the_type() -> None:
    with pytest.raises(NotEncodableError, match=r"^test_wire_refusals\.User could not come back as it was$"):
        CODEC.encode([1, {"a": (User(SECRET),)}])


# -- what is there twice, too large, too deep ------------------------------------------------------------

INNER: list[Any] = [1]
ROW = ["a", 1]
TWICE: dict[str, Any] = {
    "a list": [INNER, INNER],
    "far apart": ({"a": INNER}, [[(1, INNER)]]),
    "in two tuples": ((INNER,), (INNER,)),
    "in one tuple that is there twice": ((INNER,),) * 2,
    "in rows": [(1, INNER), (2, INNER)],
    "as rows": [ROW, ROW],
    "as a row and besides": ([ROW, ["b", 2]], ROW),
    "dicts as rows": [{"a": 1}] * 2,
    "a set": [set()] * 2,
    "a bytearray": [bytearray(b"x")] * 2,
    "empty": [[]] * 2,
}


@pytest.mark.parametrize("name", TWICE)
def test_what_can_be_changed_and_is_there_twice_is_refused(name: str) -> None:
    with pytest.raises(NotEncodableError, match="is there twice, and would come back as two"):
        CODEC.encode(TWICE[name])


def test_what_cannot_be_changed_may_be_there_twice() -> None:
    text, pair = "x" * 100, (1, ("y", 2))
    value = [text, text, pair, (pair, pair), [pair, pair]]
    assert same(CODEC.decode(CODEC.encode(value)), value)


def test_a_row_of_pyodbc_that_is_there_twice_is_refused(odbc: Any) -> None:
    row = odbc.Row((("a", str, None, 1, 1, 0, True),), {"a": 0}, "x")
    for value in ([row, row], (row, {"again": row}), (row, [row])):
        with pytest.raises(NotEncodableError, match="is there twice"):
            CODEC.encode(value)


def test_rows_of_pyodbc_from_different_queries_are_refused(odbc: Any) -> None:
    rows = [odbc.Row((("a", str, None, 1, 1, 0, True),), {"a": 0}, "x") for _ in range(2)]
    with pytest.raises(NotEncodableError, match=r"pyodbc\.Row comes from different queries"):
        CODEC.encode(rows)


@pytest.mark.parametrize(
    ("description", "index"),
    [
        ((("a", Color, None, 1, 1, 0, True),), {"a": 0}),
        ((("a", str, None, 1, 1, 0),), {"a": 0}),
        ((("a", str, None, 1, sub(int, 1), 0, True),), {"a": 0}),
        ((("a", str, None, 1, 1, 0, True),), {sub(str, "a"): 0}),
        ((("a" * 70_000, str, None, 1, 1, 0, True),), {"a": 0}),
    ],
    ids=["foreign type", "too short", "own int", "own name", "too long"],
)
def test_rows_of_pyodbc_with_a_strange_description_are_refused(
    odbc: Any, description: Any, index: Any
) -> None:
    with pytest.raises(NotEncodableError, match=r"pyodbc\.Row has"):
        CODEC.encode([odbc.Row(description, index, "x")])


def test_what_contains_itself_is_refused() -> None:
    itself: list[Any] = []
    itself.append(itself)
    inner: dict[str, Any] = {}
    inner["outer"] = (inner,)
    for value in (itself, inner, [(1, itself), (2, None)]):
        with pytest.raises(NotEncodableError):
            CODEC.encode(value)


def nested(deep: int) -> Any:
    value: Any = ()
    for _ in range(deep - 1):
        value = (value,)
    return value


def test_what_may_be_written_may_be_read_however_deep_it_is() -> None:
    codec = Codec(Limits(deepest=5))
    assert codec.decode(codec.encode(nested(5))) == nested(5)
    with pytest.raises(NotEncodableError, match="nested too deeply"):
        codec.encode(nested(6))
    written = Codec().encode(nested(6))
    with pytest.raises(NotReadableError):
        codec.decode(written)


def test_very_deep_values_are_refused_in_good_order() -> None:
    with pytest.raises(NotEncodableError):
        CODEC.encode(nested(100_000))


@pytest.mark.parametrize(
    "value",
    [list(range(100)), [(1, 2)] * 40, [[1], [2]] * 1 + [[3] * 95], dict.fromkeys(range(60))],
    ids=["list", "rows", "lists", "dict"],
)
def test_what_has_too_many_values_is_neither_written_nor_read(value: Any) -> None:
    codec = Codec(Limits(most_items=99))
    with pytest.raises(NotEncodableError, match="more values"):
        codec.encode(value)
    with pytest.raises(NotReadableError):
        codec.decode(CODEC.encode(value))


def test_one_tuple_that_is_there_very_often_is_too_large() -> None:
    value: Any = (1,)
    for _ in range(25):
        value = (value, value)  # 2**25 of them, in 25 objects
    with pytest.raises(NotEncodableError, match="more values"):
        Codec(Limits(most_items=10_000)).encode(value)


def test_what_has_too_many_bytes_is_neither_written_nor_read() -> None:
    codec = Codec(Limits(most_bytes=1000))
    with pytest.raises(NotEncodableError, match="more bytes"):
        codec.encode("x" * 1000)
    with pytest.raises(NotReadableError):
        codec.decode(CODEC.encode("x" * 1000))


# -- what nobody wrote ------------------------------------------------------------------------------------


def table(
    shape: str = "lt", head: bytes = b"", plan: str = "a", data: bytes = b"\xdc\x00\x01\x91\x01"
) -> bytes:
    return nodes.encode(nodes.TableNode(shape, head, plan, data))


WRONG = {
    "nothing": b"",
    "text": b"hello",
    "a map": b"\x81\xa1a\x01",
    "an extension": b"\xd4\x05\x00",
    "a moment": b"\xd6\xff\x00\x00\x00\x00",
    "an array": b"\x93\x01\x02\x03",
    "an unknown tag": b"\x92\x63\x90",
    "too long": b"\xc0\xc0",
    "more than is said": b"\x93\x00\x90\x01",
    "no UTF-8": b"\xa1\xff",
    "a list without end": b"\x92\x00\xdd\xff\xff\xff\xff\x01",
    "a text without end": b"\xdb\xff\xff\xff\xff",
    "nested without end": b"\x92\x00\x91" * 200_000,
    "arrays without end": b"\x91" * 200_000,
    "twice in a set": nodes.encode(nodes.SetNode([1, 1])),
    "twice in a dict": nodes.encode(nodes.DictNode([1, 1], [1, 2])),
    "more keys than values": nodes.encode(nodes.DictNode([1, 2], [1])),
    "a list as a key": nodes.encode(nodes.DictNode([nodes.ListNode([])], [1])),
    "a list in a set": nodes.encode(nodes.SetNode([nodes.ListNode([])])),
    "a wrong decimal": b"\x92\x09\xa1x",
    "a wrong date": b"\x92\x0c\xaa2026-02-30",
    "a date with a zone": b"\x94\x0b\xb42026-01-01T00:00:00Z\x00\xc0",
    "a fold of 2": b"\x94\x0b\xb32026-01-01T00:00:00\x02\xc0",
    "a path for a zone": b"\x94\x0b\xb32026-01-01T00:00:00\x00\x93\x0a\xb0../../etc/passwd\xc0",
    "a root for a zone": b"\x94\x0b\xb32026-01-01T00:00:00\x00\x93\x0a\xab/etc/passwd\xc0",
    "a folder for a zone": b"\x94\x0b\xb32026-01-01T00:00:00\x00\x93\x0a\xa6Europe\xc0",
    "a zone of no name": b"\x94\x0b\xb32026-01-01T00:00:00\x00\x93\x0a\xc0\xc0",
    "a zone too far": nodes.encode(
        nodes.DateTimeNode(datetime(2026, 1, 1), 0, nodes.ZoneNode(None, timedelta(2)))
    ),
    "a UUID of a strange safety": nodes.encode(nodes.UuidNode(UUID(int=1), 7)),
    "a shape of one letter": table("l"),
    "a shape of three": table("ltt"),
    "an unknown holder": table("xt"),
    "an unknown kind of rows": table("lx"),
    "a tuple alone": table("1t"),
    "no plan": table(plan="", data=b"\xdc\x00\x00"),
    "an unknown plan": table(plan="q"),
    "too long a plan": table(plan="a" * 1025),
    "another number of columns": table(plan="aa"),
    "columns of several lengths": table(plan="aa", data=b"\xdc\x00\x02\x91\x01\x92\x01\x02"),
    "bytes among plain values": table(data=b"\xdc\x00\x01\x91\xc4\x01a"),
    "a list among plain values": table(data=b"\xdc\x00\x01\x91\x90"),
    "a map among plain values": table(data=b"\xdc\x00\x01\x91\x80"),
    "a wrong decimal in a column": table(plan="n", data=b"\xdc\x00\x01\x91\xa1x"),
    "a head where none is": table(head=b"\x90"),
    "two names for one column": table("ld", nodes.encode(["a", "b"])),
    "one name for two columns": table("ld", nodes.encode(["a", "a"]), "aa", b"\xdc\x00\x02\x91\x01\x91\x01"),
    "names of sqlite that are none": table("ls", nodes.encode(["a\0b"])),
    "too many names of sqlite": table("ls", nodes.encode(["a"] * 3000)),
    "names of sqlite that are no texts": table("ls", nodes.encode([1])),
    "a head without end": table("ls", nodes.encode(["a" * 70_000])),
    "two rows where one should be": table("1s", nodes.encode(["a"]), "a", b"\xdc\x00\x01\x92\x01\x02"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_nobody_wrote_is_not_read(name: str) -> None:
    with pytest.raises(NotReadableError) as caught:
        CODEC.decode(WRONG[name])
    assert caught.value.reason == "document"
    assert caught.value.__context__ is None


def test_numbers_that_have_all_one_hash_are_refused_at_once() -> None:
    """To put as many as a document can hold into a set takes an hour."""
    alike = [
        nodes.IntNode((number * sys.hash_info.modulus).to_bytes(12, "little")) for number in range(30_000)
    ]
    written = [nodes.encode(nodes.SetNode(alike)), nodes.encode(nodes.DictNode(alike, [None] * len(alike)))]
    for data in written:
        with pytest.raises(NotReadableError):
            CODEC.decode(data)


def test_many_numbers_are_no_such_thing() -> None:
    value = ({number * 2**20 for number in range(-1000, 1000)}, dict.fromkeys(range(-1000, 1000)))
    assert CODEC.decode(CODEC.encode(value)) == value


LATE = """
import sys
import wats_accel.wire
print(sorted({"msgspec", "ormsgpack", "cryptography", "sqlite3"} & set(sys.modules)))
wats_accel.wire.Codec()
print(sorted({"msgspec", "ormsgpack", "cryptography", "sqlite3"} & set(sys.modules)))
"""


def test_libraries_are_imported_by_whoever_needs_them() -> None:
    command = [sys.executable, "-c", LATE]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=unmeasured())
    assert done.stdout == "[]\n['msgspec', 'ormsgpack']\n"


@pytest.mark.parametrize("zone", [timezone.utc, timezone(timedelta(hours=1), "x")], ids=["UTC", "named"])
def test_fixed_distances_are_no_foreign_zones(zone: timezone) -> None:
    value = datetime(2026, 1, 1, tzinfo=zone)
    assert same(CODEC.decode(CODEC.encode(value)), value)
