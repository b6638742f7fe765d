"""The soak: threads at work while parts break, rules are exchanged and the server is restarted.

Every thread has registers of its own, of which it knows what it has written, and there are registers for all,
whose history is checked afterwards. `soak_by_hand.py` runs it for as long as one likes.
"""

from __future__ import annotations

import contextlib
import gc
import itertools
import os
import random
import sys
import threading
import traceback
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest import mock

from history_check import Read, Violation, Write, check
from registers import OWN, SHARED, Registers, rules_text

from wats_accel import breakers
from wats_accel.runtime import Accelerator
from wats_accel.testing import Fault, failing, seams

MODULE = "soaked_registers"
_FAULTS = (
    Fault.raises(RuntimeError),
    Fault.raises(MemoryError),
    Fault.raises(RuntimeError, afterwards=True),
    Fault.hangs(0.0005),
    Fault.returns(None),
    Fault.returns(object(), "an object"),
)


@dataclass(frozen=True, slots=True)
class Handles:
    """What a process holds: bytes of memory, threads, open files; 0 where the system does not tell."""

    memory: int
    threads: int
    files: int

    @classmethod
    def now(cls) -> Handles:
        """Those of this process, after everything that is garbage has gone."""
        gc.collect()
        status, files = Path("/proc/self/statm"), Path("/proc/self/fd")
        pages = int(status.read_text(encoding="ascii").split()[1]) if status.exists() else 0
        count = len(os.listdir(files)) if files.exists() else 0
        return cls(pages * 4096, threading.active_count(), count)


@dataclass(slots=True)
class Soaked:
    """What a soak has shown."""

    calls: int = 0
    drivers_own: Counter[str] = field(default_factory=Counter)  # exceptions of the driver, by type
    differences: list[str] = field(default_factory=list)
    violations: list[Violation] = field(default_factory=list)
    faults: int = 0
    struck: int = 0
    reloads: int = 0
    restarts: int = 0
    handles: list[Handles] = field(default_factory=list)


class Soak:
    """One soak on one database.

    Args:
        connect: gives a driver's module and what its `connect` is called with.
        folder: for the configuration.
        threads: how many are at work.
        seed: of everything that is drawn.
        restart: restarts the server, if that is possible.
        tolerated: exactly the types that the driver itself raises when its server is gone.
    """

    def __init__(
        self,
        driver: Any,
        arguments: tuple[tuple[Any, ...], dict[str, Any]],
        folder: Path,
        *,
        threads: int = 16,
        seed: int = 0,
        restart: Callable[[], None] | None = None,
        tolerated: tuple[type[Exception], ...] = (),
    ) -> None:
        self.result = Soaked()
        self._driver = driver
        self._config = folder / "soak.yaml"
        self._threads = threads
        self._random = random.Random(seed)
        self._restart = restart
        self._tolerated = tolerated
        self._stamps = itertools.count(1)
        self._history: list[Read | Write] = []
        self._shared = {number: threading.Lock() for number in SHARED}
        self._versions = dict.fromkeys(SHARED, 0)
        self._lately: deque[str] = deque(maxlen=3)
        self._known: list[dict[int, set[int]]] = []
        module: Any = ModuleType(MODULE)
        module.Registers = type("Registers", (Registers,), {"__module__": MODULE})
        for name in Registers.METHODS:
            setattr(module.Registers, name, vars(Registers)[name])
        sys.modules[MODULE] = module
        self._registers = module.Registers(driver, *arguments)
        self._registers.make(threads)
        self._variants = itertools.cycle(range(len(rules_text(driver.__name__))))

    # -- the whole -------------------------------------------------------------------------------------

    def run(self, goes_on: Callable[[int], bool], *, calls: int) -> Soaked:
        """Rounds, in each of which every thread makes so many calls.

        Args:
            goes_on: whether there is one more, after so many.
            calls: of each thread in each round.
        """
        with impatient_breakers():
            return self._run(goes_on, calls)

    def _run(self, goes_on: Callable[[int], bool], calls: int) -> Soaked:
        self._write_rules()
        accelerator = Accelerator(self._config, environ={})
        accelerator.install()
        self._known = [{number: {0} for number in OWN(thread)} for thread in range(self._threads)]
        try:
            while goes_on(len(self.result.handles)):
                self._round(accelerator, calls)
                self.result.handles.append(Handles.now())
        finally:
            accelerator.uninstall()
            del sys.modules[MODULE]
        self.result.violations = check(self._history)
        return self.result

    def _round(self, accelerator: Accelerator, calls: int) -> None:
        seeds = [self._random.random() for _ in range(self._threads)]
        workers = [
            threading.Thread(target=self._work, args=(thread, calls, random.Random(seed)))
            for thread, seed in enumerate(seeds)
        ]
        for worker in workers:
            worker.start()
        while any(worker.is_alive() for worker in workers):
            self._disturb(accelerator)
        for worker in workers:
            worker.join()
        self._quiesce()

    def _disturb(self, accelerator: Accelerator) -> None:
        what = self._random.random()
        if what < 0.1:
            self._write_rules()
            accelerator.reload()
            self.result.reloads += 1
        elif what < 0.103 and self._restart is not None:
            self._restart()
            self.result.restarts += 1
        else:
            self._break_something()

    def _break_something(self) -> None:
        fault = self._random.choice(_FAULTS)
        seam, share = self._random.choice(seams()), self._random.choice((1.0, 0.2, 0.02))
        self._lately.append(f"{seam} {fault.text}")
        with failing(seam, fault, share=share, seed=self._random.getrandbits(32)) as broken:
            threading.Event().wait(0.01)
        self.result.faults += 1
        self.result.struck += broken.struck

    def _write_rules(self) -> None:
        self._config.write_text(rules_text(self._driver.__name__)[next(self._variants)], encoding="utf-8")

    def _quiesce(self) -> None:
        """Each register is read once more, when nothing is broken: the last word is checked, too."""
        for thread in range(self._threads):
            for number in OWN(thread):
                self._read_own(thread, number)
        for number in SHARED:
            self._read_shared(0, number)

    # -- one thread ------------------------------------------------------------------------------------

    def _work(self, thread: int, calls: int, drawn: random.Random) -> None:
        for _ in range(calls):
            act = drawn.choices(
                (self._read_own, self._write_own, self._read_shared, self._write_shared, self._read_both),
                (35, 10, 35, 10, 10),
            )[0]
            number = drawn.choice(OWN(thread) if act in (self._read_own, self._write_own) else SHARED)
            try:
                act(thread, number)
            except BaseException as error:
                told = f"{act.__name__}: {type(error).__name__}: {error} ({_place(error)})"
                told += f"; broken lately: {', '.join(self._lately)}"
                self.result.differences.append(told)
            self.result.calls += 1

    def _read_own(self, thread: int, number: int) -> None:
        found = self._called(self._registers.version_of, number)
        known = self._known[thread][number]
        if found is not _FAILED:
            if found not in known:
                self.result.differences.append(f"register {number}: {found!r} instead of {sorted(known)}")
            self._known[thread][number] = {found}

    def _write_own(self, thread: int, number: int) -> None:
        known = self._known[thread][number]
        version = max(known) + 1
        told = self._called(self._registers.write, number, version)
        # Of one that failed nobody knows whether it has happened.
        self._known[thread][number] = {*known, version} if told is _FAILED else {version}

    def _read_shared(self, thread: int, number: int) -> None:
        start = next(self._stamps)
        found = self._called(self._registers.version_of, number)
        if found is not _FAILED and self._is_version(found):
            self._history.append(Read(thread, {number: found}, start, next(self._stamps)))

    def _is_version(self, found: object) -> bool:
        if type(found) is not int:
            self.result.differences.append(
                f"{found!r} is no version; broken lately: {', '.join(self._lately)}"
            )
        return type(found) is int

    def _read_both(self, thread: int, number: int) -> None:
        start = next(self._stamps)
        found = self._called(self._registers.all_shared)
        if found is not _FAILED and all(self._is_version(version) for _, version in found):
            self._history.append(Read(thread, dict(found), start, next(self._stamps)))

    def _write_shared(self, thread: int, number: int) -> None:
        with self._shared[number]:
            self._versions[number] += 1
            version, start = self._versions[number], next(self._stamps)
            told = self._called(self._registers.write_in_transaction, number, version)
            write = Write(thread, number, version, start, next(self._stamps), failed=told is _FAILED)
            self._history.append(write)

    def _called(self, method: Callable[..., Any], *args: Any) -> Any:
        try:
            return method(*args)
        except Exception as error:
            if type(error) not in self._tolerated:  # a closed cursor, say, is no matter of the server's
                raise
            self.result.drivers_own[type(error).__name__] += 1
            return _FAILED


_FAILED: Any = object()


def _place(error: BaseException) -> str:
    """The last calls before the fault, each by file and line."""
    frames = [known for known in traceback.extract_tb(error.__traceback__) if __file__ != known.filename]
    return " < ".join(f"{Path(known.filename).name}:{known.lineno}" for known in reversed(frames[-6:]))


@contextlib.contextmanager
def impatient_breakers() -> Iterator[None]:
    """Breakers that try again at once: what is left alone for long is not soaked."""
    rules = breakers.BreakerRules
    short = partial(rules, pause_seconds=0.02, longest_pause_seconds=0.1)
    with mock.patch.object(breakers, "BreakerRules", short):
        yield


@contextlib.contextmanager
def postgresql_soak(folder: Path, server: Any, **options: Any) -> Iterator[Soak]:
    """A soak on a server of its own, over ODBC, with restarts."""
    import pyodbc

    pyodbc.pooling = False

    def restart() -> None:
        server.stop()
        server.start()

    arguments = (server.odbc(),), {"autocommit": True}
    yield Soak(
        pyodbc,
        arguments,
        folder,
        restart=restart,
        tolerated=(pyodbc.OperationalError, pyodbc.Error),
        **options,
    )


def summary(result: Soaked) -> Sequence[str]:
    """The figures, a line each."""
    first, last = result.handles[len(result.handles) // 4], result.handles[-1]
    return (
        f"calls {result.calls:,}",
        f"faults put in place {result.faults:,}; they struck {result.struck:,} times",
        f"reloads {result.reloads:,}, restarts of the server {result.restarts}",
        f"the driver's own exceptions {dict(result.drivers_own)}",
        f"differences {len(result.differences)}, old or torn answers {len(result.violations)}",
        f"memory {first.memory / 1e6:.1f} -> {last.memory / 1e6:.1f} MB",
        f"threads {first.threads} -> {last.threads}, open files {first.files} -> {last.files}",
    )
