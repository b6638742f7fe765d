from __future__ import annotations

import contextlib
import gc
import weakref

import pytest

from wats_accel.cache import loading
from wats_accel.cache.fences import Fences
from wats_accel.cache.loading import fail, finish
from wats_accel.cache.loads import Load, innermost_load
from wats_accel.cache.memory_store import MemoryStore
from wats_accel.cache.namespace import Namespace
from wats_accel.cache.region import Region, RegionRules
from wats_accel.cache.selection import AnyOf, GlobOf, Selection
from wats_accel.event_bus import EventBus
from wats_accel.events import CacheSuspended, Evicted, Expired, LoadFailed, NotStored, Stored
from wats_accel.testing import FakeClock, FaultyStore


class Caches:
    """Regions of one namespace."""

    def __init__(self, *, max_entries=0):
        self.clock = FakeClock()
        self.bus = EventBus()
        self.space = Namespace("ns", max_entries=max_entries)

    def region(self, method="get", *, ttl=0.0, store=None, **rules):
        store = MemoryStore() if store is None else store
        return Region(
            RegionRules("ns", method, f"app:{method}", ttl, **rules),
            space=self.space, store=store, clock=self.clock, bus=self.bus,
        )  # fmt: skip

    def heard(self, *kinds):
        heard = []
        for kind in kinds:
            self.bus.subscribe(kind, heard.append)
        return heard


@pytest.fixture
def caches():
    return Caches()


def key(number, scope=0):
    return (scope, number)


def begin(region, number, scope=0):
    load = Load(region.rules.target, key(number, scope), (str(number),), lambda: f"{region.prefix}:{number}")
    if loading.begin(region, load) is not None:  # fresh still: load it all the same
        loading.begin_renewal(region, load)
    return load


def is_begun(load):
    return load.started > 0


def store(region, number, value="value", scope=0):
    load = begin(region, number, scope)
    if is_begun(load):  # a finalizer may find it under way
        finish(region, load, value)


def found(region, number, scope=0):
    entry = region.lookup(key(number, scope))
    return None if entry is None else entry.snapshot.give()


def only(number):
    return Selection((AnyOf(0, frozenset({str(number)})),))


class Value:
    """Something whose end can be seen."""

    def __deepcopy__(self, memo):
        return self


# -- loads ---------------------------------------------------------------------------------------------


def test_what_a_load_gave_is_found(caches):
    region = caches.region()
    assert found(region, 1) is None
    store(region, 1, "a")
    assert (found(region, 1), found(region, 2), len(region)) == ("a", None, 1)


def test_a_load_is_the_threads_innermost_until_it_ends(caches):
    region = caches.region()
    load = begin(region, 1)
    assert innermost_load() is load
    finish(region, load, "a")
    assert innermost_load() is None
    load = begin(region, 1)
    fail(region, load, ValueError())
    assert innermost_load() is None


def test_a_load_that_failed_is_counted_and_told_by_type(caches):
    heard, region = caches.heard(LoadFailed), caches.region()
    fail(region, begin(region, 1), ValueError("PWD=secret"))
    assert heard == [LoadFailed("ns:get:1", "app:get", "ValueError")]
    assert (region.counters.load_failures, region.counters.loads) == (1, 0)


def test_an_objection_of_the_caller_keeps_an_answer_out(caches):
    heard, region = caches.heard(NotStored, Stored), caches.region()
    finish(region, begin(region, 1), "a", objection="a reason")
    assert found(region, 1) is None
    assert heard == [NotStored("ns:get:1", "app:get", "a reason")]


def test_two_loads_of_one_key_leave_one_entry(caches):
    region = caches.region()
    one, other = begin(region, 1), begin(region, 1)
    finish(region, one, "a")
    finish(region, other, "b")
    assert (found(region, 1), len(region)) == ("b", 1)
    assert region.invalidate(only(1)) == 1
    assert (found(region, 1), len(region)) == (None, 0)


def test_an_older_load_does_not_replace_the_answer_of_a_later_one(caches):
    region = caches.region()
    older = begin(region, 1)
    caches.clock.advance(1)
    later = begin(region, 1)
    finish(region, later, "new")
    finish(region, older, "old")
    assert found(region, 1) == "new"
    assert region.counters.not_stored["overtaken"] == 1


def test_a_replaced_entry_is_out_of_every_index(caches):
    region = caches.region()
    region.invalidate(only(1))
    for value in "ab":
        store(region, 1, value)
    assert region.invalidate(only(1)) == 1


# -- time and room -------------------------------------------------------------------------------------


def test_an_entry_expires_exactly_at_the_end_of_its_ttl(caches):
    heard, region = caches.heard(Expired), caches.region(ttl=10)
    store(region, 1)
    caches.clock.advance(9.99)
    assert found(region, 1) == "value"
    caches.clock.now = 10
    for _ in range(2):
        assert found(region, 1) is None
        fail(region, begin(region, 1), ValueError())
    assert (region.counters.expired, len(region), heard) == (1, 0, [Expired("app:get")])


def test_an_entry_without_a_ttl_stays(caches):
    region = caches.region()
    store(region, 1)
    caches.clock.advance(1e12)
    assert found(region, 1) == "value"


def test_an_expired_entry_that_was_replaced_meanwhile_is_left_alone(caches):
    kept = MemoryStore()
    region = caches.region(ttl=10, store=kept)
    store(region, 1, "old")
    old = kept.get(key(1))
    caches.clock.advance(10)
    store(region, 1, "new")
    new = kept.get(key(1))
    expired = region.counters.expired
    looks = iter([old])  # the first look came before the other thread's store
    kept.get = lambda wanted: next(looks, new)
    assert found(region, 1) is None
    assert found(region, 1) == "new"
    assert region.counters.expired == expired


def test_a_hit_survives_a_scan(caches):
    heard, caches.space = caches.heard(Evicted), Namespace("ns", max_entries=10)
    region = caches.region()
    for number in range(10):
        store(region, number)
    for number in range(100, 200):
        assert found(region, 0) == "value"
        store(region, number)
    assert found(region, 1) is None
    assert len(region) == 10
    assert region.counters.evicted == len(heard) == 100


def test_methods_of_a_namespace_share_its_bound(caches):
    caches.space = Namespace("ns", max_entries=3)
    one, other = caches.region("one"), caches.region("other")
    for number in range(3):
        store(one, number)
    for number in range(2):
        store(other, number)
    assert (len(one), len(other), one.counters.evicted, other.counters.evicted) == (1, 2, 2, 0)


def test_what_was_invalidated_gives_room(caches):
    caches.space = Namespace("ns", max_entries=3)
    region = caches.region()
    for number in range(3):
        store(region, number)
    region.invalidate(only(1))
    store(region, 3)
    assert [number for number in range(4) if found(region, number)] == [0, 2, 3]
    region.invalidate()
    for number in range(3):
        store(region, number)
    assert len(region) == 3


# -- memory --------------------------------------------------------------------------------------------


def values(region, count, first=0):
    """Store so many values; gives weak references to them."""
    made = [Value() for _ in range(count)]
    for number, value in enumerate(made, first):
        store(region, number, value)
    return [weakref.ref(value) for value in made]


def alive(references):
    return sum(reference() is not None for reference in references)


@pytest.fixture
def _no_collector():
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("_no_collector")
@pytest.mark.parametrize("max_entries", [0, 5000], ids=["unbounded", "bounded"])
@pytest.mark.parametrize("indexed", [False, True], ids=["plain", "indexed"])
@pytest.mark.parametrize("company", [False, True], ids=["alone", "beside another method"])
def test_dropped_values_are_freed_a_slice_at_a_time(max_entries, indexed, company):
    caches = Caches(max_entries=max_entries)
    region, other = caches.region(), caches.region("other")
    if company:
        store(other, 0)
    if indexed:
        region.invalidate(only("nothing"))
    references = values(region, 1000)
    region.invalidate()
    slices, before = [], alive(references)
    assert before == 1000
    for number in range(1200):
        store(region, number % 10)
        slices.append(before - alive(references))
        before -= slices[-1]
    assert before <= 100
    assert max(slices) < 100


@pytest.mark.usefixtures("_no_collector")
@pytest.mark.parametrize("max_entries", [0, 300], ids=["unbounded", "bounded"])
def test_expired_values_are_freed_though_nobody_asks_for_them(max_entries):
    caches = Caches(max_entries=max_entries)
    lasting, brief = caches.region("lasting"), caches.region("brief", ttl=10)
    store(lasting, 0, "stays")
    references = values(brief, 200)
    caches.clock.advance(10)
    for number in range(1000, 1600):
        store(brief, number)
        found(lasting, 0)
        caches.clock.advance(0.1)
    assert alive(references) == 0
    assert found(lasting, 0) == "stays"
    assert brief.counters.expired + brief.counters.evicted >= 200


@pytest.mark.usefixtures("_no_collector")
def test_evicted_expired_and_replaced_values_are_freed_at_once():
    caches = Caches(max_entries=1)
    region = caches.region(ttl=10)
    (evicted,) = values(region, 1)
    (replaced,) = values(region, 1, first=1)
    assert evicted() is None
    store(region, 1, "new")
    store(region, 2)
    assert replaced() is None
    (expired,) = values(region, 1, first=3)
    caches.clock.advance(10)
    found(region, 3)
    store(region, 4)
    assert expired() is None


def test_entries_of_dead_instances_go_with_the_next_store(caches):
    class Instance:
        pass

    region = caches.region()
    one, other = Instance(), Instance()
    numbers = [region.scopes.of_instance(instance) for instance in (one, other)]
    for scope in numbers:
        for number in range(3):
            store(region, number, scope=scope)
    del one
    store(region, 9, scope=numbers[1])
    assert len(list(region._store.entries())) == 4
    del other
    assert len(region) == 0


def test_freeing_a_value_may_use_the_cache(caches):
    region = caches.region()

    class Restless(Value):
        def __del__(self):
            store(region, "from a finalizer")

    for number in range(30):
        store(region, number, Restless())
    region.invalidate()
    for number in range(30):
        store(region, number)
    assert found(region, "from a finalizer") == "value"
    assert region.counters.not_stored == {}


# -- invalidation --------------------------------------------------------------------------------------


def test_all_is_dropped_by_default(caches):
    region = caches.region()
    store(region, 1), store(region, 2)
    assert region.invalidate() == 2
    assert (len(region), region.counters.invalidated) == (0, 2)


def test_an_exact_selection_drops_what_it_says_before_and_after_there_is_an_index(caches):
    region = caches.region()
    for _ in range(2):
        for number in range(5):
            store(region, number)
        assert region.invalidate(only(3)) == 1
        assert [number for number in range(5) if found(region, number)] == [0, 1, 2, 4]


def test_a_glob_drops_what_it_says(caches):
    region = caches.region()
    for name in ("ann", "anton", "bob"):
        store(region, name)
    assert region.invalidate(Selection((GlobOf(0, "an*"),))) == 2
    assert found(region, "bob") == "value"


def test_an_index_follows_entries_that_expire_or_are_evicted():
    caches = Caches(max_entries=2)
    region = caches.region(ttl=10)
    region.invalidate(only(1))
    for number in range(4):
        store(region, number)
    caches.clock.advance(10)
    fail(region, begin(region, 3), ValueError())
    assert [region.invalidate(only(number)) for number in range(4)] == [0, 0, 1, 0]


def test_an_overtaken_load_is_not_stored(caches):
    heard, region = caches.heard(NotStored), caches.region()
    load = begin(region, 1)
    region.invalidate()
    finish(region, load, "old")
    assert found(region, 1) is None
    assert [event.why for event in heard] == ["overtaken"]
    store(region, 1, "new")
    assert found(region, 1) == "new"


def test_a_load_of_another_key_is_stored(caches):
    region = caches.region()
    load = begin(region, 1)
    region.invalidate(only(2))
    finish(region, load, "a")
    assert found(region, 1) == "a"


def test_a_spared_load_is_stored_and_only_that(caches):
    region = caches.region()
    other, spared = begin(region, 1), begin(region, 2)
    region.invalidate(spare=spared)
    finish(region, spared, "b")
    finish(region, other, "a")
    assert (found(region, 1), found(region, 2)) == (None, "b")


@contextlib.contextmanager
def fenced(region, selection):
    with Fences() as fences:
        fences.raise_around(region, selection)
        yield


def test_a_load_that_begins_behind_a_fence_is_not_stored(caches):
    region = caches.region()
    with fenced(region, only(1)):
        behind, beside = begin(region, 1), begin(region, 2)
    finish(region, beside, "b")
    finish(region, behind, "a")
    store(region, 3)
    assert [found(region, number) for number in (1, 2, 3)] == [None, "b", "value"]


def test_fences_are_lifted_one_by_one(caches):
    region = caches.region()
    with fenced(region, only(1)):
        with fenced(region, only(1)):
            pass
        store(region, 1)
        assert found(region, 1) is None
    store(region, 1)
    assert found(region, 1) == "value"


# -- switches ------------------------------------------------------------------------------------------


def test_a_region_that_is_off_stores_nothing_and_goes_on_dropping(caches):
    region = caches.region()
    store(region, 1), store(region, 2)
    load = begin(region, 3)
    region.switch(enabled=False)
    finish(region, load, "c")
    assert (region.active, region.counters.not_stored) == (False, {"switched_off": 1})
    assert region.invalidate(only(1)) == 1
    region.switch(enabled=True)
    assert [found(region, number) for number in (1, 2, 3)] == [None, "value", None]


@pytest.mark.parametrize(
    "failing", [(), ("clear", "entries", "remove", "get", "len")], ids=["sound", "faulty"]
)
def test_a_suspended_region_stays_off(caches, failing):
    heard, region = caches.heard(CacheSuspended), caches.region(store=FaultyStore(*failing))
    load = begin(region, 1)
    region.suspend("it is not kept fresh")
    region.suspend("once more")
    finish(region, load, "old")
    region.switch(enabled=True)
    assert (region.active, region.suspended) == (False, "it is not kept fresh")
    assert heard == [CacheSuspended("app:get", "it is not kept fresh")]
    assert region.counters.stored == 0


@pytest.mark.parametrize("failing", [(), ("clear", "len")], ids=["sound", "faulty"])
def test_a_closed_region_has_forgotten_everything_and_counts_nothing(caches, failing):
    region = caches.region(store=FaultyStore(*failing))
    store(region, 1)
    load = begin(region, 2)
    region.close()
    finish(region, load, "b")
    assert (region.active, region.counters.invalidated, region.counters.stored) == (False, 0, 1)
    assert len(region) == 0


# -- events that nobody wants --------------------------------------------------------------------------


def test_no_label_is_made_when_nobody_listens(caches):
    caches.heard(Expired, Evicted)
    region = caches.region()

    def label():
        raise AssertionError("a label was made")

    for outcome in ("stored", "objected", "failed"):
        load = Load(region.rules.target, key(outcome), (), label)
        loading.begin(region, load)
        if outcome == "failed":
            fail(region, load, ValueError())
        else:
            finish(region, load, 1, objection=None if outcome == "stored" else outcome)
    assert region.counters.stored == region.counters.load_failures == 1


@pytest.mark.parametrize("nonsense", [5, "text", ["a", "list"]], ids=repr)
def test_an_entry_whose_store_tells_nonsense_about_what_it_replaced_is_dropped_by_writes(caches, nonsense):
    class Odd(MemoryStore):
        def put(self, entry):
            super().put(entry)
            return nonsense

    region = caches.region(store=Odd())
    region.invalidate(only(1))  # from now on there is an index by the argument
    store(region, 1)
    region.invalidate(only(1))
    assert found(region, 1) is None
