"""The function that is written for one method answers what the general way answers, and nothing else."""

from __future__ import annotations

import gc
import inspect
import sys
import traceback
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wats_accel.testing import FakeClock

BY_DATABASE = {"scope": "self.db.name"}


def is_quick(function: Any) -> bool:
    """Whether a hit path was written for it."""
    return function.__code__.co_filename.startswith("<wats_accel: ")


class Database:
    def __init__(self, name: Any) -> None:
        self.name = name


@pytest.fixture
def counted(app):
    """A class of methods that answer with what they were given, and count."""

    @app.add
    class Repository:
        runs = 0

        def __init__(self, name: Any = "one") -> None:
            self.db = Database(name)

        def get(self, first, second="default", *, third=None):
            type(self).runs += 1
            return first, second, third

        def all(self):
            type(self).runs += 1
            return "all"

        def only(self, first, /, second=2):
            type(self).runs += 1
            return first, second

        def rest(self, first, *rest, **named):
            type(self).runs += 1
            return first, rest, tuple(named.items())

        @classmethod
        def of_class(cls, first):
            cls.runs += 1
            return cls.__name__, first

        @staticmethod
        def of_none(first):
            Repository.runs += 1
            return first

        def ours(self, _accel_entry):
            type(self).runs += 1
            return _accel_entry

    return Repository


def runs_of(owner: Any, call: Any) -> tuple[Any, int]:
    before = owner.runs
    return call(), owner.runs - before


# -- calls -------------------------------------------------------------------------------------------------

METHODS = ("get", "all", "only", "rest", "of_class", "of_none")
CALLS = {
    "get": [
        lambda it, a: it.get(a),
        lambda it, a: it.get(first=a),
        lambda it, a: it.get(a, "default"),
        lambda it, a: it.get(third=None, second="default", first=a),
    ],
    "all": [lambda it, a: it.all(), lambda it, a: type(it).all(it)],
    "only": [lambda it, a: it.only(a), lambda it, a: it.only(a, 2), lambda it, a: it.only(a, second=2)],
    "rest": [lambda it, a: it.rest(a), lambda it, a: it.rest(first=a)],
    "of_class": [lambda it, a: it.of_class(a), lambda it, a: type(it).of_class(first=a)],
    "of_none": [lambda it, a: it.of_none(a), lambda it, a: type(it).of_none(first=a)],
}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("value", ["jefferson", 7, None, True, b"x", 1.5, (1, "a"), frozenset({1})], ids=repr)
def test_the_same_call_however_it_is_spelt_runs_once(app, counted, method, value):
    with app.accelerated({method: "users"}):
        assert is_quick(getattr(counted, method))
        known = counted()
        answers = [runs_of(counted, lambda call=call: call(known, value)) for call in CALLS[method] * 2]
    assert len({answer for answer, _ in answers}) == 1
    assert [runs for _, runs in answers] == [1] + [0] * (len(answers) - 1)


def test_what_the_rest_of_the_arguments_caught_counts(app, counted):
    with app.accelerated({"rest": "users"}):
        known = counted()
        calls = [((1,), {}), ((1, 2), {}), ((1,), {"a": 2}), ((1, (2,)), {}), (((1, (2,)),), {})]
        for _ in range(2):
            for args, kwargs in calls:
                assert known.rest(*args, **kwargs) == (args[0], args[1:], tuple(kwargs.items()))
    assert counted.runs == len(calls)


class Text(str):
    """A text of its own."""

    __slots__ = ()


VALUES = st.one_of(
    st.sampled_from([0, 1, True, False, 1.0, 0.0, -0.0, "1", b"1", None, Text("1"), Text("a"), 10**30]),
    st.integers(-2, 2),
    st.text("ab", max_size=2),
    st.floats(),
    st.tuples(st.sampled_from([1, True, "a", None])),
    st.dates(),
    st.datetimes(),
    st.decimals(-1, 1, places=1),
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(calls=st.lists(st.tuples(VALUES, VALUES), min_size=2, max_size=12))
def test_what_a_method_can_tell_apart_is_told_apart(app, counted, calls):
    with app.accelerated({"get": "users"}):
        known = counted()
        for first, second in [*calls, *calls]:
            answer = known.get(first, second)
            assert repr(answer) == repr((first, second, None))
            assert list(map(type, answer)) == [type(first), type(second), type(None)]


def test_a_method_with_one_of_our_names_goes_the_general_way(app, counted):
    with app.accelerated({"ours": "users"}):
        assert not is_quick(counted.ours)
        assert [counted().ours(_accel_entry=1), counted().ours(2)] == [1, 2]


@pytest.mark.parametrize("rule", [{"secret": "first"}, {"shadow": True}, {"verify": "50%"}], ids=str)
def test_what_is_more_than_a_look_into_memory_goes_the_general_way(app, counted, rule):
    with app.accelerated({"get": {"namespace": "users", **rule}}):
        assert not is_quick(counted.get)


def test_it_looks_as_the_method_does(app, counted):
    plain = counted.get
    with app.accelerated({"get": "users"}):
        made = counted.get
        assert made.__code__.co_varnames[: made.__code__.co_argcount] == ("self", "first", "second")
        assert (made.__code__.co_name, made.__defaults__, made.__kwdefaults__) == (
            plain.__code__.co_name, plain.__defaults__, plain.__kwdefaults__,
        )  # fmt: skip
        assert inspect.signature(made) == inspect.signature(plain)
        assert made.__closure__ is None


# -- scopes ------------------------------------------------------------------------------------------------


def test_an_instance_that_changes_its_database_gets_that_ones_answers(app, counted):
    with app.accelerated({"get": "users"}, **BY_DATABASE):
        known = counted("one")
        for name, runs in (("one", 1), ("one", 0), ("two", 1), ("two", 0), ("one", 0)):
            known.db = Database(name)
            assert runs_of(counted, lambda: known.get(1))[1] == runs


def test_instances_of_one_database_share_and_take_turns(app, counted):
    with app.accelerated({"get": "users"}, **BY_DATABASE):
        here, there, elsewhere = counted("one"), counted("o" + "ne"), counted("two")
        runs = [runs_of(counted, lambda it=it: it.get(1))[1] for it in (here, there, elsewhere) * 3]
    assert runs == [1, 0, 1, 0, 0, 0, 0, 0, 0]


def test_a_scope_that_is_made_anew_by_each_call_is_the_same_one(app, counted):
    counted.db = property(lambda self: Database("".join(["o", "ne"])), lambda self, value: None)
    with app.accelerated({"get": "users"}, **BY_DATABASE):
        known = counted()
        assert [runs_of(counted, lambda: known.get(1))[1] for _ in range(4)] == [1, 0, 0, 0]


def test_a_scope_that_is_changed_in_place_is_another_one(app, counted):
    with app.accelerated({"get": "users"}, **BY_DATABASE):
        known = counted(["one"])
        assert [runs_of(counted, lambda: known.get(1))[1] for _ in range(3)] == [1, 0, 0]
        known.db.name[0] = "two"
        assert [runs_of(counted, lambda: known.get(1))[1] for _ in range(3)] == [1, 0, 0]


def test_a_subclass_has_answers_of_its_own(app, counted):
    other = type("Other", (counted,), {})
    with app.accelerated({"get": "users"}, **BY_DATABASE):
        runs = [runs_of(it, lambda it=it: it().get(1))[1] for it in (counted, other, counted, other)]
    assert runs == [1, 1, 0, 0]


def test_a_scope_that_cannot_be_read_is_the_plain_call(app, counted):
    with app.accelerated({"get": "users"}, **BY_DATABASE) as accelerator:
        known = counted()
        known.get(1)
        del known.db.name
        assert [runs_of(counted, lambda: known.get(1))[1] for _ in range(2)] == [1, 1]
        assert accelerator.stats().total.bypassed == {"no_key": 2}


def test_instances_that_come_and_go_at_one_address_share_nothing(app, counted):
    with app.accelerated({"get": "users"}):
        for number in range(50):
            known = counted()
            assert [runs_of(counted, lambda it=known: it.get(1))[1] for _ in range(2)] == [1, 0], number
            del known
            gc.collect(0)


def test_none_is_not_the_instance_that_is_gone(app):
    @app.add
    class Repository:
        def get(self, name):
            return self is None, name

    with app.accelerated({"get": "users"}):
        known = Repository()
        assert [known.get("a"), known.get("a")] == [(False, "a")] * 2
        del known
        gc.collect()
        assert [Repository.get(None, "a"), Repository.get(None, "a")] == [(True, "a")] * 2


# -- drops -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("pattern", ["users:*", "users:get:*", "users:get:1"])
def test_what_is_dropped_is_not_found_by_what_was_found_last(app, counted, pattern):
    with app.accelerated({"get": "users"}) as accelerator:
        known = counted()
        for runs in ([1, 0], [1, 0], [1, 0]):
            assert [runs_of(counted, lambda: known.get(1))[1] for _ in range(2)] == runs
            accelerator.invalidate(pattern)


def test_an_entry_that_is_too_old_is_a_miss(app, counted):
    with app.accelerated({"get": {"namespace": "users", "ttl": "10s"}}):
        known = counted()
        known.get(1)
        app.clock.advance(9)
        assert runs_of(counted, lambda: known.get(1))[1] == 0
        app.clock.advance(1)
        assert runs_of(counted, lambda: known.get(1))[1] == 1


def test_switched_off_it_is_the_method_and_switched_on_it_begins_from_what_is_fresh(app, counted):
    with app.accelerated({"get": "users"}) as accelerator:
        known = counted()
        known.get(1)
        accelerator.disable("users:*")
        assert [runs_of(counted, lambda: known.get(1))[1] for _ in range(2)] == [1, 1]
        accelerator.invalidate("users:*")
        accelerator.enable("users:*")
        assert [runs_of(counted, lambda: known.get(1))[1] for _ in range(2)] == [1, 0]


# -- failures ----------------------------------------------------------------------------------------------


def test_no_traceback_shows_what_is_cached(app):
    @app.add
    class Repository:
        def __init__(self) -> None:
            self.db = Database("a password")

        def get(self, name):
            if name == "fails":
                raise LookupError(name)
            return "a secret"

    with app.accelerated({"get": "users"}, **BY_DATABASE):
        known = Repository()
        assert [known.get("works"), known.get("works")] == ["a secret"] * 2
        with pytest.raises(LookupError) as failed:
            known.get("fails")
        frames = [frame for frame, _ in traceback.walk_tb(failed.value.__traceback__)]
        ours = [frame for frame in frames if frame.f_code.co_filename.startswith("<wats_accel: ")]
        assert len(ours) == 1
        shown = {name: value for name, value in ours[0].f_locals.items() if name.startswith("_accel_")}
        assert set(shown.values()) == {None}
        assert failed.value.__context__ is None
        assert "general" in "".join(traceback.format_tb(failed.value.__traceback__))  # its line is shown


def test_a_clock_that_fails_is_no_exception_of_the_methods(app, counted, monkeypatch):
    def fail(clock):
        raise OSError("no clock")

    with app.accelerated({"get": "users"}):
        known = counted()
        known.get(1)
        monkeypatch.setattr(FakeClock, "__call__", fail)
        assert known.get(1) == (1, "default", None)


def test_too_deep_a_recursion_is_the_callers_own(app):
    @app.add
    class Repository:
        def get(self, name):
            return name

        def deep(self, depth):
            return self.get("a") if not depth else self.deep(depth - 1)

    with app.accelerated({"get": "users"}):
        known = Repository()
        known.get("a")
        limit = sys.getrecursionlimit()
        for depth in range(limit - 60, limit):
            try:
                assert known.deep(depth) == "a"
            except RecursionError as error:
                assert error.__context__ is None  # noqa: PT017 - many depths pass
        assert known.get("a") == "a"
