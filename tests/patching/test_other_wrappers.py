"""What other libraries put on top of a stand-in stays when the stand-in goes."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any
from unittest import mock

import pytest
import wrapt

PATHS = [
    "Repo.plain",
    "Repo.of_class",
    "Repo.of_nobody",
    "Repo.decorated",
    "Repo.remembered",
    "Repo.inherited",
    "function",
]


def _use(module: Any, path: str) -> Any:
    holder, _, name = path.rpartition(".")
    return getattr(module.Repo(1), name)(2) if holder else getattr(module, name)(2)


def _chain(module: Any, path: str) -> list[Any]:
    holder, _, name = path.rpartition(".")
    return list(wrapt.wrapper_chain(vars(getattr(module, holder) if holder else module)[name]))


@pytest.mark.parametrize("depth", [1, 2])
@pytest.mark.parametrize("path", PATHS)
def test_a_stand_in_is_taken_out_from_below_a_wrapt_wrapper(
    bench: Any, sample: Any, path: str, depth: int
) -> None:
    theirs: list[str] = []

    def watch(wrapped: Callable[..., Any], _: Any, args: Any, kwargs: Any) -> Any:
        theirs.append(path)
        return wrapped(*args, **kwargs)

    before = _use(sample, path)
    bench.install(f"{sample.__name__}:{path}")
    for _ in range(depth):
        wrapt.wrap_function_wrapper(sample, path, watch)
    assert _use(sample, path) == before
    assert (bench.calls, theirs) == ([path], [path] * depth)
    bench.uninstall()
    assert _use(sample, path) == before
    assert (bench.calls, theirs) == ([path], [path] * depth * 2)
    assert bench.messages == []


@pytest.mark.parametrize("path", PATHS)
def test_a_method_is_the_original_once_both_wrappers_are_gone(bench: Any, sample: Any, path: str) -> None:
    original = _chain(sample, path)[0] if path != "Repo.inherited" else vars(sample.Base)["inherited"]
    bench.install(f"{sample.__name__}:{path}")
    theirs = wrapt.wrap_object(
        sample, path, wrapt.FunctionWrapper, (lambda w, _, args, kwargs: w(*args, **kwargs),)
    )
    bench.uninstall()
    wrapt.unwrap_object(sample, path, theirs)
    assert wrapt.resolve_path(sample, path)[2] is original


@pytest.mark.parametrize("path", ["Repo.plain", "Repo.decorated", "function"])
def test_a_closure_on_top_stays_and_calls_pass_through(bench: Any, sample: Any, path: str) -> None:
    before = _use(sample, path)
    bench.install(f"{sample.__name__}:{path}")
    holder, _, name = path.rpartition(".")
    parent = getattr(sample, holder) if holder else sample
    stand_in = vars(parent)[name]

    @functools.wraps(stand_in)
    def theirs(*args: Any, **kwargs: Any) -> Any:
        return stand_in(*args, **kwargs)

    setattr(parent, name, theirs)
    bench.uninstall()
    assert vars(parent)[name] is theirs
    assert _use(sample, path) == before
    assert (bench.messages, bench.patcher.patched) == ([], ())


def test_a_method_with_a_closure_on_top_can_be_patched_anew(bench: Any, sample: Any) -> None:
    bench.install(f"{sample.__name__}:Repo.plain")
    theirs = sample.Repo.plain = sample.noted(sample.Repo.plain)
    bench.uninstall()
    bench.install(f"{sample.__name__}:Repo.plain")
    assert (sample.Repo(1).plain(2), bench.messages) == (("plain", 1, 2), [])
    bench.uninstall()
    assert sample.Repo.plain is theirs


def test_what_replaced_a_stand_in_altogether_stays(bench: Any, sample: Any) -> None:
    bench.install(f"{sample.__name__}:Repo.plain", f"{sample.__name__}:Repo.inherited")
    sample.Repo.plain = theirs = lambda self: "theirs"
    del sample.Repo.inherited
    bench.uninstall()
    assert sample.Repo.plain is theirs
    assert "inherited" not in vars(sample.Repo)
    assert bench.messages == []


def test_a_mock_that_is_active_during_the_uninstall_stays_in_effect(bench: Any, sample: Any) -> None:
    bench.install(f"{sample.__name__}:Repo.plain")
    with mock.patch.object(sample.Repo, "plain", return_value="mocked"):
        bench.uninstall()
        assert sample.Repo().plain(2) == "mocked"
    assert sample.Repo(1).plain(2) == ("plain", 1, 2)
    assert bench.messages == []


def test_a_class_that_stops_allowing_changes_keeps_the_rest_from_nothing(
    bench: Any, applications: Any
) -> None:
    module = applications.load(
        "frozen = False\n"
        "class Freezable(type):\n"
        "    def __setattr__(cls, name, value):\n"
        "        if frozen: raise RuntimeError('secret')\n"
        "        super().__setattr__(name, value)\n"
        "class First:\n    def m(self): return 1\n"
        "class Repo(metaclass=Freezable):\n    def m(self): return 2\n"
        "class Last:\n    def m(self): return 3\n"
    )
    name = module.__name__
    originals = [module.First.m, module.Last.m]
    bench.install(f"{name}:First.m", f"{name}:Repo.m", f"{name}:Last.m")
    module.frozen = True
    bench.uninstall()
    assert bench.messages == [f"{name}:Repo.m: RuntimeError while unpatching"]
    assert [module.First.m, module.Last.m] == originals
    assert module.Repo().m() == 2
