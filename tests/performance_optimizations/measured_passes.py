"""One pass over a list of calls: how long each took, what it answered, and what reached the database."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, fields
from pathlib import Path
from time import perf_counter
from types import ModuleType
from typing import Any, Final

from simulation.metering import Meter, metered
from simulation.recording import normalised

LOG_FORMAT: Final = "%(asctime)s [%(levelname)s] %(filename)s:%(lineno)d - %(message)s"


@dataclass(frozen=True, slots=True)
class Step:
    """One call: of the method `name`, on arguments that stand fast."""

    name: str
    action: Callable[[], Any]


@dataclass(slots=True)
class Pass:
    """What one pass over all steps took. Times are in seconds.

    Attributes:
        seconds: from the first call to the end of the last.
        times: of each step, in their order.
        answers: of each step, in a form that can be compared; empty where they were not asked for.
    """

    seconds: float = 0.0
    times: list[float] = field(default_factory=list)
    answers: list[Any] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Side:
    """One way of doing the same calls: its fastest pass, and the counts and answers of a pass of their own.

    Attributes:
        name: of the way: ``direct``, ``pooled`` …
        statements: of the application that reached the database.
        pools_own: statements of the pool itself: its tests of connections, and what puts a session in order.
        statistics: what the accelerator tells of itself; None without one.
    """

    name: str
    fastest: Pass
    answers: tuple[Any, ...]
    connections: int
    statements: int
    pools_own: int
    statistics: dict[str, Any] | None = None


class Way:
    """One way of doing calls; subclasses say how the calls are prepared.

    Attributes:
        name: for the report.
        log_file: where the counted pass logs, everything; the others log as an application does, at INFO.
    """

    name: str

    def __init__(self, name: str, log_file: Path) -> None:
        self.name = name
        self.log_file = log_file

    def refresh(self) -> None:
        """Have the database as it must be before the calls, if they change it; this is not counted."""

    def prepared(self) -> contextlib.AbstractContextManager[tuple[Iterable[Sequence[Step]], Any]]:
        """Everything installed: batches of steps, and the accelerator if there is one.

        The steps of one batch are done side by side, the batches one after the other.
        """
        raise NotImplementedError


def measure(ways: Sequence[Way], driver: ModuleType, *, rounds: int, threads: int) -> list[Side]:
    """Do the calls in each way once to count and compare, then `rounds` times in turns for the time."""
    counted = [_counted(way, driver, threads) for way in ways]
    fastest: dict[str, Pass] = {}
    for _ in range(rounds):
        for way in ways:
            way.refresh()
            with (
                _logging_to(way.log_file.with_suffix(".timed"), logging.INFO),
                way.prepared() as (batches, _),
            ):
                done = _run(batches, threads)
            if way.name not in fastest or done.seconds < fastest[way.name].seconds:
                fastest[way.name] = done
    return [_side(way.name, fastest[way.name], found) for way, found in zip(ways, counted, strict=True)]


@dataclass(frozen=True, slots=True)
class _Counted:
    answers: tuple[Any, ...]
    connections: int
    statements: int
    pools_own: int
    statistics: dict[str, Any] | None


def _side(name: str, fastest: Pass, counted: _Counted) -> Side:
    return Side(name, fastest, *(getattr(counted, field.name) for field in fields(counted)))


def _counted(way: Way, driver: ModuleType, threads: int) -> _Counted:
    way.refresh()
    # One meter lies below the pool, and sees what the driver is really asked for; one lies above it.
    with (
        _logging_to(way.log_file, logging.DEBUG),
        metered(driver) as below,
        way.prepared() as (batches, accelerator),
        metered(driver) as above,
    ):
        done = _run(batches, threads, keep_answers=True)
        statistics = accelerator.stats().as_dict() if accelerator else None
    statements = _statements(above)
    pools_own = _statements(below) - statements
    return _Counted(tuple(done.answers), below.connections, statements, pools_own, statistics)


def _statements(meter: Meter) -> int:
    return meter.selects + meter.others + meter.pings


def _run(batches: Iterable[Sequence[Step]], threads: int, *, keep_answers: bool = False) -> Pass:
    done = Pass()
    one = _answering if keep_answers else _timing
    with ThreadPoolExecutor(threads) as crowd:
        _wake(crowd, threads)
        begin = perf_counter()
        for batch in batches:
            if len(batch) == 1 or threads == 1:
                results = list(map(one, batch))
            else:
                shares = [batch[number::threads] for number in range(threads)]
                results = _interleaved(list(crowd.map(lambda share: [one(step) for step in share], shares)))
            done.times += [seconds for seconds, _ in results]
            done.answers += [answer for _, answer in results if keep_answers]
        done.seconds = perf_counter() - begin
    return done


def _wake(crowd: ThreadPoolExecutor, threads: int) -> None:
    """Have all threads started before the first call is timed."""
    barrier = threading.Barrier(threads)
    list(crowd.map(lambda _: barrier.wait(), range(threads)))


def _interleaved(shares: list[list[Any]]) -> list[Any]:
    """What was dealt out one by one, in its order."""
    longest = max(map(len, shares))
    return [share[number] for number in range(longest) for share in shares if number < len(share)]


def _timing(step: Step) -> tuple[float, Any]:
    begin = perf_counter()
    with contextlib.suppress(Exception):  # it is told of, and compared, in the counted pass
        step.action()
    return perf_counter() - begin, None


def _answering(step: Step) -> tuple[float, Any]:
    begin = perf_counter()
    try:
        answer: Any = normalised(step.action())
    except Exception as error:
        answer = ["raised", type(error).__name__]
    return perf_counter() - begin, answer


@contextlib.contextmanager
def _logging_to(path: Path, level: int) -> Iterator[None]:
    """The root logger writes there, as the application's own does, until the block ends."""
    root = logging.getLogger()
    before = root.handlers[:], root.level
    handler = logging.FileHandler(path, encoding="utf-8")
    handler.setFormatter(logging.Formatter(LOG_FORMAT))
    root.handlers[:] = [handler]
    root.setLevel(level)
    try:
        yield
    finally:
        root.handlers[:] = before[0]
        root.setLevel(before[1])
        handler.close()
