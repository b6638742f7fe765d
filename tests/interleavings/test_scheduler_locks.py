"""The scheduler's lock and event are real ones for everybody else, and points for actors."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from actors import point
from exploration import Scenario, ScheduleFailedError, explore, run
from scheduler import TIMES_OUT, DeadlockError, Limits
from scheduler_locks import SchedulerEvent, SchedulerLock
from strategies import to_end, until

WAIT_SECONDS = 30


def test_a_lock_keeps_a_second_actor_out_whatever_the_order() -> None:
    def setup() -> Scenario:
        lock = SchedulerLock()
        inside: list[str] = []

        def enter(name: str) -> None:
            with lock:
                inside.append(name)
                point("inside")
                assert inside == [name]
                inside.clear()

        return Scenario({"first": lambda: enter("first"), "second": lambda: enter("second")})

    # Of start, acquire and inside, the last two of one are before the last two of the other: 4 places for
    # the other's start, and all of it twice.
    assert explore(setup) == 8


def test_two_locks_in_opposite_order_are_found_to_deadlock() -> None:
    with pytest.raises(ScheduleFailedError) as failed:
        explore(lambda: two_locks(opposite=True))
    assert isinstance(failed.value.__cause__, DeadlockError)
    assert "first stands at 'acquire b': second holds it" in str(failed.value)
    assert "second stands at 'acquire a': first holds it" in str(failed.value)


def test_two_locks_in_one_order_never_deadlock() -> None:
    assert explore(lambda: two_locks(opposite=False)) == 8


def two_locks(*, opposite: bool) -> Scenario:
    a, b = SchedulerLock("a"), SchedulerLock("b")

    def take(outer: SchedulerLock, inner: SchedulerLock) -> None:
        with outer, inner:
            pass

    return Scenario({"first": lambda: take(a, b), "second": lambda: take(b, a) if opposite else take(a, b)})


def test_a_lock_is_re_entrant_and_taking_it_again_is_no_point() -> None:
    lock = SchedulerLock()

    def nest() -> None:
        with lock, lock:
            assert not lock.passable()
        assert lock.passable()

    assert [step.point for step in run(lambda: Scenario({"actor": nest})).steps] == ["start", "acquire lock"]


def test_a_lock_that_is_held_is_not_had_without_blocking() -> None:
    lock = SchedulerLock()

    def hold() -> None:
        with lock:
            point("held")

    def attempt() -> bool:
        return lock.acquire(blocking=False)

    done = run(lambda: Scenario({"hold": hold, "try": attempt}), [until("hold", "held"), to_end("try")])
    assert done.results["try"] is False
    done = run(lambda: Scenario({"hold": hold, "try": attempt}), [to_end("hold"), to_end("try")])
    assert done.results["try"] is True


def test_a_lock_is_awaited_with_a_time_out_only_if_nobody_can_let_it_go() -> None:
    def setup() -> Scenario:
        lock, never = SchedulerLock(), SchedulerEvent("never")

        def hold() -> None:
            with lock:
                never.wait(timeout=60)

        def attempt() -> bool:
            return lock.acquire(timeout=60)

        return Scenario({"hold": hold, "try": attempt})

    done = run(setup, ["hold", "hold", "try", "try" + TIMES_OUT])
    assert done.results["try"] is False
    done = run(setup, ["hold", "hold", "try", "hold" + TIMES_OUT])
    assert done.results["try"] is True


def test_to_threads_that_are_no_actors_a_lock_is_a_real_one() -> None:
    lock = SchedulerLock()
    with lock, lock:
        assert not in_another_thread(lambda: lock.acquire(blocking=False))
        assert not in_another_thread(lambda: lock.acquire(timeout=0.001))
    with pytest.raises(RuntimeError):
        lock.release()


def test_nobody_releases_the_lock_of_another() -> None:
    lock = SchedulerLock()

    def hold() -> None:
        with lock:
            point("held")

    done = run(
        lambda: Scenario({"hold": hold, "thief": lock.release}, may_raise=(RuntimeError,)),
        [until("hold", "held"), to_end("thief")],
    )
    assert isinstance(done.errors["thief"], RuntimeError)


def test_a_wait_goes_on_after_the_event_is_set_in_every_order() -> None:
    def setup() -> Scenario:
        event = SchedulerEvent()
        data: list[int] = []

        def produce() -> None:
            point("before")
            data.append(1)
            event.set()

        def consume() -> None:
            assert event.wait()
            assert data == [1]

        return Scenario({"consumer": consume, "producer": produce})

    assert explore(setup) == 3  # the consumer's start has three places; its wait is always last


def test_an_event_that_nobody_sets_is_a_deadlock() -> None:
    with pytest.raises(ScheduleFailedError, match="waiter stands at 'wait for answer': it is not set"):
        run(lambda: Scenario({"waiter": SchedulerEvent("answer").wait}))


def waiting_with_time_out() -> Scenario:
    event = SchedulerEvent()
    return Scenario({"waiter": lambda: event.wait(timeout=60), "setter": event.set})


def test_a_wait_times_out_only_if_nobody_else_can_go_on() -> None:
    outcomes: list[object] = []

    def setup() -> Scenario:
        scenario = waiting_with_time_out()
        return Scenario(scenario.actors, lambda done: outcomes.append(done.results["waiter"]))

    explore(setup)
    assert set(outcomes) == {True}
    assert run(lambda: Scenario({"waiter": waiting_with_time_out().actors["waiter"]})).results == {
        "waiter": False
    }


def test_a_hasty_wait_times_out_at_any_time() -> None:
    outcomes: list[object] = []

    def setup() -> Scenario:
        scenario = waiting_with_time_out()
        return Scenario(scenario.actors, lambda done: outcomes.append(done.results["waiter"]))

    explore(setup, limits=Limits(hasty=True))
    assert set(outcomes) == {True, False}


def test_to_threads_that_are_no_actors_an_event_is_a_real_one() -> None:
    event = SchedulerEvent()
    assert not event.wait(timeout=0.001)
    event.set()
    assert event.wait()
    assert in_another_thread(event.wait)


def in_another_thread(action: Callable[[], object]) -> object:
    answer: list[object] = []
    thread = threading.Thread(target=lambda: answer.append(action()), daemon=True)
    thread.start()
    thread.join(timeout=WAIT_SECONDS)
    return answer[0]
