"""Whatever is installed and uninstalled, in whatever order: the classes are what they were."""

from __future__ import annotations

import functools
import sys
import types
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wats_accel.errors import Problem
from wats_accel.event_bus import EventBus
from wats_accel.patching.patcher import Patcher
from wats_accel.patching.plan import Layer, MethodInfo, PatchPlan, PatchSpec
from wats_accel.targets import Target

MODULE = "application_round_trip"
NAMES = ["a", "b", "c", "d"]


def _noted(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def noting(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return noting


def _marked(function: Any) -> Any:
    function.mark = 1
    return function


def _instance_method(name: str) -> Callable[..., Any]:
    def method(self: Any, value: int) -> Any:
        return name, type(self).__name__, value

    return method


def _class_method(name: str) -> Any:
    return classmethod(lambda cls, value: (name, cls.__name__, value))


def _static_method(name: str) -> Any:
    return staticmethod(lambda value: (name, value))


def _partial_method(name: str) -> Any:
    def method(self: Any, _: str, value: int) -> Any:
        return name, type(self).__name__, value

    return functools.partialmethod(method, "bound")


KINDS: dict[str, Callable[[str], Any]] = {
    "instance": _instance_method,
    "class": _class_method,
    "static": _static_method,
    "partial": _partial_method,
    "closure": lambda name: _noted(_instance_method(name)),
    "marked": lambda name: _marked(_instance_method(name)),
    "remembered": lambda name: functools.lru_cache(_instance_method(name)),
    "attribute": lambda name: name,
    "property": lambda name: property(lambda self: name),
}
bodies = st.dictionaries(st.sampled_from(NAMES), st.sampled_from(list(KINDS)), max_size=len(NAMES))


@st.composite
def applications(draw: st.DrawFn) -> types.ModuleType:
    """A module of classes, each derived from some of the earlier ones."""
    module = types.ModuleType(MODULE)
    classes: list[type] = []
    for index in range(draw(st.integers(1, 4))):
        base = draw(st.sampled_from([object, *classes]))
        body = {name: KINDS[kind](name) for name, kind in draw(bodies).items()}
        classes.append(type(f"Class{index}", (base,), body))
        setattr(module, f"Class{index}", classes[-1])
    return module


steps = st.lists(
    st.one_of(
        st.tuples(
            st.just("install"),
            st.integers(0, 1),
            st.lists(st.tuples(st.integers(0, 3), st.sampled_from(NAMES))),
        ),
        st.tuples(st.just("uninstall"), st.integers(0, 1), st.just([])),
    ),
    max_size=8,
)


@pytest.fixture
def imported() -> Iterator[Callable[[types.ModuleType], None]]:
    def put(module: types.ModuleType) -> None:
        sys.modules[MODULE] = module

    yield put
    sys.modules.pop(MODULE, None)


def _pass_on(call: Callable[..., Any], _: MethodInfo) -> Callable[..., Any]:
    def passing(*args: Any, **kwargs: Any) -> Any:
        return call(*args, **kwargs)

    return passing


def _classes(module: types.ModuleType) -> list[type]:
    return [value for name, value in vars(module).items() if name.startswith("Class")]


def _held(module: types.ModuleType) -> list[list[tuple[str, int]]]:
    return [[(name, id(value)) for name, value in vars(host).items()] for host in _classes(module)]


def _answers(module: types.ModuleType) -> list[Any]:
    found = [getattr(host(), name, None) for host in _classes(module) for name in NAMES]
    return [value(1) if callable(value) else value for value in found]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(module=applications(), steps=steps)
def test_after_any_sequence_of_installs_and_uninstalls_everything_is_as_it_was(
    imported: Callable[[types.ModuleType], None],
    module: types.ModuleType,
    steps: list[tuple[str, int, list[tuple[int, str]]]],
) -> None:
    imported(module)
    problems: list[Problem] = []
    patchers = [Patcher(bus=EventBus(), report=problems.append) for _ in range(2)]
    held, answers = _held(module), _answers(module)
    for step, number, chosen in steps:
        if step == "install":
            targets = [Target(MODULE, f"Class{index}.{name}") for index, name in chosen]
            patchers[number].install(
                PatchPlan.of(PatchSpec(target, Layer.CACHE, _pass_on) for target in targets)
            )
        else:
            patchers[number].uninstall()
        assert _answers(module) == answers
    for patcher in patchers:
        patcher.uninstall()
        patcher.uninstall()
    assert _held(module) == held
    assert _answers(module) == answers
    assert not [
        problem for problem in problems if "while" in problem.message and "unless" not in problem.message
    ]
