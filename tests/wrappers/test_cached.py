"""Cached methods, as an application sees them."""

from __future__ import annotations

import functools
import gc
import weakref
from dataclasses import dataclass
from typing import Any, NamedTuple

import pytest

from wats_accel.extension import Bypassed, Hit, Miss, NotStored, Stored


@pytest.fixture
def repository(app):
    """A class whose method `get` answers with the number of its call."""

    @app.add
    class Repository:
        database = "one"

        def __init__(self) -> None:
            self.calls: list[tuple[Any, ...]] = []

        def get(self, first, second="default", *, third=None):
            self.calls.append((first, second, third))
            return len(self.calls)

        def find(self, *args, **kwargs):
            self.calls.append((args, kwargs))
            return len(self.calls)

    return Repository


def outcomes(accelerator):
    total = accelerator.stats().total
    return total.hits, total.misses, total.stored


# -- keys ----------------------------------------------------------------------------------------------


@dataclass
class Criteria:
    name: str


@pytest.mark.parametrize("value", [None, 0, 1.5, "a", [1, [2]], {"a": {1}}, {1, 2}, Criteria("a")], ids=repr)
def test_equal_arguments_are_one_key(app, repository, value):
    def copy_of():
        return type(value)(value.name) if isinstance(value, Criteria) else eval(repr(value))

    with app.accelerated({"get": "users"}):
        known = repository()
        assert [known.get(copy_of()) for _ in range(3)] == [1, 1, 1]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ((1,), (1.0,)),
        ((1,), (True,)),
        ((1,), ("1",)),
        ((0,), (False,)),
        ((None,), ("None",)),
        (("a_b", "c"), ("a", "b_c")),
        (("a:b", "c"), ("a", "b:c")),
        (("a", "b"), (("a", "b"),)),
        (([1],), ((1,),)),
        (({"a": 1},), ({"a": True},)),
        ((Criteria("a"),), (Criteria("b"),)),
        ((b"a",), ("a",)),
    ],
    ids=repr,
)
def test_different_arguments_are_different_keys(app, repository, one, other):
    with app.accelerated({"get": "users", "find": "users"}):
        known = repository()
        assert known.get(*one) != known.get(*other)
        assert known.find(*one) != known.find(*other)


def test_positional_keyword_and_default_arguments_of_one_call_are_one_key(app, repository):
    with app.accelerated({"get": "users"}):
        known = repository()
        calls = [
            known.get(1),
            known.get(first=1),
            known.get(1, "default"),
            known.get(second="default", first=1),
            known.get(1, third=None),
        ]
    assert calls == [1] * 5


def test_variadic_calls_are_one_key_only_when_the_method_sees_the_same(app, repository):
    with app.accelerated({"find": "users"}):
        known = repository()
        assert known.find(1, 2, a=3) == known.find(1, 2, a=3)
        distinct = [
            known.find(),
            known.find(1),
            known.find((1,)),
            known.find(1, 2),
            known.find(a=1),
            known.find(b=1),
            known.find(("a", 1)),
            known.find(a=1, b=2),
            known.find(b=2, a=1),
        ]
    assert len(set(distinct)) == len(distinct)


def test_the_order_of_caught_keywords_counts_since_the_method_sees_it(app):
    @app.add
    def columns(**names):
        return list(names)

    with app.accelerated({"columns": "shapes"}, target=""):
        assert columns(a=1, b=2) == ["a", "b"]
        assert app.module.columns(a=1, b=2) == ["a", "b"]
        assert app.module.columns(b=2, a=1) == ["b", "a"]


@pytest.mark.parametrize(
    "argument", [object(), iter([1]), len.__call__, [object()]], ids=lambda value: type(value).__name__
)
def test_an_argument_without_value_identity_bypasses_and_is_counted(app, repository, argument):
    with app.accelerated({"get": "users"}) as accelerator:
        known = repository()
        assert [known.get(argument), known.get(argument)] == [1, 2]
        assert dict(accelerator.stats().total.bypassed) == {"argument_without_value_identity": 2}


def test_a_call_that_does_not_fit_gets_the_methods_own_error(app, repository):
    with pytest.raises(TypeError) as plain:
        repository().get()
    with app.accelerated({"get": "users"}) as accelerator:
        with pytest.raises(TypeError) as cached:
            repository().get()
        assert str(cached.value) == str(plain.value)
        assert accelerator.stats().total.bypassed == {}  # the interpreter refuses it, as it does unpatched


def test_a_folded_argument_is_compared_without_case(app, repository):
    with app.accelerated({"get": {"namespace": "users", "fold": ["first"]}}, {"find": "users:get:{args}"}):
        known = repository()
        assert known.get("Jefferson") == known.get("JEFFERSON") == known.get("jefferson")
        assert known.get("Jefferson", "A") != known.get("Jefferson", "a")
        known.find("jEFFERSON")
        assert known.get("Jefferson") == 5


def test_folding_leaves_alone_what_is_no_plain_text(app, repository):
    class Name(str):
        __slots__ = ()

    with app.accelerated({"get": {"namespace": "users", "fold": "first"}}):
        known = repository()
        assert known.get("bob") != known.get(Name("bob"))
        assert known.get(1) == known.get(1)


def test_an_excluded_argument_does_not_count_and_may_be_anything(app, repository):
    with app.accelerated({"get": {"namespace": "users", "key": {"exclude": ["second"]}}}):
        known = repository()
        assert known.get(1, object()) == known.get(1, object()) == known.get(1)
        assert known.get(2) == 2


def test_an_included_attribute_counts(app, repository):
    rule = {"namespace": "users", "key": {"include": ["self.account_id"]}}
    with app.accelerated({"get": rule}):
        known = repository()
        known.account_id = 1
        first = known.get("a")
        known.account_id = 2
        second = known.get("a")
        known.account_id = 1
        assert (first, second, known.get("a")) == (1, 2, 1)


# -- scopes --------------------------------------------------------------------------------------------


def test_an_equal_scope_is_shared_between_instances(app, repository):
    with app.accelerated({"get": "users"}, scope="self.database"):
        one, other = repository(), repository()
        assert (one.get(1), other.get(1)) == (1, 1)
        assert other.calls == []


def test_a_different_scope_is_never_shared(app, repository):
    with app.accelerated({"get": "users"}, scope=["self.database", "self.calls"]):
        one, other, third = repository(), repository(), repository()
        other.database, third.calls = "two", [()]
        one.get(1)
        assert other.get(1) == 1
        assert other.calls == [(1, "default", None)]
        assert third.get(1) == 2


def test_a_scope_that_cannot_be_read_bypasses(app, repository):
    with app.accelerated({"get": "users"}, scope="self.missing.path") as accelerator:
        known = repository()
        assert [known.get(1), known.get(1)] == [1, 2]
        assert dict(accelerator.stats().total.bypassed) == {"no_key": 2}


def test_a_scope_without_value_identity_bypasses(app, repository):
    with app.accelerated({"get": "users"}, scope="self.database") as accelerator:
        known = repository()
        known.database = object()
        assert [known.get(1), known.get(1)] == [1, 2]
        assert accelerator.stats().total.bypassed


def test_a_scope_that_changes_under_a_load_keeps_nothing(app):
    @app.add
    class Repository:
        database = "one"

        def get(self):
            self.database, database = "two", self.database
            return database

    with app.accelerated({"get": "users"}, scope="self.database") as accelerator:
        assert [Repository().get(), Repository().get()] == ["one", "one"]
        assert dict(accelerator.stats().total.not_stored) == {"arguments_changed": 2}


def test_without_a_scope_entries_belong_to_one_instance(app, repository):
    with app.accelerated({"get": "users"}):
        one, other = repository(), repository()
        one.calls.append(())
        assert (one.get(1), other.get(1)) == (2, 1)
        assert (one.get(1), other.get(1)) == (2, 1)


def test_an_instance_lives_no_longer_for_being_cached(app, repository):
    with app.accelerated({"get": "users"}):
        known = repository()
        known.get(1)
        gone = weakref.ref(known)
        del known
        assert gone() is None


def test_the_entries_of_an_instance_go_with_it(app, repository):
    with app.accelerated({"get": "users"}) as accelerator:
        known = repository()
        for number in range(20):
            known.get(number)
        assert accelerator.stats().total.size == 20
        del known
        assert accelerator.stats().total.size == 0


def test_an_address_used_again_never_finds_old_entries(app):
    @app.add
    class Repository:
        def __init__(self, number):
            self.number = number

        def get(self):
            return self.number

    with app.accelerated({"get": "users"}):
        addresses = set()
        for number in range(500):
            known = Repository(number)
            addresses.add(id(known))
            assert known.get() == known.get() == number
            del known
    assert len(addresses) < 500  # or the test shows nothing


def test_an_address_freed_by_the_collector_never_finds_old_entries(app):
    @app.add
    class Repository:
        def __init__(self, number):
            self.number = number
            self.itself = self

        def get(self):
            return self.number

    with app.accelerated({"get": "users"}) as accelerator:
        for number in range(200):
            assert Repository(number).get() == number
            if number % 20 == 0:
                gc.collect()
        gc.collect()
        assert accelerator.stats().total.size == 0


def test_an_instance_that_cannot_be_weakly_referenced_bypasses_and_is_counted(app):
    @app.add
    class Repository:
        __slots__ = ("calls",)

        def __init__(self):
            self.calls = 0

        def get(self):
            self.calls += 1
            return self.calls

    with app.accelerated({"get": "users"}) as accelerator:
        known = Repository()
        assert [known.get(), known.get()] == [1, 2]
        assert dict(accelerator.stats().total.bypassed) == {"instance_without_identity": 2}


def test_class_methods_are_cached_for_each_class(app):
    @app.add
    class Repository:
        calls: list[str] = []  # noqa: RUF012 - shared on purpose

        @classmethod
        def get(cls, key):
            cls.calls.append(cls.__name__)
            return cls.__name__

    class Other(Repository):
        pass

    with app.accelerated({"get": "users"}):
        for _ in range(2):
            assert (Repository.get(1), Repository().get(1), Other.get(1)) == ("Repository",) * 2 + ("Other",)
    assert Repository.calls == ["Repository", "Other"]


def test_static_methods_are_shared_by_all(app):
    calls = []

    @app.add
    class Repository:
        @staticmethod
        def get(key):
            calls.append(key)
            return len(calls)

    with app.accelerated({"get": "users"}):
        assert [Repository.get(1), Repository().get(1), Repository.get(key=1)] == [1, 1, 1]


def test_functions_are_shared_by_all(app):
    calls = []

    @app.add
    def load(key):
        calls.append(key)
        return len(calls)

    with app.accelerated({"load": "users"}, target=""):
        assert [app.module.load(1), app.module.load(key=1), app.module.load(2)] == [1, 1, 2]


# -- values --------------------------------------------------------------------------------------------


@pytest.fixture
def answering(app):
    """A class whose method `get` gives what `make` makes, and counts how often it ran."""

    @app.add
    class Repository:
        database = "one"

        def __init__(self, make):
            self.make = make
            self.runs = 0

        def get(self, *args):
            self.runs += 1
            return self.make(*args)

    return Repository


@pytest.mark.parametrize("value", [None, False, 0, "", [], (), {}, set(), b""], ids=repr)
def test_an_empty_answer_is_an_answer(app, answering, value):
    with app.accelerated({"get": "users"}) as accelerator:
        known = answering(lambda: value)
        assert [known.get() == value, known.get() == value] == [True, True]
        assert known.runs == 1
        assert outcomes(accelerator) == (1, 1, 1)


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ((None, False), False),
        ([None, False], False),
        ((None, 0), True),
        ((None, False, 1), True),
        ([], False),
        ((), False),
        (None, True),
        (-1, False),
        (-1.0, True),
    ],
    ids=repr,
)
def test_results_of_a_failure_are_not_kept(app, answering, value, kept):
    rule = {"namespace": "users", "unless_result": [[None, False], [], -1]}
    with app.accelerated({"get": rule}) as accelerator:
        known = answering(lambda: value)
        known.get(), known.get()
        assert known.runs == (1 if kept else 2)
        assert dict(accelerator.stats().total.not_stored) == ({} if kept else {"unless_result": 2})


class Pair(NamedTuple):
    left: Any
    right: Any


@dataclass
class Account:
    rights: list[int]


MUTATIONS = [
    (lambda: [1, 2], lambda value: value.append(3)),
    (lambda: [[1], [2]], lambda value: value[0].append(3)),
    (lambda: {"a": [1]}, lambda value: value["a"].append(3)),
    (lambda: {"a": 1}, lambda value: value.update(b=2)),
    (lambda: [{"a": 1}], lambda value: value[0].clear()),
    (lambda: {1, 2}, lambda value: value.add(3)),
    (lambda: ([1], 2), lambda value: value[0].append(3)),
    (lambda: Pair([1], 2), lambda value: value.left.append(3)),
    (lambda: Account([1]), lambda value: value.rights.append(3)),
    (lambda: bytearray(b"a"), lambda value: value.extend(b"b")),
]


@pytest.mark.parametrize(("make", "change"), MUTATIONS, ids=[repr(make()) for make, _ in MUTATIONS])
def test_callers_cannot_change_what_the_next_caller_gets(app, answering, make, change):
    with app.accelerated({"get": "users"}):
        known = answering(make)
        for _ in range(3):  # what the miss gave, and what two hits gave
            answer = known.get()
            assert answer == make()
            assert type(answer) is type(make())
            change(answer)
        assert known.runs == 1


@pytest.mark.parametrize(
    "make", [lambda: iter([1]), lambda: (number for number in [1])], ids=["iterator", "generator"]
)
def test_an_answer_that_is_used_up_by_reading_is_not_kept(app, answering, make):
    with app.accelerated({"get": "users"}) as accelerator:
        known = answering(make)
        for _ in range(2):
            assert next(known.get()) == 1
        assert known.runs == 2
        assert dict(accelerator.stats().total.not_stored) == {"uncopyable": 2}


class Stubborn:
    """Copies once, for the store, and then no more."""

    copies = 0

    def __deepcopy__(self, memo):
        Stubborn.copies += 1
        if Stubborn.copies > 1:
            raise ValueError("a secret")
        return Stubborn()


def test_an_answer_that_cannot_be_given_again_is_loaded_again_just_once(app, answering):
    Stubborn.copies = 0
    with app.accelerated({"get": "users"}) as accelerator:
        known = answering(Stubborn)
        for runs in (1, 2, 3):
            assert type(known.get()) is Stubborn
            assert known.runs == runs
        total = accelerator.stats().total
        assert (total.hits, total.misses) == (0, 3)
        assert dict(total.bypassed) == {"lookup_failed": 1}
        assert dict(total.not_stored) == {"uncopyable": 2}


def test_a_load_that_changed_its_arguments_is_not_kept(app, answering):
    def drain(ids):
        return [ids.pop() for _ in range(len(ids))]

    with app.accelerated({"get": "users"}) as accelerator:
        known = answering(drain)
        for _ in range(2):
            ids = [1, 2]
            assert known.get(ids) == [2, 1]
            assert ids == []
        assert dict(accelerator.stats().total.not_stored) == {"arguments_changed": 2}


def test_an_argument_that_cannot_be_told_any_more_counts_as_changed(app, answering):
    def spoil(ids):
        ids.append(object())

    with app.accelerated({"get": "users"}) as accelerator:
        answering(spoil).get([1])
        assert dict(accelerator.stats().total.not_stored) == {"arguments_changed": 1}


def test_an_argument_given_back_is_not_kept(app, answering):
    with app.accelerated({"get": "users"}) as accelerator:
        known = answering(lambda ids: ids)
        for _ in range(2):
            ids = [1]
            assert known.get(ids) is ids
        assert dict(accelerator.stats().total.not_stored) == {"returned_an_argument": 2}


def test_an_immutable_argument_given_back_is_kept(app, answering):
    with app.accelerated({"get": "users"}):
        known = answering(lambda key: key)
        assert [known.get("a"), known.get("a")] == ["a", "a"]
        assert known.runs == 1


def test_a_method_that_gives_its_instance_back_is_not_kept(app):
    @app.add
    class Repository:
        database = "one"

        def get(self):
            return self

    with app.accelerated({"get": "users"}, scope="self.database"):
        one, other = Repository(), Repository()
        assert one.get() is one
        assert other.get() is other


def test_even_an_immutable_instance_is_not_given_to_another(app):
    @app.add
    class Repository(NamedTuple):
        database: str
        user: str

        def get(self):
            return self

    with app.accelerated({"get": "users"}, scope="self.database"):
        one, other = Repository("one", "a"), Repository("one", "b")
        assert one.get() is one
        assert other.get() is other


# -- time ----------------------------------------------------------------------------------------------


def test_an_answer_is_good_until_its_ttl_is_over(app, repository):
    with app.accelerated({"get": {"namespace": "users", "ttl": "10s"}}):
        known = repository()
        answers = []
        for seconds in (0, 9.999, 0.001, 9.999):
            app.clock.advance(seconds)
            answers.append(known.get(1))
    assert answers == [1, 1, 2, 2]


def test_a_ttl_of_zero_lasts_until_a_write(app, repository):
    with app.accelerated({"get": {"namespace": "users", "ttl": 0}}, {"find": "users:*"}):
        known = repository()
        known.get(1)
        app.clock.advance(1e9)
        assert known.get(1) == 1
        known.find()
        assert known.get(1) == 3


def test_the_ttl_runs_from_when_the_load_began(app, answering):
    with app.accelerated({"get": {"namespace": "users", "ttl": 10}}):
        known = answering(lambda: app.clock.advance(4))
        known.get()
        app.clock.advance(5)
        known.get()
        assert known.runs == 1
        app.clock.advance(1)
        known.get()
        assert known.runs == 2


# -- exceptions ----------------------------------------------------------------------------------------


ERRORS = [ValueError("a"), KeyboardInterrupt(), SystemExit(3), GeneratorExit(), StopIteration(1)]


@pytest.mark.parametrize("error", ERRORS, ids=repr)
def test_an_exception_of_the_method_passes_untouched_and_is_not_kept(app, answering, error):
    def fail():
        raise error

    with app.accelerated({"get": "users"}) as accelerator:
        known = answering(fail)
        for runs in (1, 2):
            with pytest.raises(type(error)) as caught:
                known.get()
            assert caught.value is error
            assert caught.value.__cause__ is caught.value.__context__ is None
            assert known.runs == runs
        assert accelerator.stats().total.load_failures == 2


def test_an_answer_that_a_nested_failure_led_to_is_not_kept(app):
    @app.add
    class Repository:
        runs = 0

        def outer(self):
            self.runs += 1
            try:
                self.inner()
            except ValueError:
                return self.runs

        def inner(self):
            raise ValueError

    with app.accelerated({"outer": "users", "inner": "users"}):
        known = Repository()
        assert [known.outer(), known.outer()] == [1, 2]


# -- those who watch -----------------------------------------------------------------------------------


def test_events_tell_what_happened_to_each_call(app, repository):
    events: list[Any] = []
    kinds = (Hit, Miss, Stored, NotStored, Bypassed)
    with app.accelerated({"get": "users"}, listen=[(kind, events.append) for kind in kinds]):
        known = repository()
        known.get("a", 7), known.get("a", 7), known.get(object())
    key, target = "users:get:a:7:None", "legacy_app:Repository.get"
    assert [type(event) for event in events] == [Miss, Stored, Hit, Bypassed]
    assert [event.key for event in events[:3]] == [key] * 3
    assert {event.target for event in events} == {target}


def test_a_listener_that_raises_harms_nobody(app, repository):
    def fail(event):
        raise RuntimeError

    kinds = (Hit, Miss, Stored, Bypassed)
    with app.accelerated({"get": "users"}, listen=[(kind, fail) for kind in kinds]):
        known = repository()
        assert [known.get(1), known.get(1), known.get(object())] == [1, 1, 2]


def test_a_key_that_cannot_be_shown_harms_nobody(app):
    events: list[Any] = []

    @app.add
    class Repository:
        reads = 0

        @property
        def database(self):
            Repository.reads += 1
            if Repository.reads in fails:
                raise RuntimeError("a secret")
            return "one"

        def get(self, key):
            return key

    listen = [(kind, events.append) for kind in (Hit, Miss, Stored, NotStored)]
    with app.accelerated({"get": "users"}, scope="self.database", listen=listen):
        for reads in range(1, 12):
            fails, Repository.reads = {reads}, 0
            assert Repository().get(1) == 1
    shown = {event.key for event in events}
    assert shown == {"users:get:1", "users:get:?"}


def test_no_key_is_spelled_when_nobody_listens(app, repository):
    class Argument:
        """A value whose length only a readable key would ask for."""

        lengths = 0

        def __eq__(self, other):
            return type(other) is Argument

        def __hash__(self):
            return 1

        def __len__(self):
            Argument.lengths += 1
            return 1

    def lengths_of_two_calls():
        Argument.lengths = 0
        known = repository()
        known.get(Argument()), known.get(Argument())
        return Argument.lengths

    with app.accelerated({"get": "users"}):
        quiet = lengths_of_two_calls()
    with app.accelerated({"get": "users"}, listen=[(Hit, print), (Miss, print), (Stored, print)]):
        assert lengths_of_two_calls() == quiet + 3


# -- switches and layers ------------------------------------------------------------------------------


def test_a_method_that_is_switched_off_is_called_plainly(app, repository):
    with app.accelerated({"get": "users"}) as accelerator:
        known = repository()
        known.get(1)
        accelerator.disable("users:*")
        assert [known.get(1), known.get(1)] == [2, 3]
        accelerator.enable("users:*")
        assert known.get(1) == 1


def test_the_stand_in_looks_like_the_method(app, repository):
    plain = repository.get
    with app.accelerated({"get": "users"}):
        assert repository.get.__name__ == "get"
        assert functools.partial(repository().get, 1)() == 1
    assert repository.get is plain
