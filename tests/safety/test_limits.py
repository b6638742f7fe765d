"""Whatever a caller can make grow has a bound: each is pushed beyond it, and what is there is counted."""

from __future__ import annotations

import inspect
import sqlite3
import threading
from collections import OrderedDict, deque
from collections.abc import Sized
from typing import Any

import pytest

from wats_accel import complaints
from wats_accel.cache.background import Background
from wats_accel.cache.freezing import TooLarge, freeze
from wats_accel.cache.key_size import LARGEST_KEY, is_too_large
from wats_accel.cache.keys import KeyMaker, KeyRules
from wats_accel.cache.scopes import ScopeNumbers
from wats_accel.cache.sealing import Sealer
from wats_accel.cache.selection import MOST_TEXTS, loose_texts
from wats_accel.cache.texts import LONGEST_TEXT, argument_text
from wats_accel.complaints import Complaints
from wats_accel.errors import Problem
from wats_accel.event_bus import EventBus
from wats_accel.events import FeatureInitialized, Invalidated, Miss
from wats_accel.pool.changes import _remembered as remembered_changes
from wats_accel.pool.changes import change_of
from wats_accel.pool.statements import _remembered as remembered_effects
from wats_accel.pool.statements import effect_of
from wats_accel.sql.access import Changes, Reads, access
from wats_accel.sql.facts import Facts
from wats_accel.sql.memory import Memory
from wats_accel.sql.schema import Schema, Table
from wats_accel.telemetry.logs import EventLog
from wats_accel.tracking import analyses, readers
from wats_accel.tracking.analyses import Analyses
from wats_accel.tracking.readers import Readers
from wats_accel.tracking.seen import Changed, Footprints

HUGE = 100_000
LONG_TEXT = "x" * 1_000_000


def maker(function: Any, **rules: Any) -> KeyMaker:
    return KeyMaker(
        inspect.signature(function), has_instance=False, rules=KeyRules(**rules), scopes=ScopeNumbers()
    )


# -- keys ------------------------------------------------------------------------------------------------


def anything(*args: Any, **kwargs: Any) -> None:
    pass


class Text(str):
    __slots__ = ()


class Items(list):  # type: ignore[type-arg]
    def __len__(self) -> int:
        return 1


@pytest.mark.parametrize(
    "value",
    [
        [0] * HUGE, tuple(range(HUGE)), set(range(HUGE)), frozenset(range(HUGE)), dict.fromkeys(range(HUGE)),
        OrderedDict.fromkeys(range(HUGE)), deque(range(HUGE)), bytearray(HUGE), Text("x" * HUGE),
        Items(range(HUGE)),
    ],
    ids=["list", "tuple", "set", "frozenset", "dict", "ordered", "deque", "bytes", "text", "liar"],
)  # fmt: skip
def test_an_argument_that_is_too_large_is_not_even_copied(value: Any) -> None:
    with pytest.raises(TooLarge) as caught:
        freeze(value)
    sized = [found for found in _locals_of(caught.value) if isinstance(found, Sized) and found is not value]
    assert not any(len(found) >= HUGE for found in sized if not isinstance(found, type | memoryview))


def test_an_argument_of_a_great_many_lists_is_too_large_as_well() -> None:
    with pytest.raises(TooLarge):
        freeze([[[0] * 5_000] * 3])


def _locals_of(error: BaseException) -> list[Any]:
    trace, found = error.__traceback__, []
    while trace is not None:
        found += trace.tb_frame.f_locals.values()
        trace = trace.tb_next
    return found


def test_a_large_argument_goes_past_the_cache_and_a_large_key_is_not_stored(app: Any) -> None:
    @app.add
    def read(argument: Any) -> str:
        return "answer"

    with app.accelerated({"read": "ns"}, target="") as accelerator:
        assert [app.module.read([0] * HUGE) for _ in range(2)] == ["answer"] * 2
        assert [app.module.read(LONG_TEXT) for _ in range(2)] == ["answer"] * 2
        total = accelerator.stats().total
        assert (dict(total.bypassed), dict(total.not_stored)) == (
            {"argument_too_large": 2},
            {"key_too_large": 2},
        )
        assert accelerator.stats().total.size == 0


@pytest.mark.parametrize(
    ("key", "large"),
    [
        ((0, "x" * (LARGEST_KEY - 24)), False),
        ((0, "x" * LARGEST_KEY), True),
        ((0, b"x" * LARGEST_KEY), True),
        ((0, 1 << (8 * LARGEST_KEY)), True),
        ((0, (list, tuple((int, number) for number in range(2_000)))), False),
        ((0, (list, tuple((int, number) for number in range(4_000)))), True),
        ((0, frozenset(range(HUGE))), True),
    ],
    ids=["fits", "text", "bytes", "number", "list that fits", "list", "set"],
)
def test_what_counts_as_a_large_key(key: Any, large: bool) -> None:
    assert is_too_large(key) is large


def test_a_readable_key_is_cut() -> None:
    keys = maker(anything)
    many = {f"name{number}" * 10: LONG_TEXT for number in range(1_000)}
    for call in ((tuple(range(9_000)), {}), ((), many), (tuple([LONG_TEXT] * 50), {})):
        label = keys.label("ns:anything", *call)
        assert len(label) <= 501
        assert label.endswith("…")


def test_a_secret_that_is_too_large_is_not_hashed() -> None:
    with pytest.raises(TooLarge):
        Sealer(ScopeNumbers().of_instance).seal(LONG_TEXT)


def test_a_long_text_of_a_read_and_many_texts_of_a_write_match_anything() -> None:
    assert argument_text("x" * LONGEST_TEXT) is not None
    assert argument_text("x" * (LONGEST_TEXT + 1)) is None
    assert argument_text(b"x" * (LONGEST_TEXT + 1)) is None
    assert loose_texts(LONG_TEXT) is None
    assert len(loose_texts(range(0)) or ()) == 0
    assert len(loose_texts(list(range(MOST_TEXTS))) or ()) == MOST_TEXTS
    assert loose_texts(list(range(MOST_TEXTS + 1))) is None


# -- scopes and instances --------------------------------------------------------------------------------


def test_scopes_are_forgotten_when_there_are_too_many() -> None:
    numbers = ScopeNumbers()
    for number in range(25_000):
        numbers.of_value(f"database {number}")
    assert len(numbers._by_value) <= 10_000


def test_instances_that_are_gone_leave_nothing(app: Any) -> None:
    class Repository:
        def read(self, key: int) -> int:
            return key

    app.add(Repository)
    with app.accelerated({"read": "ns"}) as accelerator:
        for number in range(2_000):
            app.module.Repository().read(number)
        [region] = accelerator._assembly.context.caches
        app.module.Repository().read(0)
        assert len(region) <= 2
        assert len(region.scopes._by_instance) == 0


def test_texts_and_groups_of_indexes_are_as_many_as_entries(app: Any) -> None:
    @app.add
    def read(key: int) -> int:
        return key

    @app.add
    def write(key: int) -> bool:
        return True

    with app.accelerated(
        {"read": "ns"}, {"write": ["ns:read:{key}"]}, target="", max_entries=100
    ) as accelerator:
        for number in range(2_000):
            app.module.read(number)
            app.module.write(number - 1)
        for number in range(2_000):
            app.module.read(number)
        [region] = accelerator._assembly.context.caches
        groups = [index._groups for index in region._holdings._indexes._by_part.values()]
        assert len(region) == 100
        assert groups
        assert max(map(len, groups)) <= 100
        assert len(region._space._queue._ghosts._hashes) <= 200


# -- background, log, counters, problems -----------------------------------------------------------------


def test_jobs_that_wait_have_a_bound() -> None:
    background, gate, begun = Background(), threading.Event(), threading.Semaphore(0)

    def job() -> None:
        begun.release()
        gate.wait(30)

    taken = [background.submit(job) for _ in range(2)]
    assert all(begun.acquire(timeout=30) for _ in range(2))
    taken += [background.submit(lambda: None) for _ in range(500)]
    assert (taken.count(True), len(background._waiting)) == (102, 100)
    background.close()
    gate.set()


def test_early_lines_have_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    bus = EventBus()
    log = EventLog(bus)
    monkeypatch.setattr(log, "_is_ready", lambda: False)
    log.open()
    for number in range(1_000):
        bus.emit(FeatureInitialized("cache", str(number)))
    assert len(log._early) == 200
    log._early.clear()
    log.close()


def test_a_problem_is_kept_once_and_not_without_end() -> None:
    told = Complaints(EventBus())
    for number in range(1_200):
        told.left_out(Problem("the same"))
        told.left_out(Problem(f"number {number}"))
    assert len(told) == complaints._MOST_PROBLEMS


def test_reasons_in_counters_are_words_of_ours(app: Any) -> None:
    @app.add
    def read(argument: Any) -> Any:
        if isinstance(argument, str) and argument.startswith("fails"):
            raise type(argument, (LookupError,), {})
        return iter(())

    with app.accelerated({"read": "ns"}, target="") as accelerator:
        for number in range(300):
            with pytest.raises(LookupError):
                app.module.read(f"fails{number}")
            app.module.read(f"text{number}")
            app.module.read(object())
        total = accelerator.stats().total
        assert dict(total.not_stored) == {"uncopyable": 300}
        assert dict(total.bypassed) == {"argument_without_value_identity": 300}


def test_a_listener_is_there_once() -> None:
    bus = EventBus()
    for _ in range(100):
        bus.subscribe(Miss, print)
        bus.subscribe(Invalidated, print)
    assert len(bus.channel(Miss).listeners) == 1


def test_switches_that_are_remembered_have_a_bound(app: Any) -> None:
    @app.add
    def read(key: int) -> int:
        return key

    with app.accelerated({"read": "ns"}, target="") as accelerator:
        for number in range(3_000):
            accelerator.disable(f"ns:read:{number}")
        assert len(accelerator._switches.known) <= 1_000


# -- SQL and pools ---------------------------------------------------------------------------------------


def test_analyses_are_forgotten_when_there_are_too_many_and_long_ones_are_not_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(analyses, "_MOST_REMEMBERED", 100)
    known = Analyses(Schema, dialect="sqlite", strict=False, footprints=Footprints())
    for number in range(150):
        known.of_text(f"SELECT a FROM t WHERE id = {number}", "sqlite")
    before = len(known._known)
    known.of_text("SELECT a FROM t WHERE name = '" + "x" * 30_000 + "'", "sqlite")
    assert (before, len(known._known)) == (50, 50)


def test_tables_that_are_defined_under_ever_new_names_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(analyses, "_MOST_REDEFINED", 10)
    schema = Schema(tables={"item": Table("item")})
    known = Analyses(lambda: schema, dialect="sqlite", strict=False, footprints=Footprints())
    assert known.of_text("SELECT a FROM other", "sqlite").footprint.reads == Reads(access({"other": ["a"]}))
    known.of_text("CREATE TEMP TABLE item (a)", "sqlite")
    for number in range(30):
        known.of_text(f"CREATE TEMP TABLE made_{number} (a)", "sqlite")
    assert len(known._known_schema().views) <= 11
    for name in ("item", "made_1", "made_29", "other"):  # of none of them is it sure any more what it is
        assert known.of_text(f"SELECT a FROM {name}", "sqlite").footprint.reads.unknown, name


def test_footprints_of_a_method_are_united_when_there_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readers, "_MOST_FOOTPRINTS", 10)
    footprints, seen, region = Footprints(), Readers(), object()
    for number in range(35):
        seen.note(region, footprints.of(Reads(access({f"t{number}": ["a"]}))))  # type: ignore[arg-type]
    assert len(seen._footprints[region]) <= 10  # type: ignore[index]
    for number in range(35):
        change = Changed(Changes(access({f"t{number}": ["a"]})), ("update",))
        assert seen.concerned_by(change) == {region}
    assert seen.concerned_by(Changed(Changes(access({"other": ["a"]})), ("update",))) == frozenset()


def test_unions_and_whom_a_change_concerns_are_forgotten_when_there_are_too_many() -> None:
    footprints = Footprints()
    change = Changed(Changes(access({"t": ["a"]})), ("update",))
    kept = [footprints.of(Reads(access({f"t{number}": ["a"]}))) for number in range(5_000)]
    for footprint in kept:
        change.concerns(footprint)
        _ = footprint | kept[0]
    assert len(change._concerned) <= 4_096
    assert len(footprints._unions) <= 4_096


def test_the_memory_of_statements_has_a_bound_in_number_and_in_length() -> None:
    memory, facts, owner = Memory(), Facts(), object()
    for number in range(7_000):
        memory.keep((f"SELECT {number}", "", 1), facts, owner)
    assert len(memory.young) + len(memory._old) <= 4_000
    for number in range(1_000):
        memory.keep((f"SELECT {number} " + "x" * 15_000, "", number), facts, owner)
    generations = (memory.young, memory._old)
    assert [sum(len(key[0]) for key in known) <= 4_000_000 for known in generations] == [True, True]
    assert len(memory._owners) + len(memory._old_owners) <= 4_000


def test_what_is_known_of_texts_for_the_pool_has_a_bound() -> None:
    for number in range(1_200):
        effect_of(f"SELECT {number}")
        change_of(f"SELECT {number}")
    long = "SELECT '" + "x" * 1_000_000 + "'"
    effect_of(long)
    change_of(long)
    for known in (remembered_effects, remembered_changes):
        assert known.cache_info().currsize <= known.cache_info().maxsize == 1_024


@pytest.mark.filterwarnings("ignore:unclosed database:ResourceWarning")
def test_pools_have_a_bound(app: Any, tmp_path: Any) -> None:
    @app.add
    def read(key: int) -> int:
        return key

    with app.accelerated({"read": "ns"}, target="", pool=[{"connect": "sqlite3:connect"}]) as accelerator:
        for number in range(60):
            sqlite3.connect(tmp_path / f"{number}.db").close()
        [pooled] = accelerator._assembly.context.pools
        assert len(pooled.pools) == 50
