"""What no fork may cut in two is awaited by the fork, and whoever is late waits for it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from threads_in_step import PATIENCE, in_thread

from wats_accel import forks
from wats_accel.forks import _Uncut


@pytest.fixture
def uncut(monkeypatch: pytest.MonkeyPatch) -> Iterator[_Uncut]:
    """One of the test's own; a fork is patient, unless the test says otherwise."""
    monkeypatch.setattr(forks, "_PATIENCE_SECONDS", PATIENCE)
    made = _Uncut()
    yield made
    assert made._inside == {}


def within(uncut: _Uncut, held: threading.Event, may_end: threading.Event) -> Any:
    def block() -> None:
        with uncut:
            held.set()
            assert may_end.wait(PATIENCE)

    return in_thread(block)


def test_a_fork_waits_for_the_blocks_of_other_threads(uncut: _Uncut) -> None:
    held, may_end = threading.Event(), threading.Event()
    block = within(uncut, held, may_end)
    assert held.wait(PATIENCE)
    fork = in_thread(uncut.before_fork)
    while uncut._gate is None:
        pass
    assert not fork.done()
    may_end.set()
    fork.result(PATIENCE)
    block.result(PATIENCE)
    uncut.after_fork()


def test_a_block_that_begins_during_a_fork_waits_for_its_end(uncut: _Uncut) -> None:
    held, may_end = threading.Event(), threading.Event()
    may_end.set()
    uncut.before_fork()
    block = within(uncut, held, may_end)
    assert not block.done()
    uncut.after_fork()
    block.result(PATIENCE)
    assert held.is_set()


def test_neither_waits_for_ever(uncut: _Uncut, monkeypatch: pytest.MonkeyPatch) -> None:
    held, may_end = threading.Event(), threading.Event()
    block = within(uncut, held, may_end)
    assert held.wait(PATIENCE)
    monkeypatch.setattr(forks, "_PATIENCE_SECONDS", 0.01)
    uncut.before_fork()
    late = within(uncut, threading.Event(), may_end)
    may_end.set()
    block.result(PATIENCE)
    late.result(PATIENCE)
    uncut.after_fork()


def test_a_thread_does_not_wait_for_itself(uncut: _Uncut) -> None:
    with uncut, uncut:
        uncut.before_fork()
        with uncut:
            pass
        uncut.after_fork()


def test_a_child_knows_of_no_other_threads_blocks(uncut: _Uncut) -> None:
    held, may_end = threading.Event(), threading.Event()
    block = within(uncut, held, may_end)
    assert held.wait(PATIENCE)
    with uncut:
        uncut.begin_anew()
        assert list(uncut._inside) == [threading.get_ident()]
    may_end.set()
    block.result(PATIENCE)
