"""Many threads and calls that come when they come: latencies at a given rate of arrival, with one design.

When each call arrives is settled before the run, by the seed: gaps of a Poisson process. A thread that is
free takes the next one; it waits for its moment, or is late. A latency is counted from the moment at which
the call was to arrive, not from when a thread got round to it: so a slow answer also counts against those who
had to wait behind it, and nothing is left out because the one who measures was waiting himself. The time from
the beginning of the call alone, which leaves that out, is given beside it.

The calls are drawn from the day's: all reads, and the writes of sessions, which need no transaction. (The
example's transactions share one connection, and two threads in it undo each other's work.) Time is the real
one here: nothing expires in so few seconds, and every cache begins empty.
"""

from __future__ import annotations

import argparse
import json
import logging
import pickle
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, Final

from latencies import summary
from macro_replay import measured, repositories
from macro_trace import Step, Trace, outcome, put_example_on_path

SESSIONS: Final = frozenset({"insert_connection_log", "delete_connection_log", "update_heartbeat"})


@dataclass(frozen=True, slots=True)
class Arrival:
    """A call, and when it is to begin, in seconds after the start."""

    at_seconds: float
    step: Step


def arrivals(steps: Sequence[Step], rate: float, seconds: float, seed: int) -> list[Arrival]:
    """`rate` calls a second on the average, for so many seconds; the same seed gives the same ones."""
    dice = Random(seed)
    allowed = [step for step in steps if step.is_read or step.method in SESSIONS]
    found, now = [], dice.expovariate(rate)
    while now < seconds:
        found.append(Arrival(now, dice.choice(allowed)))
        now += dice.expovariate(rate)
    return found


class Rush:
    """Threads that make the calls as they arrive.

    Args:
        call: makes one call.
        clock: seconds; `wait` lets so many of them pass.
    """

    def __init__(
        self,
        calls: Sequence[Arrival],
        call: Callable[[Step], object],
        *,
        clock: Callable[[], float] = time.perf_counter,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        self._calls: Iterator[Arrival] = iter(calls)
        self._call = call
        self._clock = clock
        self._wait = wait
        self._lock = threading.Lock()
        self.latencies: list[float] = []
        self.service_times: list[float] = []

    def run(self, threads: int) -> float:
        """Make all calls; gives the seconds until the last one had ended."""
        begin = self._clock()
        workers = [threading.Thread(target=self._work, args=(begin,)) for _ in range(threads)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        return self._clock() - begin

    def _work(self, begin: float) -> None:
        while (arrival := self._next()) is not None:
            due_at = begin + arrival.at_seconds
            if (early := due_at - self._clock()) > 0:
                self._wait(early)
            began_at = self._clock()
            self._call(arrival.step)
            ended_at = self._clock()
            self.latencies.append(ended_at - due_at)
            self.service_times.append(ended_at - began_at)

    def _next(self) -> Arrival | None:
        with self._lock:  # a generator or an iterator is not to be asked by two at once
            return next(self._calls, None)


def run(design: str, calls: Sequence[Arrival], threads: int) -> dict[str, Any]:
    """Make these calls with this design; gives everything that was measured."""
    with measured(design, time.monotonic) as (meter, statistics):
        objects = repositories()

        def call(step: Step) -> None:
            args, kwargs = pickle.loads(step.given)
            outcome(getattr(objects[step.repository], step.method), *args, **kwargs)

        rush = Rush(calls, call)
        seconds = rush.run(threads)
        own = statistics()
    return {
        "design": design,
        "threads": threads,
        "calls": len(calls),
        "seconds": seconds,
        "latency": summary(rush.latencies),
        "service": summary(rush.service_times),
        "connections": meter.connections,
        "selects": meter.selects,
        "own": own,
    }


def main() -> None:
    """The command line, for processes of `macro_database`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--design", required=True)
    parser.add_argument("--trace", type=Path, required=True)
    parser.add_argument("--log-file", type=Path, required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--rate", type=float, required=True, help="calls a second")
    parser.add_argument("--seconds", type=float, required=True)
    options = parser.parse_args()
    put_example_on_path()
    logging.basicConfig(level=logging.INFO, filename=options.log_file, encoding="utf-8")
    trace = Trace.load(options.trace)
    calls = arrivals(trace.steps, options.rate, options.seconds, trace.seed)
    result = run(options.design, calls, options.threads)
    print(json.dumps({**result, "rate": options.rate}))


if __name__ == "__main__":
    main()
