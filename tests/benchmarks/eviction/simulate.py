"""Hit rates of eviction policies on generated traces, as a Markdown table.

    python tests/benchmarks/eviction/simulate.py

Seeded: each run prints the same. README.md beside this file has the tables.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from statistics import mean

from policies import Clock, Fifo, Lru, Optimum, Policy, S3Fifo, S3FifoOneBit, Sieve, TwoQueues
from traces import KEYS, TRACES, Trace

SHARES = (0.01, 0.05, 0.10, 0.25)
_WARM_UP = 5  # one request in five is not counted, the first ones

_POLICIES: dict[str, Callable[[int, Trace], Policy]] = {
    "FIFO": lambda capacity, _: Fifo(capacity),
    "LRU": lambda capacity, _: Lru(capacity),
    "CLOCK": lambda capacity, _: Clock(capacity),
    "2Q": lambda capacity, _: TwoQueues(capacity),
    "SIEVE": lambda capacity, _: Sieve(capacity),
    "S3-FIFO": lambda capacity, _: S3Fifo(capacity),
    "S3-FIFO, one bit": lambda capacity, _: S3FifoOneBit(capacity),
    "(optimum)": lambda capacity, trace: Optimum(capacity, trace.requests),
}


def hit_rate(policy: Policy, trace: Trace) -> float:
    """The share of requests after the warm-up that find their key.

    What has expired is taken out at once; the sweep of wats_accel does it a little later.
    """
    warm_up = len(trace.requests) // _WARM_UP
    writes = trace.writes or {}
    loaded_at: dict[int, int] = {}
    loads: deque[tuple[int, int]] = deque()
    hits = 0
    for now, key in enumerate(trace.requests):
        for dropped in writes.get(now, ()):
            policy.discard(dropped)
        while loads and loads[0][0] + trace.ttl <= now:
            began_at, expired = loads.popleft()
            if loaded_at[expired] == began_at:
                policy.discard(expired)
        if not policy.request(key):
            loaded_at[key] = now
            loads.append((now, key))
        elif now >= warm_up:
            hits += 1
    return hits / (len(trace.requests) - warm_up)


def hit_rates(name: str) -> list[list[float]]:
    """For one trace: a row for each size of the cache, with one hit rate for each policy."""
    rows = []
    for share in SHARES:
        capacity = round(KEYS * share)
        trace = TRACES[name](capacity)
        rows.append([hit_rate(make(capacity, trace), trace) for make in _POLICIES.values()])
    return rows


def row(label: str, rates: list[float]) -> str:
    """One line of a table."""
    return f"| {label} | " + " | ".join(f"{rate:.1%}" for rate in rates) + " |"


def means(rows: list[list[float]]) -> list[float]:
    """The mean hit rate of each policy."""
    return [mean(column) for column in zip(*rows, strict=True)]


def main() -> None:
    """Print the whole table, and one of means."""
    by_trace = {name: hit_rates(name) for name in TRACES}
    without_loops = [rates for name, rows in by_trace.items() if "loop" not in name for rates in rows]
    print("| trace, cache |", " | ".join(_POLICIES), "|")
    print("|---|" + "--:|" * len(_POLICIES))
    for name, rows in by_trace.items():
        for share, rates in zip(SHARES, rows, strict=True):
            print(row(f"{name}, {share:.0%}", rates))
    print("\n| mean of four sizes |", " | ".join(_POLICIES), "|")
    print("|---|" + "--:|" * len(_POLICIES))
    for name, rows in by_trace.items():
        print(row(name, means(rows)))
    print(row("all", means([rates for rows in by_trace.values() for rates in rows])))
    print(row("all without a loop", means(without_loops)))


if __name__ == "__main__":
    main()
