"""Looking into a raw file never raises, whatever stands there."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wats_accel.config.raw import mapping_at, quoted, repository_rules, rules_given_twice, sequence

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=10,
)
REPOSITORY = st.fixed_dictionaries({}, optional={"target": ANYTHING, "cached": ANYTHING})


def test_a_mapping_is_found_by_its_path() -> None:
    assert mapping_at({"cache": {"namespaces": {"users": {}}}}, "cache", "namespaces") == {"users": {}}


@pytest.mark.parametrize("value", [None, 3, [], "text", {"cache": None}, {"cache": {"namespaces": [1]}}])
def test_what_is_no_mapping_counts_as_an_empty_one(value: object) -> None:
    assert mapping_at(value, "cache", "namespaces") == {}


def test_what_is_no_list_counts_as_an_empty_one() -> None:
    assert (sequence([1]), sequence("text"), sequence(None), sequence({"a": 1})) == ([1], [], [], [])


def test_rules_are_given_with_their_place() -> None:
    raw = {"repositories": [{"cached": {"one": "users"}}, 3, {"cached": {"two": {"namespace": "x"}}}]}
    assert list(repository_rules(raw, "cached")) == [
        (("repositories", 0, "cached", "one"), "one", "users"),
        (("repositories", 2, "cached", "two"), "two", {"namespace": "x"}),
    ]


@given(st.dictionaries(st.just("repositories"), ANYTHING | st.lists(REPOSITORY, max_size=3)))
def test_nothing_malformed_raises(raw: dict[str, Any]) -> None:
    assert len(list(repository_rules(raw, "cached"))) >= len(list(rules_given_twice(raw, "cached")))


def test_a_second_rule_for_a_method_of_the_same_target_is_found() -> None:
    raw = {
        "repositories": [
            {"target": "a:B", "cached": {"one": "users", "two": "users"}},
            {"target": "a:C", "cached": {"one": "users"}},
            {"target": " a:B ", "cached": {"one": "users"}, "invalidates": {"two": "users:*"}},
            {"cached": {"one": "users"}},
            {"cached": {"one": "users"}},
        ]
    }
    assert list(rules_given_twice(raw, "cached")) == [("repositories", 2, "cached", "one")]


@pytest.mark.parametrize("word", ["users", "users:get_user:{user_id}", "conn*:[ab]?", "größe-2.x"])
def test_a_word_of_the_grammar_is_quoted(word: str) -> None:
    assert quoted(word) == f" '{word}'"


@pytest.mark.parametrize("text", ["", "Driver={x};PWD=y", "two words", "line\nbreak", "x" * 81])
def test_what_may_be_a_secret_is_not(text: str) -> None:
    assert quoted(text) == ""
