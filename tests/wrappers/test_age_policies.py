"""Old answers that stand in for failures, answers with a greatest age, and calls that wait for others."""

from __future__ import annotations

import random
from typing import Any

import pytest
from threads_in_step import PATIENCE, HeldCall, in_thread, midway

from wats_accel.extension import NotStored, ServedStale
from wats_accel.testing import accelerated


class DatabaseError(Exception):
    """What the application raises when its database fails."""


class LostError(DatabaseError):
    """One kind of it."""


@pytest.fixture
def repository(app: Any) -> Any:
    """A class whose answer is the number of its load; set `failure` to have it fail."""

    @app.add
    class Repository:
        def __init__(self) -> None:
            self.loads = 0
            self.failure: Any = None

        def get(self, name: str = "ada") -> Any:
            self.loads += 1
            midway()
            if isinstance(self.failure, BaseException):
                raise self.failure
            return self.loads if self.failure is None else self.failure

        def report(self, name: str = "ada") -> list[Any]:
            return [self.get(name)]

        def forgiving(self, name: str = "ada") -> list[Any]:
            try:
                return [self.get(name)]
            except DatabaseError:
                return []

        def set(self, name: str = "ada") -> bool:
            return True

    return Repository()


DROPS = {"set": "n:get:{name}"}


def rule(**policies: Any) -> dict[str, Any]:
    return {"get": {"namespace": "n", "ttl": 60, **policies}}


TOLERANT = rule(stale_if_error={"grace": "10m", "errors": "DatabaseError"}, unless_result=[[None, False]])


# -- standing in for failures ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "failure",
    [DatabaseError("PWD=secret"), LostError(), (None, False)],
    ids=["listed", "a subclass", "an answer to a failure"],
)
def test_the_last_good_answer_stands_in_for_a_failure(app: Any, repository: Any, failure: Any) -> None:
    heard: list[ServedStale] = []
    with app.accelerated(TOLERANT, listen=[(ServedStale, heard.append)]) as accelerator:
        repository.get()
        repository.failure = failure
        app.clock.advance(90)
        assert (repository.get(), repository.get()) == (1, 1)
        assert (repository.loads, accelerator.stats().total.served_stale) == (3, 2)
    why = type(failure).__name__ if isinstance(failure, Exception) else "unless_result"
    assert heard == [ServedStale("n:get:ada", "legacy_app:Repository.get", why, 90.0)] * 2


def test_while_it_is_fresh_it_needs_no_failure(app: Any, repository: Any) -> None:
    with app.accelerated(TOLERANT) as accelerator:
        repository.get()
        repository.failure = DatabaseError()
        assert (repository.get(), repository.loads) == (1, 1)
        assert accelerator.stats().total.served_stale == 0


def test_a_database_that_is_back_is_believed_at_once(app: Any, repository: Any) -> None:
    with app.accelerated(TOLERANT):
        repository.get()
        app.clock.advance(60)
        repository.failure = DatabaseError()
        assert repository.get() == 1
        repository.failure = None
        assert (repository.get(), repository.get()) == (3, 3)


@pytest.mark.parametrize(
    "failure",
    [ValueError(), Exception(), KeyboardInterrupt(), SystemExit()],
    ids=lambda failure: type(failure).__name__,
)
def test_it_stands_in_for_no_other_exception(app: Any, repository: Any, failure: BaseException) -> None:
    with app.accelerated(TOLERANT):
        repository.get()
        app.clock.advance(60)
        repository.failure = failure
        with pytest.raises(type(failure)) as caught:
            repository.get()
    assert caught.value is failure


def test_an_interrupt_is_no_failure_of_the_database_whatever_is_listed(app: Any, repository: Any) -> None:
    listed = {"grace": "10m", "errors": ["KeyboardInterrupt", "BaseException"]}
    with app.accelerated(rule(stale_if_error=listed)):
        repository.get()
        app.clock.advance(60)
        repository.failure = KeyboardInterrupt()
        with pytest.raises(KeyboardInterrupt):
            repository.get()


def test_it_stands_in_for_no_other_answer(app: Any, repository: Any) -> None:
    with app.accelerated(TOLERANT):
        repository.get()
        app.clock.advance(60)
        repository.failure = (None, 0)
        assert repository.get() == (None, 0)


def test_without_an_answer_the_failure_is_the_callers(app: Any, repository: Any) -> None:
    with app.accelerated(TOLERANT):
        repository.get("bob")
        repository.failure = DatabaseError()
        with pytest.raises(DatabaseError):
            repository.get("ada")
        repository.failure = (None, False)
        assert repository.get("ada") == (None, False)


def test_the_short_form_is_for_answers_only(app: Any, repository: Any) -> None:
    with app.accelerated(rule(stale_if_error="10m", unless_result=[[None, False]])):
        repository.get()
        app.clock.advance(60)
        repository.failure = (None, False)
        assert repository.get() == 1
        repository.failure = DatabaseError()
        with pytest.raises(DatabaseError):
            repository.get()


def test_after_the_grace_it_is_of_no_use(app: Any, repository: Any) -> None:
    with app.accelerated(TOLERANT):
        repository.get()
        repository.failure = DatabaseError()
        app.clock.advance(60 + 599)
        assert repository.get() == 1
        app.clock.advance(1)
        with pytest.raises(DatabaseError):
            repository.get()


def test_no_answer_that_a_write_has_dropped_stands_in(app: Any, repository: Any) -> None:
    with app.accelerated(TOLERANT, DROPS):
        repository.get()
        app.clock.advance(60)
        repository.set("ada")
        repository.failure = DatabaseError()
        with pytest.raises(DatabaseError):
            repository.get()


def test_no_answer_that_a_write_drops_during_the_failing_load_stands_in(app: Any, repository: Any) -> None:
    with app.accelerated(TOLERANT, DROPS):
        repository.get("ada")
        repository.get("bob")
        app.clock.advance(60)
        repository.failure = DatabaseError()
        ada, bob = (HeldCall(lambda name=name: repository.get(name)) for name in ("ada", "bob"))
        repository.set("ada")
        with pytest.raises(DatabaseError):
            ada.end()
        assert bob.end() == 2


def test_it_stands_in_no_longer_than_its_greatest_age(app: Any, repository: Any) -> None:
    bounded = rule(stale_if_error={"grace": "10m", "errors": "DatabaseError"}, max_age_from_clock="90s")
    with app.accelerated(bounded):
        repository.get()
        repository.failure = DatabaseError()
        app.clock.advance(89)
        assert repository.get() == 1
        app.clock.advance(1)
        with pytest.raises(DatabaseError):
            repository.get()


def test_it_does_not_stand_in_after_the_moment_at_which_it_changes(app: Any, repository: Any) -> None:
    moment = app.clock.wall_time() + 90
    app.module.next_change = lambda *args: moment
    listed = {"grace": "10m", "errors": "DatabaseError"}
    with app.accelerated(rule(stale_if_error=listed, valid_until="legacy_app:next_change")):
        repository.get()
        repository.failure = DatabaseError()
        app.clock.advance(89)
        assert repository.get() == 1
        app.clock.advance(1)
        with pytest.raises(DatabaseError):
            repository.get()


@pytest.mark.parametrize("failure", [DatabaseError(), (None, False)], ids=["exception", "answer"])
def test_what_is_made_from_it_is_not_kept(app: Any, repository: Any, failure: Any) -> None:
    heard: list[NotStored] = []
    rules = TOLERANT | {"report": {"namespace": "n", "ttl": "1h"}}
    with app.accelerated(rules, listen=[(NotStored, heard.append)]):
        repository.report()
        app.clock.advance(60)
        repository.failure = failure
        assert repository.report() == [1]
        assert {event.target: event.why for event in heard}["legacy_app:Repository.report"] == (
            "failure_within"
        )
        repository.failure = None
        assert repository.report() == [3]


def test_an_outer_answer_stands_in_when_the_inner_one_does(app: Any, repository: Any) -> None:
    tolerated = {"stale_if_error": {"grace": "10m", "errors": "DatabaseError"}}
    outer = {"report": {"namespace": "n", "ttl": 60, **tolerated}}
    with app.accelerated(TOLERANT | outer) as accelerator:
        repository.report()
        app.clock.advance(60)
        repository.failure = DatabaseError()
        assert repository.report() == [1]
        assert accelerator.stats().methods["legacy_app:Repository.get"].served_stale == 1


def test_for_a_failure_that_the_method_itself_swallows_nothing_stands_in(app: Any, repository: Any) -> None:
    rules = {"forgiving": {"namespace": "n", "ttl": 60, "stale_if_error": {"grace": "10m", "errors": "X"}}}
    with app.accelerated(rule() | rules) as accelerator:
        repository.forgiving()
        app.clock.advance(60)
        repository.failure = DatabaseError()
        assert repository.forgiving() == []
        assert accelerator.stats().methods["legacy_app:Repository.forgiving"].stored == 1


def test_a_method_that_is_switched_off_gets_no_old_answers(app: Any, repository: Any) -> None:
    with app.accelerated(TOLERANT) as accelerator:
        repository.get()
        app.clock.advance(60)
        repository.failure = DatabaseError()
        accelerator.disable("n")
        with pytest.raises(DatabaseError):
            repository.get()


def test_a_caller_cannot_change_what_stands_in_for_the_next_one(app: Any, repository: Any) -> None:
    tolerated = {"namespace": "n", "ttl": 60, "stale_if_error": {"grace": "10m", "errors": "DatabaseError"}}
    with app.accelerated({"report": tolerated}):
        repository.report()
        app.clock.advance(60)
        repository.failure = DatabaseError()
        repository.report().append("mine")
        assert repository.report() == [1]


@pytest.mark.parametrize("failing", [False, True], ids=["whole", "broken"])
def test_a_generators_items_stand_in_if_it_fails(app: Any, repository: Any, failing: bool) -> None:
    @app.add
    class Lists:
        failure: Any = None

        def items(self) -> Any:
            yield 1
            if self.failure:
                raise self.failure
            yield 2

    policies = {"materialize": True, "stale_if_error": {"grace": "10m", "errors": "DatabaseError"}}
    with app.accelerated({"items": {"namespace": "n", "ttl": 60, **policies}}, target="Lists"):
        lists = Lists()
        assert list(lists.items()) == [1, 2]
        app.clock.advance(60)
        lists.failure = DatabaseError() if failing else None
        assert list(lists.items()) == [1, 2]


# -- a greatest age ---------------------------------------------------------------------------------------


def test_a_greatest_age_ends_an_answer_before_its_ttl(app: Any, repository: Any) -> None:
    with app.accelerated(rule(max_age_from_clock="30s")):
        repository.get()
        app.clock.advance(29)
        assert repository.get() == 1
        app.clock.advance(1)
        assert repository.get() == 2


def test_it_bounds_what_is_made_from_the_answer_too(app: Any, repository: Any) -> None:
    rules = rule(max_age_from_clock="30s") | {"report": {"namespace": "n", "ttl": "1h"}}
    with app.accelerated(rules):
        repository.report()
        app.clock.advance(29)
        assert repository.report() == [1]
        app.clock.advance(1)
        assert repository.report() == [2]


# -- jitter -----------------------------------------------------------------------------------------------


def test_jitter_spreads_the_ends_of_answers_and_ends_none_too_late(app: Any, repository: Any) -> None:
    names = [str(number) for number in range(200)]
    loaded = []
    state = random.getstate()
    random.seed(1)
    try:
        with app.accelerated(rule(jitter="50%")):
            for seconds in (0, 29, 11, 20):
                app.clock.advance(seconds)
                loaded.append(sum(_is_loaded_anew(repository, name) for name in names))
    finally:
        random.setstate(state)
    assert loaded[:2] == [200, 0]
    assert 40 < loaded[2] < 100
    assert loaded[2] + loaded[3] == 200


def _is_loaded_anew(repository: Any, name: str) -> bool:
    before = repository.loads
    repository.get(name)
    return bool(repository.loads > before)


# -- waiting for another call -------------------------------------------------------------------------------


def test_by_default_a_call_waits_for_another_one_that_loads_the_same(app: Any, repository: Any) -> None:
    with app.accelerated(rule()) as accelerator:
        first = HeldCall(repository.get)
        second = in_thread(repository.get)
        assert not second.done()
        assert first.end() == 1
        assert second.result(PATIENCE) == 1
        assert accelerator.stats().total.loads == 1


def test_with_a_timeout_of_zero_nobody_waits(app: Any, repository: Any) -> None:
    with app.accelerated(rule(wait_timeout=0)) as accelerator:
        calls = [HeldCall(repository.get) for _ in range(3)]
        assert repository.loads == 3  # all of them have come to the method, and none has ended
        assert [call.end() for call in calls] == [3, 3, 3]
        assert accelerator.stats().total.joined == 0


def test_a_call_that_has_waited_for_long_enough_runs_the_method_itself(app: Any, repository: Any) -> None:
    with app.accelerated(rule(wait_timeout="1ms")):
        first = HeldCall(repository.get)
        assert in_thread(repository.get).result(PATIENCE) == 2
        assert repository.loads == 2
        first.end()


# -- of a namespace ---------------------------------------------------------------------------------------


def in_namespace(options: dict[str, Any], **own: Any) -> dict[str, Any]:
    return {
        "version": 1,
        "cache": {"namespaces": {"n": {"ttl": 60, **options}}},
        "repositories": [
            {"target": "legacy_app:Repository", "cached": {"get": {"namespace": "n", **own}}},
        ],
    }


NAMESPACE = {"stale_if_error": {"grace": "10m", "errors": ["DatabaseError"]}, "max_age_from_clock": "90s"}


def test_a_namespaces_policies_are_those_of_its_methods(app: Any, repository: Any) -> None:
    with accelerated(in_namespace(NAMESPACE), clock=app.clock):
        repository.get()
        repository.failure = DatabaseError()
        app.clock.advance(89)
        assert repository.get() == 1
        app.clock.advance(1)
        with pytest.raises(DatabaseError):
            repository.get()


@pytest.mark.parametrize("off", [False, 0, "0s"], ids=repr)
def test_a_method_can_do_without_its_namespaces_policies(app: Any, repository: Any, off: Any) -> None:
    with accelerated(in_namespace(NAMESPACE, stale_if_error=off), clock=app.clock):
        repository.get()
        repository.failure = DatabaseError()
        app.clock.advance(60)
        with pytest.raises(DatabaseError):
            repository.get()


def test_a_methods_own_policy_beats_its_namespaces(app: Any, repository: Any) -> None:
    with accelerated(in_namespace(NAMESPACE, max_age_from_clock="10s"), clock=app.clock):
        repository.get()
        app.clock.advance(10)
        assert repository.get() == 2


def test_a_namespace_may_have_a_bound_of_bytes(app: Any, repository: Any) -> None:
    with accelerated(in_namespace({"max_bytes": "4KB"}), clock=app.clock) as accelerator:
        repository.failure = "x" * 1000
        for number in range(50):
            repository.get(str(number))
        assert 0 < accelerator.stats().total.size < 4
        assert accelerator.stats().total.evicted > 40
