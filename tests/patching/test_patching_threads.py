"""Calls in many threads go on, and are right, while methods are patched and unpatched."""

from __future__ import annotations

import functools
import importlib
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

THREADS = 8
ROUNDS = 25


def _together(*works: Callable[[], object]) -> None:
    """Run all at once; raise what any of them raised."""
    barrier = threading.Barrier(len(works))

    def run(work: Callable[[], object]) -> None:
        barrier.wait(timeout=30)
        work()

    with ThreadPoolExecutor(len(works)) as pool:
        for running in [pool.submit(run, work) for work in works]:
            running.result(timeout=60)


@pytest.mark.parametrize(
    "paths",
    [
        ["Repo.plain"],
        ["Repo.of_class", "Repo.of_nobody"],
        ["Repo.inherited", "Base.inherited"],
        ["Repo.decorated", "Repo.remembered", "Repo.traced", "Repo.partial"],
        ["function"],
    ],
    ids=["plain", "class_and_static", "inherited", "decorated", "function"],
)
def test_every_call_is_answered_rightly_during_installs_and_uninstalls(
    bench: Any, sample: Any, paths: list[str]
) -> None:
    done = threading.Event()
    repo = sample.Repo(1)
    names = [path.rpartition(".")[2] for path in paths]
    hosts = [repo if "." in path else sample for path in paths]

    def answers() -> list[Any]:
        return [getattr(host, name)(2) for host, name in zip(hosts, names, strict=True)]

    expected = answers()
    seen = [0] * THREADS

    def call(number: int) -> Callable[[], None]:
        def calling() -> None:
            while not done.is_set():
                assert answers() == expected
                seen[number] += 1

        return calling

    def patch() -> None:
        try:
            for _ in range(ROUNDS):
                bench.install(*(f"{sample.__name__}:{path}" for path in paths))
                assert answers() == expected
                bench.uninstall()
        finally:
            done.set()

    held = [dict(vars(sample.Base)), dict(vars(sample.Repo))]
    _together(patch, *(call(number) for number in range(THREADS)))
    assert [dict(vars(sample.Base)), dict(vars(sample.Repo))] == held
    assert bench.messages == []
    assert len(bench.calls) >= ROUNDS * len(paths)


def test_imports_in_many_threads_patch_each_method_once(bench: Any, applications: Any) -> None:
    names = [applications.write("class Repo:\n    def m(self): return 'm'\n") for _ in range(THREADS)]
    bench.install(*(f"{name}:Repo.m" for name in names))
    answers: list[str] = []

    def use(name: str) -> Callable[[], None]:
        return lambda: answers.append(importlib.import_module(name).Repo().m())

    _together(*(use(name) for name in names * 2))
    assert answers == ["m"] * THREADS * 2
    assert (bench.calls, bench.messages) == (["Repo.m"] * THREADS * 2, [])
    assert len(bench.patcher.patched) == THREADS


def test_an_import_that_races_with_an_uninstall_leaves_nothing_behind(bench: Any, applications: Any) -> None:
    for _ in range(ROUNDS):
        name = applications.write("class Repo:\n    def m(self): return 'm'\n")
        bench.install(f"{name}:Repo.m")
        _together(functools.partial(importlib.import_module, name), bench.uninstall)
        assert "__wrapped__" not in vars(importlib.import_module(name).Repo.m)
    assert (bench.patcher.patched, bench.patcher.waiting, bench.messages) == ((), (), [])
