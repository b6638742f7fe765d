from __future__ import annotations

import inspect
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wats_accel.cache.freezing import Unfreezable
from wats_accel.cache.keys import ArgumentReader, KeyMaker, KeyRules, NoScopeError
from wats_accel.cache.scopes import ScopeNumbers
from wats_accel.errors import TargetError


def maker(function, *, has_instance=False, **rules):
    return KeyMaker(
        inspect.signature(function), has_instance=has_instance, rules=KeyRules(**rules), scopes=ScopeNumbers()
    )


class Owner:
    database = "one"


def positional_only(a, /, b=2, *, c=3):
    pass


def variadic(a, *rest, b=1, **more):
    pass


def method(self, a, b=2):
    pass


# -- keys ----------------------------------------------------------------------------------------------


def test_a_key_begins_with_the_scope_and_goes_on_with_the_arguments():
    keys = maker(positional_only)
    assert keys.key((1,), {})[0] == 0
    assert len(keys.key((1,), {})) == 4
    assert keys.names == ("a", "b", "c")


@pytest.mark.parametrize(
    "call", [((1,), {}), ((1, 2), {}), ((1,), {"b": 2}), ((1,), {"c": 3, "b": 2})], ids=str
)
def test_one_call_is_one_key_however_it_is_written(call):
    keys = maker(positional_only)
    assert keys.key(*call) == keys.key((1, 2), {"c": 3})


@pytest.mark.parametrize("call", [((), {}), ((), {"a": 1}), ((1, 2, 3), {}), ((1,), {"d": 1})], ids=str)
def test_a_call_that_does_not_fit_has_no_key(call):
    with pytest.raises(TypeError):
        maker(positional_only).key(*call)


def test_a_default_is_the_methods_own_object():
    default = object()

    def function(a=default):
        pass

    with pytest.raises(Unfreezable):
        maker(function).key((), {})


def test_parameters_may_have_any_name():
    def function(sorted, tuple, _accel_fold_, self, exec=1):
        pass

    keys = maker(function, fold={"tuple"})
    assert keys.key((1, "A", 3, 4), {}) == keys.key((1, "a", 3, 4), {"exec": 1})


def test_a_signature_with_an_unusable_name_is_refused():
    class Parameter(inspect.Parameter):
        name = property(lambda self: "not a name")

    signature = inspect.signature(positional_only)
    odd = Parameter("odd", inspect.Parameter.KEYWORD_ONLY)
    spoiled = signature.replace(parameters=[*signature.parameters.values(), odd])
    with pytest.raises(TargetError, match="no usable name"):
        KeyMaker(spoiled, has_instance=False, rules=KeyRules(), scopes=ScopeNumbers())


def test_an_instance_is_its_own_scope():
    keys, one, other = maker(method, has_instance=True), Owner(), Owner()
    assert keys.key((one, 1), {}) == keys.key((), {"self": one, "a": 1}) != keys.key((other, 1), {})


def test_an_instance_without_weak_references_has_no_scope():
    with pytest.raises(NoScopeError, match="int"):
        maker(method, has_instance=True).key((1, 2), {})


@pytest.mark.parametrize("scope", ["self.database", "cls.database", "this.database"])
def test_a_scope_is_shared_by_those_for_which_it_is_equal(scope):
    def function(this, a):
        pass

    keys, one, other, third = maker(function, has_instance=True, scope=(scope,)), Owner(), Owner(), Owner()
    third.database = "two"
    assert keys.key((one, 1), {}) == keys.key((other, 1), {}) != keys.key((third, 1), {})


def test_a_scope_does_not_stand_in_the_key():
    keys, owner = maker(method, has_instance=True, scope=("self.database",)), Owner()
    owner.database = "PWD=secret"
    assert "secret" not in repr(keys.key((owner, 1), {}))


def test_a_scope_may_be_a_parameter():
    keys = maker(positional_only, scope=("b",))
    assert keys.key((1, 2), {}) != keys.key((1, 3), {})


def test_several_scopes_count_all():
    keys, owner = maker(method, has_instance=True, scope=("self.database", "a")), Owner()
    assert keys.key((owner, 1), {}) != keys.key((owner, 2), {})


@pytest.mark.parametrize(
    ("rules", "told"),
    [
        ({"fold": {"bb"}}, "no parameter 'bb'.*'b'"),
        ({"exclude": {"self"}}, "no parameter 'self'"),
        ({"include": ("nobody.name",)}, "no parameter 'nobody'"),
        ({"scope": ("nobody",)}, "no parameter 'nobody'"),
    ],
    ids=str,
)
def test_a_rule_about_a_parameter_that_is_not_there_is_refused(rules, told):
    with pytest.raises(TargetError, match=told):
        maker(method, has_instance=True, **rules)


def test_a_function_has_no_self():
    with pytest.raises(TargetError, match="no parameter 'self'"):
        maker(positional_only, scope=("self.database",))


ARGUMENTS: Any = st.integers(0, 2) | st.booleans() | st.sampled_from(["", "a", "a:b", "1", 1.0, None])


CAUGHT = st.lists(ARGUMENTS, max_size=3), st.dictionaries(st.sampled_from("xyz"), ARGUMENTS, max_size=2)


@given(*CAUGHT, *CAUGHT)
def test_keys_are_equal_exactly_when_the_method_sees_the_same(rest, more, other_rest, other_more):
    keys = maker(variadic)
    same = repr((rest, more)) == repr((other_rest, other_more))
    assert (keys.key((1, *rest), more) == keys.key((1, *other_rest), other_more)) is same


# -- texts and labels ----------------------------------------------------------------------------------


def test_texts_are_the_arguments_in_loose_form_but_for_caught_keywords():
    assert maker(variadic).texts((1, "2.0", True), {"b": None, "z": 5}) == ("1", None, "2", "1")


def test_texts_never_tell_case_and_do_not_tell_what_may_be_meant_by_any_text():
    keys = maker(positional_only, fold={"b"}, include=("c",))
    assert keys.texts(("A", "B"), {"c": [1]}) == ("a", "b", None, None)


@pytest.mark.parametrize("rule", ["fold", "exclude"])
def test_what_a_decorator_may_change_is_neither_folded_nor_left_out(rule):
    signature = inspect.signature(positional_only)
    with pytest.raises(TargetError, match="decorator"):
        KeyMaker(
            signature,
            has_instance=False,
            rules=KeyRules(**{rule: frozenset({"a"})}),
            scopes=ScopeNumbers(),
            is_exact=False,
        )


def test_a_key_folds_case_only():
    keys = maker(positional_only, fold={"a"})
    assert keys.key(("É", 1), {"c": 1}) == keys.key(("é", 1), {"c": 1})
    assert keys.key(("straße", 1), {"c": 1}) != keys.key(("strasse", 1), {"c": 1})


def test_subclasses_that_share_a_method_and_a_database_have_keys_of_their_own():
    class First(Owner):
        pass

    class Second(Owner):
        pass

    keys = maker(method, has_instance=True, scope=("self.__module__",))
    assert keys.key((First(), 1), {}) == keys.key((First(), 1), {}) != keys.key((Second(), 1), {})
    assert keys.key((First, 1), {}) == keys.key((First(), 1), {})


def test_a_label_is_the_readable_key():
    keys = maker(variadic, exclude={"b"})
    assert keys.label("ns:get", (1, "a b"), {"z": 5}) == "ns:get:1:a b:z=5"
    assert keys.label("ns:get", ("",), {}) == "ns:get:''"


def test_a_label_that_cannot_be_made_is_a_question_mark():
    keys = maker(method, has_instance=True, scope=("self.missing",))
    assert keys.label("ns:get", (Owner(), 1), {}) == "ns:get:?"


# -- what patterns read --------------------------------------------------------------------------------


def reader(function, *paths, has_instance=False):
    return ArgumentReader(inspect.signature(function), has_instance=has_instance, paths=paths)


@pytest.mark.parametrize(
    ("call", "found"),
    [
        (((1,), {}), {"a": 1, "b": 2}),
        (((1, 5), {}), {"a": 1, "b": 5}),
        (((1,), {"b": 5}), {"a": 1, "b": 5}),
        (((), {"a": 1}), {}),
        (((1, 2, 3), {}), {}),
    ],
    ids=str,
)
def test_parameters_are_read_by_name(call, found):
    assert reader(positional_only, "a", "b").read(*call) == found


def test_attributes_of_the_instance_and_of_parameters_are_read():
    owner = Owner()
    read = reader(method, "self.database", "cls.database", "a.real", has_instance=True).read
    assert read((owner, 3), {}) == {"self.database": "one", "cls.database": "one", "a.real": 3}


def test_what_cannot_be_read_is_left_out():
    class Failing:
        @property
        def broken(self):
            raise RuntimeError

    read = reader(method, "self.broken", "self.missing", "a", has_instance=True).read
    assert read((Failing(), 1), {}) == {"a": 1}


def test_caught_arguments_are_read():
    read = reader(variadic, "rest", "z", "missing").read
    assert read((1, 2, 3), {"z": 4}) == {"rest": (2, 3), "z": 4}


def test_nothing_is_bound_when_nothing_is_asked_for():
    assert reader(positional_only).read((), {}) == {}


def test_a_path_to_nowhere_is_refused():
    with pytest.raises(TargetError, match="no parameter 'key'"):
        reader(method, "key.id", has_instance=True)
    with pytest.raises(TargetError, match="no parameter 'self'"):
        reader(positional_only, "self.id")


def test_a_function_may_have_a_parameter_named_self():
    def function(self):
        pass

    assert reader(function, "self").read((7,), {}) == {"self": 7}
