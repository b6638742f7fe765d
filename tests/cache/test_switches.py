"""A method whose cache breaks, or cannot be emptied, goes uncached for a while, then begins from empty."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from wats_accel.extension import BreakerClosed, BreakerOpened, CacheSuspended, KeyMaker
from wats_accel.testing import FaultyStore

GET = "legacy_app:Repository.get"
CACHED = {"get": {"namespace": "rows", "ttl": 1000}, "all": "rows"}
INVALIDATES = {"put": "rows:*", "put_one": ["rows:get:{key}", "rows:all:*"]}


@dataclass
class Case:
    """A repository, the store of its method `get`, and what was told."""

    accelerator: Any
    clock: Any
    known: Any
    store: FaultyStore
    told: list[Any] = field(default_factory=list)

    @property
    def region(self) -> Any:
        return self.accelerator._assembly.context.caches.of_target(GET)

    def get(self, key: int = 1) -> tuple[Any, int]:
        """The answer, and how often the method has run for it."""
        before = self.known.runs
        answer = self.known.get(key)
        return answer, self.known.runs - before

    @property
    def breaker(self) -> Any:
        return self.accelerator.stats().breakers["cache rows:get"]


@pytest.fixture
def case(app: Any) -> Iterator[Case]:
    @app.add
    class Repository:
        def __init__(self) -> None:
            self.rows = {1: "a", 2: "b"}
            self.runs = 0

        def get(self, key: int) -> str:
            self.runs += 1
            return self.rows[key]

        def all(self) -> list[str]:
            self.runs += 1
            return [self.get(key) for key in self.rows]

        def put(self, key: int, value: str) -> None:
            self.rows[key] = value

        def put_one(self, key: int, value: str) -> None:
            self.rows[key] = value

    store = FaultyStore()
    told: list[Any] = []
    listen = [(kind, told.append) for kind in (BreakerOpened, BreakerClosed, CacheSuspended)]
    with app.accelerated(
        CACHED, INVALIDATES, store=lambda _, target: store if target == GET else None, listen=listen
    ) as accelerator:
        yield Case(accelerator, app.clock, app.module.Repository(), store, told)


# -- a breaker that opens ----------------------------------------------------------------------------------


@pytest.mark.parametrize("failing", ["get", "put"])
def test_what_keeps_failing_is_left_alone_and_then_tried_from_empty(case: Case, failing: str) -> None:
    case.get(2)
    case.store.failing.add(failing)
    for _ in range(5):
        assert case.get() == ("a", 1)
    assert [type(event).__name__ for event in case.told] == ["BreakerOpened"]
    assert case.told[0].part == "cache rows:get"
    assert not case.region.active
    failures = case.breaker.failures
    for _ in range(3):
        assert case.get() == ("a", 1)
    assert case.breaker.failures == failures, "nobody has tried"
    assert case.accelerator.stats().total.bypassed["broken"] >= 3
    case.store.failing.clear()
    case.clock.advance(31)
    assert [case.get(), case.get(), case.get(2)] == [("a", 1), ("a", 0), ("b", 1)]
    assert case.told[1:] == [BreakerClosed("cache rows:get")]
    assert case.breaker.state == "closed"


def test_a_trial_that_fails_is_followed_by_a_longer_pause(case: Case) -> None:
    case.store.failing.add("put")
    for _ in range(5):
        case.get()
    case.clock.advance(30)
    assert case.get() == ("a", 1)
    assert not case.region.active
    assert case.breaker.retry_in_seconds == 60
    case.store.failing.clear()
    case.clock.advance(59)
    assert [case.get(), case.get()] == [("a", 1)] * 2
    case.clock.advance(1)
    assert [case.get(), case.get()] == [("a", 1), ("a", 0)]


def test_while_it_is_left_alone_writes_go_on_dropping(case: Case) -> None:
    case.get()
    case.get(2)
    for _ in range(5):
        case.region.broke("a test")
    case.known.put_one(1, "c")
    case.accelerator.enable("all")
    assert not case.region.active
    assert case.get() == ("c", 1)
    assert len(case.region) == 1


def test_few_failures_change_nothing(case: Case) -> None:
    case.store.failing.add("put")
    for _ in range(4):
        case.get()
    case.store.failing.clear()
    assert [case.get(), case.get()] == [("a", 1), ("a", 0)]
    assert case.told == []


def test_what_a_maintainer_has_switched_off_is_not_tried(case: Case) -> None:
    case.accelerator.disable("rows:get")
    case.region.quarantine("a test")
    case.clock.advance(1000)
    assert [case.get(), case.get()] == [("a", 1)] * 2
    assert case.region.suspended == "a test"
    case.accelerator.enable("rows:get")
    assert [case.get(), case.get()] == [("a", 1), ("a", 0)]


def test_calls_that_do_not_fit_open_nothing(case: Case) -> None:
    for _ in range(9):
        with pytest.raises(TypeError, match="positional argument"):
            case.known.get(1, 2, 3)
    case.known.get(1)
    assert "cache rows:get" not in case.accelerator.stats().breakers


@pytest.mark.parametrize("key", [None, 5, (), ("x", 1), [0, 1], (1,)], ids=repr)
def test_a_key_that_is_none_finds_nothing_and_stores_nothing(
    case: Case, key: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(KeyMaker, "key", lambda *_: key)
    assert [case.get(1), case.get(2), case.get(1)] == [("a", 1), ("b", 1), ("a", 1)]
    assert len(case.region) == 0


# -- what could not be emptied -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("write", "failing"),
    [("put", "clear"), ("put_one", "remove"), ("put_one", "entries")],
)
def test_what_could_not_be_dropped_is_off_until_it_is_emptied(case: Case, failing: str, write: str) -> None:
    case.get(), case.get(2)
    if failing == "entries":  # nobody asks for them, unless an index is to be made
        case.region._holdings._indexes.forget()
    case.store.failing |= {failing, "clear"}
    getattr(case.known, write)(1, "c")
    assert case.told == [CacheSuspended(GET, "invalidating it failed: RuntimeError")]
    assert [case.get(), case.get(), case.get(2)] == [("c", 1), ("c", 1), ("b", 1)]
    case.clock.advance(31)
    assert [case.get(), case.get()] == [("c", 1)] * 2, "it cannot be emptied yet"
    case.known.put_one(1, "d")
    case.store.failing.clear()
    assert [case.get(), case.get()] == [("d", 1)] * 2, "nor does anybody try"
    case.clock.advance(61)
    assert [case.get(), case.get(), case.get(2)] == [("d", 1), ("d", 0), ("b", 1)]
    assert case.told[1:] == [BreakerClosed("cache rows:get")]
    assert case.region.suspended is None


def test_a_method_of_the_same_pattern_that_could_be_dropped_stays_cached(case: Case) -> None:
    case.known.all()
    case.store.failing.add("clear")
    case.known.put(1, "c")
    assert case.known.all() == ["c", "b"]
    assert not case.region.active
    assert case.accelerator._assembly.context.caches.of_target("legacy_app:Repository.all").active


def test_a_load_from_before_is_not_kept_by_what_was_emptied_meanwhile(case: Case) -> None:
    begun, goes_on = threading.Event(), threading.Event()
    own = case.known.rows

    class Slow(dict[int, str]):
        def __getitem__(self, key: int) -> str:
            value = own[key]
            begun.set()
            assert goes_on.wait(30)
            return value

    case.known.rows = Slow()
    answers: list[Any] = []
    thread = threading.Thread(target=lambda: answers.append(case.known.get(1)))
    thread.start()
    assert begun.wait(30)
    case.known.rows = own
    case.store.failing.add("clear")
    case.known.put(1, "c")
    case.store.failing.clear()
    case.clock.advance(31)
    assert case.get(2) == ("b", 1)
    assert case.region.active
    goes_on.set()
    thread.join(30)
    assert answers == ["a"]
    assert [case.get(), case.get()] == [("c", 1), ("c", 0)]


def test_what_was_made_from_an_answer_of_before_goes_with_it(case: Case) -> None:
    assert case.known.all() == ["a", "b"]
    case.known.rows[1] = "c"  # by nobody whom a rule knows: only the cure can show it
    case.region.quarantine("a test")
    assert case.known.all() == ["c", "b"]
    case.clock.advance(31)
    case.get(2)
    assert case.known.all() == ["c", "b"]


def test_what_is_suspended_for_good_stays_so(case: Case) -> None:
    case.region.suspend("nobody drops it")
    case.region.quarantine("a test")
    case.clock.advance(10_000)
    assert [case.get(), case.get()] == [("a", 1)] * 2
    assert case.region.suspended == "nobody drops it"
    assert case.told == [CacheSuspended(GET, "nobody drops it")]


@pytest.mark.parametrize("write", ["put", "put_one"])
def test_a_store_that_drops_nothing_gives_nothing_old(
    case: Case, write: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(case.store, "remove", lambda key: None)
    monkeypatch.setattr(case.store, "clear", lambda: 0)
    assert [case.get(), case.get()] == [("a", 1), ("a", 0)]
    getattr(case.known, write)(1, "c")
    assert case.get()[0] == "c"
    assert case.get()[0] == "c"


# -- where the invalidation itself breaks ------------------------------------------------------------------


PLACES = [
    "wats_accel.invalidation:Invalidator.begin",
    "wats_accel.invalidation:Invalidator.end",
    "wats_accel.invalidation:Invalidator._drop",
    "wats_accel.invalidation:Invalidator._await_commits",
    "wats_accel.invalidation.invalidator:select",
    "wats_accel.invalidation.invalidator:open_transactions",
    "wats_accel.invalidation.invalidator:enter_write",
    "wats_accel.invalidation.invalidator:leave_write",
    "wats_accel.cache.registry:CacheRegistry.matching",
    "wats_accel.cache.region:Region.invalidate",
    "wats_accel.cache.flights:Flights.raise_fence",
    "wats_accel.cache.flights:Flights.lift_fence",
    "wats_accel.cache.writers:Writers.enter",
    "wats_accel.cache.writers:Writers.leave",
    "wats_accel.cache.keys:ArgumentReader.read",
    "wats_accel.wrappers.invalidating:_spelled",
    "wats_accel.event_bus:EventBus.checkpoint",
]
ERRORS = [RuntimeError, MemoryError, RecursionError]


@pytest.mark.parametrize(
    ("place", "error"), [(place, ERRORS[number % 3]) for number, place in enumerate(PLACES)]
)
def test_a_write_gives_its_result_whatever_breaks_and_nobody_gets_an_old_answer(
    case: Case, place: str, error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    case.get(), case.get(2), case.known.all()

    def fail(*_: Any, **__: Any) -> Any:
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(place.replace(":", "."), fail)
        assert case.known.put(1, "c") is None
        assert [case.get()[0], case.get()[0], case.known.all()] == ["c", "c", ["c", "b"]]
    assert [case.get()[0], case.get()[0], case.known.all()] == ["c", "c", ["c", "b"]]
    case.known.put_one(2, "d")
    case.clock.advance(100)
    assert [case.get(2)[0], case.get(2)[0], case.known.all()] == ["d", "d", ["c", "d"]]


# -- other threads -------------------------------------------------------------------------------------------


def test_what_another_thread_could_not_drop_while_it_was_emptied_is_off_still(case: Case) -> None:
    case.get()
    region, clear, held = case.region, case.store.clear, []

    def clear_while_another_write_fails() -> int:
        count = clear()
        if not held:
            held.append(threading.Thread(target=region.quarantine, args=["another write"]))
            held[0].start()
            while region.breaker.state != "open":  # from there on it waits for the lock
                held[0].join(0.001)
        else:
            raise OSError("from now on the store drops nothing")
        return count

    region.quarantine("a write")
    case.clock.advance(60)
    case.store.clear = clear_while_another_write_fails  # type: ignore[method-assign]  # as it says
    region.try_again()
    held[0].join(10)
    assert region.suspended == "another write"
    assert not region.active
    case.accelerator.enable("rows:*")
    assert not region.active


def test_of_two_methods_with_one_breaker_both_are_tried_again(case: Case) -> None:
    one = case.region
    registry = case.accelerator._assembly.context.caches
    other = registry.add(replace(one.rules, target="other_app:Repository.get"))
    assert other.breaker is one.breaker
    for _ in range(5):
        one.broke("a failure")
    other.broke("a failure")
    case.clock.advance(60)
    assert case.get() == ("a", 1)
    assert (one.active, one.breaker.state, other.active) == (True, "closed", False)
    assert other.try_again()


def test_what_was_closed_is_never_tried_again(case: Case) -> None:
    region = case.region
    case.accelerator.uninstall()
    case.clock.advance(60)
    assert not region.try_again()
