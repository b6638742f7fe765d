"""Misses: the method runs, and its answer is stored. With room for it, and where another one has to go."""

from __future__ import annotations

import itertools
from time import perf_counter
from typing import Any

import pytest
from interleaved import Run, side_by_side
from measured_application import FEW, VERY_MANY, WATS, Crowded, Roomy, never
from rivals import CACHEBOX, CACHEBOX_SHARED, LRU_CACHE, NAIVE_SILENT, PLAIN, repository_of

OTHERS = (
    *(PLAIN, LRU_CACHE, CACHEBOX_SHARED, CACHEBOX, "methodtools"),
    *("cachetools (lock)", "cachetools (condition)", "theine"),
)
ENDLESS = ("dogpile.cache (memory)", NAIVE_SILENT)
"""Those that have no limit of entries."""
_numbers = itertools.count()


def misses(repository: Any) -> Run:
    """Each call asks for a name that nobody has asked for."""

    def run(count: int) -> float:
        names = [f"name {number}" for number in itertools.islice(_numbers, count)]
        began = perf_counter()
        for name in names:
            repository.get(name)
        return perf_counter() - began

    return run


def measured(ours: Any, others: tuple[str, ...], limit: int) -> dict[str, list[float]]:
    runs = {WATS: misses(ours(str.title))}
    runs |= {peer: misses(repository_of(peer, str.title, limit=limit)) for peer in others}
    for run in runs.values():
        run(2 * FEW)  # from here on the small ones are full
    found = side_by_side(runs)
    repository = ours(str.title)
    repository.get("ann")
    repository.answer = never  # what was missed has been stored
    assert repository.get("ann") == "Ann"
    return found


@pytest.fixture(scope="module")
def with_room(accelerator: Any) -> dict[str, list[float]]:
    return measured(Roomy, OTHERS + ENDLESS, VERY_MANY)


@pytest.fixture(scope="module")
def when_full(accelerator: Any) -> dict[str, list[float]]:
    return measured(Crowded, OTHERS, FEW)


@pytest.mark.parametrize("peer", [WATS, *OTHERS, *ENDLESS])
def bench_miss_with_room(report: Any, with_room: Any, peer: str) -> None:
    report("miss and store", peer, with_room[peer])


@pytest.mark.parametrize("peer", [WATS, *OTHERS])
def bench_miss_when_full(report: Any, when_full: Any, peer: str) -> None:
    report("miss, store and evict", peer, when_full[peer])
