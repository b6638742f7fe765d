"""Who has read what: a change finds the methods that it may concern."""

from __future__ import annotations

import pytest

from wats_accel.cache.region import Region
from wats_accel.cache.region_rules import RegionRules
from wats_accel.cache.registry import CacheRegistry
from wats_accel.event_bus import EventBus
from wats_accel.sql.access import Changes, Reads, access
from wats_accel.testing import FakeClock
from wats_accel.tracking.readers import Readers
from wats_accel.tracking.seen import Changed, Footprints
from wats_accel.tracking.under_way import UnderWay, UnderWayCall
from wats_accel.transactions import Transaction

FOOTPRINTS = Footprints()
ITEMS, NOTES = (FOOTPRINTS.of(Reads(access({table: ["*"]}))) for table in ("item", "note"))
CHANGE = Changed(Changes(access({"item": ["*"]})), ("delete item",))
UNKNOWN = Changed(Changes(unknown=True), ("a call",))


@pytest.fixture
def regions() -> list[Region]:
    caches = CacheRegistry(clock=FakeClock(), bus=EventBus())
    return [caches.add(RegionRules("all", name, f"app:{name}", 60.0)) for name in ("one", "two")]


def test_a_change_finds_the_regions_that_it_may_concern(regions: list[Region]) -> None:
    one, two = regions
    readers = Readers()
    readers.note(one, ITEMS)
    readers.note(two, NOTES)
    assert readers.concerned_by(CHANGE) == {one}
    assert readers.concerned_by(UNKNOWN) == {one, two}
    readers.note(two, ITEMS)
    assert readers.concerned_by(CHANGE) == {one, two}


def test_what_nobody_has_seen_is_concerned_by_unknown_changes_only(regions: list[Region]) -> None:
    one, _ = regions
    readers = Readers()
    readers.note(one, None)
    assert readers.concerned_by(CHANGE) == frozenset()
    assert readers.concerned_by(UNKNOWN) == {one}
    assert readers.all_of(one) is None


def test_all_that_was_read_is_told(regions: list[Region]) -> None:
    one, _ = regions
    readers = Readers()
    for footprint in (ITEMS, NOTES, ITEMS):
        readers.note(one, footprint)
    assert readers.all_of(one) is ITEMS | NOTES


def test_a_call_keeps_readers_away_until_it_is_over(regions: list[Region]) -> None:
    one, two = regions
    under_way, call = UnderWay(), UnderWayCall(CHANGE)
    under_way.enter(call, [one])
    assert one.is_being_written(None)
    assert not two.is_being_written(None)
    assert under_way.concerns(ITEMS)
    assert not under_way.concerns(NOTES)
    under_way.leave(call)
    under_way.leave(call)
    assert not one.is_being_written(None)
    assert not under_way.concerns(ITEMS)


def test_a_transaction_keeps_them_away_until_it_is_committed_or_rolled_back(regions: list[Region]) -> None:
    one, _ = regions
    under_way = UnderWay()
    for ended in ("rolled back", "committed"):
        call, transaction = UnderWayCall(CHANGE), Transaction()
        under_way.enter(call, [one])
        under_way.add(transaction, call)
        under_way.leave(call)
        assert one.is_being_written(None)
        assert under_way.concerns(ITEMS)
        transaction.end(committed=ended == "committed")
        if ended == "committed":
            under_way.forget(transaction)
        assert not one.is_being_written(None)
        assert not under_way.concerns(ITEMS)


def test_what_a_transaction_has_changed_adds_up(regions: list[Region]) -> None:
    under_way, transaction = UnderWay(), Transaction()
    for table in ("item", "note", "item"):
        call = UnderWayCall(Changed(Changes(access({table: ["*"]})), (f"delete {table}",)))
        under_way.enter(call, regions)
        under_way.add(transaction, call)
        under_way.leave(call)
    changed = under_way.of(transaction)
    assert changed is not None
    assert changed.by == ("delete item", "delete note")
    assert len(regions[0].writers.under_way) == 1, "one for the transaction, not one for each statement"


def test_transactions_that_were_rolled_back_are_forgotten(regions: list[Region]) -> None:
    under_way = UnderWay()
    for _ in range(5):
        call, transaction = UnderWayCall(CHANGE), Transaction()
        under_way.enter(call, [])
        under_way.add(transaction, call)
        under_way.leave(call)
        transaction.end(committed=False)
    assert len(under_way._open) == 1
    assert under_way.of(Transaction()) is None


def test_in_a_child_process_the_calls_of_others_are_gone(regions: list[Region]) -> None:
    under_way = UnderWay()
    under_way.enter(UnderWayCall(CHANGE), [])
    under_way.begin_anew()
    assert not under_way.concerns(ITEMS)
