from __future__ import annotations

from dataclasses import replace

import pytest

from wats_accel.cache.loading import begin, fail, finish
from wats_accel.cache.loads import Load
from wats_accel.cache.memory_store import MemoryStore
from wats_accel.cache.region import RegionRules
from wats_accel.cache.registry import CacheRegistry
from wats_accel.errors import TargetError
from wats_accel.event_bus import EventBus
from wats_accel.patterns import KeyPattern
from wats_accel.testing import FakeClock


def rules(namespace, method, module="app.users"):
    return RegionRules(namespace, method, f"{module}:Repository.{method}", ttl_seconds=0)


@pytest.fixture
def registry():
    made = CacheRegistry(clock=FakeClock(), bus=EventBus())
    for namespace, method in [("users", "get"), ("users", "every"), ("groups", "get_all")]:
        made.add(rules(namespace, method))
    return made


def methods(regions):
    return [region.rules.method for region in regions]


def test_regions_are_found_by_target(registry):
    region = registry.of_target("app.users:Repository.get")
    assert region.rules.method == "get"
    assert registry.of_target("app.users:Repository.other") is None
    assert len(registry) == 3
    assert methods(registry) == ["get", "every", "get_all"]


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("users:*", ["get", "every"]),
        ("users:get", ["get"]),
        ("users:get:{id}", ["get"]),
        ("*:get*", ["get", "get_all"]),
        ("*", ["get", "every", "get_all"]),
        ("other:*", []),
    ],
)
def test_regions_are_found_by_key_pattern(registry, pattern, found):
    assert methods(registry.matching(KeyPattern.parse(pattern))) == found


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("all", ["get", "every", "get_all"]),
        ("users", ["get", "every"]),
        ("users:*", ["get", "every"]),
        ("users:get", ["get"]),
        ("users:get:*", ["get"]),
        ("app.users:Repository.get", ["get"]),
        ("app.*:*.get*", ["get", "get_all"]),
        ("Repository.every", ["every"]),
        ("nothing", []),
    ],
)
def test_regions_are_found_by_what_a_maintainer_calls_them(registry, pattern, found):
    assert methods(registry.named(pattern)) == found


def test_a_namespace_keeps_the_bound_that_it_was_made_with(registry):
    made = registry.namespace("bounded", max_entries=7)
    assert registry.namespace("bounded") is made
    assert registry.namespace("bounded", max_entries=9).max_entries == 7
    assert registry.namespace("users").max_entries == 0


def test_each_region_gets_the_store_that_the_factory_gives():
    asked = []
    given = MemoryStore()

    def factory(namespace, target):
        asked.append((namespace, target))
        return given if namespace == "users" else None

    registry = CacheRegistry(clock=FakeClock(), bus=EventBus(), store_factory=factory)
    users, groups = registry.add(rules("users", "get")), registry.add(rules("groups", "get_all"))
    for region in (users, groups):
        load = Load(region.rules.target, (0,), (), str)
        begin(region, load)
        finish(region, load, "answer")
    assert len(given) == 1  # an empty store is falsy, and was used nevertheless
    assert len(groups) == 1
    assert asked == [("users", "app.users:Repository.get"), ("groups", "app.users:Repository.get_all")]


def test_what_a_plugin_s_store_was_told_to_drop_and_keeps_is_found_by_nobody():
    class Keeping(MemoryStore):
        def clear(self):
            return 0

    kept = Keeping()
    registry = CacheRegistry(clock=FakeClock(), bus=EventBus(), store_factory=lambda *_: kept)
    region = registry.add(rules("users", "get"))
    load = Load(region.rules.target, (0,), (), str)
    begin(region, load)
    finish(region, load, "answer")
    region.invalidate()
    assert (len(kept), region.lookup((0,))) == (1, None)


def test_a_method_has_one_region(registry):
    with pytest.raises(TargetError, match="is cached already"):
        registry.add(rules("other", "get"))


def test_entries_that_are_over_leave_also_where_nothing_is_stored_any_more():
    clock, bus = FakeClock(), EventBus()
    registry = CacheRegistry(clock=clock, bus=bus)
    idle = registry.add(replace(rules("idle", "get"), ttl_seconds=10))
    busy = registry.add(rules("busy", "get_all"))
    for number in range(100):
        load = Load(idle.rules.target, (number,), (), str)
        begin(idle, load)
        finish(idle, load, "answer")
    clock.advance(1e6)
    for number in range(60):
        load = Load(busy.rules.target, (number,), (), str)
        begin(busy, load)
        fail(busy, load, ValueError())
    assert (len(idle), idle.counters.expired) == (0, 100)


def test_namespaces_share_one_lock_so_that_finalizers_cannot_wait_for_each_other_in_a_circle(registry):
    assert registry.namespace("users").lock is registry.namespace("groups").lock
