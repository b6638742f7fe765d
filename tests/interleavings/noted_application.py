"""A small application, patched, that notes the history of its calls for the check of histories."""

from __future__ import annotations

import functools
import inspect
import itertools
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from actors import point
from history_check import Key, Operation, Read, Versions, Write
from scheduler_locks import SchedulerLock

from wats_accel.cache.ages import AgeRules
from wats_accel.cache.background import Background, Job
from wats_accel.cache.entries import Store
from wats_accel.cache.keys import ArgumentReader, KeyMaker, KeyRules
from wats_accel.cache.region import Region, RegionRules
from wats_accel.cache.registry import CacheRegistry
from wats_accel.cache.scopes import ScopeNumbers
from wats_accel.event_bus import EventBus
from wats_accel.invalidation import Invalidator, WriteRule
from wats_accel.patterns import KeyPattern
from wats_accel.testing import FakeClock, FaultyStore
from wats_accel.wrappers.answering import answering
from wats_accel.wrappers.invalidating import invalidating

TTL_SECONDS = 60.0
REFRESH_AFTER = 0.5  # of the TTL
ROOM = 2
"""Entries for which the namespace of the rows has room: ``warm`` and ``cold``."""

Row = tuple[int, ...]
"""One column for each writer."""


def _get_signature(name: str) -> None: ...


def _list_signature() -> None: ...


def _put_signature(names: Sequence[str], writer: str) -> None: ...


def _keys(method: Callable[..., None]) -> KeyMaker:
    return KeyMaker(inspect.signature(method), has_instance=False, rules=KeyRules(), scopes=ScopeNumbers())


# They hold no state, and take longer to make than a run takes.
_GET_KEYS, _LIST_KEYS = _keys(_get_signature), _keys(_list_signature)
_PUT_ARGUMENTS = ArgumentReader(inspect.signature(_put_signature), has_instance=False, paths=("names",))


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


class NotedApplication:
    """Two reads and a write of a small database, and what their calls gave.

    ``get`` reads a row; ``list`` reads one row itself and another one through ``get``, and is cached in
    another namespace. Each writer has a column of its own and raises it, so that each column of each row is
    a register whose writes do not overlap, as the check of a history wants it.

    Args:
        writers: who writes, by name.
        wait_seconds: how long a call waits for the load of another one.
        trust: more rules of both reads.

    Attributes:
        history: of all calls.
        calls: how often each method was called.
        runs: how often it ran.
    """

    def __init__(
        self, writers: Sequence[str], *, wait_seconds: float, trust: Mapping[str, Any] | None = None
    ) -> None:
        self.clock = FakeClock()
        self.store = FaultyStore()  # of the rows
        self.renewals = Renewals()
        self.history: list[Operation] = []
        self.calls: Counter[str] = Counter()
        self.runs: Counter[str] = Counter()
        self._stamps = itertools.count()
        self._columns = {writer: column for column, writer in enumerate(writers)}
        self._rows: dict[str, Row] = dict.fromkeys(("warm", "cold", "other"), (0,) * len(writers))
        self._unannounced: set[str] = set()
        self._lock = SchedulerLock("cache.lock")  # of both namespaces
        bus = EventBus()
        caches = CacheRegistry(clock=self.clock, bus=bus, store_factory=self._store_of)
        self._invalidator = Invalidator(caches=caches, bus=bus)
        caches.namespace("rows", max_entries=ROOM)
        self.rows, self.lists = (
            self._region(caches, namespace, method, wait_seconds, trust or {})
            for namespace, method in (("rows", "get"), ("lists", "list"))
        )
        self._get = answering(self._query, self.rows, _GET_KEYS, background=self.renewals)
        self._list = answering(self._query_list, self.lists, _LIST_KEYS, background=self.renewals)

    def _region(
        self,
        caches: CacheRegistry,
        namespace: str,
        method: str,
        wait_seconds: float,
        trust: Mapping[str, Any],
    ) -> Region:
        space = caches.namespace(namespace)
        space.lock = self._lock  # type: ignore[assignment] # to its users it is an RLock
        rules = RegionRules(
            namespace,
            method,
            f"app:{method}",
            TTL_SECONDS,
            ages=AgeRules(refresh_after=REFRESH_AFTER),
            wait_seconds=wait_seconds,
            **trust,
        )
        return caches.add(rules)

    def _store_of(self, namespace: str, target: str) -> Store | None:
        return self.store if namespace == "rows" else None

    # -- the methods, unpatched ------------------------------------------------------------------------

    def _query(self, name: str) -> Row:
        self.runs["get"] += 1
        point("database.read")
        row = self._rows[name]
        point("database.was read")
        return row

    def _query_list(self) -> dict[str, Row]:
        self.runs["list"] += 1
        warm = self._rows["warm"]
        point("database.was half read")
        self.calls["get"] += 1
        return {"warm": warm, "cold": self._get("cold")}

    def _update(self, names: Sequence[str], writer: str) -> None:
        point("database.write")
        for name in names:
            row = list(self._rows[name])
            row[self._columns[writer]] += 1
            self._rows[name] = tuple(row)
        point("database.was written")

    # -- calls of the patched ones ---------------------------------------------------------------------

    def get(self, name: str) -> None:
        """Read a row, and note what it was."""
        self.calls["get"] += 1
        start = next(self._stamps)
        row: Row = self._get(name)
        self._note_read("get", {name: row}, start)

    def list(self) -> None:
        """Read the list, and note what it was."""
        self.calls["list"] += 1
        start = next(self._stamps)
        rows: dict[str, Row] = self._list()
        self._note_read("list", rows, start)

    def _note_read(self, method: str, rows: Mapping[str, Row], start: int) -> None:
        end = next(self._stamps)
        for unannounced in (False, True):
            versions: dict[Key, Versions] = {
                (name, writer): row[column]
                for name, row in rows.items()
                for writer, column in self._columns.items()
                if (writer in self._unannounced) is unannounced
            }
            # What nobody announces each entry shows when its own time has come, and not all at once.
            source = (method, *rows) if unannounced else None
            self.history.append(Read(start, versions, start, end, source))

    def put(self, names: Sequence[str], patterns: Sequence[str], writer: str) -> None:
        """Write these rows, by a write that drops what the patterns match, and note it."""
        write = invalidating(self._update, _write_rule(*patterns), _PUT_ARGUMENTS, self._invalidator)
        start = next(self._stamps)
        write(names, writer)
        self._note_write(names, writer, start)

    def change_unannounced(self, writer: str, show: Callable[[], object]) -> None:
        """Write both rows where nobody sees it, do what makes it show, and note both as one write."""
        names = ["warm", "cold"]
        self._unannounced.add(writer)
        start = next(self._stamps)
        self._update(names, writer)
        show()
        self._note_write(names, writer, start)

    def drop(self, *patterns: str) -> None:
        """Drop what the patterns match, as `Accelerator.invalidate` does."""
        for pattern in map(KeyPattern.parse, patterns):
            self._invalidator.drop(pattern, {}, by="a maintainer")

    def _note_write(self, names: Sequence[str], writer: str, start: int) -> None:
        end = next(self._stamps)
        self.history += [Write(start, (name, writer), 1, start, end) for name in names]


@functools.cache
def _write_rule(*patterns: str) -> WriteRule:
    return WriteRule("app:put", tuple(map(KeyPattern.parse, patterns)))
