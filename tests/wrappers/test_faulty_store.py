"""Whatever the store does: every call gets the method's own answer, and the method runs at most once."""

from __future__ import annotations

import pytest

from wats_accel.extension import CacheSuspended, NotStored
from wats_accel.testing import FaultyStore

OPERATIONS = ["get", "put", "remove", "clear", "entries", "len"]


@pytest.fixture
def repository(app):
    """A class over a dictionary; `runs` counts the calls that reached a method."""

    @app.add
    class Repository:
        def __init__(self):
            self.rows = {1: "a", 2: "b"}
            self.runs = 0

        def get(self, key):
            self.runs += 1
            return self.rows[key]

        def all(self):
            self.runs += 1
            return sorted(self.rows.values())

        def put(self, key, value):
            self.runs += 1
            self.rows[key] = value

        def put_one(self, key, value):
            self.runs += 1
            self.rows[key] = value

    return Repository


CACHED = {"get": {"namespace": "rows", "ttl": 10}, "all": "rows"}
INVALIDATES = {"put": "rows:*", "put_one": ["rows:get:{key}", "rows:all:*"]}


def exercise(app, known):
    """Calls of all sorts; each answer is the right one, and no call runs a method twice."""

    def checked(method, *args, expected=None):
        before = known.runs
        assert getattr(known, method)(*args) == expected
        assert known.runs - before <= 1

    for value in ("c", "d"):
        for _ in range(2):
            checked("get", 1, expected=known.rows[1])
            checked("get", 2, expected=known.rows[2])
            checked("all", expected=sorted(known.rows.values()))
        app.clock.advance(11)
        checked("get", 1, expected=known.rows[1])
        checked("put", 1, value)
        checked("get", 1, expected=value)
        checked("all", expected=sorted(known.rows.values()))
        checked("put_one", 2, value)
        checked("get", 2, expected=value)
        checked("all", expected=sorted(known.rows.values()))


@pytest.mark.parametrize("error", [RuntimeError, KeyError], ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("failing", [[name] for name in OPERATIONS] + [OPERATIONS], ids="+".join)
@pytest.mark.parametrize("max_entries", [0, 1], ids=["unbounded", "bounded"])
def test_a_store_that_fails_is_not_noticed(app, repository, failing, error, max_entries):
    stores = []

    def store(namespace, target):
        stores.append(FaultyStore(*failing, error=error))
        return stores[-1]

    with app.accelerated(CACHED, INVALIDATES, store=store, max_entries=max_entries) as accelerator:
        exercise(app, repository())
        accelerator.stats()
        accelerator.invalidate("*")
    assert len(stores) == 2


@pytest.mark.parametrize("failing", OPERATIONS)
def test_a_store_that_begins_to_fail_is_not_noticed(app, repository, failing):
    stores = {}

    def store(namespace, target):
        return stores.setdefault(target, FaultyStore())

    with app.accelerated(CACHED, INVALIDATES, store=store):
        known = repository()
        exercise(app, known)
        stores["legacy_app:Repository.get"].failing.add(failing)
        exercise(app, known)


def test_an_invalidation_that_fails_suspends_what_it_concerns_and_nothing_else(app, repository):
    suspended = []

    def store(namespace, target):
        return FaultyStore("clear") if target.endswith("get") else None

    listen = [(CacheSuspended, suspended.append)]
    with app.accelerated(CACHED, INVALIDATES, store=store, listen=listen) as accelerator:
        known = repository()
        known.get(1), known.all()
        known.put(1, "c")
        assert [event.target for event in suspended] == ["legacy_app:Repository.get"]
        assert "RuntimeError" in suspended[0].why
        runs = known.runs
        assert [known.get(1), known.get(1), known.all(), known.all()] == ["c", "c", ["b", "c"], ["b", "c"]]
        assert known.runs == runs + 3  # get twice, all once
        accelerator.enable("all")
        known.get(1), known.get(1)
        assert known.runs == runs + 5
        known.put(1, "d")
        assert len(suspended) == 1


def test_a_store_that_cannot_put_is_counted_and_told(app, repository):
    told = []
    with app.accelerated(
        CACHED, store=lambda namespace, target: FaultyStore("put"), listen=[(NotStored, told.append)]
    ) as accelerator:
        repository().get(1)
        assert accelerator.stats().total.not_stored == {"store_failed": 1}
        assert accelerator.stats().total.stored == 0
    assert [event.why for event in told] == ["store_failed"]


class ForgetfulStore(FaultyStore):
    """A store that keeps the entry, and then says that it could not."""

    def put(self, entry):
        replaced = super().put(entry)
        if self.failing:
            raise ConnectionError
        return replaced


def test_an_entry_that_was_put_although_the_store_failed_is_dropped_by_writes(app, repository):
    stores = []

    def store(namespace, target):
        stores.append(ForgetfulStore())
        return stores[-1]

    with app.accelerated(CACHED, INVALIDATES, store=store):
        known = repository()
        known.put_one(2, "b")  # from now on there is an index by key
        stores[0].failing.add("put it, and raise")
        known.get(1)
        assert known.get(1) == "a"
        known.put_one(1, "c")
        assert known.get(1) == "c"


def test_figures_survive_a_store_without_a_length(app, repository):
    with app.accelerated(CACHED, store=lambda namespace, target: FaultyStore("len")) as accelerator:
        repository().get(1)
        assert accelerator.stats().total.size == 0
        assert accelerator.stats().total.stored == 1


def test_a_store_that_interrupts_lets_the_interrupt_through_and_serves_nothing_old(app, repository):
    def interrupt():
        return KeyboardInterrupt()

    stores = []

    def store(namespace, target):
        stores.append(FaultyStore(error=interrupt))
        return stores[-1]

    with app.accelerated(CACHED, INVALIDATES, store=store):
        known = repository()
        known.get(1), known.all()
        stores[0].failing.add("clear")
        with pytest.raises(KeyboardInterrupt):
            known.put(1, "c")
        assert known.get(1) == "c"
        assert known.all() == ["b", "c"]
        stores[0].failing.clear()
