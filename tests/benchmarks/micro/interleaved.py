"""Time several things side by side: a round of each in turn, so that what else goes on meets all of them."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Mapping
from itertools import repeat
from time import perf_counter
from typing import Any

_SHARE = 0.1 if os.environ.get("WATS_ACCEL_BENCH") == "quick" else 1.0
ROUNDS = 150
ROUND_SECONDS = 0.001
"""How long one round of one thing is to last."""
_CALIBRATIONS = 3

Run = Callable[[int], float]
"""Does something so many times; gives the seconds that it took."""

_LOOP = """
def run(_count):
    _began = _clock()
    for _ in _repeat(None, _count):
        {statement}
    return _clock() - _began
"""


def loop(statement: str, **names: Any) -> Run:
    """Runs a statement as an application would: no function around it that would be measured, too."""
    namespace = {**names, "_clock": perf_counter, "_repeat": repeat}
    exec(_LOOP.format(statement=statement), namespace)
    run: Run = namespace["run"]
    return run


def calls_in(run: Run, seconds: float) -> int:
    """How many calls take about so long; it warms up what is called."""
    count = 1
    while (took := run(count)) < seconds / 4 and count < 10_000_000:
        count *= 4
    return max(1, round(count * seconds / max(took, 1e-9)))


def side_by_side(
    runs: Mapping[str, Run],
    rounds: int = ROUNDS,
    seconds: float = ROUND_SECONDS,
    counts: Mapping[str, int] | None = None,
) -> dict[str, list[float]]:
    """Seconds for one call of each, once for each round.

    The garbage collector runs as it does in production. Nobody is always first, or always after the same one.

    Args:
        runs: what is to be timed, by name.
        rounds: how often each has its turn.
        seconds: how long a turn is to last.
        counts: how many calls a turn has, where that is not left to `seconds`.
    """
    if counts is None:
        counts = {
            name: max(calls_in(run, seconds) for _ in range(_CALIBRATIONS)) for name, run in runs.items()
        }
    names = list(runs)
    samples: dict[str, list[float]] = {name: [] for name in names}
    gc.collect()
    for number in range(max(5, round(rounds * _SHARE))):
        at = number % len(names)
        for name in names[at:] + names[:at]:
            samples[name].append(runs[name](counts[name]) / counts[name])
    return samples
