"""The fault matrix: each seam with each fault in each situation, compared with the application unpatched."""

from __future__ import annotations

import contextlib
import gc
import itertools
import os
import secrets
import sqlite3
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import elsewhere
import shelves
from elsewhere import Elsewhere, Mailbox
from shelves import BOOKS, Shelves
from situations import Situation
from stages import Mode, Outcome, Stage, methods_of, new_application

from wats_accel import transactions
from wats_accel.cache import loads, writers
from wats_accel.patching import standing
from wats_accel.runtime import Accelerator
from wats_accel.testing import FakeClock, Fault, failing, seams

if TYPE_CHECKING:
    from private_redis import PrivateRedis

_CONNECT = sqlite3.connect
_PATIENCE, _LONG_PATIENCE = 0.1, 10.0
"""Seconds that something in the background is waited for: while something is broken, and while nothing is."""
WRONG_TYPE = 3.5
_SHARED = {
    "tier": "shared",
    "namespaces": ["books", "other"],
    "timeout": "1s",  # that a busy machine keeps: nothing shall depend on it
    "beat": "200ms",
    "lost_after": "1s",
    "isolated_ttl": "10s",
    "lease": "20ms",
}
_FRESHNESS = {"dialect": "sqlite", "connect": "sqlite3:connect", "poll": "5ms", "isolated_ttl": "10s"}
FAULTS = (
    Fault.raises(RuntimeError),
    Fault.raises(MemoryError),
    Fault.raises(RecursionError),
    Fault.raises(RuntimeError, afterwards=True),
    Fault.hangs(0.0005),
    Fault.returns(None),
    Fault.returns(object(), "an object"),
    Fault.returns(WRONG_TYPE, "the wrong type"),
)


@dataclass
class Found:
    """What one combination has shown: how often each seam was passed, and each difference in words."""

    passed: dict[str, int] = field(default_factory=dict)
    differences: list[str] = field(default_factory=list)


class Matrix:
    """Runs combinations. An accelerator that nothing has hurt is used again: to make one takes long.

    Args:
        folder: for the databases and the plugin.
        redis: a running server, for the modes that share.
    """

    def __init__(self, folder: Path, redis: PrivateRedis | None = None) -> None:
        self._folder = folder
        self._redis = redis
        self._client = None if redis is None else redis.client()
        self._keys = folder / "keys"
        descriptor = os.open(self._keys, os.O_CREAT | os.O_WRONLY, 0o600)
        os.write(descriptor, elsewhere.KEY.hex().encode())
        os.close(descriptor)
        self._numbers = itertools.count()
        self._database = self._new_database()
        self._plugin = folder / "bystander_plugin.py"
        self._plugin.write_text("from wats_accel.testing.bystander import *\n", encoding="utf-8")
        self._expected: dict[str, tuple[list[Outcome], dict[str, int]]] = {}
        self._idle: tuple[Mode, Stage] | None = None

    def run(self, seam: str, fault: Fault, situation: Situation, mode: Mode) -> Found:
        """One combination."""
        return self._run([seam], fault, situation, mode)

    def passed(self, situation: Situation, mode: Mode) -> set[str]:
        """The seams that are passed in a situation when nothing is broken."""
        found = self._run(seams(), Fault.none(), situation, mode)
        assert not found.differences, found.differences
        return {seam for seam, count in found.passed.items() if count}

    def _run(self, names: list[str], fault: Fault, situation: Situation, mode: Mode) -> Found:
        expected, runs = self._plain(situation)
        found = Found()
        with _noticing_noise(found):
            stage = self._new(mode) if situation.installs else self._installed(mode)
            stage.patience = _PATIENCE if len(names) == 1 else _LONG_PATIENCE
            situation.prepare(stage)
            with contextlib.ExitStack() as stack:
                broken = {name: stack.enter_context(failing(name, fault)) for name in names}
                situation.act(stage)
            found.passed = {name: known.passed for name, known in broken.items()}
            _compare(found, stage, expected, runs, uncounted=situation.in_background)
            self._afterwards(found, stage)
            if found.differences or situation.installs or situation.name == "reload" or is_hurt(stage, mode):
                self._idle = None
                self._take_down(found, stage)
                Path(self._database).unlink(missing_ok=True)
                gc.collect(1)
            else:
                self._idle = mode, stage
        if self._idle is None:
            elsewhere.comes_true(lambda: not loads.stacks, _LONG_PATIENCE)  # of threads that renew and verify
            _clean_up(found)
        return found

    def close(self) -> None:
        """Take down what is still installed."""
        if self._idle is not None:
            self._take_down(Found(), self._idle[1])
            self._idle = None

    def end(self) -> None:
        """The same, and disconnect."""
        self.close()
        if self._client is not None:
            self._client.close()

    def _plain(self, situation: Situation) -> tuple[list[Outcome], dict[str, int]]:
        """What the unpatched application does."""
        if situation.name not in self._expected:
            self.close()
            shelves.reset(self._database)
            stage = Stage(new_application()(self._database), self._database)
            situation.prepare(stage)
            situation.act(stage)
            self._expected[situation.name] = stage.outcomes, dict(stage.app.runs)
        return self._expected[situation.name]

    # -- stages --------------------------------------------------------------------------------------

    def _new_database(self) -> str:
        """A file of its own: something may still hold a lock of another one."""
        return str(self._folder / f"shelves_{next(self._numbers)}.db")

    def _new(self, mode: Mode) -> Stage:
        """An application of its own, and an accelerator that is not installed yet."""
        self.close()
        self._database = self._new_database()
        shelves.reset(self._database, watched=mode.source == "version-table")
        kind = new_application()
        clock = FakeClock()
        prefix = secrets.token_hex(4)
        wanted = self._config(mode, prefix)
        made = Accelerator(
            wanted, clock=clock, wall_clock=lambda: clock.wall_time(), strict=False, environ={}
        )
        return Stage(
            kind(self._database),
            self._database,
            made,
            methods_of(kind),
            clock,
            wanted,
            elsewhere=Elsewhere(made, self._mailbox(mode, prefix)),
        )

    def _config(self, mode: Mode, prefix: str) -> dict[str, Any]:
        more: dict[str, Any] = {}
        if mode.shared:
            assert self._redis is not None
            more["shared"] = {**_SHARED, "url": self._redis.url, "prefix": prefix}
            more["shared"]["keys"] = {"file": str(self._keys)}
        if mode.source:
            more["freshness"] = {**_FRESHNESS, "source": mode.source, "connection": self._database}
        return shelves.config(
            pooled=mode.pooled,
            invalidation=mode.invalidation,
            plugins=[str(self._plugin)] if mode.with_plugin else [],
            level=mode.level,
            more=more,
        )

    def _mailbox(self, mode: Mode, prefix: str) -> Mailbox | None:
        if not mode.shared:
            return None
        return Mailbox(self._client, prefix, sees_statements=mode.invalidation == "sql")

    def _installed(self, mode: Mode) -> Stage:
        if self._idle is not None and self._idle[0] is mode:
            _, stage = self._idle
            self._idle = None
            shelves.reset(self._database, watched=mode.source == "version-table")
            known = stage.known_accelerator
            known.invalidate("*")
            app = type(stage.app)(self._database)
            again = Stage(app, self._database, known, stage.before, stage.clock, stage.wanted)
            again.elsewhere = stage.elsewhere
        else:
            again = self._new(mode)
            again.known_accelerator.install()
            assert not again.known_accelerator.problems, again.known_accelerator.problems
        assert again.elsewhere.settle(_LONG_PATIENCE), "it is not connected"
        return again

    def _take_down(self, found: Found, stage: Stage) -> None:
        try:
            stage.known_accelerator.uninstall()
        except BaseException as error:
            found.differences.append(f"uninstall afterwards raised {type(error).__name__}")
        if methods_of(type(stage.app)) != stage.before:
            found.differences.append("methods are not the original ones after uninstall")
        if sqlite3.connect is not _CONNECT:
            found.differences.append("the driver's connect is not the original one after uninstall")
            sqlite3.connect = _CONNECT
        found.differences += [f"{name} goes on after uninstall" for name in stage.elsewhere.what_goes_on()]

    # -- afterwards ----------------------------------------------------------------------------------

    def _afterwards(self, found: Found, stage: Stage) -> None:
        """Nothing is broken any more: answers are fresh, also as to what other processes have written."""
        self._answers(stage.app)  # what is tried now and then is tried when something is loaded
        if not stage.elsewhere.settle(_LONG_PATIENCE):
            found.differences.append("it does not hear of other processes any more")
        self._look_for_old_answers(found, stage, "afterwards")
        stage.clock.advance(1000)
        written = Stage(stage.app, "")
        written.method("rename_badly", 1, "Lady Susan")
        if written.outcomes[0][2][0] != "ValueError":
            found.differences.append(f"a write afterwards: {written.outcomes}")
        self._look_for_old_answers(found, stage, "after some time and a write")

    def _look_for_old_answers(self, found: Found, stage: Stage, when: str) -> None:
        truth = self._answers(_Plain(self._database))
        for _ in range(2):
            now = self._answers(stage.app)
            if now != truth:
                found.differences.append(f"{when}: {_first_difference(now, truth)}")

    @staticmethod
    def _answers(app: Any) -> list[Outcome]:
        stage = Stage(app, "")
        for book in BOOKS:
            stage.method("title", book)
        for name, argument in (("details", 1), ("listing", 1), ("summary", 1)):
            stage.method(name, argument)
        stage.method("count")
        return stage.outcomes


def is_hurt(stage: Stage, mode: Mode) -> bool:
    """Whether anything in an accelerator is not as it was: then the next combination needs a new one."""
    if not stage.elsewhere.is_well(shared=mode.shared, followed=bool(mode.source)):
        return True
    known = stage.known_accelerator
    assembly = known._assembly
    if assembly is None or known.problems:
        return True
    context = assembly.context
    broken = any(breaker.failures for breaker in context.breakers)
    regions = all(
        region.active and not region.writers.under_way and not len(region.flights)
        for region in context.caches
    )
    pools = all(pooled.active and not pooled.checked_out for pooled in context.pools)
    return broken or not regions or not pools or bool(getattr(context.pools.observer, "_blind", False))


class _Plain(Shelves):
    """The application past everything."""

    def connect(self, **options: Any) -> Any:
        """The driver's own."""
        return sqlite3.Connection(self.database, isolation_level=None)


def _compare(
    found: Found, stage: Stage, expected: list[Outcome], runs: dict[str, int], *, uncounted: bool
) -> None:
    if stage.outcomes != expected:
        found.differences.append(_first_difference(stage.outcomes, expected))
    more = {name: count for name, count in stage.app.runs.items() if count > runs.get(name, 0)}
    if more and not uncounted:
        found.differences.append(f"methods ran more than once per call: {more}, expected {runs}")


def _first_difference(now: list[Outcome], expected: list[Outcome]) -> str:
    for one, other in zip(now, expected, strict=False):
        if one != other:
            return f"{one} instead of {other}"
    return f"{len(now)} outcomes instead of {len(expected)}"


@contextlib.contextmanager
def _noticing_noise(found: Found) -> Iterator[None]:
    """Exceptions that end on standard error since there is nobody to get them."""
    told = sys.unraisablehook, threading.excepthook

    def unraisable(args: Any, /) -> None:
        found.differences.append(f"unraisable: {args.exc_type.__name__} in {args.object!r:.80}")

    def in_thread(args: Any, /) -> None:
        found.differences.append(f"a thread ended by {args.exc_type.__name__}")

    sys.unraisablehook, threading.excepthook = unraisable, in_thread
    try:
        yield
    finally:
        sys.unraisablehook, threading.excepthook = told


def _clean_up(found: Found) -> None:
    """What is left in this thread would be another combination's."""
    left = {
        "a load": loads.stacks,
        "a write": writers._here.writes,
        "a transaction": transactions.open_transactions(),
        "a patch": standing._installed,
    }
    for what, known in left.items():
        if known:
            found.differences.append(f"{what} is left over")
    loads.stacks.clear()
    writers._here.writes.clear()
    standing._installed.clear()
    transactions._here.changed.clear()
