from __future__ import annotations

import weakref

from wats_accel.cache.copying import Snapshot
from wats_accel.cache.entries import Entry
from wats_accel.cache.eviction import SecondChanceQueue

FOREVER = float("inf")


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
    queue = SecondChanceQueue()
    return queue, [add(queue, owner, number, expires_at) for number in numbers]


def add(queue, owner, number, expires_at=FOREVER):
    entry = Entry((0, number), (), Snapshot(None, None), expires_at, owner)
    owner.held.add(entry)
    queue.append(entry)
    return entry


def test_the_oldest_goes_first():
    owner = Owner()
    queue, entries = queue_of(owner, 1, 2, 3)
    assert [queue.victim() for _ in range(4)] == [*entries, None]


def test_a_visited_entry_gets_one_second_chance():
    owner = Owner()
    queue, (one, two, three) = queue_of(owner, 1, 2, 3)
    one.visited = True
    assert [queue.victim(), queue.victim(), queue.victim()] == [two, three, one]


def test_when_all_were_visited_the_oldest_goes():
    owner = Owner()
    queue, entries = queue_of(owner, 1, 2, 3)
    for entry in entries:
        entry.visited = True
    assert queue.victim() is entries[0]
    assert [entry.visited for entry in entries] == [False, False, False]


def test_what_is_dead_is_no_victim():
    owner = Owner()
    queue, (one, two) = queue_of(owner, 1, 2)
    owner.held.discard(one)
    assert queue.victim() is two
    assert queue.victim() is None
    assert len(queue) == 0


def sweep(queue, live, now=0.0, *, ordered=True):
    return list(queue.sweep(live, now, ordered=ordered))


def test_a_sweep_gives_the_expired_and_forgets_the_dead():
    owner = Owner()
    queue, (one, two) = queue_of(owner, 1, 2, expires_at=5)
    last = add(queue, owner, 3)
    owner.held.discard(one)
    assert sweep(queue, 2, now=5) == [two]
    assert queue.victim() is last


def test_a_sweep_is_bounded():
    owner = Owner()
    queue, _ = queue_of(owner, *range(100), expires_at=5)
    assert 0 < len(sweep(queue, 100, now=6)) < 10


def test_a_sweep_of_nothing_gives_nothing():
    assert sweep(SecondChanceQueue(), 0) == []


def test_a_sweep_leaves_the_order_of_the_living_alone():
    owner = Owner()
    queue, entries = queue_of(owner, *range(10))
    for _ in range(20):
        assert sweep(queue, 10) == []
    assert [queue.victim() for _ in range(10)] == entries


def test_a_living_head_does_not_keep_the_dead_for_ever():
    owner = Owner()
    queue, _ = queue_of(owner, "living")
    for number in range(1000):
        owner.held.discard(add(queue, owner, number))
        sweep(queue, 1)
    assert len(queue) < 100


def test_where_nothing_is_evicted_a_living_head_does_not_keep_the_expired():
    owner = Owner()
    queue, _ = queue_of(owner, "living")
    for number in range(1000):
        add(queue, owner, number, expires_at=number + 10)
        for expired in sweep(queue, len(owner.held), now=number, ordered=False):
            owner.remove(expired)
    assert len(owner.held) < 50


def test_clearing_visits_nothing_and_frees_in_slices():
    owner = Owner()
    queue, entries = queue_of(owner, *range(100))
    owner.held.clear()
    references = [weakref.ref(entry.owner) for entry in entries]
    queue.clear()
    assert (len(queue), owner.asked) == (0, 0)
    assert queue.victim() is None
    for number in range(10):
        add(queue, owner, number)
    assert len(queue) == 10
    assert references
