"""What goes wrong while statements are followed never leaves an old answer, and never reaches the program."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from wats_accel.cache.region import Region
from wats_accel.cache.region_rules import RegionRules
from wats_accel.cache.registry import CacheRegistry
from wats_accel.event_bus import EventBus
from wats_accel.events import CacheSuspended
from wats_accel.pool.changes import change_of
from wats_accel.sql.schema import Schema
from wats_accel.testing import FakeClock, FaultyStore, accelerated
from wats_accel.tracking.analyses import Analyses
from wats_accel.tracking.dropping import Dropper
from wats_accel.tracking.tracker import Tracker
from wats_accel.transactions import Transaction

RENAME = "UPDATE item SET name = ? WHERE id = 1"


def failing(error: Exception) -> Any:
    def fail(*_: object) -> Any:
        raise error

    return fail


def test_a_statement_that_cannot_be_followed_may_change_anything(
    accelerate: Any, shop: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with accelerate(strict=False) as accelerator:
        shop.names(), shop.names()
        with monkeypatch.context() as patch:
            patch.setattr(Analyses, "of_text", failing(MemoryError("a text that must not be told")))
            shop.write(RENAME, "screw")
            assert shop.names()[0] == ("screw",)  # nor is this answer kept: what it has read nobody knows
            shop.write(RENAME, "bolt")
            assert shop.names()[0] == ("bolt",)
        hits = accelerator.stats().total.hits
        shop.names(), shop.names()
        assert accelerator.stats().total.hits == hits + 1
        assert accelerator.stats().breakers["following SQL"].failures == 4
        assert accelerator.problems == ()


def test_a_definition_that_cannot_be_followed_ends_the_caching(
    accelerate: Any, shop: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with accelerate(strict=False) as accelerator:
        shop.names()
        with monkeypatch.context() as patch:
            patch.setattr(Analyses, "of_text", failing(MemoryError("a text that must not be told")))
            shop.write("CREATE VIEW another AS SELECT * FROM item")
        (problem,) = accelerator.problems
        assert "MemoryError" in str(problem)
        assert "must not be told" not in str(problem)
        hits = accelerator.stats().total.hits
        shop.names(), shop.names()
        assert accelerator.stats().total.hits == hits


def test_where_statements_keep_failing_to_be_followed_nobody_tries_for_a_while(
    accelerate: Any, shop: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with accelerate(strict=False) as accelerator:
        with monkeypatch.context() as patch:
            patch.setattr(Analyses, "of_text", failing(MemoryError()))
            for _ in range(9):
                shop.names()
        assert accelerator.stats().breakers["following SQL"].failures == 5
        assert [shop.names()[0] for _ in range(2)] == [("bolt",)] * 2
        shop.write(RENAME, "screw")
        assert shop.names()[0] == ("screw",)
        assert accelerator.stats().total.hits == 0


def test_what_a_drop_that_fails_twice_concerns_is_off_until_it_is_emptied(
    accelerate: Any, shop: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with accelerate(strict=False) as accelerator:
        shop.names()
        connection = shop.connect(isolation_level="DEFERRED")
        connection.execute(RENAME, ("screw",))
        with monkeypatch.context() as patch:
            patch.setattr(Dropper, "drop", failing(MemoryError()))
            connection.commit()
        connection.close()
        assert [shop.names()[0] for _ in range(2)] == [("screw",)] * 2
        assert accelerator.stats().total.hits == 0
        accelerator._clock.advance(31)
        shop.names(), shop.names()
        assert accelerator.stats().total.hits == 1


@pytest.fixture
def store() -> FaultyStore:
    return FaultyStore()


@pytest.fixture
def caches(store: FaultyStore) -> CacheRegistry:
    return CacheRegistry(
        clock=FakeClock(),
        bus=EventBus(),
        store_factory=lambda namespace, target: store if namespace == "faulty" else None,
    )


@pytest.fixture
def regions(caches: CacheRegistry) -> list[Region]:
    return [caches.add(RegionRules(space, "read", f"app:{space}", 60.0)) for space in ("faulty", "sound")]


@pytest.fixture
def problems() -> list[str]:
    return []


@pytest.fixture
def tracker(caches: CacheRegistry, regions: list[Region], problems: list[str]) -> Tracker:
    made = Tracker(
        caches,
        Schema,
        strict=False,
        bus=EventBus(),
        covered=lambda region: region.rules.namespace == "sound",
        report=problems.append,
    )
    made.watch(regions)
    footprint = made._analyses.of_text("SELECT * FROM item", "").footprint
    for region in regions:
        made._readers.note(region, footprint)
    return made


def write(tracker: Tracker, text: str = "DELETE FROM item", transaction: Transaction | None = None) -> None:
    change = change_of(text)
    tracker.after(tracker.before("", "execute", text, change), change, transaction)


def test_a_store_that_cannot_be_dropped_from_is_answered_from_no_more(
    tracker: Tracker, regions: list[Region], store: FaultyStore, problems: list[str]
) -> None:
    suspended: list[CacheSuspended] = []
    regions[0].bus.subscribe(CacheSuspended, suspended.append)
    # An empty store is asked for nothing, unless an index is to be made.
    regions[0]._holdings._indexes.forget()
    store.failing |= {"entries", "clear", "remove"}
    write(tracker)
    assert [region.suspended is not None for region in regions] == [True, False]
    assert suspended[0].why == "invalidating it failed: RuntimeError"
    assert problems == []


def test_an_interrupt_while_dropping_is_the_programs_own_and_leaves_nothing_half_done(
    tracker: Tracker, regions: list[Region], monkeypatch: pytest.MonkeyPatch
) -> None:
    dropped: list[str] = []

    def drop(region: Region, concerned: object) -> int:
        dropped.append(region.rules.namespace)
        if dropped == ["faulty"]:
            raise KeyboardInterrupt
        return 0

    monkeypatch.setattr(Region, "invalidate_made_from", drop)
    with pytest.raises(KeyboardInterrupt):
        write(tracker)
    assert set(dropped) == {"faulty", "sound"}
    assert regions[0].suspended is not None
    assert not tracker._under_way._calls


def test_what_is_lost_from_sight_spares_what_a_rule_drops(
    tracker: Tracker, regions: list[Region], problems: list[str]
) -> None:
    for _ in range(2):
        tracker.lost_sight("a reason")
    assert [region.suspended is not None for region in regions] == [True, False]
    assert len(problems) == 1


def test_a_report_that_fails_harms_nobody(caches: CacheRegistry, regions: list[Region]) -> None:
    def fail(why: str) -> None:
        raise OSError(why)

    tracker = Tracker(caches, Schema, bus=EventBus(), covered=lambda region: False, report=fail)
    tracker.lost_sight("a reason")
    assert all(region.suspended for region in regions)


def test_a_commit_of_a_transaction_that_is_forgotten_drops_nothing(tracker: Tracker) -> None:
    tracker._commit(Transaction())
    assert tracker.counters.dropped == 0


def test_a_tracker_that_is_closed_sees_nothing_and_has_nothing_kept(
    tracker: Tracker, regions: list[Region]
) -> None:
    tracker.close()
    assert tracker.before("", "execute", "DELETE FROM item", change_of("DELETE FROM item")) is None
    tracker.after(None, change_of(""), None)
    tracker.lost_sight("too late")
    assert not regions[0].suspended


def test_what_was_read_is_told(tracker: Tracker, regions: list[Region]) -> None:
    region = regions[0]
    assert tracker.told_of(region) == {"reads": "item(*)"}
    note = tracker._readers.note
    note(region, tracker._analyses.of_text("SELECT now()", "postgres").footprint)
    assert "clock" in tracker.told_of(region)
    note(region, tracker._analyses.of_text("SELECT dbo.secret(1) FROM item", "tsql").footprint)
    assert tracker.told_of(region)["reads"].endswith("and what nobody knows")


def test_a_start_that_fails_ends_the_caching(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, database: str, shop_class: Any
) -> None:
    config = {
        "version": 1,
        "pool": [{"connect": "sqlite3:connect"}],
        "invalidation": "sql",
        "sql": {"schema": str(tmp_path / "missing.yaml")},
        "cache": {"namespaces": {"shop": {}}},
        "repositories": [
            {
                "target": "legacy_app:Shop",
                "scope": "self.database",
                "cached": {"names": {"namespace": "shop", "reads": "item"}},
            }
        ],
    }
    assert isinstance(sys.modules["legacy_app"], ModuleType)
    shop = shop_class(database)
    with accelerated(config, strict=False) as accelerator:
        shop.names()
        shop.names()
        assert shop.runs["names"] == 2
        assert any("schema" in str(problem) for problem in accelerator.problems)


def test_what_got_out_of_sight_while_it_was_closed_is_so_when_it_goes_on(
    tracker: Tracker, regions: list[Region], problems: list[str]
) -> None:
    faulty, sound = regions
    tracker.close()
    tracker.lost_sight("a connection that nothing can stand in for")
    assert (faulty.suspended, problems) == (None, [])
    covered = tracker._sight._ask_for_rule
    tracker.go_by(Schema, dialect="", strict=False, covered=covered, report=problems.append)
    tracker.watch(regions)
    assert "nothing can stand in for" in str(faulty.suspended)
    assert sound.suspended is None
    assert len(problems) == 1
