"""One measured run: the calls of a trace, one after the other, with one design, in a process of its own."""

from __future__ import annotations

import argparse
import importlib
import json
import logging
import pickle
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import Any, Final

from latencies import summary
from macro_designs import Clock, Statistics, design_of
from macro_trace import Step, Trace, digest, outcome, put_example_on_path

LOG_FORMAT: Final = "%(asctime)s [%(levelname)s] %(filename)s:%(lineno)d - %(message)s"
_LISTS_KEPT: Final = 64
_METERED: Final = ("connections", "selects", "others", "pings")


class Replay:
    """Calls what was called, and compares the answers.

    Args:
        callers_change: do what callers did to the lists that they were given.
    """

    def __init__(self, repositories: dict[str, Any], time: Any, *, callers_change: bool = True) -> None:
        self._repositories = repositories
        self._time = time
        self._callers_change = callers_change
        self._lists: dict[int, list[Any]] = {}
        self.seconds: dict[bool, list[float]] = {True: [], False: []}
        self.different: list[str] = []

    def run(self, steps: Sequence[Step]) -> None:
        """Make all these calls, each at its simulated time."""
        for number, step in enumerate(steps):
            self._time.advance(step.at_seconds - self._time.monotonic())
            self._change_lists(step)
            answer, seconds = self._timed(step)
            self.seconds[step.is_read].append(seconds)
            if digest(answer) != step.answer:
                self.different.append(f"{step.repository}.{step.method}")
            if isinstance(answer, list):
                self._lists[number] = answer
                self._lists.pop(number - _LISTS_KEPT, None)

    def _timed(self, step: Step) -> tuple[Any, float]:
        args, kwargs = pickle.loads(step.given)
        method = getattr(self._repositories[step.repository], step.method)
        begin = perf_counter()
        answer = outcome(method, *args, **kwargs)
        return answer, perf_counter() - begin

    def _change_lists(self, step: Step) -> None:
        if not self._callers_change:
            return
        for change in step.changes:
            if change.of_step in self._lists:
                change.apply(self._lists[change.of_step])


def repositories() -> dict[str, Any]:
    """The example's repository objects by their classes' names, as its window and panels have them."""
    from src.wats.config.settings import Settings
    from src.wats.db.db_service import DBService
    from src.wats.db.repositories.individual_permission_repository import IndividualPermissionRepository

    service = DBService(Settings())
    found = (service.users, service.groups, service.logs, service.connections)
    permissions = IndividualPermissionRepository(service.db_manager)
    return {type(repository).__name__: repository for repository in (*found, permissions)}


@contextmanager
def measured(design: str, clock: Clock) -> Iterator[tuple[Any, Statistics]]:
    """The design in effect, above a meter: gives the meter and the design's own figures."""
    from simulation.metering import metered

    # The first pooled connection imports it. That belongs to a start, and not to some call's latency.
    importlib.import_module("sqlalchemy.pool")
    driver = importlib.import_module("pyodbc")
    driver.pooling = False
    with metered(driver) as meter, design_of(design).put_on(clock) as statistics:
        yield meter, statistics


def run(design: str, trace: Trace, calls: int, *, callers_change: bool) -> dict[str, Any]:
    """Make the first `calls` calls of the trace with this design; gives everything that was measured."""
    from simulation.clock import SimulatedTime, simulated_datetime

    time = SimulatedTime()
    with simulated_datetime(time), measured(design, time.monotonic) as (meter, statistics):
        replay = Replay(repositories(), time, callers_change=callers_change)
        begin = perf_counter()
        replay.run(trace.steps[:calls])
        seconds = perf_counter() - begin
        counts = {name: getattr(meter, name) for name in _METERED}
        own = statistics()
    return {
        "design": design,
        "calls": len(trace.steps[:calls]),
        "seconds": seconds,
        "reads": summary(replay.seconds[True]),
        "writes": summary(replay.seconds[False]),
        "different": len(replay.different),
        "different_methods": {name: replay.different.count(name) for name in sorted(set(replay.different))},
        **counts,
        "own": own,
    }


def main() -> None:
    """The command line, for processes of `macro_database`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--design", required=True)
    parser.add_argument("--trace", type=Path, required=True)
    parser.add_argument("--calls", type=int, required=True)
    parser.add_argument("--callers-change-nothing", action="store_true")
    parser.add_argument("--log-file", type=Path, required=True)
    options = parser.parse_args()
    put_example_on_path()
    handler = logging.FileHandler(options.log_file, encoding="utf-8")
    logging.basicConfig(level=logging.INFO, format=LOG_FORMAT, handlers=[handler])
    trace = Trace.load(options.trace)
    result = run(options.design, trace, options.calls, callers_change=not options.callers_change_nothing)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
