"""What threads do to a cache, as actors: reads, writes, and whatever else moves entries.

All operations meet in the same two rows: ``warm`` has an entry when a run begins, ``cold`` has none.
"""

from __future__ import annotations

import functools
import inspect
import itertools
from collections import deque
from collections.abc import Callable, Sequence

from actors import point
from exploration import Scenario
from history_check import Key, Operation, Read, Versions, Write, check
from scheduler import Run
from scheduler_locks import SchedulerLock

from wats_accel.cache.ages import AgeRules
from wats_accel.cache.background import Background, Job
from wats_accel.cache.entries import Store
from wats_accel.cache.keys import ArgumentReader, KeyMaker, KeyRules
from wats_accel.cache.loads import stacks
from wats_accel.cache.region import RegionRules
from wats_accel.cache.registry import CacheRegistry
from wats_accel.cache.scopes import ScopeNumbers
from wats_accel.events import EventBus
from wats_accel.invalidation import Invalidator, WriteRule
from wats_accel.patterns import KeyPattern
from wats_accel.testing import FakeClock, FaultyStore
from wats_accel.wrappers.cached import cached
from wats_accel.wrappers.invalidating import invalidating

TTL_SECONDS = 60
REFRESH_AFTER = 0.5
ROOM = 2
"""Entries for which there is room: those of ``warm`` and ``cold``."""

Row = tuple[int, ...]
"""One number for each writer."""


def _read_signature(name: str) -> None: ...


def _write_signature(names: Sequence[str], writer: str) -> None: ...


_KEYS = KeyMaker(
    inspect.signature(_read_signature), has_instance=False, rules=KeyRules(), scopes=ScopeNumbers()
)
_ARGUMENTS = ArgumentReader(inspect.signature(_write_signature), has_instance=False, paths=("names",))


class Renewals(Background):
    """Has renewals wait for an actor, instead of threads that the scheduler does not see."""

    def __init__(self) -> None:
        self.count = 0
        self._jobs: deque[Job] = deque()

    def submit(self, job: Job) -> bool:
        """Keep a renewal for `run`."""
        self.count += 1
        self._jobs.append(job)
        return True

    def run(self) -> None:
        """Do what a background thread does, until there is nothing more to do."""
        while self._jobs:
            self._jobs.popleft()()


class Application:
    """A read and a write of a small database, patched, and the history of their calls.

    Each writer has a column of its own, and raises it. So a row is as many registers as there are writers,
    and no two writes of one register overlap, as the check of a history wants it.
    """

    def __init__(self, writers: Sequence[str]) -> None:
        self.clock = FakeClock()
        self.store = FaultyStore()
        self.history: list[Operation] = []
        self.queries = 0
        self._stamps = itertools.count()
        self._calls = itertools.count()
        self._columns = {writer: column for column, writer in enumerate(writers)}
        self._rows: dict[str, Row] = dict.fromkeys(("warm", "cold", "other"), (0,) * len(writers))
        bus = EventBus()
        caches = CacheRegistry(clock=self.clock, bus=bus, store_factory=self._store_of)
        space = caches.namespace("rows", max_entries=ROOM)
        space.lock = SchedulerLock("namespace.lock")  # type: ignore[assignment] # an RLock to its users
        self.region = caches.add(
            RegionRules("rows", "get", "app:get", TTL_SECONDS, ages=AgeRules(refresh_after=REFRESH_AFTER))
        )
        self.renewals = Renewals()
        self._invalidator = Invalidator(caches=caches, bus=bus)
        self._get = cached(self._query, self.region, _KEYS, background=self.renewals)

    def _store_of(self, namespace: str, target: str) -> Store:
        return self.store

    # -- the methods, unpatched ------------------------------------------------------------------------

    def _query(self, name: str) -> Row:
        self.queries += 1
        point("database.read")
        row = self._rows[name]
        point("database.was read")
        return row

    def _update(self, names: Sequence[str], writer: str) -> None:
        point("database.write")
        for name in names:
            row = list(self._rows[name])
            row[self._columns[writer]] += 1
            self._rows[name] = tuple(row)
        point("database.was written")

    # -- calls of the patched ones -----------------------------------------------------------------------

    def read(self, name: str) -> None:
        """Read a row, and note what it was."""
        start = next(self._stamps)
        row = self._get(name)
        end = next(self._stamps)
        versions: dict[Key, Versions] = {
            (name, writer): row[column] for writer, column in self._columns.items()
        }
        self.history.append(Read(next(self._calls), versions, start, end))

    def read_twice(self, name: str) -> None:
        """Read, and look whether the next answer is as new; it may be what this very call has stored."""
        self.read(name)
        point("caller.reads again")
        self.read(name)

    def write(self, pattern: str, writer: str) -> None:
        """Write both rows, by a write that drops what a pattern matches, and note it."""
        names = ["warm", "cold"]
        rule = _write_rule(pattern)
        put = invalidating(self._update, rule, _ARGUMENTS, self._invalidator)
        start = next(self._stamps)
        put(names, writer)
        end = next(self._stamps)
        call = next(self._calls)
        self.history += [Write(call, (name, writer), 1, start, end) for name in names]

    def expire(self) -> None:
        """Let the time pass after which an entry has expired, and read."""
        self.clock.advance(TTL_SECONDS)
        point("clock.advanced")
        self.read("warm")

    def refresh(self) -> None:
        """Let the time pass after which an entry is renewed, read, and be the thread that renews it."""
        self.clock.advance(TTL_SECONDS * REFRESH_AFTER)
        point("clock.advanced")
        self.read("warm")
        point("background.begins")
        self.renewals.run()

    def fail_for_a_while(self) -> None:
        """Have the store fail until this actor goes on."""
        self.store.failing |= {"get", "put", "remove", "clear", "entries", "len"}
        point("store.fails")
        self.store.failing.clear()


@functools.cache
def _write_rule(pattern: str) -> WriteRule:
    return WriteRule("app:put", (KeyPattern.parse(pattern),))


OPERATIONS: dict[str, Callable[[Application, str], None]] = {
    "load or join": lambda app, me: app.read_twice("cold"),
    "hit": lambda app, me: app.read("warm"),
    "invalidate exact": lambda app, me: app.write("rows:get:{names}", me),
    "invalidate pattern": lambda app, me: app.write("rows:get:[cw]*", me),
    "invalidate namespace": lambda app, me: app.write("rows:*", me),
    "expire": lambda app, me: app.expire(),
    "evict": lambda app, me: app.read("other"),
    "refresh": lambda app, me: app.refresh(),
    "store failure": lambda app, me: app.fail_for_a_while(),
}
"""What an actor may do; it is told its own name. Whether a call loads or joins, the order decides."""


def scenario(kinds: Sequence[str]) -> Scenario:
    """An application, an actor for each of these operations, and the check of what they did."""
    actors = [f"{number} {kind}" for number, kind in enumerate(kinds, 1)]
    app = Application([actor for actor, kind in zip(actors, kinds, strict=True) if "invalidate" in kind])
    app.read("warm")
    return Scenario(
        {
            actor: functools.partial(OPERATIONS[kind], app, actor)
            for actor, kind in zip(actors, kinds, strict=True)
        },
        lambda run: check_guarantee(app, run),
    )


def check_guarantee(app: Application, run: Run) -> None:
    """Nobody got a stale answer, nobody will, and the cache is as good as new."""
    reads = sum(isinstance(operation, Read) for operation in app.history)
    assert app.queries <= reads + app.renewals.count, "a call ran its method more than once"
    app.renewals.run()  # late
    for name in ("warm", "cold"):
        app.read(name)
        queries = app.queries
        app.read(name)
        assert app.queries == queries or app.region.suspended, f"{name} is not cached any more"
    assert not len(app.region.flights), "a load is still registered"
    assert not app.region.is_being_written(None), "a write is still open"
    assert not stacks, "a thread is still inside a load"
    violations = check(app.history)
    assert not violations, "; ".join(map(str, violations))
