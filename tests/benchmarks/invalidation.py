"""What invalidation costs, of a namespace, a key and an argument, at any size; and what readers see of it.

    python tests/benchmarks/invalidation.py            # up to 1,000,000 entries: some minutes
    python tests/benchmarks/invalidation.py --quick    # up to 100,000

Entries are like those that calls of the cached method make, but put in directly: that is quicker. Times are
in microseconds. The log is at WARNING, but for the rows that say otherwise: an invalidation that has dropped
something is a line at INFO.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import logging
import os
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from sql_tracking import copy_of_sqlite3

from wats_accel.cache.copying import Snapshot
from wats_accel.cache.entries import Entry
from wats_accel.testing import accelerated

Row = dict[str, Any]
Call = Callable[[], object]

SIZES: Final = (10, 1_000, 100_000, 1_000_000)
KEYS: Final = 400
"""How many keys are invalidated by themselves, of each size."""
RATE, READERS, SECONDS = 400, 2, 3.0
"""Calls in a second of each reading thread, their number, and how long they read."""
MASS_GOAL, EXACT_GOAL = 50, 5
WATS: Final = "wats_accel"


class Users:
    """Reads and writes that do nothing: a method that does more would hide what is around it."""

    database = "one"

    def get(self, user_id: int) -> int:
        """A read."""
        return user_id

    def role_of(self, user_id: int) -> int:
        """Of another namespace."""
        return user_id

    def rename(self, user_id: int, name: str = "") -> None:
        """A write that drops by its argument."""

    def rename_all(self, name: str = "") -> None:
        """A write that drops a namespace."""

    def beat(self, user_id: int) -> None:
        """A write that finds nothing to drop."""

    def plain(self, user_id: int) -> None:
        """A method that is not patched."""


def configuration(level: str) -> dict[str, Any]:
    """All that the rows need, by rules."""
    return {
        "version": 1,
        "logging": {"level": level},
        "cache": {
            "max_entries": 10 * SIZES[-1],
            "namespaces": {"users": {"ttl": "1h"}, "roles": {"ttl": "1h"}},
        },
        "repositories": [
            {
                "target": "benchmarked_users:Users",
                "scope": "self.database",
                "cached": {"get": "users", "role_of": "roles"},
                "invalidates": {
                    "rename": "users:get:{user_id}",
                    "rename_all": "users:*",
                    "beat": "roles:role_of:{user_id}",
                },
            }
        ],
    }


@contextlib.contextmanager
def in_use(level: str = "warning") -> Iterator[tuple[Any, Users]]:
    """An accelerator, by the computer's clock, and the object that is used."""
    module = sys.modules["benchmarked_users"] = ModuleType("benchmarked_users")
    kind = type("Users", (), {**vars(Users), "__module__": module.__name__})
    module.Users = kind  # type: ignore[attr-defined]
    with accelerated(configuration(level), clock=time.monotonic) as accelerator:
        yield accelerator, kind()


def fill(accelerator: Any, users: Users, size: int) -> None:
    """Have answers for so many users, as calls would have left them."""
    region = accelerator._assembly.context.caches.of_target("benchmarked_users:Users.get")
    users.get(0)
    (entry,) = (known for known in region._store.entries() if known.key[1] == 0)
    with region.lock:
        for number in range(1, size):
            region.keep(Entry(entry.home, number, Snapshot(number, None), entry.due_at))
    before = accelerator.stats().total.misses
    assert [users.get(size - 1), len(region)] == [size - 1, size]
    assert accelerator.stats().total.misses == before


# -- measuring ---------------------------------------------------------------------------------------------


def microseconds(call: Call) -> float:
    """How long one call takes."""
    began = time.perf_counter_ns()
    call()
    return (time.perf_counter_ns() - began) / 1e3


def row(name: str, peer: str, found: Sequence[float], goal: float | None = None) -> Row:
    """One row; the value is the median."""
    median = statistics.median(found)
    return {
        "name": name, "goal": goal, "value": median, "unit": "µs", "min": min(found), "median": median,
        "peer": peer,
    }  # fmt: skip


def of_a_loop(call: Call, *, calls: int = 50, rounds: int = 400) -> list[float]:
    """Microseconds of one call, by rounds."""

    def loop() -> None:
        for _ in range(calls):
            call()

    return [microseconds(loop) / calls for _ in range(rounds)]


# -- invalidation at each size -----------------------------------------------------------------------------


def at_size(accelerator: Any, users: Users, size: int) -> Iterator[Row]:
    """All of the namespace, one key, and one argument of a write; the namespace has so many entries."""
    drop_all, drop_one, write = [], [], []
    for turn in range({10: 200, 1_000: 50, 100_000: 5}.get(size, 3)):
        fill(accelerator, users, size)
        if not turn:
            drop_one += of_each_key(users, lambda key: accelerator.invalidate(f"users:get:{key}"), size)
            write += of_each_key(users, users.rename, size)
        drop_all.append(microseconds(functools.partial(accelerator.invalidate, "users:*")))
    yield row(f"a namespace of {size:,} entries", WATS, drop_all, MASS_GOAL)
    yield row(f"one key of {size:,}", WATS, drop_one, EXACT_GOAL)
    yield row(f"a write whose rule is `users:get:{{user_id}}`, {size:,} entries", WATS, write)


def of_each_key(users: Users, drop: Callable[[int], object], size: int) -> list[float]:
    """Microseconds of dropping one entry of those that there are; ten of them are dropped in a row."""
    found = []
    for turn in range(KEYS // 10):
        keys = [(10 * turn + number) * 7_919 % size for number in range(10)]

        def drop_each(keys: list[int] = keys) -> None:
            for key in keys:
                drop(key)

        found.append(microseconds(drop_each) / len(keys))
        for key in keys:
            users.get(key)
    return found


# -- other libraries ---------------------------------------------------------------------------------------


def peers() -> dict[str, Callable[[int], Call]]:
    """By name, what fills a cache with so many entries and gives what empties it; of what is installed."""
    found: dict[str, Callable[[int], Call]] = {"functools.lru_cache": _lru_cache}
    for name, module, fill in (
        ("cachetools", "cachetools", _cachetools),
        ("cachebox", "cachebox", _cachebox),
        ("dogpile.cache", "dogpile.cache", _dogpile),
    ):
        with contextlib.suppress(ImportError):
            found[name] = functools.partial(fill, importlib.import_module(module))
    return found


def _lru_cache(size: int) -> Call:
    cached = functools.lru_cache(None)(str)
    for number in range(size):
        cached(number)
    return cached.cache_clear


def _cachetools(module: Any, size: int) -> Call:
    cache = module.TTLCache(2 * size, 3_600)
    for number in range(size):
        cache[number] = str(number)
    clear: Call = cache.clear
    return clear


def _cachebox(module: Any, size: int) -> Call:
    cache = module.TTLCache(2 * size, 3_600)
    for number in range(size):
        cache[number] = str(number)
    clear: Call = cache.clear
    return clear


def _dogpile(module: Any, size: int) -> Call:
    region = module.make_region().configure("dogpile.cache.memory", expiration_time=3_600)
    for number in range(size):
        region.set(str(number), str(number))
    return functools.partial(region.invalidate, hard=True)  # a time, before which nothing counts


def of_peers(sizes: Sequence[int]) -> Iterator[Row]:
    """What others take to forget all they have."""
    for name, fill in peers().items():
        for size in sizes:
            found = [microseconds(fill(size)) for _ in range(20 if size < 100_000 else 3)]
            yield row(f"a namespace of {size:,} entries", name, found)


# -- readers -----------------------------------------------------------------------------------------------


def corrected(read: Callable[[int], object], meanwhile: Call) -> list[float]:
    """Latencies of calls that are due at a fixed rate, from the moment when each was due.

    A call that another one holds up is late: from its own begin it would look quick.

    Args:
        read: one call; given its number.
        meanwhile: done once, when half of the time is over.
    """
    found: list[float] = []
    begin = time.perf_counter() + 0.05

    def reader(shift: float) -> None:
        for number in range(int(RATE * SECONDS)):
            due = begin + shift + number / RATE
            time.sleep(max(0.0, due - time.perf_counter()))  # calls come at a rate, whatever became of others
            read(number % 100)
            found.append((time.perf_counter() - due) * 1e6)

    threads = [threading.Thread(target=reader, args=(each / RATE / READERS,)) for each in range(READERS)]
    for thread in threads:
        thread.start()
    time.sleep(SECONDS / 2)  # in the middle of what the readers do
    meanwhile()
    for thread in threads:
        thread.join()
    return sorted(found)


def p99(latencies: Sequence[float]) -> float:
    """What 99 of 100 keep below."""
    return latencies[int(len(latencies) * 0.99)]


def of_readers(accelerator: Any, users: Users, size: int, rounds: int = 2) -> Iterator[Row]:
    """The corrected p99 of readers, of the namespace itself and of another one, with and without."""
    reads = {"of another namespace": users.role_of, "of that namespace": users.get}
    found: dict[tuple[str, str], list[float]] = {}
    for _ in range(rounds):
        for whose, read in reads.items():
            fill(accelerator, users, size)
            quiet = corrected(read, lambda: None)
            amid = corrected(read, lambda: accelerator.invalidate("users:*"))
            found.setdefault((whose, "without"), []).append(p99(quiet))
            found.setdefault((whose, "with"), []).append(p99(amid))
    for (whose, how), latencies in found.items():
        name = f"p99 of readers {whose}, {how} an invalidation of {size:,} entries"
        yield row(name, WATS, latencies)


# -- writes ------------------------------------------------------------------------------------------------


def of_writes(users: Users, how: str) -> Iterator[Row]:
    """What a rule adds to a write that does nothing."""
    plain = statistics.median(of_a_loop(lambda: users.plain(5)))

    def above(call: Call) -> list[float]:
        return [found - plain for found in of_a_loop(call)]

    def read_and_write() -> None:
        users.get(5)
        users.rename(5)

    for number in range(10):
        users.get(number)
    yield row(f"a write with a rule, nothing to drop{how}", WATS, above(lambda: users.beat(5)))
    found = [each - plain for each in of_each_key(users, users.rename, 10)]
    yield row(f"a write with a rule, one entry to drop{how}", WATS, found)
    yield row(f"a write with a rule, and a miss{how}", WATS, above(read_and_write))


def of_statements() -> Iterator[Row]:
    """What a statement that writes costs: by the driver, by the pool, and where the SQL decides."""
    modes = {"rules": "sqlite3_by_rules", "sql": "sqlite3_by_sql"}
    module = sys.modules["benchmarked_shops"] = ModuleType("benchmarked_shops")
    with contextlib.ExitStack() as stack:
        path = str(Path(stack.enter_context(tempfile.TemporaryDirectory())) / "shop.db")
        cursors = {"the driver itself": _cursor(importlib.import_module("sqlite3"), path)}
        for mode, driver in modes.items():
            shop = type("Shop", (), {"names": lambda self: [], "__module__": module.__name__})
            module.Shop = shop  # type: ignore[attr-defined]
            copy = copy_of_sqlite3(driver)
            stack.enter_context(accelerated(_tracked(mode, driver), clock=time.monotonic))
            cursors[f"{WATS}, mode {mode}"] = _cursor(copy, path)
        found: dict[str, list[float]] = {name: [] for name in cursors}
        for _ in range(400):
            for name, cursor in cursors.items():
                found[name] += of_a_loop(lambda cursor=cursor: cursor.execute(_UPDATE), calls=25, rounds=1)
    for name, times in found.items():
        yield row("a statement that changes what nobody reads", name, times)


_UPDATE: Final = "UPDATE item SET seen = 1 WHERE id = 1"  # there is none: the disk would hide all else


def _cursor(driver: Any, path: str) -> Any:
    cursor = driver.connect(path, isolation_level=None).cursor()
    cursor.execute("PRAGMA synchronous = OFF")
    cursor.execute("CREATE TABLE IF NOT EXISTS item (id INTEGER PRIMARY KEY, seen INTEGER)")
    return cursor


def _tracked(mode: str, driver: str) -> dict[str, Any]:
    return {
        "version": 1,
        "logging": {"level": "warning"},
        "pool": [{"connect": f"{driver}:connect"}],
        "invalidation": mode,
        "sql": {"assume_plain_tables": True},
        "cache": {"namespaces": {"all": {"ttl": "1h"}}},
        "repositories": [{"target": "benchmarked_shops:Shop", "cached": {"names": "all"}}],
    }


# -- all ---------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def logging_to_nowhere() -> Iterator[None]:
    """A handler, without which lines are kept until there is one."""
    with open(os.devnull, "w", encoding="utf-8") as nowhere:
        handler = logging.StreamHandler(nowhere)
        logging.getLogger().addHandler(handler)
        try:
            yield
        finally:
            logging.getLogger().removeHandler(handler)


def main() -> list[Row]:
    """Measure all, print it, and give the rows."""
    sizes = SIZES[:-1] if "--quick" in sys.argv else SIZES
    rows: list[Row] = []
    with logging_to_nowhere():
        with in_use() as (accelerator, users):
            for size in sizes:
                rows += at_size(accelerator, users, size)
            rows += of_readers(accelerator, users, sizes[-1])
            rows += of_writes(users, "")
        with in_use("info") as (_, users):
            rows += of_writes(users, ", log at INFO")
    rows += of_statements()
    rows += of_peers(sizes)
    for known in rows:
        goal = "" if known["goal"] is None else f"  goal {known['goal']}"
        print(f"{known['min']:12,.2f}{known['median']:12,.2f}  {known['peer']}: {known['name']}{goal}")
    return rows


if __name__ == "__main__":
    main()
