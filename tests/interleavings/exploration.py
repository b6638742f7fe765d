"""Exploring the schedules of a scenario, and running it again by one of them."""

from __future__ import annotations

import contextlib
import gc
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from actors import Action, Crew
from scheduler import USUAL_LIMITS, Limits, Run, Step, Strategy
from strategies import DepthFirst, Replay, Until

_RUNS_BETWEEN_COLLECTIONS = 256


def _anything(run: Run) -> None:
    """The check of a scenario that only has to end."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """Some actions on a fresh state, and what must hold when all have ended.

    Args:
        actors: what each actor does, by its name.
        check: raises an `Exception` if something does not hold; called in the thread that explores.
        may_raise: what an actor may raise; the check finds it in `Run.errors`. Anything else that an
            actor raises fails the schedule.
    """

    actors: Mapping[str, Action]
    check: Callable[[Run], object] = _anything
    may_raise: tuple[type[BaseException], ...] = ()


Setup = Callable[[], Scenario]
"""Makes the scenario, with a state that no earlier run has touched."""


class ActorError(AssertionError):
    """An actor raised what its scenario does not foresee; that is the cause."""


class ScheduleFailedError(AssertionError):
    """A schedule under which something did not hold; what that was is the cause.

    Attributes:
        schedule: of this run, for `run`.
        explored: how many schedules were run, with this one.
    """

    def __init__(self, cause: Exception, steps: Sequence[Step], explored: int) -> None:
        self.schedule = tuple(step.move for step in steps)
        self.explored = explored
        story = [
            f"{number:5}. {step.move} goes on from {step.point!r}" for number, step in enumerate(steps, 1)
        ]
        headline = f"in schedule {explored}, {type(cause).__name__}: {cause}"
        super().__init__("\n".join([headline, *story, f"Once more: run(setup, {list(self.schedule)})"]))


def explore(
    setup: Setup,
    *,
    preemptions: int | None = None,
    limits: Limits = USUAL_LIMITS,
    at_most: int = 200_000,
) -> int:
    """Run a scenario under every schedule.

    Args:
        setup: makes the scenario anew for each.
        preemptions: how often a schedule may stop an actor that could go on; None: no bound.
        limits: of each run.
        at_most: schedules, so that a scenario that has grown too large is noticed.

    Returns:
        how many schedules there were.

    Raises:
        ScheduleFailedError: under one of them something did not hold.
        ValueError: there are more than `at_most`.
    """
    strategy = DepthFirst(preemptions)
    explored = 0
    more = True
    with Crew() as crew, _collected_between_runs() as collect:
        while more:
            if explored == at_most:
                raise ValueError(f"there are more than {at_most} schedules")
            explored += 1
            _run(setup(), crew, strategy, limits, explored)
            more = strategy.advance()
            if explored % _RUNS_BETWEEN_COLLECTIONS == 0:
                collect()
    return explored


def run(setup: Setup, schedule: Sequence[str | Until] = (), *, limits: Limits = USUAL_LIMITS) -> Run:
    """Run a scenario once.

    Args:
        setup: makes the scenario.
        schedule: what a failure has printed, or stages such as ``until("load", "region.store")``;
            where it ends, the rest runs without preemption.
        limits: of the run.

    Raises:
        ScheduleFailedError: something did not hold, or the schedule is not possible.
    """
    with Crew() as crew, _collected_between_runs():
        return _run(setup(), crew, Replay(schedule), limits, 1)


def _run(scenario: Scenario, crew: Crew, strategy: Strategy, limits: Limits, number: int) -> Run:
    run = Run(scenario.actors, crew, strategy, limits)
    try:
        run.execute()
        for name, error in run.errors.items():
            if not isinstance(error, scenario.may_raise):
                raise ActorError(f"{name} raised {error!r}") from error
        scenario.check(run)
    except Exception as cause:
        raise ScheduleFailedError(cause, run.steps, number) from cause
    return run


@contextlib.contextmanager
def _collected_between_runs() -> Iterator[Callable[[], object]]:
    """Keep the collector of cycles out of the runs: finalizers would come to points at odd moments."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield lambda: gc.collect(1)
    finally:
        if was_enabled:
            gc.enable()


def of_the_share(kinds: Iterable[str]) -> bool:
    """Whether `make test` explores these with preemptions: a third of all, the same in each run.

    The others it runs one after another, in each order; `make soak` explores all.
    """
    return zlib.crc32(", ".join(kinds).encode()) % 3 == 0
