"""Plain entries keep only what nothing else tells; what they do not keep is told as if they did."""

from __future__ import annotations

import enum
import inspect
import sqlite3
import tracemalloc
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wats_accel.cache import loading
from wats_accel.cache.ages import AgeRules
from wats_accel.cache.copying import Snapshot
from wats_accel.cache.entries import DetailedEntry, Entry, key_of, place_of
from wats_accel.cache.key_size import ITEM, LARGEST_KEY, is_too_large
from wats_accel.cache.keys import KeyMaker, KeyRules
from wats_accel.cache.loads import Load
from wats_accel.cache.memory_store import MemoryStore
from wats_accel.cache.namespace import Namespace
from wats_accel.cache.region import Region, RegionRules
from wats_accel.cache.scopes import ScopeNumbers
from wats_accel.cache.selection import AnyOf, Selection
from wats_accel.cache.texts import SHORT, tells_texts, texts_told
from wats_accel.event_bus import EventBus
from wats_accel.testing import FakeClock, Fault, failing

Colour = enum.Enum("Colour", ["RED"])
UNCHANGING = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(1 - 2**64, 2**64 - 1),
    st.text(max_size=SHORT),
    st.sampled_from(
        ["True", "False", "''", " 7 ", "0042", "1e3", "a1" * 16, "2024-01-01T10:00:00", "ß", "ﬁ"]
    ),
    st.dates(),
    st.timedeltas(),
    st.uuids(),
    st.fractions(),
)
ANYTHING = UNCHANGING | st.sampled_from(
    [
        1.5,
        Decimal("1.50"),
        datetime(2024, 1, 2),
        [1],
        b"a",
        10**402,
        "x" * 1_000,
        (),
        (1,),
        (int, 1),
        (1, 2),
        {"a": 1},
        {1},
        Colour.RED,
        int,
        Colour,
    ]
)


def two(a, b=0):
    pass


def one(a):
    pass


def maker(function, **rules):
    return KeyMaker(
        inspect.signature(function), has_instance=False, rules=KeyRules(**rules), scopes=ScopeNumbers()
    )


def make_region(*, max_bytes=0, **rules):
    return Region(
        RegionRules("ns", "get", "app:get", 60.0, **rules),
        space=Namespace("ns", max_entries=0, max_bytes=max_bytes),
        store=MemoryStore(),
        clock=FakeClock(),
        bus=EventBus(),
    )


def begun(region, *arguments, texts=None):
    load = Load(region.rules.target, (0, *arguments), texts, lambda: "ns:get")
    assert loading.begin(region, load) is None
    return load


def stored(region, *arguments, texts=None):
    load = begun(region, *arguments, texts=texts)
    loading.finish(region, load, "answer")
    return region.lookup((0, *arguments))


# -- what is told ----------------------------------------------------------------------------------------


@given(UNCHANGING, UNCHANGING)
def test_the_key_tells_the_same_texts_as_the_arguments(a, b):
    keys = maker(two)
    key = keys.key((a, b), {})
    assert tells_texts(key)
    assert not is_too_large(key)
    assert keys.texts_beyond(key, (a, b), {}) is None
    assert texts_told(key[1:]) == keys.texts((a, b), {})


@given(ANYTHING, ANYTHING)
def test_what_the_key_does_not_tell_is_made_at_once(a, b):
    keys = maker(two)
    texts = keys.texts_beyond(keys.key((a, b), {}), (a, b), {})
    assert (keys.texts((a, b), {}) if texts is None else texts) == keys.texts((a, b), {})


def test_what_a_variadic_parameter_caught_is_not_told_by_the_key():
    def variadic(a, *rest):
        pass

    keys = maker(variadic)
    assert keys.texts_beyond(keys.key((1, 2), {}), (1, 2), {}) == ("1", "2")
    assert keys.texts_beyond(keys.key((1,), {}), (1,), {}) is None


@given(ANYTHING, ANYTHING)
def test_a_place_leads_back_to_its_key(a, b):
    for keys, arguments in ((maker(one), (a,)), (maker(two), (a, b)), (maker(lambda: None), ())):
        key = keys.key(arguments, {})
        assert key_of(key[0], place_of(key)) == key


def test_a_row_as_the_only_argument_leads_back_to_its_key():
    connection = sqlite3.connect(":memory:")
    try:
        connection.row_factory = sqlite3.Row
        key = maker(one).key((connection.execute("SELECT 1 AS a, 2 AS b").fetchone(),), {})
    finally:
        connection.close()
    assert key_of(key[0], place_of(key)) == key


@pytest.mark.parametrize(
    "fault", [Fault.raises(MemoryError), Fault.returns(7)], ids=["it fails", "it is nonsense"]
)
def test_a_load_whose_texts_cannot_be_told_is_overtaken_by_any_invalidation(fault):
    region = make_region()
    load = begun(region, "a")
    with failing("key.text", fault):
        region.invalidate(Selection((AnyOf(0, frozenset(["b"])),)))
    loading.finish(region, load, "answer")
    assert region.counters.not_stored == {"overtaken": 1}


# -- what is kept ----------------------------------------------------------------------------------------


def test_an_entry_of_which_there_is_nothing_else_to_keep_is_plain():
    entry = stored(make_region(), "a")
    assert type(entry) is Entry
    assert (entry.key, entry.texts, entry.number, entry.size) == ((0, "a"), ("a",), 0, 0)
    assert entry.due_at == entry.fresh_until == entry.expires_at


def test_what_any_rule_asks_for_is_kept():
    grace = stored(make_region(ages=AgeRules(grace_seconds=10)), "a")
    assert grace.expires_at == grace.fresh_until + 10
    early = stored(make_region(ages=AgeRules(refresh_after=0.5)), "a")
    assert early.due_at == early.fresh_until - 30
    assert stored(make_region(max_bytes=10_000), "a").size > 0
    assert stored(make_region(), "a", texts=("other",)).texts == ("other",)
    assert {type(entry) for entry in (grace, early)} == {DetailedEntry}


def test_the_order_of_loads_is_kept_where_one_that_began_before_is_under_way():
    region = make_region()
    earlier, later = begun(region, "b"), begun(region, "a")
    loading.finish(region, later, "answer")
    assert region.lookup((0, "a")).number == later.number > earlier.number
    loading.finish(region, earlier, "answer")
    assert region.lookup((0, "b")).number == 0  # nothing is under way that could be older


def test_a_plain_entry_takes_less_than_200_bytes_beside_its_key_and_value():
    region, count = make_region(), 5_000
    keys = [f"key {number}" for number in range(count)]
    stored(region, "first")
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for key in keys:
            stored(region, key)
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (after - before) / count <= 200


# -- what the straight line leaves out -------------------------------------------------------------------


def test_a_method_of_a_great_many_arguments_has_no_key_that_tells_their_texts():
    names = [f"argument_{number}" for number in range(300)]
    parameters = [inspect.Parameter(name, inspect.Parameter.POSITIONAL_ONLY) for name in names]
    signature = inspect.Signature(parameters)
    keys = KeyMaker(signature, has_instance=False, rules=KeyRules(), scopes=ScopeNumbers())
    call = ("x" * SHORT,) * 300, {}
    assert keys.texts_beyond(keys.key(*call), *call) == keys.texts(*call)


def test_a_flat_key_is_too_large_exactly_where_a_nested_one_is():
    room = LARGEST_KEY - 3 * ITEM
    for size in (room - 1, room, room + 1):
        assert is_too_large((0, "x" * size)) is is_too_large((0, b"x" * size)) is (size > room)
    assert is_too_large((0, 1 << (9 * LARGEST_KEY)))
    assert not is_too_large((0, 1 << 100, -1, None, True))


@pytest.mark.parametrize(
    ("scope", "include"), [("self.number", []), ([], "self.number")], ids=["the scope", "what is included"]
)
def test_what_else_makes_the_key_may_change_though_no_argument_can(app, scope, include):
    @app.add
    class Repository:
        def __init__(self):
            self.number = 1

        def next(self, name):
            self.number += 1
            return f"{name} {self.number}"

    with app.accelerated(
        {"next": {"namespace": "ns", "key": {"include": include}}}, scope=scope
    ) as accelerator:
        repository = Repository()
        assert [repository.next("a"), repository.next("a")] == ["a 2", "a 3"]
        assert dict(accelerator.stats().total.not_stored) == {"arguments_changed": 2}


def test_a_mutable_default_may_change_though_no_argument_can(app):
    @app.add
    class Repository:
        def seen(self, name, known=[]):  # noqa: B006 - that it is one list is the point
            known.append(name)
            return tuple(known)

    with app.accelerated({"seen": "ns"}) as accelerator:
        repository = Repository()
        assert [repository.seen("a"), repository.seen("a")] == [("a",), ("a", "a")]
        assert dict(accelerator.stats().total.not_stored) == {"arguments_changed": 2}


def test_a_store_that_fails_in_a_sweep_loses_no_entry_that_is_over():
    class Failing:
        def renew(self, entry, now):
            return False

        def holds(self, entry):
            return True

        def remove(self, entry):
            raise ZeroDivisionError

    owner, space = Failing(), Namespace("ns", max_entries=0)
    for number in range(8):
        space.admit(Entry((owner, 0), number, Snapshot(None, None), 5.0), replaced=None, now=0.0)
    for _ in range(10):
        with pytest.raises(ZeroDivisionError):
            space.sweep(6.0)
    assert len(space._queue) == 8


def test_the_key_of_a_uuid_and_a_date_holds_them_whole():
    values = UUID(int=7), date(2024, 1, 2)
    assert texts_told(maker(two).key(values, {})[1:]) == maker(two).texts(values, {})
