"""Loading: what becomes of an answer, and a model of all of it: nothing stale, nothing lost."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from threads_in_step import PATIENCE, in_thread

from wats_accel.cache import loading
from wats_accel.cache.loads import Load, innermost_load, leave_load
from wats_accel.cache.memory_store import MemoryStore
from wats_accel.cache.namespace import Namespace
from wats_accel.cache.region import Region, RegionRules
from wats_accel.cache.selection import EVERYTHING, AnyOf, Selection
from wats_accel.cache.writers import enter_write, leave_write
from wats_accel.event_bus import EventBus
from wats_accel.failures import failures_met, note_failure
from wats_accel.testing import FakeClock, FaultyStore
from wats_accel.transactions import Transaction


def make_region(method="get", *, store=None, clock=None, ttl=60.0, **rules):
    return Region(
        RegionRules("ns", method, f"app:{method}", ttl, **{"wait_seconds": 0.0, **rules}),
        space=Namespace("ns", max_entries=0),
        store=MemoryStore() if store is None else store,
        clock=FakeClock() if clock is None else clock,
        bus=EventBus(),
    )


@pytest.fixture
def region():
    return make_region()


def load_of(region, name="a"):
    # Of some names the texts are kept, of others the key tells them.
    texts = (name,) if name > "a" else None
    return Load(region.rules.target, (0, name), texts, lambda: f"{region.prefix}:{name}")


def begun(region, name="a"):
    """A load that is under way; nothing answers it already."""
    made = load_of(region, name)
    assert loading.begin(region, made) is None
    return made


def answer(region, name="a"):
    entry = region.lookup((0, name))
    return None if entry is None else entry.snapshot.give()


def why_not(region):
    return dict(region.counters.not_stored)


# -- how a load ends -------------------------------------------------------------------------------------


def test_an_answer_is_stored_and_the_load_is_over(region):
    load = begun(region)
    assert innermost_load() is load
    assert loading.finish(region, load, "answer") is None
    assert answer(region) == "answer"
    assert innermost_load() is None
    assert len(region.flights) == 0


@pytest.mark.parametrize("times", [1, 2, 3])
def test_a_load_may_be_ended_at_any_time_and_more_than_once(region, times):
    loading.end(region, load_of(region))
    load = begun(region)
    for _ in range(times):
        loading.end(region, load)
    assert innermost_load() is None
    assert len(region.flights) == 0
    loading.finish(region, begun(region), "answer")
    loading.end(region, load)
    assert answer(region) == "answer"


def test_a_failure_counts_for_the_load_around_it_and_for_no_other(region):
    outer, inner = begun(region, "outer"), begun(region, "inner")
    loading.fail(region, inner, OSError())
    loading.finish(region, outer, "made without it")
    loading.finish(region, begun(region, "later"), "answer")
    assert why_not(region) == {"failure_within": 1}
    assert answer(region, "later") == "answer"


def test_the_failure_of_a_load_that_never_began_is_none(region):
    before = failures_met()
    loading.fail(region, load_of(region), OSError())
    assert failures_met() == before
    assert region.counters.load_failures == 0


@pytest.mark.parametrize("failing", ["get", "put", "remove", "clear", "entries", "len"])
def test_a_store_that_fails_ends_the_load_nevertheless(failing):
    store = FaultyStore()
    region = make_region(store=store)
    load = begun(region)
    store.failing = {failing}
    loading.finish(region, load, "answer")
    assert innermost_load() is None
    assert len(region.flights) == 0


class Uncopyable:
    def __deepcopy__(self, memo):
        raise RuntimeError("not a TypeError, even")


@pytest.mark.parametrize(
    ("result", "objection", "reason"),
    [
        (Uncopyable(), None, "uncopyable"),
        (iter([]), None, "uncopyable"),
        ("failed", None, "unless_result"),
        ("answer", "of the caller's", "of the caller's"),
    ],
    ids=["uncopyable", "iterator", "failure", "objection"],
)
def test_an_answer_that_must_not_be_kept_is_counted_by_the_reason(result, objection, reason):
    region = make_region(unless_results=("failed",))
    loading.finish(region, begun(region), result, objection=objection)
    assert why_not(region) == {reason: 1}
    assert answer(region) is None


def test_the_answer_of_an_earlier_load_does_not_replace_that_of_a_later_one():
    clock = FakeClock()
    region = make_region(clock=clock)
    earlier = begun(region)
    clock.advance(1)
    later = begun(region)
    loading.finish(region, later, "later")
    loading.finish(region, earlier, "earlier")
    assert answer(region) == "later"
    assert why_not(region) == {"overtaken": 1}


def test_an_answer_that_has_expired_before_it_came_is_not_stored():
    clock = FakeClock()
    region = make_region(clock=clock)
    load = begun(region)
    clock.advance(60)
    loading.finish(region, load, "answer")
    assert why_not(region) == {"expired_already": 1}


def test_a_load_that_finds_an_answer_after_all_does_not_begin(region):
    first, second = begun(region), load_of(region)
    loading.finish(region, first, "answer")
    entry = loading.begin(region, second)
    assert entry is not None
    assert entry.snapshot.give() == "answer"
    assert innermost_load() is None
    assert region.counters.hits == 1


# -- who waits for nobody --------------------------------------------------------------------------------


@pytest.fixture
def patient(joins):
    """A region whose `a` is being loaded in another thread; who waits for that does so for an hour."""
    region = make_region(wait_seconds=3600.0)
    load = load_of(region)
    load.thread = -1  # no thread has this number
    assert loading.begin(region, load) is None
    leave_load(load)
    return region, load


def test_others_wait(patient, joins):
    region, load = patient
    waiting = in_thread(lambda: loading.begin(region, load_of(region)))
    joins.await_waiting()
    loading.finish(region, load, "answer")
    assert waiting.result(PATIENCE).snapshot.give() == "answer"
    assert region.counters.joined == 1


def test_a_thread_inside_a_write_waits_for_nobody(patient, joins):
    region, _ = patient
    write = object()
    enter_write(write)
    try:
        loading.fail(region, begun(region), OSError())
    finally:
        leave_write(write)
    assert joins.count == 0


def test_a_thread_with_uncommitted_changes_waits_for_nobody_and_keeps_nothing(patient, joins):
    region, _ = patient
    transaction = Transaction()
    transaction.changed_here()
    try:
        loading.finish(region, begun(region), "answer")
    finally:
        transaction.end(committed=False)
    assert joins.count == 0
    assert why_not(region) == {"uncommitted_changes": 1}


def test_a_renewal_does_not_begin_beside_another_load_of_its_key(patient):
    region, load = patient
    assert not loading.begin_renewal(region, load_of(region))
    loading.end(region, load)
    renewal = load_of(region)
    assert loading.begin_renewal(region, renewal)
    loading.end(region, renewal)


# -- the model -------------------------------------------------------------------------------------------

NAMES = ["a", "b"]
TTL = 10.0


@dataclass
class Kept:
    """A stored answer, as the model sees it; a page is made from the answer of a row."""

    value: int
    number: int  # of its load, in the order in which they began
    expires_at: float
    row: Kept | None = None


@dataclass
class Begun:
    """A load under way, as the model sees it."""

    load: Load
    region: Region
    name: str
    value: int
    began_at: float
    row: Kept | None = None
    overtaken: bool = False


class CacheModel(RuleBasedStateMachine):
    """Loads of rows, and of pages made from rows, any number at once; and writes that drop rows only.

    The model says exactly what is stored, and all of that is what the database has.
    """

    def __init__(self):
        super().__init__()
        self.clock = FakeClock()
        self.rows = make_region("row", clock=self.clock, ttl=TTL)
        self.pages = make_region("page", clock=self.clock, ttl=0.0)
        self.database = dict.fromkeys(NAMES, 0)
        self.kept: dict[tuple[Region, str], Kept] = {}
        self.under_way: list[Begun] = []

    @rule(name=st.sampled_from(NAMES))
    def begin_row(self, name):
        self._begin(self.rows, name, self.database[name])

    @rule(name=st.sampled_from(NAMES))
    def begin_page(self, name):
        entry = self.rows.lookup((0, name))
        if entry is not None:
            self._begin(self.pages, name, entry.snapshot.give(), entry)

    @rule(name=st.sampled_from(NAMES))
    def load_at_once(self, name):
        """A row, and the page that is made from it."""
        for begin in (self.begin_row, self.begin_page):
            before = len(self.under_way)
            begin(name=name)
            if len(self.under_way) > before:
                self._answer(self.under_way.pop())

    def _begin(self, region, name, value, entry=None):
        load = load_of(region, name)
        load.thread = -1  # so to say: of a thread of its own
        if loading.begin(region, load) is not None:
            return  # a hit, of which the invariant knows
        leave_load(load)
        row = None
        if entry is not None:
            load.rest_on(entry)
            row = self.kept[self.rows, name]
        self.under_way.append(Begun(load, region, name, value, self.clock(), row))

    @precondition(lambda self: self.under_way)
    @rule(data=st.data(), how=st.sampled_from(["answers", "fails", "notes a failure", "is given up"]))
    def end(self, data, how):
        begun = data.draw(st.sampled_from(self.under_way))
        self.under_way.remove(begun)
        if how == "answers":
            self._answer(begun)
        elif how == "notes a failure":
            note_failure()
            loading.finish(begun.region, begun.load, begun.value)
        elif how == "fails":
            loading.fail(begun.region, begun.load, OSError())
        else:
            loading.end(begun.region, begun.load)

    def _answer(self, begun):
        begun.load.failures = failures_met()  # those since then were of other threads, so to say
        loading.finish(begun.region, begun.load, begun.value)
        self._keep(begun)

    def _keep(self, begun):
        is_row = begun.row is None
        made = Kept(begun.value, begun.load.number, begun.began_at + TTL, begun.row)
        if not is_row:
            made.expires_at = begun.row.expires_at
        before = self.kept.get((begun.region, begun.name))
        is_later = before is None or not self._holds(begun.region, begun.name) or before.number < made.number
        if not begun.overtaken and is_later and self._is_good(begun.name, made):
            self.kept[begun.region, begun.name] = made

    def _is_good(self, name, kept):
        holds = kept.row is None or kept.row is self.kept.get((self.rows, name))
        return holds and kept.expires_at > self.clock()

    def _holds(self, region, name):
        kept = self.kept.get((region, name))
        return kept is not None and self._is_good(name, kept)

    @rule(which=st.sampled_from([*NAMES, None]))
    def write(self, which):
        """Write one row, or all."""
        for name in NAMES if which is None else [which]:
            self.database[name] += 1
            self.kept.pop((self.rows, name), None)
            for begun in self.under_way:
                begun.overtaken |= begun.region is self.rows and begun.name == name
        self.rows.invalidate(EVERYTHING if which is None else Selection((AnyOf(0, frozenset({which})),)))

    @rule(seconds=st.sampled_from([1.0, 5.0, TTL]))
    def let_time_pass(self, seconds):
        self.clock.advance(seconds)

    @invariant()
    def exactly_what_is_good_is_found_and_it_is_what_the_database_has(self):
        for region in (self.rows, self.pages):
            for name in NAMES:
                found = answer(region, name)
                expected = self.kept[region, name].value if self._holds(region, name) else None
                assert found == expected
                assert found in (None, self.database[name])

    @invariant()
    def nothing_is_under_way_but_what_has_begun_and_not_ended(self):
        under_way = len(self.rows.flights) + len(self.pages.flights)
        assert under_way == len(self.under_way)
        assert innermost_load() is None


TestCacheModel = CacheModel.TestCase
TestCacheModel.settings = settings(max_examples=100, stateful_step_count=50, deadline=None)
