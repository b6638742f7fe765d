from __future__ import annotations

import importlib.util
import random
from itertools import count
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wats_accel.cache.copying import Snapshot
from wats_accel.cache.entries import DetailedEntry, Entry
from wats_accel.cache.eviction import S3FifoQueue
from wats_accel.cache.namespace import Namespace

FOREVER = float("inf")
A_SLICE = 16  # of what is freed by and by
POLICIES = Path(__file__).parents[1] / "benchmarks/eviction/policies.py"


class Owner:
    """Holds entries until they are dropped."""

    def __init__(self):
        self.held = set()
        self.asked = 0

    def holds(self, entry):
        self.asked += 1
        return entry in self.held

    def remove(self, entry):
        self.held.discard(entry)

    def note_departure(self, why):
        pass


def queue_of(owner, *numbers, expires_at=FOREVER):
    queue = S3FifoQueue()
    return queue, [add(queue, owner, number, expires_at) for number in numbers]


def add(queue, owner, number, expires_at=FOREVER):
    entry = DetailedEntry((owner, 0), number, Snapshot(None, None), expires_at, texts=(), size=10)
    owner.held.add(entry)
    queue.append(entry)
    return entry


def victims(queue, at_most=1_000_000, *, now=0.0):
    """The numbers of the next ones to go, in order."""
    taken = []
    while len(taken) < at_most and (victim := queue.victim(now)):
        taken.append(victim[0].place)
    return taken


def sweep(queue, now=0.0):
    return [(entry.place, why) for entry, why in queue.sweep(now)]


# -- who goes ------------------------------------------------------------------------------------------


def test_among_newcomers_the_oldest_goes_first():
    queue, _ = queue_of(Owner(), 1, 2, 3)
    assert victims(queue) == [1, 2, 3]


def test_a_newcomer_that_was_hit_outlives_those_that_were_not():
    queue, (one, *_) = queue_of(Owner(), 1, 2, 3)
    one.visited = True
    assert victims(queue) == [2, 3, 1]


def test_a_hit_counts_once():
    queue, (one, *_) = queue_of(Owner(), *range(10))
    one.visited = True
    assert victims(queue, 2) == [1, 2]
    assert not one.visited


def test_when_all_were_hit_the_oldest_goes():
    queue, entries = queue_of(Owner(), 1, 2, 3)
    for entry in entries:
        entry.visited = True
    assert victims(queue, 1) == [1]


def proven(queue, owner, *numbers):
    """Up to ten entries in the main queue, and one evicted from the small one."""
    entries = [add(queue, owner, number) for number in numbers]
    for entry in entries:
        entry.visited = True
    add(queue, owner, "a newcomer")
    assert victims(queue, 1) == ["a newcomer"]
    return entries


def test_a_scan_does_not_push_out_what_was_hit():
    owner, queue = Owner(), S3FifoQueue()
    proven(queue, owner, *range(9))
    for number in range(100, 200):
        add(queue, owner, number)
        assert victims(queue, 1) == [number]


def test_what_was_hit_again_in_the_main_queue_gets_another_turn():
    owner, queue = Owner(), S3FifoQueue()
    one, *_ = proven(queue, owner, 1, 2, 3)
    one.visited = True
    assert victims(queue) == [2, 3, 1]


def test_one_that_comes_back_soon_goes_to_the_main_queue():
    owner, queue = Owner(), S3FifoQueue()
    proven(queue, owner, *range(9))
    add(queue, owner, "newcomer"), add(queue, owner, "a newcomer")
    assert victims(queue, 1) == ["newcomer"]
    assert victims(queue)[-1] == "a newcomer"


def test_one_that_comes_back_late_is_a_newcomer_again():
    owner, queue = Owner(), S3FifoQueue()
    proven(queue, owner, *range(9))
    for number in range(100, 120):
        add(queue, owner, number), victims(queue, 1)
    add(queue, owner, "a newcomer")
    assert victims(queue, 1) == ["a newcomer"]


def test_the_same_key_of_another_owner_is_another_key():
    owner, queue = Owner(), S3FifoQueue()
    proven(queue, owner, *range(9))
    add(queue, Owner(), "a newcomer")
    assert victims(queue, 1) == ["a newcomer"]


def test_what_is_dead_is_no_victim():
    owner = Owner()
    queue, (one, _) = queue_of(owner, 1, 2)
    owner.held.discard(one)
    assert victims(queue) == [2]
    assert (len(queue), queue.bytes) == (0, 0)


def test_what_has_expired_goes_as_such_even_if_it_was_hit():
    queue, (one, _) = queue_of(Owner(), 1, 2, expires_at=5)
    one.visited = True
    assert queue.victim(5) == (one, "expired")


class Broken:
    """A premise that holds no longer."""

    def breach(self):
        return "orphaned"


def test_what_was_made_from_something_that_is_gone_goes_as_such():
    queue, (one, _) = queue_of(Owner(), 1, 2)
    one.visited, one.premises = True, (Broken(),)
    assert queue.victim(0) == (one, "orphaned")


def test_for_one_victim_a_bounded_number_of_entries_is_looked_at():
    owner = Owner()
    queue, entries = queue_of(owner, *range(5_000))
    for entry in entries:
        entry.visited = True
    assert victims(queue, 1) == [1_000]
    assert owner.asked <= 1_001


def test_an_owner_that_fails_loses_no_place():
    owner = Owner()
    queue, _ = queue_of(owner, *range(5))
    whole, owner.holds = owner.holds, lambda entry: 1 / 0
    for look in (lambda: queue.victim(0), lambda: sweep(queue)):
        with pytest.raises(ZeroDivisionError):
            look()
    owner.holds = whole
    assert queue.bytes == 50
    assert sorted(victims(queue)) == [0, 1, 2, 3, 4]


# -- against a model -----------------------------------------------------------------------------------


class Cache:
    """A namespace with one method, as the simulation asks its policies."""

    def __init__(self, max_entries):
        self.space = Namespace("ns", max_entries=max_entries)
        self.entries = {}

    def holds(self, entry):
        return self.entries.get(entry.key) is entry

    def remove(self, entry):
        if self.holds(entry):
            del self.entries[entry.key]
            self.space.dropped(1, entry.size)

    def clear(self):
        dropped, self.entries = self.entries, {}
        self.space.dropped(len(dropped), len(dropped))

    def note_departure(self, why):
        pass

    def request(self, number, *, now=0.0, expires_at=FOREVER):
        entry = self.entries.get((0, number))
        if entry is not None and entry.expires_at > now:
            entry.visited = True
            return True
        entry = DetailedEntry((self, 0), number, Snapshot(None, None), expires_at, texts=(), size=1)
        replaced = self.entries.get(entry.key)
        self.entries[entry.key] = entry
        self.space.admit(entry, replaced=replaced, now=now)
        return False


def policies():
    spec = importlib.util.spec_from_file_location(POLICIES.stem, POLICIES)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@given(
    st.integers(1, 40),
    st.lists(st.integers(0, 60), max_size=400),
    st.lists(st.integers(0, 12), min_size=1, max_size=20),
)
def test_it_is_the_policy_that_was_simulated_however_often_it_is_swept(capacity, numbers, sweeps):
    cache, model = Cache(capacity), policies().S3FifoOneBit(capacity)
    for position, number in enumerate(numbers):
        assert cache.request(number) == model.request(number), position
        assert len(cache.entries) <= capacity
        for _ in range(sweeps[position % len(sweeps)]):
            assert cache.space.sweep(0.0) == []


def test_it_is_the_policy_that_was_simulated_on_a_long_trace():
    rng = random.Random(1)
    cache, model = Cache(200), policies().S3FifoOneBit(200)
    for _ in range(20_000):
        number = int(rng.paretovariate(0.7))
        assert cache.request(number) == model.request(number)


STEPS = st.one_of(
    st.tuples(st.just("request"), st.integers(0, 30), st.sampled_from([1, 5, 50, FOREVER])),
    st.tuples(st.just("drop"), st.integers(0, 30)),
    st.tuples(st.just("clear")),
    st.tuples(st.just("wait"), st.integers(1, 10)),
    st.tuples(st.just("sweep")),
)


@given(st.integers(0, 12), st.lists(STEPS, max_size=200))
def test_bounds_hold_and_every_living_entry_has_one_place(max_entries, steps):
    cache, now = Cache(max_entries), 0
    for what, *arguments in steps:
        if what == "request":
            number, ttl = arguments
            cache.request(number, now=now, expires_at=now + ttl)
        elif what == "drop" and (entry := cache.entries.get((0, arguments[0]))):
            cache.remove(entry)
        elif what == "clear":
            cache.clear()
        elif what == "wait":
            now += arguments[0]
        elif what == "sweep":
            for entry, why in cache.space.sweep(now):
                assert (entry.expires_at <= now, why) == (True, "expired")
        assert not max_entries or len(cache.entries) <= max_entries
        assert cache.space._queue.bytes == len(cache.space._queue)
    living = sorted(number for _, number in cache.entries if cache.entries[0, number].expires_at > now)
    queue = cache.space._queue
    evicted = [entry.place for entry, why in iter(lambda: queue.victim(now), None) if why == "evicted"]
    assert sorted(evicted) == living


# -- what is dead or has expired -----------------------------------------------------------------------


def test_a_sweep_gives_the_expired_and_forgets_the_dead():
    owner = Owner()
    queue, (one, _) = queue_of(owner, 1, 2, expires_at=5)
    add(queue, owner, 3)
    owner.held.discard(one)
    assert sweep(queue, now=5) == [(2, "expired")]
    assert victims(queue) == [3]


def test_a_sweep_gives_what_was_made_from_something_that_is_gone():
    queue, (_, two) = queue_of(Owner(), 1, 2)
    two.premises = (Broken(),)
    assert sweep(queue) == [(2, "orphaned")]
    assert victims(queue) == [1]


def test_a_sweep_is_bounded():
    queue, _ = queue_of(Owner(), *range(100), expires_at=5)
    assert 0 < len(sweep(queue, now=6)) < 10


def test_a_sweep_of_nothing_gives_nothing():
    assert sweep(S3FifoQueue()) == []


@pytest.mark.parametrize("sweeps", range(15))
def test_a_sweep_leaves_the_living_in_their_order(sweeps):
    queue, _ = queue_of(Owner(), *range(10))
    for _ in range(sweeps):
        assert sweep(queue) == []
    assert victims(queue) == list(range(10))


def test_what_has_expired_behind_living_entries_goes_in_one_pass():
    owner = Owner()
    queue, _ = queue_of(owner, *range(1_000))
    for number in range(500):
        add(queue, owner, ("short-lived", number), expires_at=5)
    gone = []
    for _ in range(1_600 // 4):
        gone += sweep(queue, now=5)
    assert [number for (_, number), _ in gone] == list(range(500))
    assert victims(queue) == list(range(1_000))


@pytest.mark.parametrize("living", [1, 100])
def test_the_dead_take_up_no_more_room_than_the_living(living):
    owner = Owner()
    queue, _ = queue_of(owner, *range(living))
    for number in range(5_000):
        owner.held.discard(add(queue, owner, number))
        sweep(queue)
        assert len(queue) <= 2 * living + 10


def test_a_pass_sees_both_queues():
    owner, queue = Owner(), S3FifoQueue()
    entries = proven(queue, owner, *range(10)) + [add(queue, owner, number) for number in range(100, 110)]
    for entry in entries[5:15]:
        owner.held.discard(entry)
    for _ in range(10):
        sweep(queue)
    assert len(queue) == 10


# -- memory --------------------------------------------------------------------------------------------


class Counted:
    """A part of an entry that counts how many of its kind are alive."""

    alive = 0

    def __init__(self):
        Counted.alive += 1

    def __del__(self):
        Counted.alive -= 1


@pytest.mark.soak
def test_very_many_forgotten_entries_are_freed_in_slices(soak):
    owner, queue, nothing = Owner(), S3FifoQueue(), Snapshot(None, None)
    many = 1_000_000 if soak else 100_000
    for number in range(many):
        queue.append(DetailedEntry((owner, 0), number, nothing, FOREVER, texts=Counted()))
    queue.clear()
    assert (len(queue), owner.asked, Counted.alive) == (0, 0, many)
    for _ in range(100):
        before = Counted.alive
        add(queue, owner, "new")
        assert 0 < before - Counted.alive <= A_SLICE


def test_forgetting_is_itself_bounded():
    """Both queues, and both parts of each."""
    owner, queue = Owner(), S3FifoQueue()
    proven(queue, owner, *range(9))
    for number in range(100, 150):
        add(queue, owner, number)
    for _ in range(20):
        sweep(queue)
    queue.clear()
    assert (len(queue), victims(queue), sweep(queue)) == (0, [], [])
    owner.held.clear()
    assert [len(queue) for number in range(10) if add(queue, owner, number)] == list(range(1, 11))


def test_what_is_remembered_of_the_evicted_is_bounded_and_keeps_no_key():
    owner, queue = Owner(), S3FifoQueue()
    for number in range(1_000):
        add(queue, owner, number)
        if number >= 100:
            victims(queue, 1)
    hashes = queue._ghosts._hashes
    assert 0 < len(hashes) <= 100
    assert {type(hashed) for hashed in hashes} == {int}
    queue.clear()
    for number in range(200):
        add(queue, owner, number + 0.5)
        if number >= 10:
            victims(queue, 1)
    assert len(hashes) <= 10


class Reentrant:
    """A value whose end stores another entry, as foreign code may."""

    def __init__(self, queue, owner, number):
        self.later = lambda: add(queue, owner, number)

    def __del__(self):
        self.later()


def test_code_that_runs_when_a_value_is_freed_may_store():
    owner, queue, numbers = Owner(), S3FifoQueue(), count()
    for _ in range(40):
        value = Reentrant(queue, owner, next(numbers))
        queue.append(Entry((owner, 0), "dead", Snapshot(value, None), FOREVER))
        del value
    while len(owner.held) < 40:
        sweep(queue)
    assert sorted(victims(queue)) == list(range(40))
