"""The invalidator, on regions of its own: order, failures, and what it does not touch."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from wats_accel.cache.keys import KeyMaker, KeyRules
from wats_accel.cache.memory_store import MemoryStore
from wats_accel.cache.region import Region, RegionRules
from wats_accel.cache.registry import CacheRegistry
from wats_accel.event_bus import EventBus
from wats_accel.events import CacheSuspended, Invalidated
from wats_accel.invalidation import Invalidator, OpenWrite, WriteRule, dropping
from wats_accel.patterns import KeyPattern
from wats_accel.testing import FakeClock, FaultyStore
from wats_accel.wrappers.cached import cached


class Caches:
    """A registry whose stores a test chooses, with cached functions and an invalidator."""

    def __init__(self) -> None:
        self.bus = EventBus()
        self.stores: dict[str, Any] = {}
        self.registry = CacheRegistry(
            clock=FakeClock(), bus=self.bus, store_factory=lambda _, target: self.stores.get(target)
        )
        self.invalidator = Invalidator(caches=self.registry, bus=self.bus)

    def cached(self, function: Callable[..., Any], *, namespace: str = "ns") -> Any:
        name = function.__name__
        region = self.registry.add(RegionRules(namespace, name, f"app:{name}", ttl_seconds=0))
        signature = inspect.signature(function)
        keys = KeyMaker(signature, has_instance=False, rules=KeyRules(), scopes=region.scopes)
        return cached(function, region, keys)

    def region(self, name: str) -> Region:
        found = self.registry.of_target(f"app:{name}")
        assert found is not None
        return found

    def apply(self, *patterns: str, **values: object) -> None:
        write = OpenWrite(rule_of(*patterns))
        self.invalidator.begin(write, values)
        self.invalidator.end(write, values)


def rule_of(*patterns: str, target: str = "app:write") -> WriteRule:
    return WriteRule(target, tuple(map(KeyPattern.parse, patterns)))


@pytest.fixture
def caches() -> Caches:
    return Caches()


# -- rules ---------------------------------------------------------------------------------------------


def test_a_rule_names_what_it_needs_of_a_call_once():
    rule = rule_of("ns:one:{a}:{b.c}", "ns:two:{a}", "ns:*")
    assert rule.paths == ("a", "b.c")


def test_rules_are_found_again_by_target_and_by_what_they_drop(caches):
    caches.cached(named("get"))
    dropping, other = rule_of("ns:get:{a}", "ns:*"), rule_of("other:*", target="app:other")
    caches.invalidator.add(dropping)
    caches.invalidator.add(other)
    assert list(caches.invalidator) == [dropping, other]
    assert caches.invalidator.of_target("app:write") is dropping
    assert caches.invalidator.of_target("app:get") is None
    found = caches.invalidator.dropping(caches.region("get"))
    assert found == [(dropping, pattern) for pattern in dropping.patterns]


def named(name: str, answer: Callable[[object], object] = lambda key: key) -> Callable[..., Any]:
    def function(key: object = None) -> object:
        return answer(key)

    function.__name__ = name
    return function


# -- what is not touched -------------------------------------------------------------------------------


class UnvisitableStore(MemoryStore):
    """Nobody may look through its entries, or take out one of them."""

    def entries(self):
        raise AssertionError("the entries were visited")

    def remove(self, key):
        raise AssertionError("an entry was taken out by itself")


@pytest.mark.parametrize("pattern", ["ns:*", "ns:get:*", "ns:get", "*", "ns:get:{key}"])
def test_dropping_all_visits_no_entry(caches, pattern):
    caches.stores["app:get"] = UnvisitableStore()
    get = caches.cached(named("get"))
    for number in range(100):
        get(number)
    assert caches.invalidator.drop(KeyPattern.parse(pattern), {}, by="a test") == 100
    assert caches.region("get").suspended is None


class CountingStore(MemoryStore):
    def __init__(self):
        super().__init__()
        self.operations = 0

    def entries(self):
        self.operations += len(self)
        return super().entries()

    def remove(self, key):
        self.operations += 1
        return super().remove(key)


def test_dropping_one_by_its_argument_does_not_scan(caches):
    store = caches.stores["app:get"] = CountingStore()
    get = caches.cached(named("get"))
    caches.apply("ns:get:{key}", key=0)  # makes the index
    for number in range(100):
        get(number)
    for number in range(50):
        caches.apply("ns:get:{key}", key=str(number))
    assert len(store) == 50
    assert store.operations == 50


def test_the_first_write_of_a_rule_visits_no_entry_that_it_does_not_drop(caches):
    store = caches.stores["app:get"] = CountingStore()
    get = caches.cached(named("get"))
    rule = rule_of("ns:get:{key}")
    caches.invalidator.expect(rule)
    store.operations = 0
    for number in range(100):
        get(number)
    write = OpenWrite(rule)
    caches.invalidator.begin(write, {"key": 7})
    caches.invalidator.end(write, {"key": 7})
    assert store.operations == 1
    assert len(store) == 99


def test_a_store_that_cannot_tell_what_it_has_is_asked_again_by_the_first_write(caches):
    store = caches.stores["app:get"] = FaultyStore()
    get = caches.cached(named("get"))
    store.failing.add("entries")
    caches.invalidator.expect(rule_of("ns:get:{key}"))
    store.failing.clear()
    get(7), get(8)
    caches.apply("ns:get:{key}", key=7)
    assert len(store) == 1


@pytest.mark.parametrize("text", ["ns:late", "ns:*", "n?:l*"])
def test_a_method_that_comes_later_is_named_by_patterns_that_were_asked_for_before(caches, text):
    pattern = KeyPattern.parse(text)
    caches.cached(named("early"))
    before = caches.registry.matching(pattern)
    assert before == [caches.region("early")] * (text == "ns:*")
    caches.cached(named("late"))
    assert caches.registry.matching(pattern) == [*before, caches.region("late")]


# -- several regions at once ---------------------------------------------------------------------------


@pytest.fixture
def before_inner(monkeypatch):
    """Have something happen in another thread, when the method `inner` is about to be dropped from."""
    actions = []
    drop_from = dropping._drop_from

    def drop_from_and_act(region, drop, fences):
        if region.rules.method == "inner":
            for action in actions:
                in_another_thread(*action)
        return drop_from(region, drop, fences)

    monkeypatch.setattr(dropping, "_drop_from", drop_from_and_act)
    return lambda *action: actions.append(action)


def in_another_thread(call, *args):
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(call, *args).result(30)


@pytest.mark.parametrize(
    "patterns", [["outer:*", "inner:*"], ["*:*"], ["outer:outer:{key}", "inner:inner:{key}"]], ids=" ".join
)
def test_a_load_amid_an_invalidation_takes_nothing_from_an_entry_still_there(caches, patterns, before_inner):
    """The outer cache is empty already, a load could fill it, and the inner entry is still there."""
    versions, amid = [1], []
    before_inner(lambda: amid.append(outer("a")))
    outer = caches.cached(named("outer", lambda key: inner(key)), namespace="outer")
    inner = caches.cached(named("inner", lambda key: versions[-1]), namespace="inner")
    assert outer("a") == 1
    versions.append(2)
    caches.apply(*patterns, key="a")
    assert amid == [2]
    assert outer("a") == 2


def test_a_load_amid_an_invalidation_that_does_not_concern_it_is_kept(caches, before_inner):
    runs = []
    before_inner(lambda: outer("b"))
    outer = caches.cached(named("outer", runs.append), namespace="outer")
    inner = caches.cached(named("inner"), namespace="inner")
    inner("a")
    caches.apply("outer:outer:{key}", "inner:*", key="a")
    outer("b")
    assert runs == ["b"]


def test_a_load_after_an_invalidation_is_kept(caches):
    runs = []
    get = caches.cached(named("get", runs.append))
    caches.apply("ns:*", "ns:get:{key}", key=1)
    get(1), get(1)
    assert runs == [1]


# -- what fails ----------------------------------------------------------------------------------------


def test_each_region_that_fails_is_suspended_and_the_others_are_dropped(caches):
    suspended, told = [], []
    caches.bus.subscribe(CacheSuspended, lambda event: suspended.append(event.target))
    caches.bus.subscribe(Invalidated, told.append)
    for name in ("one", "three"):
        caches.stores[f"app:{name}"] = FaultyStore("clear")
    functions = [caches.cached(named(name)) for name in ("one", "two", "three")]
    for function in functions:
        function(1)
    assert caches.invalidator.drop(KeyPattern.parse("ns:*"), {}, by="a test") == 1
    assert suspended == ["app:one", "app:three"]
    assert [event.count for event in told] == [1]
    assert len(caches.region("two")) == 0


@pytest.mark.parametrize("interrupt", [KeyboardInterrupt, SystemExit])
def test_an_interrupt_passes_after_everything_is_dropped(caches, interrupt):
    caches.stores["app:one"] = FaultyStore("clear", error=interrupt)
    one, two = caches.cached(named("one")), caches.cached(named("two", lambda key: versions[-1]))
    versions = [1]
    one(1), two(1)
    versions.append(2)
    with pytest.raises(interrupt):
        caches.apply("ns:one:*", "ns:two:*")
    assert caches.region("one").suspended is not None
    assert two(1) == 2


def test_giving_up_on_patterns_suspends_what_they_would_drop(caches):
    caches.stores["app:one"] = FaultyStore("clear")
    one, two = caches.cached(named("one")), caches.cached(named("two"))
    one(1), two(1)
    caches.invalidator.suspend([KeyPattern.parse("ns:one:*"), KeyPattern.parse("ns:one")], "no rule")
    assert caches.region("one").suspended == "no rule"
    assert caches.region("two").suspended is None


def test_what_fails_to_begin_leaves_nothing_kept_and_its_error_goes_on(caches):
    caches.cached(named("one"))
    with caches.invalidator.nothing_kept_without("nobody listens"):
        pass
    assert caches.region("one").suspended is None
    with pytest.raises(OSError, match="refused"), caches.invalidator.nothing_kept_without("nobody listens"):
        raise OSError("refused")
    assert caches.region("one").suspended == "nobody listens: OSError"


def test_an_event_is_not_built_when_nobody_listens(caches, monkeypatch):
    built = []
    monkeypatch.setattr(dropping, "bound_text", lambda pattern, *_: built.append(pattern) or "")
    caches.cached(named("get"))
    caches.apply("ns:get:{key}", key=7)
    assert built == []
    caches.bus.subscribe(Invalidated, lambda event: None)
    caches.apply("ns:get:{key}", key=7)
    assert len(built) == 1


def test_checkpoints_run_at_each_write(caches):
    seen = []
    caches.bus.at_checkpoints(lambda: seen.append("checkpoint"))
    caches.apply("ns:*")
    assert seen == ["checkpoint"]
