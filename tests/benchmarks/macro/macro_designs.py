"""The designs that are measured, and how each is put on the example."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[3]
CONFIG: Final = ROOT / "config" / "wats.yaml"
NAIVE: Final = Path(__file__).resolve().parents[1] / "naive"

Clock = Callable[[], float]
Statistics = Callable[[], dict[str, int]]


@dataclass(frozen=True, slots=True)
class Design:
    """One way to make the example faster, or none.

    Attributes:
        put_on: given the clock of the cache, in effect for a ``with`` block; gives hits, misses and the like.
    """

    name: str
    title: str
    put_on: Callable[[Clock], Any]


@contextmanager
def _nothing(clock: Clock) -> Iterator[Statistics]:
    yield dict


def _parts_of_config(*parts: str) -> dict[str, Any]:
    import yaml  # only where a design is put on: charts are drawn without it

    whole = yaml.safe_load(CONFIG.read_text(encoding="utf-8"))
    return {part: whole[part] for part in ("version", "logging", *parts)}


@contextmanager
def _accelerated(config: Path | dict[str, Any], clock: Clock) -> Iterator[Statistics]:
    import wats_accel  # only here: the other designs shall not even import it

    with wats_accel.installed(config, strict=True, clock=clock) as accelerator:
        yield lambda: _counts(accelerator.stats().total)


def _counts(total: Any) -> dict[str, int]:
    return {"hits": total.hits, "misses": total.misses, "invalidated": total.invalidated}


@contextmanager
def _naive(clock: Clock, *, wired_in: bool) -> Iterator[Statistics]:
    sys.path.append(str(NAIVE))
    import pyodbc
    from naive_design import NaiveCache, NaivePool, apply_to, wire_in
    from src.wats.config.settings import Settings
    from src.wats.db.database_manager import DatabaseManager

    dsn = DatabaseManager(Settings()).connection_string
    cache = NaiveCache(log_calls=False, clock=clock)  # they soon deleted those lines
    pool = NaivePool(lambda: pyodbc.connect(dsn))
    with ExitStack() as stack:
        stack.callback(pool.close)
        stack.enter_context(apply_to(*_repositories(), cache=cache))
        if wired_in:
            stack.enter_context(wire_in(DatabaseManager, pool))
        yield lambda: {name: cache.stats()[name] for name in ("hits", "misses")}


def _repositories() -> list[type]:
    from src.wats.db.repositories.connection_repository import ConnectionRepository
    from src.wats.db.repositories.group_repository import GroupRepository
    from src.wats.db.repositories.individual_permission_repository import IndividualPermissionRepository
    from src.wats.db.repositories.user_repository import UserRepository

    return [ConnectionRepository, GroupRepository, IndividualPermissionRepository, UserRepository]


DESIGNS: Final = (
    Design("unpatched", "unpatched", _nothing),
    Design("pool", "pool only", lambda clock: _accelerated(_parts_of_config("pool"), clock)),
    Design(
        "cache", "cache only", lambda clock: _accelerated(_parts_of_config("cache", "repositories"), clock)
    ),
    Design("both", "cache and pool", lambda clock: _accelerated(CONFIG, clock)),
    Design("naive", "naive, as it was", lambda clock: _naive(clock, wired_in=False)),
    Design("wired", "naive, its pool wired in", lambda clock: _naive(clock, wired_in=True)),
)


def design_of(name: str) -> Design:
    """The design of this name; raises KeyError if there is none."""
    return {design.name: design for design in DESIGNS}[name]
