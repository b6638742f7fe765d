"""Hits of one and of eight threads, as many in all: what it costs that they meet."""

from __future__ import annotations

import threading
from time import perf_counter
from typing import Any

import pytest
from interleaved import Run, calls_in, loop, side_by_side
from measured_application import WATS, ByDatabase, never
from rivals import CACHEBOX_SHARED, LRU_CACHE, NAIVE_SILENT, repository_of

PEERS = (WATS, LRU_CACHE, CACHEBOX_SHARED, "cachetools (lock)", "theine", NAIVE_SILENT)
THREADS = (1, 8)
ROUNDS = 30
SECONDS = 0.03
"""Of a round: Python lets a thread run for 0.005."""
CASES = tuple(f"{peer}, threads: {count}" for peer in PEERS for count in THREADS)


def in_threads(run: Run, threads: int) -> Run:
    """So many calls in all, from the first thread's first to the last thread's last."""

    def run_all(count: int) -> float:
        begun, ended = [], []
        barrier = threading.Barrier(threads)

        def one() -> None:
            barrier.wait()
            begun.append(perf_counter())
            run(count // threads)
            ended.append(perf_counter())

        started = [threading.Thread(target=one) for _ in range(threads)]
        for thread in started:
            thread.start()
        for thread in started:
            thread.join()
        return max(ended) - min(begun)

    return run_all


@pytest.fixture(scope="module")
def measured(accelerator: Any) -> dict[str, list[float]]:
    runs, counts = {}, {}
    for peer in PEERS:
        repository = ByDatabase(str.upper) if peer == WATS else repository_of(peer, str.upper)
        run = loop("repository.get(name)", repository=repository, name="ann")
        run(2)
        repository.answer = never
        calls = calls_in(run, SECONDS) // 8 * 8
        for threads in THREADS:
            case = f"{peer}, threads: {threads}"
            runs[case], counts[case] = in_threads(run, threads), calls
    return side_by_side(runs, ROUNDS, counts=counts)


@pytest.mark.parametrize("case", CASES)
def bench_hits_in_threads(report: Any, measured: Any, case: str) -> None:
    report("hit: threads", case, measured[case])
