"""What threads do to a cache that goes by the SQL: loads, hits, statements, commits and rollbacks."""

from __future__ import annotations

import inspect
import itertools
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from actors import point
from exploration import Scenario
from history_check import Key, Operation, Read, Versions, Write, check
from scheduler import Run
from scheduler_locks import SchedulerLock
from tiny_database import Database

from wats_accel.cache.keys import KeyMaker, KeyRules
from wats_accel.cache.loads import stacks
from wats_accel.cache.region_rules import RegionRules
from wats_accel.cache.registry import CacheRegistry
from wats_accel.cache.scopes import ScopeNumbers
from wats_accel.event_bus import EventBus
from wats_accel.pool.registry import PoolRegistry
from wats_accel.pool.rules import PoolRules
from wats_accel.sql.schema import Schema
from wats_accel.testing import FakeClock
from wats_accel.tracking.analyses import Analyses
from wats_accel.tracking.tracker import Tracker
from wats_accel.wrappers.cached import cached


def _signature() -> None: ...


_KEYS = KeyMaker(inspect.signature(_signature), has_instance=False, rules=KeyRules(), scopes=ScopeNumbers())
_SCHEMA = Schema()


class SqlApplication:
    """Three reads of a tiny database, in two namespaces; every statement goes through the pool's stand-ins.

    ``a`` and ``b`` read one table each; ``both`` reads ``a`` itself, and ``b`` through the cached method.

    Args:
        writers: who writes, by name without spaces.
    """

    def __init__(self, writers: Sequence[str]) -> None:
        self.runs: Counter[str] = Counter()
        self.history: list[Operation] = []
        self.unsure = False
        self._stamps = itertools.count()
        self._writers = list(writers)
        bus, clock = EventBus(), FakeClock()
        caches = CacheRegistry(clock=clock, bus=bus)
        caches._lock = SchedulerLock("cache.lock")  # type: ignore[assignment] # to its users it is an RLock
        self.tracker = Tracker(
            caches, lambda: _SCHEMA, strict=False, bus=bus, covered=lambda region: False, report=_fail
        )
        self.tracker._analyses = _ANALYSES  # they hold no state that matters, and are dear
        self.regions = {
            name: caches.add(RegionRules(space, name, f"app:{name}", 60.0, wait_seconds=3_600.0))
            for name, space in (("a", "one"), ("b", "two"), ("both", "one"))
        }
        self.tracker.watch(caches)
        pools = PoolRegistry(bus=bus, clock=clock)
        pools.observe(self.tracker)
        pooled = pools.add(PoolRules("tiny_database:connect", enabled=False), _fail)
        self.connect = pooled.wrap(Database(self._writers).connect)
        plain = {"a": partial(self._query, "a"), "b": partial(self._query, "b"), "both": self._query_both}
        self._reads = {name: cached(plain[name], region, _KEYS) for name, region in self.regions.items()}

    # -- the methods, unpatched ------------------------------------------------------------------------

    def _query(self, table: str) -> dict[str, Any]:
        self.runs[table] += 1
        return {table: self.connect().cursor().execute(f"SELECT * FROM {table}").fetchone()}

    def _query_both(self) -> dict[str, Any]:
        self.runs["both"] += 1
        row = self.connect().cursor().execute("SELECT * FROM a").fetchone()
        point("application.was half read")
        return {"a": row} | self._reads["b"]()

    # -- calls -----------------------------------------------------------------------------------------

    def read(self, name: str) -> None:
        """Call a cached method, and note what it gave."""
        start = next(self._stamps)
        rows = self._reads[name]()
        end = next(self._stamps)
        versions: dict[Key, Versions] = {
            (table, writer): row[writer] for table, row in rows.items() for writer in self._writers
        }
        self.history.append(Read(start, versions, start, end))

    def write(self, writer: str, tables: str, *, autocommit: bool, end: str = "commit") -> None:
        """Raise the writer's column in these tables, and note it unless it is taken back."""
        start = next(self._stamps)
        connection = self.connect(autocommit=autocommit)
        cursor = connection.cursor()
        for table in tables:
            cursor.execute(f"UPDATE {table} SET {writer} = {writer} + 1")
        if not autocommit:
            getattr(connection, end)()
        if end == "commit":
            stop = next(self._stamps)
            self.history += [Write(start, (table, writer), 1, start, stop) for table in tables]


_ANALYSES = Tracker(
    CacheRegistry(clock=FakeClock(), bus=EventBus()),
    lambda: _SCHEMA,
    strict=False,
    bus=EventBus(),
    covered=lambda region: False,
    report=lambda why: None,
)._analyses
assert isinstance(_ANALYSES, Analyses)


def _fail(why: str) -> None:
    raise AssertionError(why)


def _read(name: str, app: SqlApplication, me: str) -> None:
    app.read(name)
    point("caller.reads again")
    app.read(name)


READS: dict[str, Callable[[SqlApplication, str], None]] = {
    "load a": partial(_read, "a"),
    "hit b": lambda app, me: app.read("b"),
    "load both": partial(_read, "both"),
}
WRITES: dict[str, Callable[[SqlApplication, str], None]] = {
    "autocommit a": lambda app, me: app.write(me, "a", autocommit=True),
    "autocommit b": lambda app, me: app.write(me, "b", autocommit=True),
    "commit a and b": lambda app, me: app.write(me, "ab", autocommit=False),
}
TAKEN_BACK: dict[str, Callable[[SqlApplication, str], None]] = {
    "roll back b": lambda app, me: app.write(me, "b", autocommit=False, end="rollback"),
}
DOUBTFUL: dict[str, Callable[[SqlApplication, str], None]] = {
    # A driver should roll back then. Nobody knows whether this one does, so entries may go.
    "close b": lambda app, me: app.write(me, "b", autocommit=False, end="close"),
}
OPERATIONS = READS | WRITES | TAKEN_BACK | DOUBTFUL
"""What an actor may do. It is told its name, under which it writes."""


def sql_scenario(kinds: Sequence[str]) -> Scenario:
    """An application, an actor for each of these operations, and the check of what they have done."""
    kind_of = {f"w{number}_{kind.replace(' ', '_')}": kind for number, kind in enumerate(kinds, 1)}
    writers = [name for name, kind in kind_of.items() if kind not in READS]
    app = SqlApplication(writers)
    app.read("b")

    def verify(run: Run) -> None:
        changed = (WRITES | DOUBTFUL).keys() & set(kinds)
        dropped = sum(region.counters.invalidated for region in app.regions.values())
        assert changed or not dropped, "something was dropped that nobody has changed"
        _check_rest(app)
        _check_answers(app)

    return Scenario({name: partial(OPERATIONS[kind], app, name) for name, kind in kind_of.items()}, verify)


def _check_answers(app: SqlApplication) -> None:
    """Nobody got a stale answer, nobody will, and the cache still caches."""
    for name in app.regions:
        app.read(name)
        runs = sum(app.runs.values())
        app.read(name)
        assert sum(app.runs.values()) == runs, "what was loaded is not kept any more"
    violations = check(app.history)
    assert not violations, "; ".join(map(str, violations))


def _check_rest(app: SqlApplication) -> None:
    """Nothing is left of loads and changes that have ended."""
    for region in app.regions.values():
        assert not len(region.flights), "a load is still registered"
        assert not region.is_being_written(None), "a change is still under way for its region"
        assert not region.suspended
    everything = app.tracker._analyses.of_text("SELECT * FROM a, b", "").footprint
    assert not app.tracker._under_way.concerns(everything), "a change is still under way"
    assert not stacks, "a thread is still inside a load"
