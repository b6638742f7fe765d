from __future__ import annotations

import gc
import random
import sqlite3
import sys
import tracemalloc
from array import array
from collections import OrderedDict, deque, namedtuple
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import Enum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wats_accel.cache import sizing
from wats_accel.cache.copying import take_snapshot
from wats_accel.cache.entries import Entry
from wats_accel.cache.eviction import S3FifoQueue
from wats_accel.cache.sizing import ENTRY_BYTES, estimate_bytes

COLUMNS = ("con_codigo", "con_nome", "con_ip", "usuario", "porta", "tipo", "extra", "desde", "ativo", "taxa")


def measured(value):
    """All that a value refers to, each object once, without sampling."""
    seen, pending, size = {}, [value], 0
    while pending:
        item = pending.pop()
        if id(item) in seen or item is None or isinstance(item, bool | type | Enum):
            continue
        seen[id(item)] = item
        size += sys.getsizeof(item)
        # The collector does not show the keys of a dictionary whose keys are all text.
        pending += [*item, *item.values()] if isinstance(item, dict) else gc.get_referents(item)
    return size


def row(rng, number):
    return (
        number + 1000, text(rng, 20), f"10.0.{number % 256}.{number // 256}", text(rng, 12), 3389,
        rng.choice(["RDP", "SSH"]), text(rng, 60), datetime(2024, 1, 1) + timedelta(number), True,
        Decimal(number) / 7,
    )  # fmt: skip


def text(rng, mean):
    """As people write: mostly short, now and then long."""
    return "".join(rng.choices("abcdefgh ", k=int(rng.gammavariate(2, mean / 2))))


def rows(count):
    rng = random.Random(count)
    return [row(rng, number) for number in range(count)]


def rows_of_pyodbc(count):
    """What rows are rebuilt from, as snapshots keep it: all share two objects of the driver."""
    description = tuple((name, str, None, 50, 50, 0, True) for name in COLUMNS)
    index = {name: position for position, name in enumerate(COLUMNS)}
    return [(description, index, *values) for values in rows(count)]


def rows_of_sqlite(count):
    connection = sqlite3.connect(":memory:")
    try:
        connection.row_factory = sqlite3.Row
        connection.execute("create table note (id, title, body)")
        rng = random.Random(1)
        notes = [(number + 1000, text(rng, 20), text(rng, 80)) for number in range(count)]
        connection.executemany("insert into note values (?, ?, ?)", notes)
        return connection.execute("select * from note").fetchall()
    finally:
        connection.close()


def texts(count):
    rng = random.Random(1)
    return [text(rng, 50) for _ in range(count)]


Pair = namedtuple("Pair", "left right")


@dataclass
class Person:
    name: str
    groups: list[int]


TYPICAL = {
    "one number": lambda: 1234,
    "text": lambda: "x" * 5_000,
    "a role": lambda: (1234, False),
    "a flat mapping": lambda: dict(zip(COLUMNS, rows(1)[0], strict=True)),
    "details with a set": lambda: {"Usu_Id": 1234, "Usu_Nome": "jefferson", "groups": set(range(300, 340))},
    "50 rows": lambda: rows(50),
    "5,000 rows": lambda: rows(5_000),
    "5,000 rows of pyodbc, as stored": lambda: rows_of_pyodbc(5_000),
    "3,000 rows of sqlite3": lambda: rows_of_sqlite(3_000),
    "2,000 mappings": lambda: [dict(zip(COLUMNS, values, strict=True)) for values in rows(2_000)],
    "10,000 texts": lambda: texts(10_000),
    "10,000 numbers": lambda: list(range(1_000, 11_000)),
    "a mapping of 20,000": lambda: dict(enumerate(texts(20_000))),
    "a set of 20,000": lambda: set(texts(20_000)),
    "one text 5,000 times": lambda: ["the same"] * 5_000,
    "three levels": lambda: {
        name: [{"id": number, "parts": texts(20)} for number in range(1_000, 1_100)] for name in COLUMNS
    },
    "objects": lambda: [Person(name, [1_000, 2_000]) for name in texts(1_000)],
    "named tuples": lambda: [Pair(name, name.upper()) for name in texts(1_000)],
    "wide rows": lambda: [tuple(texts(40)) for _ in range(500)],
    "an ordered mapping": lambda: OrderedDict(zip(COLUMNS, rows(1)[0], strict=True)),
    "a deque": lambda: deque(texts(1_000)),
}


@pytest.mark.parametrize("name", TYPICAL)
def test_the_estimate_of_a_typical_answer_is_within_15_percent(name):
    value = TYPICAL[name]()
    assert estimate_bytes(value) == pytest.approx(measured(value), rel=0.15)


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary()
SMALL = st.recursive(
    SCALARS,
    lambda parts: st.lists(parts) | st.tuples(parts, parts) | st.dictionaries(SCALARS, parts, max_size=5),
    max_leaves=12,
)


@given(SMALL)
def test_what_is_small_is_measured_exactly(value):
    assert estimate_bytes(value) == measured(value)


def test_what_several_items_share_is_counted_once():
    shared = "x" * 10_000
    assert estimate_bytes([[shared, number] for number in range(5_000)]) < 1_000_000
    assert estimate_bytes([{"key of some length": number} for number in range(10)]) < 3_500


def test_a_value_that_contains_itself_is_counted_once():
    value = [1, 2, 3]
    value.append(value)
    assert estimate_bytes(value) == measured(value)


def test_what_the_program_has_anyway_takes_nothing():
    class Colour(Enum):
        RED = "x" * 1_000

    for value in (None, True, Colour.RED, Person, len, text, sys):
        assert estimate_bytes(value) == 0


def test_rows_of_pyodbc_are_counted_with_their_values(odbc, sqlite_odbc):
    numbers = "with recursive n(i) as (select 1000 union all select i + 1 from n where i < 1999) "
    connection = odbc.connect(sqlite_odbc(":memory:"))
    try:
        rows = connection.execute(numbers + "select i, hex(i * 1234567), i * 1.5 from n").fetchall()
    finally:
        connection.close()
    assert estimate_bytes(rows) == pytest.approx(measured([tuple(row) for row in rows]), rel=0.2)
    stored = take_snapshot(rows).stored
    assert estimate_bytes(stored) == pytest.approx(measured(stored), rel=0.05)


def test_memory_outside_of_python_objects_counts_where_a_type_says_so():
    assert estimate_bytes(array("d", range(10_000))) >= 80_000


# -- bounded, and harmless -----------------------------------------------------------------------------

LARGE = {
    "a long list": lambda: [[number] for number in range(200_000)],
    "a large mapping": lambda: {number: [number] for number in range(200_000)},
    "wide at each level": lambda: [
        [[[number] * 50 for number in range(50)] for _ in range(50)] for _ in range(9)
    ],
    "deep": lambda: nested(100_000),
    "deep in mappings": lambda: {"left": nested(50_000), "right": nested(50_000)},
}


def nested(depth):
    value: list[object] = []
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize("name", LARGE)
def test_the_number_of_objects_looked_at_is_bounded(name, monkeypatch):
    value, looks = LARGE[name](), []

    class Counting(sizing._Estimate):
        __slots__ = ()

        def bytes_of(self, value, looks_left):
            looks.append(looks_left)
            return super().bytes_of(value, looks_left)

    monkeypatch.setattr(sizing, "_Estimate", Counting)
    assert estimate_bytes(value) > 0
    assert len(looks) <= 5_000


class Malicious(list):
    """Fails whatever it is asked."""

    def _fail(self, *_):
        raise RuntimeError("the value itself")

    __iter__ = __len__ = __getitem__ = __sizeof__ = __hash__ = __eq__ = __reduce_ex__ = _fail
    __class__ = property(_fail)


class WithoutParts:
    __slots__ = ()

    def __sizeof__(self):
        raise RuntimeError


class Meta(type):
    def __hash__(cls):
        raise RuntimeError


class Unhashable(metaclass=Meta):
    pass


@pytest.mark.parametrize("kind", [Malicious, WithoutParts, Unhashable])
def test_no_code_of_a_value_is_run_and_nothing_is_raised(kind):
    assert estimate_bytes(kind()) > 0
    assert estimate_bytes([kind()]) > 0


def test_the_items_of_a_list_that_iterates_as_it_pleases_count():
    assert estimate_bytes(Malicious(["x" * 1_000])) > 1_000


# -- what an entry takes -------------------------------------------------------------------------------


def test_an_entry_takes_about_what_it_is_said_to_take():
    """Without an index; with one it is up to twice as much."""
    count, queue, store, home = 10_000, S3FifoQueue(), {}, (None, 0)
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for number in range(count):
            entry = Entry(home, number + 1_000, take_snapshot(True), number + 0.5)
            store[entry.place] = entry
            queue.append(entry)
            queue._ghosts.add(entry, most=count)
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    parts = sum(estimate_bytes(entry.place) for entry in store.values())
    assert 0.6 < (count * ENTRY_BYTES + parts) / (after - before) < 1.6
