"""A key pattern says which entries a write drops, or says why it cannot be read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wats_accel import patterns
from wats_accel.errors import AccelError, PatternError
from wats_accel.patterns import Glob, KeyPattern, Literal, Placeholder

words = st.text(alphabet="abcXYZ09_.- é", min_size=1, max_size=6).map(str.strip).filter(bool)


@pytest.mark.parametrize(
    ("text", "namespace", "method", "arguments"),
    [
        ("users:*", "users", "*", ()),
        ("*", "*", "*", ()),
        ("  *  ", "*", "*", ()),
        ("users:get", "users", "get", ()),
        ("users:get:*", "users", "get", ()),
        ("users:get:*:*", "users", "get", ()),
        ("u*:get_?", "u*", "get_?", ()),
        ("users:get:{user_id}", "users", "get", (Placeholder("user_id"),)),
        ("users:get:{self.account.id}", "users", "get", (Placeholder("self.account.id"),)),
        ("users:get:{último}", "users", "get", (Placeholder("último"),)),
        ("users:get:7", "users", "get", (Literal("7"),)),
        ("users:get:ad*", "users", "get", (Glob("ad*"),)),
        ("users:get:[ab]", "users", "get", (Glob("[ab]"),)),
        ("users:get:*:{b}", "users", "get", (Glob("*"), Placeholder("b"))),
        (" users : get : 7 ", "users", "get", (Literal("7"),)),
    ],
)
def test_a_pattern_is_read_in_its_parts(
    text: str, namespace: str, method: str, arguments: tuple[object, ...]
) -> None:
    pattern = KeyPattern.parse(text)
    assert (pattern.namespace, pattern.method, pattern.arguments) == (namespace, method, arguments)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("users", "pattern 'users' names no method; write 'users:*'"),
        ("", "pattern '' names no method; write 'namespace:*'"),
        ("**", "pattern '**' names no method; write '**:*'"),
        ("users:", "pattern 'users:' has an empty part; write '*' for anything"),
        (":get", "pattern ':get' has an empty part; write '*' for anything"),
        ("users::7", "pattern 'users::7' has an empty part; write '*' for anything"),
        ("{user}:get", "pattern '{user}:get': only arguments can be '{name}'"),
        ("users:{method}", "pattern 'users:{method}': only arguments can be '{name}'"),
        ("users:get:{}", "pattern 'users:get:{}': an argument is '{name}' as a whole part, got '{}'"),
        (
            "users:get:{a b}",
            "pattern 'users:get:{a b}': an argument is '{name}' as a whole part, got '{a b}'",
        ),
        ("users:get:x{a}", "pattern 'users:get:x{a}': an argument is '{name}' as a whole part, got 'x{a}'"),
        ("users:get:a}", "pattern 'users:get:a}': an argument is '{name}' as a whole part, got 'a}'"),
        ("users:get:{a.}", "pattern 'users:get:{a.}': an argument is '{name}' as a whole part, got '{a.}'"),
    ],
)
def test_what_is_no_pattern_is_refused_with_the_reason(text: str, why: str) -> None:
    with pytest.raises(PatternError) as caught:
        KeyPattern.parse(text)
    assert str(caught.value) == why
    assert isinstance(caught.value, AccelError)
    assert isinstance(caught.value, ValueError)


@given(st.lists(words, min_size=2, max_size=5).map(":".join))
def test_a_pattern_is_shown_as_it_was_written_and_reads_the_same_again(text: str) -> None:
    pattern = KeyPattern.parse(text)
    assert str(pattern) == text
    assert KeyPattern.parse(str(pattern)) == pattern


@given(words, words)
def test_a_pattern_without_globs_names_just_its_own_method(namespace: str, method: str) -> None:
    pattern = KeyPattern.parse(f"{namespace}:{method}")
    assert pattern.names(namespace, method)
    assert not pattern.names(namespace + "x", method)
    assert not pattern.names(namespace, method + "x")


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("users:*", True),
        ("*", True),
        ("u*:get_*", True),
        ("users:get", False),
        ("Users:*", False),
        ("user:*", False),
    ],
)
def test_a_pattern_may_be_a_glob(text: str, names: bool) -> None:
    assert KeyPattern.parse(text).names("users", "get_role") is names


def test_placeholders_are_the_arguments_that_the_write_provides() -> None:
    pattern = KeyPattern.parse("users:get:7:{user_id}:*:{self.account.id}")
    assert [known.path for known in pattern.placeholders] == ["user_id", "self.account.id"]
    assert [known.root for known in pattern.placeholders] == ["user_id", "self"]


def test_a_pattern_that_comes_again_is_the_same_unless_it_has_a_value_in_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(patterns, "_known", {})  # other tests may have filled it
    assert KeyPattern.parse("users:get:{user_id}") is KeyPattern.parse("users:get:{user_id}")
    assert KeyPattern.parse("users:get:a secret") is not KeyPattern.parse("users:get:a secret")


@pytest.mark.parametrize(
    ("text", "names_one"),
    [("users:get", True), ("users:get:a*", True), ("u?ers:get", False), ("users:*", False)],
)
def test_a_pattern_knows_whether_it_names_one_method(text: str, names_one: bool) -> None:
    assert KeyPattern.parse(text).names_one is names_one
