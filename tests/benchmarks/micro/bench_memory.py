"""What 100,000 entries take beyond their keys and values, which are there before."""

from __future__ import annotations

import gc
import tracemalloc
from time import perf_counter
from typing import Any

import pytest
from measured_application import VERY_MANY, WATS, Roomy
from rivals import LRU_CACHE, NAIVE_SILENT, repository_of

ENTRIES = 100_000
PEERS = (
    *(WATS, LRU_CACHE, "methodtools", "cachetools (lock)", "cachetools (condition)"),
    NAIVE_SILENT,
)
"""Without cachebox and theine: they keep their entries where Python does not count."""


@pytest.fixture(scope="module")
def names() -> dict[str, str]:
    """What is asked for, and what is answered."""
    return {f"name {number}": f"answer {number}" for number in range(ENTRIES)}


def _repository(peer: str, names: dict[str, str]) -> Any:
    if peer == WATS:
        return Roomy(names.__getitem__)
    return repository_of(peer, names.__getitem__, limit=VERY_MANY)


def _fill(repository: Any, names: dict[str, str]) -> float:
    began = perf_counter()
    for name in names:
        repository.get(name)
    return (perf_counter() - began) / ENTRIES


@pytest.mark.parametrize("peer", PEERS)
def bench_memory(report: Any, accelerator: Any, names: Any, peer: str) -> None:
    """The seconds include those of counting the bytes, and are of no use."""
    repository = _repository(peer, names)
    repository.get("name 0")
    gc.collect()
    tracemalloc.start()
    try:
        seconds = _fill(repository, names)
        gc.collect()
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    if peer == WATS:
        assert accelerator.stats().total.size == ENTRIES
    accelerator.invalidate("Roomy:*")
    report("memory: 100,000 entries", peer, [seconds], bytes=taken / ENTRIES)
