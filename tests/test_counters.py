"""The statistics: one small story for each figure, told through the public door."""

from __future__ import annotations

import sys
from types import ModuleType

import pytest

from wats_accel.counters import Counters
from wats_accel.testing import FakeClock, accelerated

FIGURES = (
    "hits", "misses", "loads", "load_failures", "stored", "not_stored", "bypassed", "invalidated", "expired",
    "evicted", "joined", "orphaned", "size",
)  # fmt: skip


class Story:
    """An accelerated repository, its clock, and what a story does with them."""

    def __init__(self, repository, clock, accelerator):
        self.known = repository
        self.clock = clock
        self.accelerator = accelerator

    def get(self, *keys):
        for key in keys:
            self.known.get(key)

    def fail(self, key):
        with pytest.raises(LookupError):
            self.known.fail(key)


@pytest.fixture
def story(monkeypatch):
    class Repository:
        def get(self, key):
            if key == "write inside":
                self.write()
            if isinstance(key, list):
                key.append(1)
            return {"nothing": None, "iterator": iter(())}.get(key, key) if isinstance(key, str) else key

        def fail(self, key):
            raise LookupError

        def write(self, key=None):
            pass

    module = ModuleType("legacy_app")
    module.Repository = Repository
    monkeypatch.setitem(sys.modules, "legacy_app", module)
    config = {
        "version": 1,
        "cache": {"namespaces": {"ns": {"ttl": 10, "max_entries": 3}, "other": {}}},
        "repositories": [
            {
                "target": "legacy_app:Repository",
                "cached": {"get": {"namespace": "ns", "unless_result": [None]}, "fail": "other"},
                "invalidates": {"write": "ns:get:{key}"},
            }
        ],
    }
    clock = FakeClock()
    with accelerated(config, clock=clock) as accelerator:
        yield Story(Repository(), clock, accelerator)


STORIES = {
    "nothing": (lambda story: None, {}),
    "a miss": (lambda story: story.get(1), {"misses": 1, "loads": 1, "stored": 1, "size": 1}),
    "a hit": (lambda story: story.get(1, 1, 1), {"hits": 2, "misses": 1, "loads": 1, "stored": 1, "size": 1}),
    "a failure": (lambda story: story.fail(1), {"misses": 1, "load_failures": 1}),
    "a failure's answer": (
        lambda story: story.get("nothing"),
        {"misses": 1, "loads": 1, "not_stored": {"unless_result": 1}},
    ),
    "an iterator": (
        lambda story: story.get("iterator"),
        {"misses": 1, "loads": 1, "not_stored": {"uncopyable": 1}},
    ),
    "changed arguments": (
        lambda story: story.get([]),
        {"misses": 1, "loads": 1, "not_stored": {"arguments_changed": 1}},
    ),
    "an argument given back": (
        lambda story: story.get(bytearray(b"a")),
        {"misses": 1, "loads": 1, "not_stored": {"returned_an_argument": 1}},
    ),
    "a write inside": (
        lambda story: story.get("write inside"),
        {"misses": 1, "loads": 1, "not_stored": {"wrote": 1}},
    ),
    "no value identity": (
        lambda story: story.get(object(), object()),
        {"bypassed": {"argument_without_value_identity": 2}},
    ),
    "switched off": (
        lambda story: (story.accelerator.disable("ns:*"), story.get(1, 1)),
        {},
    ),
    "a write": (
        lambda story: (story.get(1, 2), story.known.write(1)),
        {"misses": 2, "loads": 2, "stored": 2, "invalidated": 1, "size": 1},
    ),
    "a write that drops all": (
        lambda story: (story.get(1, 2), story.known.write()),
        {"misses": 2, "loads": 2, "stored": 2, "invalidated": 2},
    ),
    "an expiry": (
        lambda story: (story.get(1), story.clock.advance(10), story.get(1)),
        {"misses": 2, "loads": 2, "stored": 2, "expired": 1, "size": 1},
    ),
    "an expiry that a store finds": (
        lambda story: (story.get(1), story.clock.advance(10), story.get(2)),
        {"misses": 2, "loads": 2, "stored": 2, "expired": 1, "size": 1},
    ),
    "an eviction": (
        lambda story: story.get(1, 2, 3, 4, 5),
        {"misses": 5, "loads": 5, "stored": 5, "evicted": 2, "size": 3},
    ),
}


@pytest.mark.parametrize(("happens", "expected"), STORIES.values(), ids=STORIES)
def test_what_happened_is_what_is_counted(story, happens, expected):
    happens(story)
    total = story.accelerator.stats().total
    nothing = {"not_stored": {}, "bypassed": {}}
    assert {name: getattr(total, name) for name in FIGURES} == {
        name: expected.get(name, nothing.get(name, 0)) for name in FIGURES
    }


def test_figures_are_kept_apart_by_method_and_namespace(story):
    story.get(1, 1)
    story.fail(1)
    stats = story.accelerator.stats()
    assert stats.methods["legacy_app:Repository.get"] == stats.namespaces["ns"]
    assert (stats.namespaces["ns"].misses, stats.namespaces["other"].misses, stats.total.misses) == (1, 1, 2)


def test_loads_take_time_and_hits_save_it(story):
    story.get(1, 1, 1, 1)
    total = story.accelerator.stats().total
    assert total.load_seconds > 0
    assert total.saved_seconds == pytest.approx(3 * total.load_seconds)
    assert total.hit_rate == 75.0


def test_counters_begin_at_nothing_and_share_nothing():
    one, other = Counters(), Counters()
    one.bypassed["a reason"] += 1
    one.not_stored["a reason"] += 1
    one.hits += 1
    assert other == Counters()
