"""Threads at work while parts break, rules are exchanged and the server is restarted: nobody notices."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from soaking import Soak, Soaked, postgresql_soak, summary

pytestmark = pytest.mark.soak


@pytest.fixture(autouse=True)
def silent_log() -> Iterator[None]:
    """What the log says while everything breaks is of no interest here."""
    logger = logging.getLogger("wats_accel")
    handler = logging.NullHandler()
    before, level = logger.propagate, logger.level
    logger.propagate = False
    logger.addHandler(handler)
    yield
    logger.removeHandler(handler)
    logger.propagate = before
    logger.setLevel(level)  # where closing the log is what broke, nobody gave it back


def _rounds(count: int) -> Callable[[int], bool]:
    return lambda done: done < count


def _check(result: Soaked, *, whole: bool) -> None:
    told = "\n".join((*summary(result), *result.differences[:10], *map(str, result.violations[:10])))
    assert not result.differences, told
    assert not result.violations, told
    assert result.faults, told
    if whole:  # a short one only warms up
        early, late = result.handles[len(result.handles) // 2], result.handles[-1]
        assert late.threads <= early.threads + 2, told
        assert late.files <= early.files + 60, told
        assert late.memory <= early.memory * 1.1 + 20e6, told


def test_on_sqlite_nothing_differs(tmp_path: Path, *, soak: bool) -> None:
    database = str(tmp_path / "registers.db")
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
    arguments = (database,), {"timeout": 60}
    threads, rounds, calls = (16, 60, 400) if soak else (8, 2, 60)
    result = Soak(sqlite3, arguments, tmp_path, threads=threads).run(_rounds(rounds), calls=calls)
    _check(result, whole=soak)


def test_on_postgresql_over_odbc_with_restarts_nothing_differs(
    restartable_postgresql: Any, tmp_path: Path, *, soak: bool
) -> None:
    threads, rounds, calls = (16, 60, 400) if soak else (6, 2, 40)
    with postgresql_soak(tmp_path, restartable_postgresql, threads=threads) as prepared:
        result = prepared.run(_rounds(rounds), calls=calls)
    _check(result, whole=soak)
