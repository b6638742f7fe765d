"""Single-flight: one load for all who ask at once, and nobody waits for what does not come."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import threading
from typing import Any

import pytest
from line_interrupts import Interrupter
from threads_in_step import PATIENCE, HeldCall, in_thread, midway, result_of

from wats_accel.cache import flights, loading, loads, region
from wats_accel.cache.flights import Flights
from wats_accel.extension import Joined
from wats_accel.wrappers import cached

NEVER = 3600.0
"""Seconds to wait for a load, where nobody must have to."""


@pytest.fixture
def repository(app):
    """A class whose answers are the number of the run, and whose runs can be held."""

    @app.add
    class Repository:
        database = "one"

        def __init__(self):
            self.runs = []
            self.result: Any = None
            self.together: Any = None

        def get(self, key):
            self.runs.append(key)
            number = len(self.runs)
            if self.together is not None:
                self.together.wait(PATIENCE)
            midway()
            if isinstance(self.result, BaseException):
                raise self.result
            return number if self.result is None else self.result

        def put(self):
            pass

    return Repository


@pytest.fixture
def known(app, repository):
    """One repository, accelerated; whoever waits for a load does so for an hour."""
    with app.accelerated({"get": "rows"}, {"put": "rows:*"}) as accelerator:
        wait_at_most(accelerator, NEVER)
        yield repository()


def wait_at_most(accelerator, seconds):
    """Say how long a call waits for the load of another."""
    for one in regions(accelerator):
        one.rules = dataclasses.replace(one.rules, wait_seconds=seconds)


def regions(accelerator):
    return list(accelerator._assembly.context.caches)


# -- one load for all ------------------------------------------------------------------------------------


def test_two_hundred_threads_and_one_cold_key_are_one_load(known, joins):
    load = HeldCall(lambda: known.get("a"))
    waiting = [in_thread(lambda: known.get("a")) for _ in range(199)]
    joins.await_waiting(199)
    assert load.end() == 1
    assert {call.result(PATIENCE) for call in waiting} == {1}
    assert known.runs == ["a"]


def test_each_who_has_joined_gets_an_answer_of_his_own(known, joins):
    known.result = [[1], [2]]
    load = HeldCall(lambda: known.get("a"))
    waiting = [in_thread(lambda: known.get("a")) for _ in range(3)]
    joins.await_waiting(3)
    answers = [load.end(), *(call.result(PATIENCE) for call in waiting)]
    assert answers == [[[1], [2]]] * 4
    assert len({id(answer) for answer in answers} | {id(answer[0]) for answer in answers}) == 8


def test_who_has_joined_is_counted_and_told(app, repository, joins):
    heard = []
    with app.accelerated({"get": "rows"}, listen=[(Joined, heard.append)]) as accelerator:
        known = repository()
        load = HeldCall(lambda: known.get("a"))
        waiting = in_thread(lambda: known.get("a"))
        joins.await_waiting()
        load.end()
        waiting.result(PATIENCE)
        total = accelerator.stats().total
    assert (total.joined, total.misses, total.loads, total.stored) == (1, 2, 1, 1)
    assert [event.key for event in heard] == ["rows:get:a"]


def test_different_keys_do_not_wait_for_each_other(known, joins):
    one = HeldCall(lambda: known.get("a"))
    other = HeldCall(lambda: known.get("b"))
    assert known.get("c") == 3
    assert (other.end(), one.end()) == (2, 1)
    assert joins.count == 0


def test_different_scopes_do_not_wait_for_each_other(app, repository, joins):
    with app.accelerated({"get": "rows"}, scope="self.database"):
        one, other = repository(), repository()
        other.database = "two"
        load = HeldCall(lambda: one.get("a"))
        assert other.get("a") == 1
        load.end()
        assert joins.count == 0


def test_who_writes_waits_for_nobody(app, joins):
    """The load may itself wait, in the database, for the rows that the write has locked."""

    @app.add
    class Repository:
        def read(self):
            midway()
            return "read"

        def write(self):
            return self.read()

        def elsewhere(self):
            pass

    with app.accelerated({"read": "rows", "elsewhere": "elsewhere"}, {"write": "elsewhere:*"}) as accelerator:
        wait_at_most(accelerator, NEVER)
        known = Repository()
        load = HeldCall(known.read)
        assert known.write() == "read"
        assert joins.count == 0
        load.end()


# -- answers that are for nobody else --------------------------------------------------------------------


class Refuses:
    def __deepcopy__(self, memo):
        raise TypeError("cannot be copied")


@pytest.mark.parametrize(
    ("rule", "result"),
    [
        ({"namespace": "rows", "unless_result": [[None, False]]}, (None, False)),
        ({"namespace": "rows"}, Refuses()),
        ({"namespace": "rows"}, iter([])),
    ],
    ids=["stands for a failure", "cannot be copied", "can be used once"],
)
def test_an_answer_that_is_not_kept_has_all_who_waited_run_the_method_at_once(
    app, repository, rule, result, joins
):
    with app.accelerated({"get": rule}) as accelerator:
        wait_at_most(accelerator, NEVER)
        run_all_at_once(repository(), result, joins)


@pytest.mark.parametrize("error", [OSError(), KeyboardInterrupt(), SystemExit(1), GeneratorExit()], ids=repr)
def test_a_load_that_fails_has_all_who_waited_run_the_method_at_once(known, error, joins):
    run_all_at_once(known, error, joins)


def run_all_at_once(known, outcome, joins):
    """One loads, four wait; then these four are inside the method together, or the barrier breaks."""
    load = HeldCall(lambda: known.get("a"))
    waiting = [in_thread(lambda: known.get("a")) for _ in range(4)]
    joins.await_waiting(4)
    known.result, known.together = outcome, threading.Barrier(4)
    assert all(is_outcome(call, outcome) for call in [load.let_go(), *waiting])
    known.result, known.together = None, None
    assert [known.get("a"), known.get("a")] == [6, 6], "and it loads again"


def is_outcome(call, outcome):
    """Whether a call gave just that result, or raised just that exception."""
    if isinstance(outcome, BaseException):
        return call.exception(PATIENCE) is outcome
    return call.result(PATIENCE) is outcome


# -- the way round oneself -------------------------------------------------------------------------------


def test_a_load_that_needs_its_own_answer_runs_the_method(app):
    runs = []

    @app.add
    def get(key):
        runs.append(key)
        return app.module.get(key) if len(runs) < 3 else "done"

    with app.accelerated({"get": "rows"}, target="") as accelerator:
        wait_at_most(accelerator, NEVER)
        assert result_of(lambda: app.module.get("a")) == "done"
        total = accelerator.stats().total
    assert total.bypassed == {"own_load": 2}
    assert (total.loads, total.stored) == (1, 1)


@pytest.mark.parametrize("threads", [2, 3, 5])
def test_loads_in_a_circle_do_not_wait_for_each_other(app, threads, joins):
    """Each thread loads one key and then needs the next one's; all have begun before any goes on."""
    begun = threading.Barrier(threads)
    outermost = threading.local()

    @app.add
    def get(number):
        if getattr(outermost, "begun", False):
            return number
        outermost.begun = True
        begun.wait(PATIENCE)
        return number, app.module.get((number + 1) % threads)

    with app.accelerated({"get": "rows"}, target="") as accelerator:
        wait_at_most(accelerator, NEVER)
        calls = [in_thread(lambda number=number: app.module.get(number)) for number in range(threads)]
        answers = [call.result(PATIENCE) for call in calls]
    assert [answer[0] for answer in answers] == list(range(threads))
    assert joins.count < threads, "the last one closes the circle, and does not wait"


# -- loads that take too long ----------------------------------------------------------------------------


def test_who_has_waited_long_enough_runs_the_method(app, repository, joins):
    with app.accelerated({"get": "rows"}) as accelerator:
        wait_at_most(accelerator, 0.01)
        known = repository()
        slow = HeldCall(lambda: known.get("a"))
        app.clock.advance(1)
        assert known.get("a") == 2
        assert joins.count == 1
        assert slow.end() == 1
        assert known.get("a") == 2, "time does not run backwards"


class TimeIsUpError(Exception):
    """As a time limit raises it, from a signal handler, wherever the program is."""


def test_an_exception_from_outside_reaches_the_call_that_waits(known, monkeypatch):
    load = HeldCall(lambda: known.get("a"))

    class Limited(threading.Event):
        def wait(self, timeout=None):
            raise TimeIsUpError

    monkeypatch.setattr(flights, "Event", Limited)
    with pytest.raises(TimeIsUpError):
        known.get("a")
    assert load.end() == 1
    assert known.runs == ["a"]


def test_nobody_joins_a_load_that_began_longer_ago_than_the_ttl(app, repository, joins):
    with app.accelerated({"get": {"namespace": "rows", "ttl": "60s"}}):
        known = repository()
        load = HeldCall(lambda: known.get("a"))
        app.clock.advance(60)
        assert result_of(lambda: known.get("a")) == 2
        assert load.end() == 1
        assert known.get("a") == 2


def test_a_load_that_was_given_up_on_keeps_no_later_call_waiting(app, repository, joins):
    with app.accelerated({"get": "rows"}, {"put": "rows:*"}) as accelerator:
        wait_at_most(accelerator, 0.01)
        known = repository()
        slow = HeldCall(lambda: known.get("a"))
        known.get("a")
        known.put()
        wait_at_most(accelerator, NEVER)
        assert known.get("a") == 3
        assert joins.count == 1
        slow.end()


def test_who_may_not_wait_at_all_does_not(app, repository):
    with app.accelerated({"get": "rows"}) as accelerator:
        wait_at_most(accelerator, 0.0)
        known = repository()
        slow = HeldCall(lambda: known.get("a"))
        assert known.get("a") == 2
        slow.end()


def test_a_load_that_never_ends_is_waited_for_once_at_most(app, repository, monkeypatch, joins):
    """As in a child process, where the thread that ran it is not any more."""
    with app.accelerated({"get": "rows"}) as accelerator:
        wait_at_most(accelerator, 0.01)
        known = repository()
        with monkeypatch.context() as patch:
            patch.setattr(Flights, "land", lambda self, load: None)
            patch.setattr(region.Region, "why_not_keep", lambda self, entry, load: "vanished")
            known.get("a")
        assert result_of(lambda: [known.get("a") for _ in range(3)]) == [2, 2, 2]
        assert joins.count == 1


# -- interrupts ------------------------------------------------------------------------------------------

ENGINE = (cached, loading, flights, loads, region)

INTERRUPTS = [KeyboardInterrupt, SystemExit, GeneratorExit, TimeoutError]
"""The last stands for what other threads raise to cancel a call; those are mostly plain exceptions."""


def assert_nothing_is_left(accelerator):
    """No load is under way, whoever asks."""
    assert not loads.stacks
    assert all(load.done is not None and load.done.is_set() for load in flights._waiting.values())
    for one in regions(accelerator):
        assert not one.flights._running
        assert not one.flights._by_key


@pytest.fixture
def interrupted(app, repository):
    """Gives, for each line of the engine that a call may come to, what interrupts it there.

    Nothing is stored when it begins, and the test fails if anything is under way when it ends.
    """
    with app.accelerated({"get": "rows"}, {"put": "rows:*"}) as accelerator:
        wait_at_most(accelerator, NEVER)

        def at_each_line(known, error):
            for number in itertools.count(1):
                interrupter = Interrupter(ENGINE, number, error())
                yield interrupter
                assert_nothing_is_left(accelerator)
                known.put()
                app.clock.advance(61)  # so far apart, failures do not open a breaker
                if not interrupter.has_struck:
                    return

        yield at_each_line


@pytest.mark.parametrize("fails", [False, True], ids=["answers", "fails"])
@pytest.mark.parametrize("error", INTERRUPTS)
def test_wherever_a_load_is_interrupted_its_key_loads_again(repository, interrupted, error, fails, joins):
    known = repository()
    for interrupter in interrupted(known, error):
        known.result = OSError() if fails else None
        raised = in_thread(lambda call=interrupter.call: call(lambda: known.get("a"))).exception(PATIENCE)
        assert raised is None or isinstance(raised, (error, OSError))
        known.put()
        known.result, next_run = None, len(known.runs) + 1
        assert result_of(lambda: [known.get("a"), known.get("a")]) == [next_run] * 2
    assert joins.count == 0


@pytest.mark.parametrize("error", INTERRUPTS)
def test_in_the_interrupted_thread_too_the_key_loads_again(repository, interrupted, error, joins):
    known = repository()

    def call_again(interrupter):
        with contextlib.suppress(error):
            interrupter.call(lambda: known.get("a"))
        known.put()
        return known.get("a"), known.get("a"), len(known.runs)

    for interrupter in interrupted(known, error):
        first, second, runs = result_of(lambda interrupter=interrupter: call_again(interrupter))
        assert first == second == runs
    assert joins.count == 0


@pytest.mark.parametrize("error", INTERRUPTS)
def test_wherever_a_load_is_interrupted_who_waits_for_it_goes_on(repository, interrupted, error, joins):
    known = repository()
    for interrupter in interrupted(known, error):
        load = HeldCall(lambda call=interrupter.call: call(lambda: known.get("a")), may_end=True)
        if load.stopped:
            waiting = in_thread(lambda: known.get("a"))
            joins.await_waiting_or_end(waiting)
            load.let_go().exception(PATIENCE)
            assert waiting.result(PATIENCE) <= len(known.runs)
    assert joins.count > 50, "or this shows nothing"


@pytest.mark.parametrize("error", INTERRUPTS)
def test_wherever_one_who_waits_is_interrupted_nobody_else_notices(repository, interrupted, error, joins):
    known = repository()
    for interrupter in interrupted(known, error):
        load = HeldCall(lambda: known.get("a"))
        waiting = in_thread(lambda call=interrupter.call: call(lambda: known.get("a")))
        joins.await_waiting_or_end(waiting)
        assert load.end() <= len(known.runs)
        waiting.exception(PATIENCE)
    assert joins.count > 10, "or this shows nothing"
