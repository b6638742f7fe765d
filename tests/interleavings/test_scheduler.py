"""The scheduler tries every order once, finds what is wrong in some of them, and shows it again."""

from __future__ import annotations

import gc
import itertools
import math
import threading
from collections.abc import Callable

import pytest
from actors import START, point, this_actor
from exploration import ActorError, Scenario, ScheduleFailedError, explore, run
from scheduler import DeadlockError, HangError, Limits, LivelockError, Run
from scheduler_locks import SchedulerLock
from strategies import ImpossibleScheduleError, NotDeterministicError, to_end, until


def passing(points: int) -> Callable[[], None]:
    """An action with this many points, besides its start."""

    def pass_points() -> None:
        for number in range(points):
            point(str(number))

    return pass_points


def counting(*, locked: bool) -> Callable[[], Scenario]:
    """Two increments of one number, which is read and written in two steps."""

    def setup() -> Scenario:
        number = [0]
        lock = SchedulerLock()

        def read_and_write() -> None:
            read = number[0]
            point("between")
            number[0] = read + 1

        def increment() -> None:
            if locked:
                with lock:
                    read_and_write()
            else:
                read_and_write()

        def check(done: Run) -> None:
            assert number == [2], "an increment is lost"

        return Scenario({"first": increment, "second": increment}, check)

    return setup


# -- exploring ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("first", "second"), [(0, 0), (1, 0), (1, 1), (2, 3), (5, 5)])
def test_two_actors_are_interleaved_in_every_way_once(first: int, second: int) -> None:
    schedules: list[tuple[str, ...]] = []

    def setup() -> Scenario:
        return Scenario(
            {"first": passing(first), "second": passing(second)},
            lambda done: schedules.append(done.schedule),
        )

    steps = first + 1, second + 1  # an actor's start is a point, too
    assert explore(setup) == math.comb(sum(steps), steps[0]) == len(set(schedules))


def test_three_actors_are_interleaved_in_every_way_once() -> None:
    explored = explore(lambda: Scenario({name: passing(1) for name in "abc"}))
    assert explored == math.factorial(6) // math.factorial(2) ** 3


def test_a_lost_update_is_found() -> None:
    with pytest.raises(ScheduleFailedError, match="an increment is lost") as failed:
        explore(counting(locked=False))
    assert failed.value.explored == 2
    assert failed.value.schedule == ("first", "second", "second", "first")


def test_no_order_fails_what_is_right() -> None:
    assert explore(counting(locked=True)) > 1


def test_a_failure_tells_where_everybody_went_on_from() -> None:
    with pytest.raises(ScheduleFailedError) as failed:
        explore(counting(locked=False))
    assert "    4. first goes on from 'between'\n" in str(failed.value)
    assert "run(setup, ['first', 'second', 'second', 'first'])" in str(failed.value)


@pytest.mark.parametrize("preemptions", [0, 1, 2, 3])
def test_a_bound_leaves_just_the_orders_with_no_more_preemptions(preemptions: int) -> None:
    def setup() -> Scenario:
        return Scenario({name: passing(2) for name in "ab"})

    every = {order for order in itertools.product("ab", repeat=6) if order.count("a") == 3}
    within = [order for order in every if preemptions_of(order) <= preemptions]
    assert explore(setup, preemptions=preemptions) == len(within)


def preemptions_of(order: tuple[str, ...]) -> int:
    switches = [
        index
        for index in range(1, len(order))
        if order[index] != order[index - 1] and order[index - 1] in order[index:]
    ]
    return len(switches)


def test_a_scenario_that_has_grown_too_large_is_noticed() -> None:
    with pytest.raises(ValueError, match="more than 5 schedules"):
        explore(lambda: Scenario({"a": passing(2), "b": passing(2)}), at_most=5)


def test_a_scenario_whose_choices_depend_on_something_else_is_refused() -> None:
    shrinking = iter([2, 0])

    def setup() -> Scenario:
        return Scenario({"a": passing(next(shrinking)), "b": passing(0)})

    with pytest.raises(ScheduleFailedError) as failed:
        explore(setup)
    assert isinstance(failed.value.__cause__, NotDeterministicError)


# -- what actors do ----------------------------------------------------------------------------------


def test_exactly_one_actor_runs_at_a_time() -> None:
    running: list[str] = []

    def work(name: str) -> None:
        for number in range(3):
            running.append(name)
            assert running == [name]
            running.remove(name)
            point(str(number))

    assert explore(lambda: Scenario({"a": lambda: work("a"), "b": lambda: work("b")})) == math.comb(8, 4)


def test_each_actor_has_a_thread_of_its_own_that_is_not_the_explorers() -> None:
    done = run(lambda: Scenario(dict.fromkeys("abc", threading.get_ident)))
    assert len({*done.results.values(), threading.get_ident()}) == 4


def test_threads_are_used_again_and_end_with_the_exploration() -> None:
    threads: set[threading.Thread] = set()

    def note() -> None:
        threads.add(threading.current_thread())
        point("noted")

    assert explore(lambda: Scenario({"a": note, "b": note})) == 6
    assert len(threads) == 2
    assert not any(thread.is_alive() for thread in threads)


def test_what_actors_return_and_raise_is_there_for_the_check() -> None:
    seen: list[object] = []

    def interrupt() -> None:
        raise KeyboardInterrupt

    def setup() -> Scenario:
        return Scenario(
            {"returns": lambda: 7, "raises": lambda: [][0], "interrupted": interrupt},
            lambda done: seen.append(
                (done.results, {name: type(error) for name, error in done.errors.items()})
            ),
            may_raise=(IndexError, KeyboardInterrupt),
        )

    explored = explore(setup)
    results = {"returns": 7, "raises": None, "interrupted": None}
    assert seen == explored * [(results, {"raises": IndexError, "interrupted": KeyboardInterrupt})]


@pytest.mark.parametrize("error", [ValueError("unforeseen"), KeyboardInterrupt("unforeseen")])
def test_what_no_scenario_foresees_fails_the_schedule(error: BaseException) -> None:
    def fail() -> None:
        raise error

    with pytest.raises(ScheduleFailedError, match=r"a raised .*unforeseen") as failed:
        explore(lambda: Scenario({"a": fail}))
    assert isinstance(failed.value.__cause__, ActorError)
    assert failed.value.__cause__.__cause__ is error


def test_the_explorer_is_no_actor_and_passes_every_point() -> None:
    point("nobody stops here")
    assert this_actor() is None


def test_finalizers_of_cycles_do_not_run_inside_actors() -> None:
    enabled: list[bool] = []
    explore(lambda: Scenario({"a": lambda: enabled.append(gc.isenabled())}))
    assert enabled == [False]
    assert gc.isenabled()


# -- runs that do not come to an end ------------------------------------------------------------------


def test_an_actor_that_never_ends_is_a_livelock() -> None:
    def spin() -> None:
        while True:
            point("again")

    with pytest.raises(ScheduleFailedError, match="100 steps: a stands at 'again'") as failed:
        run(lambda: Scenario({"a": spin}), limits=Limits(steps=100))
    assert isinstance(failed.value.__cause__, LivelockError)


def test_an_actor_that_comes_to_no_point_is_shown_with_its_stack() -> None:
    outside = threading.Event()

    def wait_where_nobody_sees_it() -> None:
        outside.wait(timeout=30)

    try:
        with pytest.raises(ScheduleFailedError, match="in wait_where_nobody_sees_it") as failed:
            run(lambda: Scenario({"a": wait_where_nobody_sees_it}), limits=Limits(patience_seconds=0.05))
    finally:
        outside.set()
    assert isinstance(failed.value.__cause__, HangError)


def test_the_actors_of_a_run_that_failed_are_unwound() -> None:
    unwound: list[str] = []
    outer, inner = SchedulerLock("outer"), SchedulerLock("inner")

    def hold_outer() -> None:
        with outer:
            try:
                inner.acquire()
            finally:
                unwound.append("outer")

    def hold_inner() -> None:
        with inner:
            try:
                outer.acquire()
            finally:
                unwound.append("inner")

    def setup() -> Scenario:
        return Scenario({"a": hold_outer, "b": hold_inner})

    with pytest.raises(ScheduleFailedError):
        run(setup, [until("a", "acquire inner"), until("b", "acquire outer")])
    assert unwound == ["outer", "inner"]
    assert outer.passable()
    assert inner.passable()


def test_an_actor_that_had_not_begun_when_its_run_failed_never_begins() -> None:
    begun: list[str] = []

    def spin() -> None:
        while True:
            point("again")

    with pytest.raises(ScheduleFailedError):
        run(lambda: Scenario({"a": spin, "b": lambda: begun.append("b")}), limits=Limits(steps=20))
    assert not begun


# -- schedules ---------------------------------------------------------------------------------------


def test_a_failed_schedule_fails_again_in_the_same_way() -> None:
    with pytest.raises(ScheduleFailedError) as found:
        explore(counting(locked=False))
    with pytest.raises(ScheduleFailedError, match="an increment is lost") as again:
        run(counting(locked=False), found.value.schedule)
    assert again.value.schedule == found.value.schedule


def test_without_a_schedule_everybody_runs_to_the_end_in_turn() -> None:
    done = run(lambda: Scenario({"a": passing(1), "b": passing(1)}))
    assert done.steps == [("a", START), ("a", "0"), ("b", START), ("b", "0")]


def test_a_schedule_may_name_the_point_to_stop_at() -> None:
    done = run(
        lambda: Scenario({"a": passing(3), "b": passing(2)}), [until("a", "1"), until("b", "1"), to_end("a")]
    )
    assert done.schedule == ("a", "a", "b", "b", "a", "a", "b")


def test_an_actor_that_is_there_already_does_not_go_on() -> None:
    done = run(lambda: Scenario({"a": passing(1), "b": passing(0)}), [until("a", START), "b"])
    assert done.schedule == ("b", "a", "a")


@pytest.mark.parametrize(
    ("schedule", "complaint"),
    [
        (["a", "a"], "step 2: 'a' is not possible: a has ended; b stands at 'start'"),
        ([until("a", "nowhere")], "a has ended and never came to 'nowhere'"),
        (["c"], "step 1: 'c' is not possible"),
    ],
)
def test_a_schedule_that_is_not_possible_says_why(schedule: list[str], complaint: str) -> None:
    with pytest.raises(ScheduleFailedError, match=complaint) as failed:
        run(lambda: Scenario({"a": passing(0), "b": passing(0)}), schedule)
    assert isinstance(failed.value.__cause__, ImpossibleScheduleError)


def test_a_deadlock_is_told_even_if_the_last_actor_that_could_go_on_ends() -> None:
    lock = SchedulerLock()

    def keep() -> None:
        lock.acquire()

    with pytest.raises(
        ScheduleFailedError, match="a has ended; b stands at 'acquire lock': a holds it"
    ) as failed:
        run(lambda: Scenario({"a": keep, "b": keep}))
    assert isinstance(failed.value.__cause__, DeadlockError)
