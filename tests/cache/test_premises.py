"""Premises: what an answer rests on, and what a load makes of what it has been given."""

from __future__ import annotations

import gc
import weakref
from dataclasses import dataclass, field

import pytest

from wats_accel.cache.copying import take_snapshot
from wats_accel.cache.entries import Entry
from wats_accel.cache.loads import Load
from wats_accel.cache.premises import HeldEntry, SameVersion, ValidUntil
from wats_accel.testing import FakeClock

MOST = 32
"""Premises that an entry may have, before those of many entries become one of their method."""


@dataclass(eq=False)
class Owner:
    """What holds entries, as a region does."""

    version: int = 0
    held: dict[object, Entry] = field(default_factory=dict)
    written: set[str] = field(default_factory=set)

    def is_being_written(self, texts):
        return bool(self.written if texts is None else self.written.intersection(texts))

    def renew(self, entry, now):
        return False

    def holds(self, entry):
        return self.held.get(entry.key) is entry

    vouches_for = holds

    def remove(self, entry):
        del self.held[entry.key]

    def note_departure(self, why):
        pass

    def entry(self, number, *, fresh_until=60.0, premises=()):
        made = Entry((self, 0), number, take_snapshot(number, "auto"), fresh_until, premises=premises)
        self.held[made.key] = made
        return made


@pytest.fixture
def owner():
    return Owner()


def load():
    return Load("app:outer", (0,), (), lambda: "ns:outer")


def breaches(known):
    """What the premises of a load say, of which those that hold say nothing."""
    return {premise.breach() for premise in known.premises.values()} - {None}


def held(entry):
    return HeldEntry(weakref.ref(entry))


# -- each kind -------------------------------------------------------------------------------------------


def test_an_entry_that_is_held_is_no_breach(owner):
    assert held(owner.entry(1)).breach() is None


def test_an_entry_that_was_removed_is_a_breach(owner):
    entry = owner.entry(1)
    owner.remove(entry)
    assert held(entry).breach() == "orphaned"


def test_an_entry_in_whose_place_another_one_is_is_a_breach(owner):
    entry = owner.entry(1)
    owner.entry(1)
    assert held(entry).breach() == "orphaned"


def test_an_entry_that_is_no_more_is_a_breach_and_was_not_kept_alive(owner):
    entry = owner.entry(1)
    premise = held(entry)
    owner.remove(entry)
    del entry
    gc.collect()
    assert premise.reference() is None
    assert premise.breach() == "orphaned"


def test_a_version_holds_until_anything_is_invalidated(owner):
    premise = SameVersion(owner, 0)
    assert premise.breach() is None
    owner.version += 1
    assert premise.breach() == "orphaned"


def test_what_is_being_written_is_a_breach_while_it_is(owner):
    entry, unstored = held(owner.entry(1)), SameVersion(owner, 0)
    owner.written = {"2"}
    assert (entry.breach(), unstored.breach()) == (None, "being_written")
    owner.written = {"1"}
    assert (entry.breach(), unstored.breach()) == ("being_written", "being_written")
    owner.written = set()
    assert (entry.breach(), unstored.breach()) == (None, None)


def test_a_moment_is_over_when_the_clock_has_come_to_it():
    clock = FakeClock(99.0)
    premise = ValidUntil(100.0, clock)
    assert premise.breach() is None
    clock.advance(1)
    assert premise.breach() == "expired"


def test_an_entry_tells_the_first_breach_of_its_premises(owner):
    clock = FakeClock(100.0)
    inner = owner.entry(1)
    entry = owner.entry(2, premises=(held(inner), ValidUntil(100.0, clock)))
    assert entry.breach() == "expired"
    owner.remove(inner)
    assert entry.breach() == "orphaned"


def test_an_entry_without_premises_has_no_breach(owner):
    assert owner.entry(1).breach() is None


def test_an_entry_is_over_for_good_or_not_at_all(owner):
    inner = owner.entry(1)
    entry = owner.entry(2, premises=(held(inner),))
    owner.written = {"1"}
    assert (entry.breach(), entry.why_over(0.0)) == ("being_written", None)
    owner.remove(inner)
    assert entry.why_over(0.0) == "orphaned"
    assert owner.entry(3).why_over(float("inf")) == "expired"


# -- what a load collects --------------------------------------------------------------------------------


def test_a_load_is_fresh_no_longer_than_what_it_was_given(owner):
    known = load()
    for fresh_until in (60.0, 50.0, 70.0):
        known.rest_on(owner.entry(fresh_until, fresh_until=fresh_until))
    assert known.expires_by == 50.0


def test_a_load_rests_on_what_its_entries_rest_on(owner):
    known, innermost = load(), owner.entry(1)
    known.rest_on(owner.entry(2, premises=(held(innermost), SameVersion(owner, 0))))
    assert breaches(known) == set()
    owner.remove(innermost)
    assert breaches(known) == {"orphaned"}


def test_the_same_entry_twice_is_one_premise(owner):
    known, entry = load(), owner.entry(1)
    known.rest_on(entry)
    known.rest_on(entry)
    assert len(known.premises) == 1


def test_of_a_method_s_versions_the_first_counts(owner):
    known = load()
    known.rest_on_version(owner, 0)
    owner.version += 1
    known.rest_on_version(owner, 1)
    assert breaches(known) == {"orphaned"}


def test_of_many_moments_the_first_counts():
    known, clock = load(), FakeClock()
    for moment in (30.0, 20.0, 40.0):
        known.rest_on_moment(ValidUntil(moment, clock))
    assert [premise.moment for premise in known.premises.values()] == [20.0]


def test_a_load_takes_over_all_of_one_that_was_not_stored(owner):
    inner, outer, clock = load(), load(), FakeClock()
    inner.rest_on(owner.entry(1, fresh_until=40.0))
    inner.rest_on_version(Owner(), 0)
    inner.rest_on_moment(ValidUntil(20.0, clock))
    outer.rest_on_all_of(inner)
    assert outer.premises == inner.premises
    assert outer.expires_by == 40.0


# -- a great many ----------------------------------------------------------------------------------------


def test_of_a_great_many_entries_only_their_methods_are_remembered(owner):
    known, other = load(), Owner()
    for number in range(200):
        known.rest_on(owner.entry(number))
        known.rest_on(other.entry(number))
    assert len(known.premises) <= MOST
    assert breaches(known) == set()
    other.version += 1
    assert breaches(known) == {"orphaned"}


@pytest.mark.parametrize("number", [0, 100, 199])
def test_a_drop_while_a_great_many_entries_are_collected_is_not_missed(owner, number):
    known = load()
    for one in range(200):
        entry = owner.entry(one)
        known.rest_on(entry)
        if one == number:
            owner.version += 1
            owner.remove(entry)
    assert breaches(known) == {"orphaned"} or known.objection == "overtaken"


def test_an_entry_that_is_gone_when_they_are_made_few_spoils_the_load(owner):
    known = load()
    for number in range(MOST):
        known.rest_on(owner.entry(number))
    owner.held.clear()
    gc.collect()
    known.rest_on(owner.entry("one too many"))
    assert known.objection == "overtaken"
