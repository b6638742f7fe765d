"""Runs CPython's own tests of sqlite3 and writes what came of them: a program for the tests beside it.

    python cpython_suite.py RESULT [--pooled] [--files] [--neighbours NUMBER]

Databases that it needs it makes in the current folder.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json
import re
import sqlite3
import sys
import unittest
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import neighbours

from wats_accel.testing import accelerated

SUITE = "test.test_sqlite3" if sys.version_info >= (3, 11) else "test.test_sqlite"
_CONFIG = {"version": 1, "pool": [{"connect": "sqlite3:connect"}]}
_MEMORY = ":memory:"

# -- connections -------------------------------------------------------------------------------------------


class MemoryFiles:
    """Files in place of databases in memory.

    The first ``:memory:`` of every test is the same file, made empty; the second is another. So a test gets
    connections that the tests before it have used, as often as can be.
    """

    def __init__(self) -> None:
        self._used = 0
        self._spoilt = 0

    def begin_test(self) -> None:
        """All files are free again."""
        self._used = 0

    def next(self) -> str:
        """The path of an empty database that the test has not had yet."""
        self._used += 1
        while True:
            path = str(Path.cwd() / f"memory-{self._used}-{self._spoilt}.db")
            with contextlib.suppress(sqlite3.OperationalError):
                _make_empty(path)
                return path
            self._spoilt += 1  # an earlier test has left a lock; no other database in memory would mind


def _make_empty(path: str) -> None:
    # The class is never pooled, only `connect` is.
    with (
        contextlib.closing(sqlite3.Connection(path, timeout=0)) as database,
        contextlib.closing(sqlite3.Connection(_MEMORY)) as nothing,
    ):
        database.execute("PRAGMA synchronous = OFF")
        database.execute("BEGIN EXCLUSIVE")  # a backup would wait for ever for somebody else's lock
        database.rollback()
        nothing.backup(database)


class SuiteConnect:
    """The suite's `connect`, in place of sqlite3's.

    Args:
        connect: sqlite3's, bare or pooled.
        reused: asks the pool how many connections it has lent again.
        files: in place of databases in memory, if any.
        first_neighbours: others with the same arguments come and go before each connection, if this is
            a number: that of the first ones.

    Attributes:
        connections: how many the suite has got.
        used_again: how many of these came from the pool.
    """

    def __init__(
        self,
        connect: Callable[..., Any],
        reused: Callable[[], int],
        files: MemoryFiles | None,
        first_neighbours: int | None,
    ) -> None:
        self._connect = connect
        self._reused = reused
        self._files = files
        self._first_neighbours = first_neighbours
        self.connections = 0
        self.used_again = 0

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self._files is not None:
            if args and args[0] == _MEMORY:
                args = (self._files.next(), *args[1:])
            elif kwargs.get("database") == _MEMORY:
                kwargs["database"] = self._files.next()
        if self._first_neighbours is not None:
            number = self._first_neighbours + self.connections
            neighbours.come_and_go(lambda: self._connect(*args, **kwargs), number)
        before = self._reused()
        connection = self._connect(*args, **kwargs)
        self.connections += 1
        self.used_again += self._reused() - before
        return connection


@contextlib.contextmanager
def _pool(*, pooled: bool) -> Iterator[Callable[[], dict[str, Any]]]:
    """A pool, if one is wanted; gives what asks for its figures."""
    if not pooled:
        yield lambda: {"reused": 0}
        return
    with accelerated(_CONFIG) as accelerator:
        yield lambda: dataclasses.asdict(accelerator.stats().pools["sqlite3:connect"])


# -- results -----------------------------------------------------------------------------------------------


class Record(unittest.TestResult):
    """What came of each test.

    Args:
        begin_test: called before each.
    """

    def __init__(self, begin_test: Callable[[], None]) -> None:
        super().__init__()
        self.ran: list[str] = []
        self.failed: dict[str, str] = {}
        self.tracebacks: dict[str, str] = {}
        self.unraisable: list[str] = []
        self._begin_test = begin_test

    def startTest(self, test: unittest.TestCase) -> None:
        self.ran.append(test.id())
        self._begin_test()
        super().startTest(test)

    def addError(self, test: unittest.TestCase, err: Any) -> None:
        self.failed[test.id()] = _timeless(f"{err[0].__name__}: {err[1]}")
        self.tracebacks[test.id()] = self._exc_info_to_string(err, test)  # type: ignore[attr-defined]

    def addFailure(self, test: unittest.TestCase, err: Any) -> None:
        self.addError(test, err)

    def addSubTest(self, test: unittest.TestCase, subtest: unittest.TestCase, err: Any) -> None:
        if err is not None:
            self.addError(test, err)

    def note_unraisable(self, told: Any) -> None:
        """Be told of an exception that nobody could raise."""
        where = self.ran[-1] if self.ran else "before the first test"
        self.unraisable.append(_timeless(f"{where}: {told.exc_type.__name__}: {told.exc_value}"))

    def told(self) -> dict[str, Any]:
        """All of it, for JSON."""
        return {
            "ran": self.ran,
            "failed": self.failed,
            "tracebacks": self.tracebacks,
            "skipped": {test.id(): why for test, why in self.skipped},
            "unraisable": self.unraisable,
        }


def _timeless(text: str) -> str:
    """Words without what differs from run to run: addresses, threads, folders."""
    return re.sub(r"0x[0-9a-fA-F]+|\b\d{6,}\b|/[\w./@-]+/", "#", text)


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Run the suite; gives what came of it."""
    files = MemoryFiles()
    record = Record(files.begin_test)
    sys.unraisablehook = record.note_unraisable
    with _pool(pooled=options.pooled) as figures, contextlib.ExitStack() as stack:
        connect = SuiteConnect(
            sqlite3.connect,
            lambda: figures()["reused"],
            files if options.files else None,
            options.neighbours,
        )
        if options.files or options.neighbours is not None:
            stack.callback(setattr, sqlite3, "connect", sqlite3.connect)
            sqlite3.connect = connect  # type: ignore[assignment]
        unittest.defaultTestLoader.loadTestsFromName(SUITE).run(record)
        own = {"connections": connect.connections, "used_again": connect.used_again}
        return {**record.told(), **own, "pool": figures()}


def main() -> None:
    """Run the suite, and write what came of it to a file."""
    parser = argparse.ArgumentParser()
    parser.add_argument("result", type=Path)
    parser.add_argument("--pooled", action="store_true")
    parser.add_argument("--files", action="store_true")
    parser.add_argument("--neighbours", type=int)
    options = parser.parse_args()
    options.result.write_text(json.dumps(run(options), indent=1), "utf-8")


if __name__ == "__main__":
    main()
