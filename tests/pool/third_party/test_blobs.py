"""Blobs and dumps of sqlite3, where CPython's suite found them to differ, and a little farther."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from backends import SQLITE3, Driver, on, outcome

Step = Callable[[Any, Any], object]
USES: dict[str, Step] = {
    "read": lambda connection, thing: thing.read(),
    "write": lambda connection, thing: thing.write(b"z"),
    "tell": lambda connection, thing: thing.tell(),
    "seek": lambda connection, thing: thing.seek(0),
    "len": lambda connection, thing: len(thing),
    "index": lambda connection, thing: thing[0],
    "set": lambda connection, thing: thing.__setitem__(0, 1),
    "enter": lambda connection, thing: thing.__enter__() is thing,
    "exit": lambda connection, thing: thing.__exit__(None, None, None),
    "close": lambda connection, thing: thing.close(),
    "iter": lambda connection, thing: iter(thing),
    "in": lambda connection, thing: b"a" in thing,
    "add": lambda connection, thing: thing + thing,
    "is iterable": lambda connection, thing: isinstance(thing, Iterable),
}


def close_connection(connection: Any, thing: Any) -> None:
    connection.close()


def close_thing(connection: Any, thing: Any) -> None:
    thing.close()


ENDS: dict[str, tuple[Step, ...]] = {
    "open": (),
    "closed": (close_thing,),
    "connection closed": (close_connection,),
    "closed, then its connection": (close_thing, close_connection),
    "connection closed, then itself": (close_connection, lambda connection, thing: outcome(thing.close)),
}


@pytest.fixture
def picture(driver: Driver) -> None:
    outside = driver.other_connection()
    outside.executescript("CREATE TABLE picture (content BLOB); INSERT INTO picture VALUES (x'616263')")
    outside.close()


@pytest.mark.skipif(not hasattr(sqlite3, "Blob"), reason="blobs are new in Python 3.11")
@on(SQLITE3, modes=("pooled",))
@pytest.mark.usefixtures("picture")
@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("use", USES)
def test_a_blob_does_what_the_bare_one_does(driver: Driver, end: str, use: str) -> None:
    def end_and_use(connection: Any) -> object:
        blob = connection.blobopen("picture", "content", 1)
        for step in ENDS[end]:
            step(connection, blob)
        told = outcome(USES[use], connection, blob)
        return told if use != "iter" else told.raised

    driver.same_as_bare(end_and_use)


@on(SQLITE3, modes=("pooled",))
@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("begun", [0, 1, 2, 99])
def test_a_dump_that_is_cut_short_ends_as_the_bare_one_does(driver: Driver, end: str, begun: int) -> None:
    def dump(connection: Any) -> object:
        lines = connection.iterdump()
        for _ in range(begun):
            next(lines, None)
        for step in ENDS[end]:
            step(connection, lines)
        return outcome(list, lines), outcome(list, lines), outcome(lines.close)

    driver.same_as_bare(dump)
