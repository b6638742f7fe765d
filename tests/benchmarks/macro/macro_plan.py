"""What a run of the macro benchmark consists of, whole or quick, and the runs themselves."""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from macro_database import Database, private_database
from macro_designs import DESIGNS
from macro_processes import run_script
from macro_scale import ENTRIES, METHODS, THREADS

Results = dict[str, Any]
Tell = Callable[[str], None]

SEED: Final = 1
OF_THE_RUSH: Final = tuple(design.name for design in DESIGNS if design.name != "wired")
"""What most answers of are wrong has no latencies worth comparing."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Sizes.

    Attributes:
        hours: how much of the simulated day is written down.
        calls: for each round trip in milliseconds, how many of the day's first calls are made.
        rates: calls a second that arrive in the rush, for `rush_seconds`, at `rush_round_trip_ms`.
        scale: for each kind of size, the sizes; `scale_rounds` of each, of which the quickest counts.
    """

    hours: float
    calls: Mapping[float, int]
    rates: tuple[int, ...]
    rush_seconds: float
    scale: Mapping[str, tuple[int, ...]]
    scale_rounds: int
    rush_round_trip_ms: float = 5.0
    rush_threads: int = 8


# The slower the network, the fewer calls; for every design the same ones.
WHOLE: Final = Plan(
    hours=4.0,
    calls=MappingProxyType({0: 2000, 1: 1200, 5: 500, 20: 200}),
    rates=(20, 60, 120),
    rush_seconds=6.0,
    scale=MappingProxyType({"threads": THREADS, "entries": ENTRIES, "methods": METHODS}),
    scale_rounds=3,
)
QUICK: Final = Plan(
    hours=0.25,
    calls=MappingProxyType({0: 60, 5: 60}),
    rates=(20,),
    rush_seconds=2.0,
    scale=MappingProxyType({"threads": (1, 8), "entries": (10, 10_000), "methods": (1, 100)}),
    scale_rounds=1,
)


def measure(plan: Plan, tell: Tell) -> Results:
    """Everything, on a server that is started for it and stopped after it.

    Args:
        tell: is given a line before each step.

    Raises:
        RunFailedError: a process of ours failed.
    """
    begin = time.perf_counter()
    tell("starting a private PostgreSQL server")
    with private_database(SEED) as database:
        results = {**_on_the_database(database, plan, tell), "scale": _scale(plan, tell)}
    return {**results, "seconds": time.perf_counter() - begin}


def _on_the_database(database: Database, plan: Plan, tell: Tell) -> Results:
    tell(f"living through {plan.hours:g} simulated hours")
    trace = database.live_one_day(SEED, plan.hours)
    return {
        "trace": {"seed": SEED, "hours": plan.hours, "calls": len(trace.steps)},
        "round_trips": {f"{ms:g}": database.round_trip_ms(ms) for ms in plan.calls},
        "day": list(_days(database, plan, tell)),
        "stale": _stale(database, plan, tell),
        "rush": list(_rushes(database, plan, tell)),
        "versions": database.versions(),
    }


def _days(database: Database, plan: Plan, tell: Tell) -> Iterator[Results]:
    for round_trip_ms, calls in plan.calls.items():
        for design in DESIGNS:
            tell(f"{round_trip_ms:g} ms, {calls} calls: {design.title}")
            options = ("--design", design.name, "--calls", str(calls))
            yield {"round_trip_ms": round_trip_ms, **database.run("macro_replay.py", round_trip_ms, *options)}


def _stale(database: Database, plan: Plan, tell: Tell) -> Results:
    """The naive design, with callers that leave their lists as they are: what differs now is old."""
    calls = plan.calls[0]
    tell(f"0 ms, {calls} calls: the naive design, with callers that change nothing")
    options = ("--design", "naive", "--calls", str(calls), "--callers-change-nothing")
    return database.run("macro_replay.py", 0, *options)


def _rushes(database: Database, plan: Plan, tell: Tell) -> Iterator[Results]:
    for rate in plan.rates:
        for name in OF_THE_RUSH:
            tell(f"{plan.rush_round_trip_ms:g} ms, {rate} calls a second: {name}")
            options = ("--design", name, "--rate", str(rate), "--seconds", str(plan.rush_seconds))
            threads = ("--threads", str(plan.rush_threads))
            yield database.run("macro_rush.py", plan.rush_round_trip_ms, *options, *threads)


def _scale(plan: Plan, tell: Tell) -> dict[str, list[Results]]:
    return {kind: list(_sizes(kind, plan, tell)) for kind in plan.scale}


def _sizes(kind: str, plan: Plan, tell: Tell) -> Iterator[Results]:
    for size in plan.scale[kind]:
        tell(f"scale: {size:,} {kind}")
        yield json.loads(run_script("macro_scale.py", kind, str(size), str(plan.scale_rounds)))


@contextlib.contextmanager
def without_switches() -> Iterator[None]:
    """Settings of whoever calls us are not in effect: neither switches, nor another database."""
    kept = {name: value for name, value in os.environ.items() if name.startswith(("WATS_ACCEL", "DB_"))}
    for name in kept:
        del os.environ[name]
    try:
        yield
    finally:
        os.environ.update(kept)
