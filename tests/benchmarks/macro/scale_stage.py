"""What the measurements of scale are made on: a class whose reads and writes cost nothing, accelerated.

Nothing is left out that a program has: it is installed by the public door, the scope tells databases apart,
entries are bounded, and the log is at INFO with a handler.
"""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any, Final

NAIVE: Final = Path(__file__).resolve().parents[1] / "naive"
MODULE: Final = "scale_app"
MOST_ENTRIES: Final = 2_000_000
_FINE: Final = time.get_clock_info("process_time").resolution < 1e-6
work_clock: Final[Callable[[], int]] = time.process_time_ns if _FINE else time.perf_counter_ns
"""The processor's time for this process, which other processes do not add to. On Windows it is too coarse."""
_ANSWER: Final = ("a row", 1, None)


class Store:
    """One cached read, and three writes: of one key, of the namespace, and one that no rule names."""

    def __init__(self, database: str) -> None:
        self.database = database
        self.loads = 0

    def get(self, name: str) -> tuple[Any, ...]:
        """The cached read."""
        self.loads += 1
        return _ANSWER

    def change(self, name: str) -> bool:
        """Drops the entry of this name."""
        return True

    def change_all(self) -> bool:
        """Drops the namespace."""
        return True


CONFIG: Final[dict[str, Any]] = {
    "version": 1,
    "cache": {"default_ttl": "1h", "namespaces": {"stock": {"max_entries": MOST_ENTRIES}}},
    "repositories": [
        {
            "target": f"{MODULE}:Store",
            "scope": "self.database",
            "cached": {"get": "stock"},
            "invalidates": {"change": ["stock:get:{name}"], "change_all": ["stock:*"]},
        }
    ],
}


def log_as_programs_do() -> None:
    """INFO, with a handler that formats each line."""
    logging.basicConfig(level=logging.INFO, filename=os.devnull, format="%(asctime)s %(message)s")


def module_of(**members: Any) -> ModuleType:
    """Make the module that configurations name."""
    module = ModuleType(MODULE)
    vars(module).update(members)
    sys.modules[MODULE] = module
    return module


@contextmanager
def accelerated_store() -> Iterator[tuple[Store, Any]]:
    """An accelerated store, and the accelerator."""
    import wats_accel

    module = module_of(Store=type("Store", (), dict(vars(Store))))
    with wats_accel.installed(CONFIG, strict=True) as accelerator:
        yield module.Store("server=one"), accelerator


@contextmanager
def naive_store() -> Iterator[tuple[Store, Any]]:
    """A store with the naive design, and its cache."""
    sys.path.append(str(NAIVE))
    from naive_design import NaiveCache

    cache = NaiveCache(log_calls=False)
    members = dict(vars(Store))
    members["get"] = cache.cached("stock", 3600)(Store.get)
    members["change_all"] = cache.invalidates("stock*")(Store.change_all)
    yield type("Store", (), members)("server=one"), cache


def nanoseconds(call: Callable[..., Any], arguments: list[Any]) -> float:
    """What one call costs, with one of the arguments each; what the loop itself costs is in it."""
    begin = work_clock()
    for argument in arguments:
        call(argument)
    return (work_clock() - begin) / max(1, len(arguments))


def nanoseconds_of(call: Callable[[], Any]) -> float:
    """What one call costs."""
    begin = work_clock()
    call()
    return float(work_clock() - begin)


def names(count: int) -> list[str]:
    """So many different texts."""
    return [f"item-{number}" for number in range(count)]
