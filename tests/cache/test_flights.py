"""Flights: the loads under way, which of them can be joined, and who waits for whom."""

from __future__ import annotations

import itertools
import threading

import pytest
from threads_in_step import PATIENCE, in_thread

from wats_accel.cache import flights
from wats_accel.cache.flights import Flights, wait_for
from wats_accel.cache.loads import Load
from wats_accel.cache.selection import EVERYTHING, AnyOf, Selection

NEVER = 3600.0
"""Seconds to wait, where nobody must have to."""


@pytest.fixture
def under_way(monkeypatch):
    waiting = {}
    monkeypatch.setattr(flights, "_waiting", waiting)
    yield Flights()
    assert not waiting


def load(name="a"):
    return Load("app:get", (0, name), (name,), lambda: f"ns:get:{name}")


def only(*names):
    return Selection((AnyOf(0, frozenset(names)),))


def boarded(under_way, name="a"):
    made = load(name)
    under_way.board(made)
    return made


# -- which load can be joined ----------------------------------------------------------------------------


def test_a_load_can_be_joined_until_it_lands(under_way):
    one = boarded(under_way)
    assert under_way.of_key(one.key) is one
    under_way.land(one)
    assert under_way.of_key(one.key) is None
    assert len(under_way) == 0


def test_of_two_loads_of_one_key_the_first_is_joined(under_way):
    first, second = boarded(under_way), boarded(under_way)
    assert under_way.of_key(first.key) is first
    under_way.land(second)
    assert under_way.of_key(first.key) is first


def test_a_load_that_was_given_up_on_makes_room_for_another_one(under_way):
    first = boarded(under_way)
    under_way.give_up(first)
    second = boarded(under_way)
    under_way.give_up(first)
    under_way.land(first)
    assert under_way.of_key(first.key) is second


def test_a_load_may_land_twice(under_way):
    one = boarded(under_way)
    under_way.land(one)
    later = boarded(under_way)
    under_way.land(one)
    assert under_way.of_key(one.key) is later


# -- fences ----------------------------------------------------------------------------------------------


def test_what_is_overtaken_is_joined_no_more_and_the_others_are(under_way):
    one, other = boarded(under_way, "a"), boarded(under_way, "b")
    under_way.overtake(only("a"), None)
    assert (one.overtaken, other.overtaken) == (True, False)
    assert (under_way.of_key(one.key), under_way.of_key(other.key)) == (None, other)


def test_a_load_that_is_spared_is_joined_still(under_way):
    one, other = boarded(under_way, "a"), boarded(under_way, "b")
    under_way.overtake(EVERYTHING, one)
    assert (one.overtaken, other.overtaken) == (False, True)
    assert under_way.of_key(one.key) is one


def test_a_load_that_was_given_up_on_is_overtaken_all_the_same(under_way):
    one = boarded(under_way)
    under_way.give_up(one)
    under_way.overtake(EVERYTHING, None)
    assert one.overtaken


def test_a_load_that_begins_while_a_fence_is_up_is_overtaken_from_its_beginning(under_way):
    fence = only("a")
    under_way.raise_fence(fence)
    within, beside = boarded(under_way, "a"), boarded(under_way, "b")
    under_way.lift_fence(fence)
    after = boarded(under_way, "a")
    assert (within.overtaken, beside.overtaken, after.overtaken) == (True, False, False)
    assert under_way.of_key(within.key) is after


def test_of_two_equal_fences_one_stays_when_the_other_is_lifted(under_way):
    for _ in range(2):
        under_way.raise_fence(only("a"))
    under_way.lift_fence(only("a"))
    assert boarded(under_way, "a").overtaken
    under_way.lift_fence(only("a"))
    assert not boarded(under_way, "a").overtaken


# -- waiting ---------------------------------------------------------------------------------------------


def elsewhere(under_way, name="a"):
    """A load of another thread, that somebody is about to join."""
    made = load(name)
    made.thread = -1  # no thread has this number, and none will get it when that one has ended
    under_way.board(made)
    under_way.join(made)
    return made


def test_all_who_wait_are_woken_by_the_landing(under_way, joins):
    one = elsewhere(under_way)
    waiting = [in_thread(lambda: wait_for(one, NEVER)) for _ in range(5)]
    joins.await_waiting(5)
    under_way.land(one)
    assert [call.result(PATIENCE) for call in waiting] == [True] * 5


def test_nobody_waits_for_what_has_landed(under_way):
    one = elsewhere(under_way)
    under_way.land(one)
    assert wait_for(one, NEVER)


@pytest.mark.parametrize("seconds", [0.0, -1.0, 0.001])
def test_a_wait_ends(under_way, seconds):
    assert not wait_for(elsewhere(under_way), seconds)


def test_nobody_waits_for_a_load_of_his_own(under_way):
    one = boarded(under_way)
    under_way.join(one)
    assert not wait_for(one, NEVER)


class Actor:
    """A thread with a load of its own, that waits for those of others when it is told to."""

    def __init__(self, under_way, name):
        self.told = []
        self._orders = threading.Semaphore(0)
        self._ready = threading.Event()
        self._under_way = under_way
        self.future = in_thread(lambda: self._run(name))
        assert self._ready.wait(PATIENCE)

    def _run(self, name):
        self.load = boarded(self._under_way, name)
        self._under_way.join(self.load)
        self._ready.set()
        assert self._orders.acquire(timeout=PATIENCE)
        told = wait_for(self.told.pop(), NEVER)
        self._under_way.land(self.load)
        return told

    def wait_for(self, load):
        self.told.append(load)
        self._orders.release()


@pytest.mark.parametrize("length", [2, 3, 10])
def test_whoever_would_close_a_circle_does_not_wait_and_so_all_go_on(under_way, joins, length):
    actors = [Actor(under_way, str(number)) for number in range(length)]
    for actor, following in itertools.pairwise(actors):
        actor.wait_for(following.load)
        joins.await_waiting()
    actors[-1].wait_for(actors[0].load)
    assert [actor.future.result(PATIENCE) for actor in actors] == [True] * (length - 1) + [False]


def test_a_line_is_no_circle(under_way, joins):
    actors = [Actor(under_way, str(number)) for number in range(4)]
    last = elsewhere(under_way, "last")
    for actor, following in zip(actors, [*(one.load for one in actors[1:]), last], strict=True):
        actor.wait_for(following)
    joins.await_waiting(4)
    under_way.land(last)
    assert [actor.future.result(PATIENCE) for actor in actors] == [True] * 4


def test_a_thread_that_was_interrupted_while_it_waited_is_in_nobody_s_way(under_way):
    """Its name may stay in the books; by then the load that it waited for is over."""
    over = boarded(under_way)
    under_way.join(over)
    under_way.land(over)
    other = elsewhere(under_way, "b")
    flights._waiting[other.thread] = (
        over  # a load of this thread's: it would close a circle, were it not over
    )
    under_way.land(other)
    assert wait_for(other, NEVER)
    del flights._waiting[other.thread]


def test_a_call_inside_a_wait_may_wait_as_well(under_way, monkeypatch):
    """A finalizer may run anywhere. Afterwards the outer wait is known as before."""
    outer, inner = elsewhere(under_way, "outer"), elsewhere(under_way, "inner")
    seen = []

    def wait(timeout):
        seen.append(flights._waiting[threading.get_ident()])
        if len(seen) == 1:
            assert wait_for(inner, NEVER)
            seen.append(flights._waiting[threading.get_ident()])
        return True

    for one in (outer, inner):
        monkeypatch.setattr(one.done, "wait", wait)
    assert wait_for(outer, NEVER)
    assert seen == [outer, inner, outer]
