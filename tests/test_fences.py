"""Fences: a read that begins after a write has ended never gets what was loaded before that."""

from __future__ import annotations

import itertools

import pytest
from threads_in_step import PATIENCE, HeldCall, in_thread, midway, result_of

from wats_accel.extension import Invalidated

PATTERNS = {
    "the whole cache": "*",
    "a namespace": "rows:*",
    "a method": "rows:get:*",
    "a pattern": "ro*:g?t:[a-c]",
    "an exact key": "rows:get:{key}",
    "an exact key in so many words": "rows:get:a",
}
TOLD_AT_THE_DOOR = {name: pattern for name, pattern in PATTERNS.items() if "{" not in pattern}


@pytest.fixture
def repository(app):
    """A class whose instances all read and write one database, and count the runs of `get`."""

    @app.add
    class Repository:
        database = "one"
        rows: dict[str, str] = {"a": "old", "b": "old"}  # noqa: RUF012 - of all instances
        runs: list[str] = []  # noqa: RUF012 - the same

        def get(self, key):
            self.runs.append(key)
            value = self.rows[key]
            midway()
            return value

        def put(self, key, value):
            self.rows[key] = value
            midway()

        def put_and_fail(self, key, value):
            self.put(key, value)
            raise OSError("after it has been written")

    return Repository


def write(known, name, value):
    """Write, whatever the write raises."""
    try:
        getattr(known, name)("a", value)
    except OSError:
        assert name == "put_and_fail"


@pytest.fixture(params=PATTERNS.values(), ids=list(PATTERNS))
def pattern(request):
    return request.param


@pytest.fixture(params=["put", "put_and_fail"], ids=["returned", "raised"])
def writing(request, app, repository, pattern):
    """The name of a write that drops by the pattern, in an accelerated application."""
    with app.accelerated({"get": "rows"}, {request.param: pattern}, scope="self.database"):
        yield request.param


# -- a load that a write has overtaken -------------------------------------------------------------------


def test_an_overtaken_load_is_given_to_its_own_caller_only(repository, writing):
    load = HeldCall(lambda: repository().get("a"))
    write(repository(), writing, "new")
    assert load.end() == "old"
    assert repository().get("a") == "new"
    assert result_of(lambda: repository().get("a")) == "new"
    assert len(repository.runs) == 2, "the load from after the write is stored"


def test_no_later_read_joins_an_overtaken_load(repository, writing, joins):
    load = HeldCall(lambda: repository().get("a"))
    write(repository(), writing, "new")
    assert repository().get("a") == "new"
    assert joins.count == 0
    assert not load.done
    assert load.end() == "old"
    assert repository().get("a") == "new"
    assert len(repository.runs) == 2


def test_who_has_joined_before_the_write_ended_goes_round_to_a_newer_load(repository, writing, joins):
    overtaken = HeldCall(lambda: repository().get("a"))
    waiting = [in_thread(lambda: repository().get("a")) for _ in range(5)]
    joins.await_waiting(5)
    write(repository(), writing, "new")
    newer = HeldCall(lambda: repository().get("a"))
    assert overtaken.end() == "old"
    joins.await_waiting(5)
    assert newer.end() == "new"
    assert {call.result(PATIENCE) for call in waiting} == {"new"}
    assert len(repository.runs) == 2


def test_without_a_newer_load_one_of_those_that_go_round_loads_for_all(repository, writing, joins):
    overtaken = HeldCall(lambda: repository().get("a"))
    waiting = [in_thread(lambda: repository().get("a")) for _ in range(5)]
    joins.await_waiting(5)
    write(repository(), writing, "new")
    assert overtaken.end() == "old"
    assert {call.result(PATIENCE) for call in waiting} == {"new"}
    assert len(repository.runs) == 2


def test_a_load_that_began_within_a_write_is_not_kept(repository, writing):
    write_under_way = HeldCall(lambda: write(repository(), writing, "new"))
    load = HeldCall(lambda: repository().get("a"))
    repository.rows["a"] = "newer"
    write_under_way.end()
    assert load.end() == "new"
    assert repository().get("a") == "newer"


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))), ids=str)
def test_the_newest_answer_stays_in_whatever_order_loads_end(app, repository, order):
    with app.accelerated({"get": "rows"}, {"put": "rows:get:{key}"}, scope="self.database"):
        loads = []
        for number in range(3):
            repository().put("a", str(number))
            loads.append(HeldCall(lambda: repository().get("a")))
        assert [loads[number].end() for number in order] == [str(number) for number in order]
        assert repository().get("a") == "2"
        assert len(repository.runs) == 3


# -- whom it concerns ------------------------------------------------------------------------------------


def test_a_load_of_another_key_is_kept(app, repository):
    with app.accelerated({"get": "rows"}, {"put": "rows:get:{key}"}, scope="self.database"):
        load = HeldCall(lambda: repository().get("b"))
        repository().put("a", "new")
        assert load.end() == "old"
        repository.rows["b"] = "unseen"
        assert repository().get("b") == "old"


def test_a_load_of_another_key_can_still_be_joined(app, repository, joins):
    with app.accelerated({"get": "rows"}, {"put": "rows:get:{key}"}, scope="self.database"):
        load = HeldCall(lambda: repository().get("b"))
        repository().put("a", "new")
        waiting = in_thread(lambda: repository().get("b"))
        joins.await_waiting()
        load.end()
        assert waiting.result(PATIENCE) == "old"
        assert repository.runs == ["b"]


def test_a_write_overtakes_the_loads_of_all_scopes(app, repository, pattern):
    with app.accelerated({"get": "rows"}, {"put": pattern}, scope="self.database"):
        elsewhere = repository()
        elsewhere.database = "two"
        load = HeldCall(lambda: elsewhere.get("a"))
        repository().put("a", "new")
        load.end()
        assert elsewhere.get("a") == "new"


def test_a_write_overtakes_the_loads_of_all_instances(app, repository, pattern):
    with app.accelerated({"get": "rows"}, {"put": pattern}):
        known = repository()
        load = HeldCall(lambda: known.get("a"))
        repository().put("a", "new")
        load.end()
        assert known.get("a") == "new"


def test_a_write_that_has_turned_out_to_be_none_overtakes_nothing(app, repository):
    rule = {"patterns": ["rows:*"], "when": "truthy"}
    with app.accelerated({"get": "rows"}, {"put": rule}, scope="self.database"):
        load = HeldCall(lambda: repository().get("a"))
        repository().put("b", "new")
        load.end()
        repository().get("a")
        assert repository.runs == ["a"]


# -- other ways to drop ----------------------------------------------------------------------------------


@pytest.mark.parametrize("told", TOLD_AT_THE_DOOR.values(), ids=list(TOLD_AT_THE_DOOR))
def test_what_a_maintainer_invalidates_is_fenced_as_well(app, repository, told, joins):
    with app.accelerated({"get": "rows"}, scope="self.database") as accelerator:
        load = HeldCall(lambda: repository().get("a"))
        waiting = in_thread(lambda: repository().get("a"))
        joins.await_waiting()
        repository.rows["a"] = "new"
        accelerator.invalidate(told)
        assert repository().get("a") == "new"
        assert load.end() == "old"
        assert waiting.result(PATIENCE) == "new"
        assert repository().get("a") == "new"
        assert len(repository.runs) == 2


def test_a_load_that_invalidates_its_own_key_is_not_kept(app, repository):
    @app.add
    def read_and_invalidate():
        repository.runs.append("itself")
        accelerator.invalidate("rows:*")
        return len(repository.runs)

    with app.accelerated({"read_and_invalidate": "rows"}, target="") as accelerator:
        assert [app.module.read_and_invalidate() for _ in range(2)] == [1, 2]
        assert accelerator.stats().total.not_stored == {"overtaken": 2}


def test_a_write_while_the_cache_is_off_overtakes_a_load_from_before(app, repository):
    with app.accelerated({"get": "rows"}, {"put": "rows:*"}, scope="self.database") as accelerator:
        load = HeldCall(lambda: repository().get("a"))
        accelerator.disable("rows:*")
        repository().put("a", "new")
        accelerator.enable("rows:*")
        load.end()
        assert repository().get("a") == "new"


def test_a_load_that_begins_while_a_write_drops_is_not_kept(app, repository):
    """It may have found, as a hit of another method, what the write drops next."""
    seen = []

    def look(event):
        if not seen:
            seen.append(result_of(lambda: repository().get("a")))
            repository.rows["a"] = "newer"

    rules = ["rows:get:b", "rows:get:a"]
    listen = [(Invalidated, look)]
    with app.accelerated({"get": "rows"}, {"put": rules}, scope="self.database", listen=listen):
        repository().put("a", "new")
        assert repository().get("a") == "newer"
    assert seen == ["new"]
