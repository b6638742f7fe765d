"""Every error derives from one, and a problem says where it stands."""

from __future__ import annotations

import inspect

import pytest

from wats_accel import errors
from wats_accel.errors import AccelError, ConfigError, KeyPath, Problem, format_key_path


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ((), ""),
        (("cache",), "cache"),
        (("cache", "default_ttl"), "cache.default_ttl"),
        (("repositories", 0, "cached", "select_all"), "repositories[0].cached.select_all"),
        ((0, "a", 1, 2), "[0].a[1][2]"),
    ],
)
def test_a_key_path_is_spelt_as_people_write_it(path: KeyPath, text: str) -> None:
    assert format_key_path(path) == text


@pytest.mark.parametrize(
    ("problem", "text"),
    [
        (Problem("wrong"), "wrong"),
        (Problem("wrong", hint="do this"), "wrong (do this)"),
        (Problem("wrong", ("cache", "ttl")), "cache.ttl: wrong"),
        (Problem("wrong", file="a.yaml"), "a.yaml: wrong"),
        (Problem("wrong", file="a.yaml", line=3), "a.yaml:3: wrong"),
        (Problem("wrong", target="m:C.f"), "m:C.f: wrong"),
        (
            Problem("wrong", ("a", 0), file="a.yaml", line=3, column=7, target="m:C.f", hint="do this"),
            "a.yaml:3:7: a[0]: m:C.f: wrong (do this)",
        ),
    ],
    ids=["bare", "hint", "key", "file", "line", "target", "all"],
)
def test_a_problem_says_where_it_stands_and_what_to_do(problem: Problem, text: str) -> None:
    assert str(problem) == text


def test_a_config_error_carries_every_problem_in_order() -> None:
    problems = [Problem("first", file="a.yaml", line=1), Problem("second")]
    error = ConfigError(iter(problems))
    assert error.problems == tuple(problems)
    assert str(error) == "a.yaml:1: first\nsecond"


def _error_types() -> list[type[Exception]]:
    return [known for _, known in inspect.getmembers(errors, inspect.isclass) if issubclass(known, Exception)]


def test_every_error_derives_from_one_and_is_in_the_picture() -> None:
    for known in _error_types():
        assert issubclass(known, AccelError)
        assert f"{known.__name__} " in (errors.__doc__ or "") or known.__name__ == "AccelError"


def test_the_picture_nests_as_the_classes_do() -> None:
    parents: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        words = line.replace("│", " ").replace("├──", "   ").replace("└──", "   ")
        name = words.split(" ")[0] if words[:1].strip() else words.split()[0] if words.split() else ""
        known = getattr(errors, name, None)
        if known is None or not inspect.isclass(known):
            continue
        depth = (len(words) - len(words.lstrip())) // 4
        parents[depth:] = [name]
        if depth:
            assert parents[depth - 1] in {base.__name__ for base in known.__bases__}
    assert parents
