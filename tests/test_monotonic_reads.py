"""For later reads time never runs backwards, also while a write is under way.

Before a write has returned, nothing says when it shows. But once somebody has seen it, a read that begins
later must not get the state from before it. (Afterwards such a read would be stale: that is another promise,
which is kept.)
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from types import ModuleType
from typing import Any

import pytest

from wats_accel.testing import accelerated

WAIT_SECONDS = 30.0


class Pause:
    """A place where a thread stops until the test lets it go on."""

    def __init__(self) -> None:
        self._reached, self._ended = threading.Event(), threading.Event()

    def stop(self) -> None:
        """Called by the thread that stops."""
        self._reached.set()
        assert self._ended.wait(WAIT_SECONDS)

    def wait_until_reached(self) -> None:
        """Wait for that thread."""
        assert self._reached.wait(WAIT_SECONDS)

    def end(self) -> None:
        """Let that thread go on."""
        self._ended.set()


class Board:
    """Two notices that are read together. The plain class, which sees to no caching."""

    database = "one"

    def __init__(self) -> None:
        self.notices = {"x": "old", "y": "old"}
        self.paused = threading.local()

    def read(self) -> dict[str, str]:
        self._pause("before")
        found = dict(self.notices)
        self._pause("after")
        return found

    def first(self) -> str:
        return self.notices["x"]

    def write(self, name: str, text: str) -> None:
        self.notices[name] = text
        self._pause("after")

    def _pause(self, place: str) -> None:
        pause = getattr(self.paused, place, None)
        if pause is not None:
            pause.stop()


CONFIG: dict[str, Any] = {
    "version": 1,
    "cache": {"default_ttl": 0, "namespaces": {"notices": {}}},
    "repositories": [
        {
            "target": "legacy_app:Board",
            "scope": "self.database",
            "cached": {"read": "notices", "first": "notices"},
            "invalidates": {"write": ["notices:*"]},
        }
    ],
}


class Threads:
    """Calls of a board, each in a thread of its own, that stop where they are told to."""

    def __init__(self, board: Any, pool: ThreadPoolExecutor) -> None:
        self._board = board
        self._pool = pool
        self._pauses: list[Pause] = []

    def begin(self, call: Callable[[], Any], *places: str) -> tuple[Future[Any], list[Pause]]:
        """Begin a call and wait until it stops at the first of the places, ``before`` or ``after``."""
        pauses = [Pause() for _ in places]
        self._pauses += pauses

        def run() -> Any:
            for place in ("before", "after"):
                setattr(self._board.paused, place, dict(zip(places, pauses, strict=True)).get(place))
            return call()

        future = self._pool.submit(run)
        pauses[0].wait_until_reached()
        return future, pauses

    def end_all(self) -> None:
        """Let all threads go on, whatever became of the test."""
        for pause in self._pauses:
            pause.end()


@pytest.fixture
def board(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    module = ModuleType("legacy_app")
    module.Board = type("Board", (), dict(vars(Board)))  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "legacy_app", module)
    with accelerated(CONFIG):
        yield module.Board()


@pytest.fixture
def threads(board: Any) -> Iterator[Threads]:
    with ThreadPoolExecutor(4) as pool:
        known = Threads(board, pool)
        try:
            yield known
        finally:
            known.end_all()


def test_an_overtaken_load_that_saw_a_write_first_leaves_no_older_entry(board: Any, threads: Threads) -> None:
    overtaken, (before,) = threads.begin(board.read, "before")
    board.write("y", "new")  # it marks that load
    assert board.read()["x"] == "old"  # is stored
    threads.begin(lambda: board.write("x", "new"), "after")
    before.end()
    assert overtaken.result(WAIT_SECONDS)["x"] == "new"
    assert board.read()["x"] == "new"


def test_a_load_does_not_store_what_is_older_than_what_an_overtaken_one_has_given(
    board: Any, threads: Threads
) -> None:
    overtaken, (before,) = threads.begin(board.read, "before")
    board.write("y", "new")
    later, (after,) = threads.begin(board.read, "after")
    threads.begin(lambda: board.write("x", "new"), "after")
    before.end()
    assert overtaken.result(WAIT_SECONDS)["x"] == "new"
    after.end()
    assert later.result(WAIT_SECONDS)["x"] == "old"
    assert board.read()["x"] == "new"


def test_what_one_method_has_shown_of_a_write_another_one_shows_too(board: Any, threads: Threads) -> None:
    assert board.first() == "old"
    threads.begin(lambda: board.write("x", "new"), "after")
    assert board.read()["x"] == "new"
    assert board.first() == "new"
