"""Statistics: figures of each method, each namespace and all together, ready for JSON."""

from __future__ import annotations

import json
from dataclasses import asdict

import pytest

from wats_accel.counters import Counters, PoolCounters
from wats_accel.telemetry.snapshots import snapshot
from wats_accel.telemetry.stats import CacheStats


class Cache:
    """The cache of one method, as far as figures go."""

    why_off: str | None = None

    def __init__(self, size: int | Exception = 0, **counters: float) -> None:
        self._size = size
        self.counters = Counters(**counters)  # type: ignore[arg-type]  # some are floats, some are not

    def __len__(self) -> int:
        if isinstance(self._size, Exception):
            raise self._size
        return self._size


def test_time_saved_is_hits_times_the_mean_time_of_a_load() -> None:
    stats = snapshot([("users", "a:B.c", Cache(hits=10, loads=4, load_seconds=2.0))])
    assert stats.methods["a:B.c"].saved_seconds == 5.0


def test_without_a_load_nothing_is_known_to_be_saved() -> None:
    assert snapshot([("users", "a:B.c", Cache(hits=10))]).total.saved_seconds == 0.0


@pytest.mark.parametrize(
    ("hits", "misses", "rate"), [(0, 0, 0.0), (0, 3, 0.0), (3, 1, 75.0), (2341, 156, 93.75)]
)
def test_the_hit_rate_is_in_percent(hits: int, misses: int, rate: float) -> None:
    assert CacheStats(hits=hits, misses=misses).as_dict()["hit_rate"] == rate


def test_namespaces_and_total_are_sums_over_their_methods() -> None:
    one = Cache(3, hits=2, misses=1, loads=1, load_seconds=1.0)
    two = Cache(4, hits=10, misses=5, loads=5, load_seconds=10.0)
    other = Cache(1, evicted=7)
    two.counters.bypassed["no_key"] += 2
    other.counters.bypassed["no_key"] += 1
    other.counters.not_stored["overtaken"] += 1
    stats = snapshot([("users", "a:B.one", one), ("users", "a:B.two", two), ("groups", "a:C.x", other)])
    assert list(stats.methods) == ["a:B.one", "a:B.two", "a:C.x"]
    users = stats.namespaces["users"]
    assert (users.hits, users.misses, users.size, users.saved_seconds) == (12, 6, 7, 22.0)
    assert (stats.total.size, stats.total.evicted) == (8, 7)
    assert stats.total.bypassed == {"no_key": 3}
    assert stats.total.not_stored == {"overtaken": 1}


class Pools:
    """The pools of one `connect`, as far as figures go."""

    pools = ("one", "another")
    size, checked_out, idle, overflow = 5, 1, 2, 0

    def __init__(self, **counters: float) -> None:
        self.counters = PoolCounters(**counters)  # type: ignore[arg-type]  # as above


def test_the_figures_of_pools_stand_beside_those_of_the_cache_and_do_not_change_afterwards() -> None:
    source = Pools(opened=3, reused=40, wait_seconds=0.5)
    source.counters.discarded["lost"] += 1
    stats = snapshot([], [("db:connect", source)])
    source.counters.opened += 1
    source.counters.discarded["lost"] += 1
    figures = stats.pools["db:connect"]
    assert (figures.pools, figures.size, figures.checked_out, figures.idle, figures.overflow) == (
        2,
        5,
        1,
        2,
        0,
    )
    assert (figures.opened, figures.reused, figures.wait_seconds) == (3, 40, 0.5)
    assert figures.discarded == {"lost": 1}
    assert json.loads(json.dumps(stats.as_dict()))["pools"]["db:connect"] == figures.as_dict()


def test_no_figure_of_a_pool_is_left_out() -> None:
    numbers = {name: 1 for name in asdict(PoolCounters()) if name != "discarded"}
    figures = snapshot([], [("db:connect", Pools(**numbers))]).pools["db:connect"].as_dict()
    assert {name: figures[name] for name in numbers} == numbers


def test_no_figure_is_left_out_of_the_sums() -> None:
    numbers = {name: 1 for name in asdict(Counters()) if name not in ("not_stored", "bypassed", "shared")}
    total = snapshot([("n", f"a:B.{number}", Cache(1, **numbers)) for number in range(2)]).total
    figures = asdict(total)
    assert {name: figures[name] for name in (*numbers, "size", "saved_seconds")} == dict.fromkeys(
        (*numbers, "size", "saved_seconds"), 2
    )


def test_a_snapshot_does_not_change_with_what_it_was_taken_of() -> None:
    cache = Cache()
    stats = snapshot([("users", "a:B.c", cache)])
    cache.counters.bypassed["no_key"] += 1
    assert stats.total.bypassed == {}


def test_it_is_told_which_methods_are_not_cached_and_why() -> None:
    on, off = Cache(), Cache()
    off.why_off = "switched off"
    stats = snapshot([("users", "a:B.on", on), ("users", "a:B.off", off)])
    assert stats.not_cached == stats.as_dict()["not_cached"] == {"a:B.off": "switched off"}


def test_everything_is_ready_for_json() -> None:
    cache = Cache(2, hits=1, misses=1, loads=1, load_seconds=0.5)
    cache.counters.not_stored["overtaken"] += 1
    read = json.loads(json.dumps(snapshot([("users", "a:B.c", cache)]).as_dict()))
    assert read["total"] == read["namespaces"]["users"] == read["methods"]["a:B.c"]
    assert read["total"]["hit_rate"] == 50.0
    assert read["total"]["not_stored"] == {"overtaken": 1}


def test_a_store_that_cannot_say_its_size_counts_as_empty() -> None:
    assert snapshot([("users", "a:B.c", Cache(RuntimeError(), hits=1))]).total.size == 0


def test_without_methods_all_is_zero() -> None:
    assert snapshot([]).as_dict()["total"] == CacheStats().as_dict()
