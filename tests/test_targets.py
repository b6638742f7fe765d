"""A target is read from, and spelt as, ``package.module:Class.method``."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wats_accel.errors import AccelError, TargetError
from wats_accel.targets import Target

names = st.text(min_size=1, max_size=8).filter(str.isidentifier)
dotted = st.lists(names, min_size=1, max_size=4).map(".".join)
targets = st.builds(Target, dotted, st.one_of(st.just(""), dotted))


@pytest.mark.parametrize(
    ("text", "module", "path", "name"),
    [
        ("module", "module", "", ""),
        ("package.module", "package.module", "", ""),
        ("package.module:function", "package.module", "function", "function"),
        ("package.module:Class.method", "package.module", "Class.method", "method"),
        ("  module:Class.Nested.method\n", "module", "Class.Nested.method", "method"),
        ("módulo:Repositório.ação", "módulo", "Repositório.ação", "ação"),
    ],
    ids=["module", "package", "function", "method", "spaces", "unicode"],
)
def test_a_target_is_read_in_its_parts(text: str, module: str, path: str, name: str) -> None:
    target = Target.parse(text)
    assert (target.module, target.path, target.name) == (module, path, name)
    assert str(target) == text.strip()


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        ":",
        "module:",
        ":Class",
        "a..b",
        ".a",
        "a.",
        "a:b:c",
        "a:b..c",
        "a/b",
        "a:b c",
        "a-b:C",
        "1a:b",
        "a :b",
    ],
)
def test_what_is_no_target_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(TargetError, match="expected a target such as") as caught:
        Target.parse(text)
    assert repr(text) in str(caught.value)
    assert isinstance(caught.value, AccelError)


@given(targets)
def test_a_target_is_read_back_from_its_spelling(target: Target) -> None:
    assert Target.parse(str(target)) == target


@given(targets, names)
def test_a_child_stands_inside_its_parent(target: Target, name: str) -> None:
    child = target.child(name)
    assert (child.module, child.name) == (target.module, name)
    assert Target.parse(str(child)) == child
    assert child.path.rpartition(".")[0] == target.path


@pytest.mark.parametrize(
    ("pattern", "matches"),
    [
        ("app.users:UserRepository.get", True),
        ("UserRepository.get", True),
        ("UserRepository.*", True),
        ("*", True),
        ("app.*", True),
        ("*:UserRepository.*", True),
        ("UserRepository", False),
        ("userrepository.get", False),
        ("app.users", False),
        ("get", False),
        ("", False),
    ],
)
def test_a_pattern_names_a_target_whole_or_by_its_path(pattern: str, matches: bool) -> None:
    assert Target("app.users", "UserRepository.get").matches(pattern) is matches


def test_targets_are_values() -> None:
    assert Target("a", "b") == Target.parse("a:b")
    assert len({Target("a", "b"), Target.parse("a:b")}) == 1
    assert sorted([Target("b"), Target("a", "z"), Target("a", "c")]) == [
        Target("a", "c"),
        Target("a", "z"),
        Target("b"),
    ]
