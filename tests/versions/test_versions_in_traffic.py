"""Real writers at a time, and one who asks: no commit is missed, whatever comes in between."""

from __future__ import annotations

import contextlib
import random
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest

from wats_accel.versions import version_table

TABLES = ("person", "stone")
WRITERS = 4
SHARE, WHOLE = 25, 2500


@dataclass
class Polls:
    """Answers in their order, and how many questions have begun: plain numbers, which one thread changes."""

    answers: list[Any]
    begun: int = 0


@dataclass(frozen=True)
class Written:
    """A commit: the last answer that was there before it began, and the first question after it returned."""

    table: str
    before: int
    after: int


def _write(database: Any, polls: Polls, number: int, count: int) -> list[Written]:
    drawn = random.Random(number)
    connection = database.connect(autocommit=False)
    done = []
    for step in range(count):
        before = len(polls.answers) - 1
        table = drawn.choice(TABLES)
        if database.dialect == "sqlite" and database.kind == "sqlite3":
            _begin(connection)
        connection.execute(f"INSERT INTO {table} (id) VALUES ({number * 1_000_000 + step})")
        if drawn.random() < 0.1:
            connection.rollback()
            continue
        connection.commit()
        done.append(Written(table, before, polls.begun))
    connection.close()
    return done


def _begin(connection: sqlite3.Connection) -> None:
    """With the lock at once: who reads first may find that he cannot write. SQLite has no queue for it."""
    while not connection.in_transaction:
        with contextlib.suppress(sqlite3.OperationalError):
            connection.execute("BEGIN IMMEDIATE")


def _ask(database: Any, polls: Polls, first: threading.Event, over: threading.Event) -> None:
    asked = database.begin()
    polls.answers.append(asked.last)
    first.set()
    last = False
    while not last:
        last = over.is_set()  # and one more, which begins after all is over
        polls.begun += 1
        polls.answers.append(asked.poll())
    asked.connection.close()


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_no_commit_is_missed_in_traffic(database: Any, soak: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(version_table, "MOST_PENDING", 10)
    database.watch("person", "pet", "stone")
    polls, first, over = Polls([]), threading.Event(), threading.Event()
    with ThreadPoolExecutor(WRITERS + 1) as threads:
        asking = threads.submit(_ask, database, polls, first, over)
        assert first.wait(30)
        count = WHOLE if soak else SHARE
        writing = [threads.submit(_write, database, polls, number, count) for number in range(1, WRITERS + 1)]
        try:
            written = [commit for future in writing for commit in future.result()]
        finally:
            over.set()
        asking.result()
    assert len(written) > count
    for commit in written:
        # The question that begun as number n is answer n: the first answer was there before.
        before, after = polls.answers[commit.before], polls.answers[commit.after + 1]
        assert before.epoch == after.epoch
        assert before.stamp([commit.table]) != after.stamp([commit.table]), commit
    assert {answer.stamp(["pet"]) for answer in polls.answers} == {polls.answers[0].stamp(["pet"])}
