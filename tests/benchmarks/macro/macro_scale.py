"""How each cost grows with threads, with entries, and with patched methods; each size in its own process.

Costs are those of a call of the patched method, in nanoseconds, with the loop that makes it; its own body
costs next to nothing. They are processor time, except with threads, where waiting for each other is what is
looked for. Of several rounds the quickest counts, since what else the machine does only adds.
`functools.lru_cache` on a bound method is measured beside it: what grows there too is the machine's doing.
"""

from __future__ import annotations

import functools
import gc
import json
import sys
import threading
import time
from collections.abc import Callable, Mapping
from random import Random
from types import MappingProxyType, ModuleType
from typing import Any, Final

from latencies import percentile
from scale_stage import (
    MODULE,
    Store,
    accelerated_store,
    log_as_programs_do,
    module_of,
    naive_store,
    names,
    nanoseconds,
    nanoseconds_of,
    work_clock,
)

THREADS: Final = (1, 2, 4, 8, 16, 32, 64)
ENTRIES: Final = (10, 100, 1_000, 10_000, 100_000, 1_000_000)
METHODS: Final = (1, 5, 20, 100, 500)

COSTS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "threads": ("hit", "p99 of hits", "miss", "drop one key", "lru_cache hit"),
        "entries": (
            "hit", "miss", "drop one key", "drop namespace", "naive hit", "naive miss",
            "naive drop namespace", "lru_cache hit",
        ),
        "methods": ("hit", "miss", "drop namespace", "install", "uninstall"),
    }
)  # fmt: skip
"""What is told of each size, in nanoseconds."""

_CALLS: Final = 100_000
_MISSES: Final = 10_000
_DROPS: Final = 1_000
_FEWEST_LOADS: Final = 1_000
_MOST_LOADS: Final = 200_000
_METHODS_OF_A_CLASS: Final = 10

Row = dict[str, float]
Measurement = Callable[[int, int], Row]


# -- entries ----------------------------------------------------------------------------------------------


def with_entries(count: int, rounds: int) -> Row:
    """A cache that holds so many entries."""
    keys = names(count)
    asked = [keys[number] for number in _places(count)]
    dropped = Random(2).sample(keys, min(count, _DROPS))
    with accelerated_store() as (store, _):
        misses, exact, drops = [], [], []
        for left in reversed(range(_rounds_of_loading(count, rounds))):
            misses.append(nanoseconds(store.get, keys))
            if left == 0:
                hit = min(_hit(store, asked) for _ in range(rounds))
            exact.append(nanoseconds(store.change, dropped))
            _must_be_gone(store, dropped[0])
            drops.append(nanoseconds_of(store.change_all))
            _must_be_gone(store, keys[-1])
    return {
        "hit": hit,
        "miss": min(misses),
        "drop namespace": min(drops),
        "drop one key": min(exact),
        **_naive_with_entries(keys, asked, rounds),
        "lru_cache hit": _lru_with_entries(keys, asked, rounds),
    }


def _rounds_of_loading(count: int, rounds: int) -> int:
    """Few entries are loaded more often, so that their code is warm; very many only once."""
    return max(1, min(max(rounds, _FEWEST_LOADS // count), _MOST_LOADS // count))


def _places(count: int) -> list[int]:
    """Places in no order: a cache that is asked in the order it was filled in finds it all in the CPU's."""
    dice = Random(1)
    return [dice.randrange(count) for _ in range(_CALLS)]


def _hit(store: Store, asked: list[str]) -> float:
    before = store.loads
    taken = nanoseconds(store.get, asked)
    assert store.loads == before, "each of these was to be a hit"
    return taken


def _must_be_gone(store: Store, name: str) -> None:
    before = store.loads
    store.get(name)
    assert store.loads == before + 1, "the entry was to be dropped"


def _naive_with_entries(keys: list[str], asked: list[str], rounds: int) -> Row:
    with naive_store() as (store, _):
        miss = nanoseconds(store.get, keys)
        hit = min(_hit(store, asked) for _ in range(rounds))
        return {
            "naive hit": hit,
            "naive miss": miss,
            "naive drop namespace": nanoseconds_of(store.change_all),
        }


def _lru_with_entries(keys: list[str], asked: list[str], rounds: int) -> float:
    cached = _lru_store(keys)
    return min(nanoseconds(cached.get, asked) for _ in range(rounds))


def _lru_store(keys: list[str]) -> Any:
    members = {"get": functools.lru_cache(maxsize=None)(Store.get), "loads": 0}
    cached = type("Plain", (), members)()
    nanoseconds(cached.get, keys)
    return cached


# -- threads ----------------------------------------------------------------------------------------------


def with_threads(count: int, rounds: int) -> Row:
    """The same number of calls, shared out among so many threads."""
    keys = names(1_000)
    asked = [keys[place % len(keys)] for place in _places(_CALLS)]
    with accelerated_store() as (store, _):
        nanoseconds(store.get, keys)
        hit = min(_shared_out(store.get, asked, count) for _ in range(rounds))
        tail = min(_slow_ones(store.get, asked, count) for _ in range(rounds))
        assert store.loads == len(keys), "each of these was to be a hit"
        misses, drops = [], []
        for _ in range(rounds):
            store.change_all()
            misses.append(_shared_out(store.get, names(_MISSES), count))
            drops.append(_shared_out(store.change, names(_DROPS), count))
    lru = min(_shared_out(_lru_store(keys).get, asked, count) for _ in range(rounds))
    figures = {"hit": hit, "miss": min(misses), "drop one key": min(drops)}
    return {**figures, "p99 of hits": tail, "lru_cache hit": lru}


def _shared_out(call: Callable[[str], Any], arguments: list[str], threads: int) -> float:
    """Nanoseconds for each call of all: with one interpreter lock they take turns."""
    begin = _in_threads(lambda share: nanoseconds(call, share), arguments, threads)
    return (time.perf_counter_ns() - begin) / len(arguments)


def _slow_ones(call: Callable[[str], Any], arguments: list[str], threads: int) -> float:
    """The 99th percentile of single calls; the clock itself is in it."""
    times: list[float] = []

    def timed(share: list[str]) -> None:
        mine, clock = [], time.perf_counter_ns
        for argument in share:
            begin = clock()
            call(argument)
            mine.append(clock() - begin)
        times.extend(mine)

    _in_threads(timed, arguments, threads)
    return percentile(sorted(times), 99)


def _in_threads(work: Callable[[list[str]], Any], arguments: list[str], threads: int) -> int:
    """Have each thread work on its share; gives when all were let go, in nanoseconds."""
    begun = threading.Barrier(threads + 1)

    def one(share: list[str]) -> None:
        begun.wait()
        work(share)

    shares = [arguments[number::threads] for number in range(threads)]
    workers = [threading.Thread(target=one, args=(share,)) for share in shares]
    for worker in workers:
        worker.start()
    begin = time.perf_counter_ns()
    begun.wait()
    for worker in workers:
        worker.join()
    return begin


# -- methods ----------------------------------------------------------------------------------------------


def with_methods(count: int, rounds: int) -> Row:
    """So many patched methods, ten in each class, with one namespace and one entry each."""
    import wats_accel

    with accelerated_store():  # what is imported once is not what grows
        pass
    module = _module_of_methods(count)
    installs, uninstalls = [], []
    for _ in range(rounds):
        gc.collect()
        begin = work_clock()
        accelerator = wats_accel.install(_config_of_methods(count), strict=True)
        installs.append(work_clock() - begin)
        figures = _with_methods(module, count)
        assert accelerator.stats().total.misses == count, "each call after the first was to be a hit"
        uninstalls.append(nanoseconds_of(accelerator.uninstall))
    return {"install": float(min(installs)), "uninstall": min(uninstalls), **figures}


def _with_methods(module: ModuleType, count: int) -> Row:
    methods = _bound_methods(module, count)
    dice = Random(1)
    asked = [dice.choice(methods) for _ in range(_CALLS // 5)]
    miss = nanoseconds(_called, methods)
    hit = nanoseconds(_called, asked)
    change = module.Class0("server=one").change_all
    return {"hit": hit, "miss": miss, "drop namespace": nanoseconds_of(change)}


def _called(method: Callable[[str], Any]) -> None:
    method("a name")


def _bound_methods(module: ModuleType, count: int) -> list[Callable[[str], Any]]:
    return [
        getattr(getattr(module, f"Class{number // _METHODS_OF_A_CLASS}")("server=one"), f"get_{number}")
        for number in range(count)
    ]


def _module_of_methods(count: int) -> ModuleType:
    lines = []
    for number in range(count):
        if number % _METHODS_OF_A_CLASS == 0:
            lines += [f"class Class{number // _METHODS_OF_A_CLASS}:"]
            lines += ["    def __init__(self, database): self.database = database"]
            lines += ["    def change_all(self): return True"]
        lines += [f"    def get_{number}(self, name): return (name, 1, None)"]
    module = module_of()
    exec("\n".join(lines), vars(module))
    for member in vars(module).values():
        if isinstance(member, type):
            member.__module__ = MODULE
    return module


def _config_of_methods(count: int) -> dict[str, Any]:
    repositories = [
        {
            "target": f"{MODULE}:Class{first // _METHODS_OF_A_CLASS}",
            "scope": "self.database",
            "cached": {
                f"get_{number}": "stock" for number in range(first, min(first + _METHODS_OF_A_CLASS, count))
            },
            "invalidates": {"change_all": ["stock:*"]},
        }
        for first in range(0, count, _METHODS_OF_A_CLASS)
    ]
    cache = {"default_ttl": "1h", "namespaces": {"stock": {"max_entries": 10_000}}}
    return {"version": 1, "cache": cache, "repositories": repositories}


MEASUREMENTS: Final[dict[str, Measurement]] = {
    "threads": with_threads,
    "entries": with_entries,
    "methods": with_methods,
}


def main() -> None:
    """One size of one kind, as JSON; for processes of `run_macro`."""
    kind, size, rounds = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    log_as_programs_do()
    print(json.dumps({"size": size, **MEASUREMENTS[kind](size, rounds)}))


if __name__ == "__main__":
    main()
