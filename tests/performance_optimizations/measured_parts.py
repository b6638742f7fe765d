"""The three parts of the benchmark: the connection pool, the cache, and both in a realistic scenario."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import yaml
from measured_databases import MeasuredDatabase, NotMeasurableError
from measured_passes import Side, Step, Way, measure
from naive_design import NaiveCache, NaivePool, apply_to
from realistic_plan import REPOSITORIES, SECONDS_PER_MOMENT, Call, Moment, Plan, Repositories
from simulation.clock import SimulatedTime, simulated_datetime

import wats_accel
from wats_accel.errors import ConfigError

CONFIG: Final = Path(__file__).resolve().parents[2] / "config" / "wats.yaml"
_ROLE: Final = "SELECT Usu_Id, Usu_Is_Admin FROM Usuario_Sistema_WTS WHERE Usu_Nome = ?"


@dataclass(frozen=True, slots=True)
class Part:
    """One part: the same calls in several ways, the application's own first, the accelerated one last."""

    name: str
    sides: tuple[Side, ...]

    @property
    def before(self) -> Side:
        """As the application is."""
        return self.sides[0]

    @property
    def after(self) -> Side:
        """Accelerated."""
        return self.sides[-1]

    @property
    def improvement(self) -> float:
        """How much less time all calls took, in percent of before; negative if it was more."""
        before, after = self.before.fastest.seconds, self.after.fastest.seconds
        return 100.0 * (before - after) / before

    def different(self, side: Side) -> int:
        """How many answers were not those of the application as it is."""
        return sum(one != other for one, other in zip(self.before.answers, side.answers, strict=True))


class _InstalledWay(Way):
    """Calls whose steps some function makes, with a configuration installed or none."""

    def __init__(
        self,
        name: str,
        folder: Path,
        config: Any,
        batches: Callable[[], Iterable[Sequence[Step]]],
    ) -> None:
        super().__init__(name, folder / f"{name}.log")
        self._config = config
        self._batches = batches

    @contextlib.contextmanager
    def prepared(self) -> Iterator[tuple[Iterable[Sequence[Step]], Any]]:
        """Installed for the length of the block."""
        with _installed(self._config) as accelerator:
            yield self._batches(), accelerator


@contextlib.contextmanager
def _installed(config: Any, **options: Any) -> Iterator[Any]:
    """The accelerator with this configuration, whole or not at all; None without one."""
    if config is None:
        yield None
        return
    with contextlib.ExitStack() as stack:
        try:
            accelerator = stack.enter_context(wats_accel.installed(config, strict=True, **options))
        except ConfigError as error:
            raise NotMeasurableError("not_installed", why=str(error)) from error
        yield accelerator


def _sections(*names: str) -> dict[str, Any]:
    """These sections of config/wats.yaml, word for word."""
    whole = yaml.safe_load(CONFIG.read_text(encoding="utf-8"))
    return {name: whole[name] for name in ("version", *names)}


# -- the pool --------------------------------------------------------------------------------------------


def pool_part(database: MeasuredDatabase, plan: Plan, folder: Path, options: Any) -> Part:
    """A connection for each question, as the application has it, against the pool of config/wats.yaml."""
    database.fresh()
    names = [plan.people[number % len(plan.people)][1] for number in range(plan.calls)]
    steps = [Step("connect", partial(_ask_once, database, name)) for name in names]
    (pool,) = _sections("pool")["pool"]
    ours = {key: value for key, value in pool.items() if key not in ("per_thread", "long_lived")}
    config = {"version": 1, "pool": [{**ours, "connect": f"{database.driver.__name__}:connect"}]}
    ways = [
        _InstalledWay("direct", folder, None, lambda: [steps]),
        _InstalledWay("pooled", folder, config, lambda: [steps]),
    ]
    return Part("pool", tuple(measure(ways, database.driver, rounds=options.rounds, threads=options.threads)))


def _ask_once(database: MeasuredDatabase, name: str) -> Any:
    with contextlib.closing(database.connect()) as connection:
        return connection.cursor().execute(_ROLE, (name,)).fetchall()


# -- the cache -------------------------------------------------------------------------------------------


def cache_part(database: MeasuredDatabase, calls: Sequence[Call], folder: Path, options: Any) -> Part:
    """The six cached reads over and over, from one thread, without the pool and without a write."""
    database.fresh()

    def batches() -> Iterable[Sequence[Step]]:
        repositories = Repositories(database.manager())
        return [[repositories.step(call) for call in calls]]

    ways = [
        _InstalledWay("uncached", folder, None, batches),
        _InstalledWay("cached", folder, _sections("cache", "repositories"), batches),
    ]
    return Part("cache", tuple(measure(ways, database.driver, rounds=options.rounds, threads=1)))


# -- both ------------------------------------------------------------------------------------------------


class _ScenarioWay(Way):
    """The scenario, on data of its own, on a clock that is put forward from moment to moment."""

    def __init__(self, name: str, folder: Path, database: MeasuredDatabase, moments: list[Moment]) -> None:
        super().__init__(name, folder / f"{name}.log")
        self.database = database
        self._moments = moments

    def refresh(self) -> None:
        """The tables are filled anew."""
        self.database.fresh()

    @contextlib.contextmanager
    def prepared(self) -> Iterator[tuple[Iterable[Sequence[Step]], Any]]:
        """Installed for the length of the block, in simulated time."""
        time = SimulatedTime()
        with simulated_datetime(time), self.installed(time) as accelerator:
            yield self._batches(time), accelerator

    def installed(self, time: SimulatedTime) -> contextlib.AbstractContextManager[Any]:
        """Whatever belongs to this way; here nothing."""
        return contextlib.nullcontext()

    def _batches(self, time: SimulatedTime) -> Iterator[Sequence[Step]]:
        repositories = Repositories(self.database.manager())
        for moment in self._moments:
            yield [repositories.step(call) for call in moment.reads]
            for call in moment.writes:
                yield [repositories.step(call)]
            time.advance(SECONDS_PER_MOMENT)


class _AcceleratedWay(_ScenarioWay):
    def installed(self, time: SimulatedTime) -> contextlib.AbstractContextManager[Any]:
        """config/wats.yaml, whole."""
        return _installed(CONFIG, clock=time.monotonic)


class _ByHandWay(_ScenarioWay):
    @contextlib.contextmanager
    def installed(self, time: SimulatedTime) -> Iterator[None]:
        """The pool that nobody uses and the cache, as they were tried by hand."""
        manager = self.database.manager()
        connect = partial(manager.driver_module.connect, manager.connection_string, **manager.connect_options)
        pool = NaivePool(connect)
        with contextlib.closing(pool), apply_to(*REPOSITORIES, cache=NaiveCache(clock=time.monotonic)):
            yield None


def combined_part(database: MeasuredDatabase, moments: list[Moment], folder: Path, options: Any) -> Part:
    """Reads of several people and the writes of administrators: as it is, by hand, and accelerated."""
    kinds = {"plain": _ScenarioWay, "by-hand": _ByHandWay, "accelerated": _AcceleratedWay}
    ways = [kind(name, folder, database, moments) for name, kind in kinds.items()]
    return Part(
        "combined", tuple(measure(ways, database.driver, rounds=options.rounds, threads=options.threads))
    )
