"""What runs under callgrind: each kind of call so many times, and twice as many, between marks.

Its argument is a folder; the folder of `measured_application` is on the path. To count the instructions of
all the imports would take a minute. So the counting is off until this program has said "ready", and whoever
has started it has switched it on and made the file "go" in that folder. A mark is a call of `getppid`, before
which callgrind writes down what it has counted.
"""

from __future__ import annotations

import contextlib
import functools
import gc
import itertools
import os
import sqlite3
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from interleaved import loop
from measured_application import (
    ByDatabase,
    Repository,
    Roomy,
    SwitchedOff,
    configuration,
    in_production,
)
from tables import rows

CALLS, SLOW_CALLS = 200, 30
TURNS = 3
"""How often all this: what is done now and then (a sweep, a larger table) is not in each of them."""
WARM_UP = 60
"""Calls until Python has specialised its code."""
_POOL = 'pool:\n  - {connect: "sqlite3:connect", size: 5, max_overflow: 10}\n'
_CHECKOUT = "connection = connect(path); cursor = connection.cursor(); cursor.close(); connection.close()"
Run = Callable[[int], object]


def _misses() -> Run:
    repository, numbers = Roomy(str.title), itertools.count()

    def run(count: int) -> None:
        for number in itertools.islice(numbers, count):
            repository.get(f"name {number}")

    return run


def runs(folder: Path) -> dict[str, tuple[int, Run]]:
    """What is counted, by name, and how often. The first one is what the others are measured by."""
    same, path = rows(), str(folder / "counted.db")
    of_a_list, of_a_text = ByDatabase(lambda name: list(same)), ByDatabase(str.title)
    by_keywords = "repository.find(name=name, active=True, limit=100)"
    get, hit = "repository.get(name)", {"repository": of_a_text, "name": "ann"}
    return {
        "lru_cache": (CALLS, loop(get, repository=_cached_by_functools()(str.title), name="ann")),
        "hit, a text": (CALLS, loop(get, **hit)),
        "hit, a list of 200": (CALLS, loop(get, repository=of_a_list, name="ann")),
        "hit, keywords": (CALLS, loop(by_keywords, **hit)),
        "switched off": (CALLS, loop(get, repository=SwitchedOff(str), name="ann")),
        "miss and store": (SLOW_CALLS, _misses()),
        "pooled checkout": (SLOW_CALLS, loop(_CHECKOUT, connect=sqlite3.connect, path=path)),
    }


def _cached_by_functools() -> type[Repository]:
    class Cached(Repository):
        get = functools.lru_cache(Repository.get)

    return Cached


@contextlib.contextmanager
def installed(folder: Path) -> Iterator[None]:
    """As in production, with a pool, but for the state file: it is written by time, which here flies."""
    text = configuration().replace("cache:\n", f"status: false\n{_POOL}cache:\n", 1)
    with in_production(folder, text) as accelerator:
        accelerator.disable("SwitchedOff:*")
        yield


def main(folder: Path) -> None:
    """Warm everything up, wait for the counting to begin, and run it all."""
    with installed(folder):
        counted = runs(folder)
        for _, run in counted.values():
            run(WARM_UP)
        gc.collect()
        gc.freeze()
        print("ready", flush=True)
        while not (folder / "go").exists():  # not asleep: callgrind hears of nothing then
            pass
        for _ in range(TURNS):
            for calls, run in counted.values():
                os.getppid()
                run(calls)
                os.getppid()
                run(2 * calls)
        os.getppid()
        lines = [f"{calls} {name}" for name, (calls, _) in counted.items()]
        print(*lines * TURNS, sep="\n", flush=True)
        os._exit(0)  # taking everything down would be counted, too


if __name__ == "__main__":
    main(Path(sys.argv[1]))
