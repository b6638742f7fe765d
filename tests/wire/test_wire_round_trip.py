"""What comes back from the wire is equal to what went there, and of the very same types at each depth."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import date, datetime, time, timedelta, timezone
from decimal import Context, Decimal, localcontext
from typing import Any
from uuid import UUID, SafeUUID, uuid1, uuid4
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from wire_values import IMMUTABLE, NESTED, ROUNDS, same, sqlite_rows, tables, unmeasured

from wats_accel.wire import Codec, NotEncodableError, NotReadableError

CODEC = Codec()
WINTER = datetime(2026, 1, 2, 3, 4, 5, 6)
BERLIN = ZoneInfo("Europe/Berlin")


def there_and_back(value: Any) -> Any:
    return CODEC.decode(CODEC.encode(value))


@ROUNDS
@given(value=IMMUTABLE)
def test_what_nobody_can_change_comes_back_as_it_was(value: Any) -> None:
    assert same(there_and_back(value), value)


@ROUNDS
@given(value=NESTED)
def test_whatever_is_legal_comes_back_as_it_was(value: Any) -> None:
    assert same(there_and_back(value), value)


@ROUNDS
@given(value=tables())
def test_rows_come_back_as_they_were(value: Any) -> None:
    assert same(there_and_back(value), value)


VALUES = {
    "nothing": None,
    "True": True,
    "the largest of 64 bits": 2**64 - 1,
    "one more": 2**64,
    "the least of 64 bits": -(2**63),
    "one less": -(2**63) - 1,
    "a long int": -(3**5000),
    "minus zero": -0.0,
    "infinity": float("-inf"),
    "half of a pair": "a\ud800b",
    "the other half in a list": ["\udfff", "plain"],
    "long ints in a list": [1, 2**70],
    "trailing zeros": Decimal("1.500"),
    "minus zero, decimal": Decimal("-0.00"),
    "a signalling one": Decimal("sNaN123"),
    "the largest decimal": Decimal((0, (9,) * 100, 999999999999999)),
    "microseconds": WINTER,
    "fixed distance": WINTER.replace(tzinfo=timezone(timedelta(hours=-3, minutes=-30))),
    "with a name": WINTER.replace(tzinfo=timezone(timedelta(0), "nowhere")),
    "UTC": WINTER.replace(tzinfo=timezone.utc),
    "UTC by its name": WINTER.replace(tzinfo=ZoneInfo("UTC")),
    "in the hour that is there twice": datetime(2026, 10, 25, 2, 30, tzinfo=BERLIN, fold=1),
    "in the hour that is not there": datetime(2026, 3, 29, 2, 30, tzinfo=BERLIN),
    "the first moment": datetime.min,
    "the last moment": datetime.max,
    "a date": date(1, 1, 1),
    "a time": time(23, 59, 59, 999999, tzinfo=timezone(timedelta(hours=1)), fold=1),
    "the longest time": timedelta.max,
    "the least time": timedelta.min,
    "a UUID": UUID(int=7),
    "keys of all kinds": {1: "a", "1": "b", b"1": "c", None: "d", (1, "x"): "e", WINTER: "f"},
    "in this order": {"b": 1, "a": 2, "c": 3},
    "sets": ({1, "1", b"1", (2, 3)}, frozenset({frozenset(), 1.5})),
    "empty ones": ([], (), {}, set(), frozenset(), "", b"", bytearray(), [[]], ((),)),
    "not a bool": [1, True, 1.0, 0, False, -0.0],
    "rows of several widths": [(1,), (1, 2)],
    "empty rows": [(), ()],
    "dicts in other orders": [{"a": 1, "b": 2}, {"b": 1, "a": 2}],
    "dicts with half of a pair": [{"\ud800": 1}, {"\ud800": 2}],
    "dicts with numbers": [{1: 2}, {1: 3}],
    "rows in rows": [(1, [(2, b"x"), (3, b"y")]), (4, [])],
    "one column": [(Decimal(1),), (None,)],
    "a column of None": [(None,), (None,)],
    "a column that changes": [(1,), ("a",), (b"a",), (WINTER,), ([],), (bytearray(b"a"),)],
    "texts, then bytes": [("a",), (b"a",)],
    "texts, then a list": [("a",), (["a"],)],
    "numbers, then a dict": [(1,), ({},)],
    "numbers, then bytes": [(1.5,), (None,), (b"1",)],
    "nothing, then a bytearray": [(None,), (bytearray(b"1"),)],
    "decimals, then a text": [(Decimal(1),), ("1",)],
    "datetimes, then a date": [(WINTER,), (WINTER.date(),)],
    "datetimes, one with a zone": [(WINTER,), (WINTER.replace(tzinfo=timezone.utc),)],
    "datetimes, one with a fold": [(WINTER,), (None,), (WINTER.replace(fold=1),)],
    "times, one with a fold": [(time(1),), (time(1, fold=1),)],
    "a column of long ints": [(2**64,), (1,)],
    "a column with half of a pair": [("a",), ("\ud800",)],
    "a column of UUIDs": [(UUID(int=7),), (None,)],
    "a column of bytes": [(b"a",), (None,)],
    "a wide row": [tuple(range(1024))] * 2,
    "too wide for a table": [tuple(range(1025))] * 2,
}


@pytest.mark.parametrize("name", VALUES)
def test_this_comes_back_as_it_was(name: str) -> None:
    assert same(there_and_back(VALUES[name]), VALUES[name])


@pytest.mark.parametrize("value", [uuid1(), uuid4(), UUID(int=1, is_safe=SafeUUID.unsafe)], ids=range(3))
def test_whether_a_uuid_is_safe_comes_back(value: UUID) -> None:
    alone, ((in_a_row,), _) = there_and_back((value, [(value,), (None,)]))
    assert (alone, in_a_row) == (value, value)
    assert (alone.is_safe, in_a_row.is_safe) == (value.is_safe, value.is_safe)


def test_a_zone_is_the_one_that_everybody_has() -> None:
    assert there_and_back(datetime(2026, 1, 1, tzinfo=BERLIN)).tzinfo is BERLIN


def test_decimals_have_all_their_digits_whatever_context_is_set() -> None:
    rows = [(Decimal("1.23456789012345678901234567890"),), (Decimal("9E+999"),)]
    with localcontext(Context(prec=3, Emax=10, Emin=-10)) as context:
        assert same(there_and_back(rows), rows)
        assert not any(context.flags.values())


def test_each_reader_gets_a_value_of_his_own() -> None:
    written = CODEC.encode([[1], [2]])
    first, second = CODEC.decode(written), CODEC.decode(written)
    first[0].append("spoilt")
    assert second == [[1], [2]]


def test_the_names_of_columns_are_there_once() -> None:
    rows = [{"a_very_long_name_of_a_column": number} for number in range(100)]
    assert CODEC.encode(rows).count(b"a_very_long_name_of_a_column") == 1


# -- rows of sqlite3 ------------------------------------------------------------------------------------


NAMES = ["a", "b c", 'q"q', "ä", "a", "", "x]", "?", "'; DROP TABLE t; --"]


def test_rows_of_sqlite_come_back() -> None:
    columns = ", ".join('? AS "' + name.replace('"', '""') + '"' for name in NAMES)
    values = (1, "x", None, b"b", 1.5, -0.0, 2**62, "ä", "")
    rows = sqlite_rows(f"SELECT {columns} UNION ALL SELECT {', '.join('?' * 9)}", *values, *values[::-1])
    for value in (rows, tuple(rows), rows[0], {"one": rows[0], "all": rows}):
        assert same(there_and_back(value), value)
    (first, *_) = there_and_back(rows)
    assert type(first) is sqlite3.Row
    assert first.keys() == NAMES
    assert (first["B C"], first[1], tuple(first)) == ("x", "x", values)
    assert first == rows[0]
    assert hash(first) == hash(rows[0])


def test_rows_of_sqlite_are_read_by_any_thread() -> None:
    """What they are made with is kept, and a connection of sqlite3 belongs to one thread."""
    written = CODEC.encode(sqlite_rows("SELECT 1 AS read_by_any_thread"))
    found: list[Any] = []
    for _ in range(2):
        thread = threading.Thread(target=lambda: found.append(CODEC.decode(written)))
        thread.start()
        thread.join()
    assert [row["read_by_any_thread"] for (row,) in [*found, CODEC.decode(written)]] == [1, 1, 1]


def test_rows_of_different_queries_are_refused_as_one_table() -> None:
    rows = [*sqlite_rows("SELECT 1 AS a"), *sqlite_rows("SELECT 1 AS b")]
    with pytest.raises(NotEncodableError, match=r"sqlite3\.Row comes from different queries"):
        CODEC.encode(rows)


WITHOUT_DRIVERS = """
import sys
from wats_accel.wire import Codec, NotReadableError
try:
    Codec().decode(bytes.fromhex(sys.argv[1]))
except NotReadableError:
    print(sorted({"sqlite3", "pyodbc"} & set(sys.modules)))
"""


def test_who_has_not_the_driver_cannot_read_its_rows_and_does_not_import_it() -> None:
    written = CODEC.encode(sqlite_rows("SELECT 1 AS a"))
    command = [sys.executable, "-c", WITHOUT_DRIVERS, written.hex()]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=unmeasured())
    assert done.stdout == "[]\n"


# -- rows of pyodbc ---------------------------------------------------------------------------------------


@pytest.fixture
def connection(odbc: Any, sqlite_odbc: Callable[[str], str]) -> Iterator[Any]:
    made = odbc.connect(sqlite_odbc(":memory:"), autocommit=True)
    try:
        yield made
    finally:
        made.close()


SQL = """SELECT 1 AS id, 'Ann' AS name, 1.5 AS rate, NULL AS note, x'00ff' AS data
         UNION ALL SELECT 2, 'Bob', 2.5, 'x', NULL"""


def test_rows_of_pyodbc_come_back(odbc: Any, connection: Any) -> None:
    rows = connection.cursor().execute(SQL).fetchall()
    for value in (rows, tuple(rows), [rows[0]]):
        found = there_and_back(value)
        assert type(found) is type(value)
        for new, old in zip(found, value, strict=True):
            assert type(new) is odbc.Row
            assert same(tuple(new), tuple(old))
            assert (new.id, new.name, new.rate, new.note) == (old.id, old.name, old.rate, old.note)
            assert same(new.cursor_description, old.cursor_description)
            assert repr(new) == repr(old)
            assert new.__reduce__()[1][1] == old.__reduce__()[1][1]
    alone, nested = there_and_back((rows[0], {"all": rows[1:]}))
    assert (alone.name, nested["all"][0].name) == ("Ann", "Bob")


def test_a_row_of_pyodbc_can_be_changed_and_nobody_else_sees_it(connection: Any) -> None:
    written = CODEC.encode(connection.cursor().execute(SQL).fetchall())
    first, second = CODEC.decode(written), CODEC.decode(written)
    first[0].name = "spoilt"
    assert (second[0].name, first[1].name) == ("Ann", "Bob")


def test_rows_of_pyodbc_hold_what_was_put_into_them(connection: Any) -> None:
    rows = connection.cursor().execute(SQL).fetchall()
    rows[0].note, rows[1].note = [Decimal("1.50")], WINTER
    found = there_and_back(rows)
    assert same((found[0].note, found[1].note), ([Decimal("1.50")], WINTER))


def test_the_description_of_rows_is_there_once(connection: Any) -> None:
    sql = "SELECT 1 AS a_very_long_name UNION ALL SELECT 2 UNION ALL SELECT 3"
    written = CODEC.encode(connection.cursor().execute(sql).fetchall())
    assert written.count(b"a_very_long_name") == 2  # in the description, and in the index


@pytest.mark.parametrize(
    ("description", "index"),
    [
        ([("a", str, None, 1, 1, 0, True)], {"a": 1}),
        ([("a", str, None, 1, 1, 0, True)], {"a": -1}),
        ([("a", str, None, 1, 1, 0, True)] * 2, {"a": 0}),
        ([("a", str, None, 1, 1, 0)], {"a": 0}),
        ([(1, str, None, 1, 1, 0, True)], {"a": 0}),
        ([("a", "os", None, 1, 1, 0, True)], {"a": 0}),
    ],
    ids=["beyond", "before", "too many", "too short", "no name", "no type"],
)
def test_a_description_that_no_driver_makes_is_not_read(odbc: Any, description: Any, index: Any) -> None:
    from wats_accel.wire import nodes

    parts = [getattr(part, "__name__", part) if part is str else part for row in description for part in row]
    head = nodes.encode((parts, list(index), list(index.values())))
    table = nodes.TableNode("lp", head, "a", b"\xdc\x00\x01\x91\x01")
    with pytest.raises(NotReadableError):
        CODEC.decode(nodes.encode(table))


def test_who_makes_the_right_description_is_believed(odbc: Any) -> None:
    from wats_accel.wire import nodes

    head = nodes.encode((["a", "str", None, 1, 1, 0, True], ["a"], [0]))
    (row,) = CODEC.decode(nodes.encode(nodes.TableNode("lp", head, "a", b"\xdc\x00\x01\x91\x01")))
    assert row.a == 1
