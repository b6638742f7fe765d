"""Deadlines: nobody waits longer than he wants to, and what comes too late harms nobody."""

from __future__ import annotations

import threading

import pytest

from wats_accel.shared.deadlines import DeadlinePassedError, Deadlines
from wats_accel.shared.horizon import Horizon, clock_that_counts_sleep

PATIENCE = 30.0


def test_what_a_call_gives_is_given() -> None:
    assert Deadlines().call(lambda: 7, PATIENCE) == 7


def test_what_a_call_raises_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        Deadlines().call(lambda: 1 // 0, PATIENCE)


def test_nobody_waits_for_a_call_that_takes_too_long() -> None:
    goes_on, has_ended = threading.Event(), threading.Event()

    def takes_long() -> None:
        assert goes_on.wait(PATIENCE)
        has_ended.set()

    deadlines = Deadlines(most_threads=1)
    with pytest.raises(DeadlinePassedError):
        deadlines.call(takes_long, 0.001)
    assert not has_ended.is_set()
    goes_on.set()
    assert has_ended.wait(PATIENCE)
    assert deadlines.call(lambda: 7, PATIENCE) == 7


def test_a_call_that_nobody_waits_for_any_more_is_not_even_made() -> None:
    goes_on, made = threading.Event(), []
    deadlines = Deadlines(most_threads=1)
    for call in (lambda: goes_on.wait(PATIENCE), lambda: made.append(1)):
        with pytest.raises(DeadlinePassedError):
            deadlines.call(call, 0.001)
    goes_on.set()
    assert deadlines.call(lambda: 7, PATIENCE) == 7
    assert made == []


def test_so_many_calls_are_under_way_at_a_time() -> None:
    both = threading.Barrier(3)
    deadlines = Deadlines(most_threads=2)
    callers = [
        threading.Thread(target=deadlines.call, args=(lambda: both.wait(PATIENCE), PATIENCE)) for _ in "ab"
    ]
    for caller in callers:
        caller.start()
    both.wait(PATIENCE)
    for caller in callers:
        caller.join(PATIENCE)


def test_its_threads_keep_no_process_alive() -> None:
    Deadlines().call(lambda: None, PATIENCE)
    names = [thread for thread in threading.enumerate() if thread.name == "wats-accel-shared"]
    assert names
    assert all(thread.daemon for thread in names)


# -- the horizon -----------------------------------------------------------------------------------------


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_when_its_time_has_come_it_calls_back_by_itself() -> None:
    called = threading.Event()
    horizon = Horizon(called.set)
    horizon.move_to(clock_that_counts_sleep())
    assert called.wait(PATIENCE)
    horizon.close()


def test_a_moment_at_which_it_could_not_call_back_comes_again() -> None:
    called, tries = threading.Event(), []

    def fails_at_first() -> None:
        tries.append(1)
        if len(tries) == 1:
            raise MemoryError
        called.set()

    horizon = Horizon(fails_at_first)
    horizon.move_to(clock_that_counts_sleep())
    assert called.wait(PATIENCE)
    horizon.close()


def test_it_ends_when_nobody_is_interested_any_more() -> None:
    over = threading.Event()
    horizon = Horizon(list, is_over=over.is_set)
    horizon.move_to(clock_that_counts_sleep() + 1_000.0)
    thread = horizon._thread
    assert thread is not None
    over.set()
    thread.join(PATIENCE)
    assert not thread.is_alive()


def test_a_computer_that_was_asleep_is_no_younger() -> None:
    clock, calls = Clock(), []
    horizon = Horizon(lambda: calls.append(1), clock=clock)
    horizon._thread = threading.current_thread()  # nobody else looks
    horizon.move_to(10.0)
    clock.now = 9.9
    assert not horizon.look()
    clock.now = 8 * 3_600.0  # by a clock that counts sleep
    assert horizon.look()
    assert not horizon.look()
    assert calls == [1]


def test_a_moment_that_is_moved_on_does_not_come() -> None:
    clock, calls = Clock(), []
    horizon = Horizon(lambda: calls.append(1), clock=clock)
    horizon._thread = threading.current_thread()
    horizon.move_to(10.0)
    horizon.move_to(20.0)
    clock.now = 19.0
    assert not horizon.look()
    clock.now = 20.0
    assert horizon.look()


def test_after_its_end_it_never_calls_back() -> None:
    clock, calls = Clock(), []
    horizon = Horizon(lambda: calls.append(1), clock=clock)
    horizon._thread = threading.current_thread()
    horizon.move_to(10.0)
    horizon.close()
    horizon.move_to(12.0)
    clock.now = 13.0
    assert not horizon.look()
    assert calls == []
