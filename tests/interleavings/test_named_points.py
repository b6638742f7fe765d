"""Points in the sources are comments, and places to stop at as soon as somebody wants to."""

from __future__ import annotations

import importlib.util
import sys
import types
from collections.abc import Callable, Iterator
from pathlib import Path

import pointed_example
import pytest
from actors import point, this_actor
from exploration import Scenario, run
from named_points import PointError, live_points, modules_of, points_of
from strategies import until


def points_passed(action: Callable[[], object]) -> list[str]:
    """The points that an actor comes to in this action."""
    with live_points(pointed_example):
        return [step.point for step in run(lambda: Scenario({"actor": action})).steps]


@pytest.fixture(autouse=True)
def _empty_log() -> Iterator[None]:
    yield
    pointed_example.LOG.clear()


def test_an_actor_stops_before_the_statement_of_a_point() -> None:
    with live_points(pointed_example):
        counter = pointed_example.Counter()
        seen: list[int] = []

        def setup() -> Scenario:
            return Scenario({"add": counter.add, "look": lambda: seen.append(counter.value)})

        run(setup, [until("add", "counter.write"), "look"])
    assert seen == [0]
    assert counter.value == 1


def test_two_increments_at_once_lose_one_between_read_and_write() -> None:
    with live_points(pointed_example):
        counter = pointed_example.Counter()
        run(lambda: Scenario({"a": counter.add, "b": counter.add}), [until("a", "counter.write"), "b", "b"])
    assert counter.value == 1


@pytest.mark.parametrize(
    ("number", "points"),
    [
        (0, ["if", "body"]),
        (1, ["if", "elif"]),
        (2, ["if", "elif", "loop", "turn", "turn"]),
    ],
)
def test_points_lie_on_branches_and_in_loops(number: int, points: list[str]) -> None:
    assert points_passed(lambda: pointed_example.branches(number)) == ["start", *points]


def test_points_lie_in_every_part_of_a_try_statement() -> None:
    assert points_passed(lambda: pointed_example.handlers(int)) == ["start", "try", "else", "finally"]
    assert points_passed(lambda: pointed_example.handlers(lambda: int("x"))) == [
        "start",
        "try",
        "except",
        "finally",
    ]


def test_points_are_found_below_decorators() -> None:
    def manage() -> None:
        with pointed_example.managed():
            point("inside")

    assert points_passed(manage) == ["start", "enter", "inside", "exit"]
    assert points_passed(pointed_example.Counter.constant) == ["start", "static"]
    assert points_passed(lambda: pointed_example.Counter().doubled) == ["start", "property"]


def test_closures_have_points_whether_they_were_made_before_or_meanwhile() -> None:
    assert points_passed(pointed_example.CLOSURE) == ["start", "inner"]
    assert points_passed(lambda: pointed_example.closure()()) == ["start", "inner"]


def test_a_statement_of_several_lines_has_its_point_on_the_first() -> None:
    assert points_passed(pointed_example.spread) == ["start", "first line"]


def test_afterwards_all_code_is_what_it_was() -> None:
    functions = [pointed_example.Counter.add, pointed_example.branches, pointed_example.CLOSURE]
    before = [function.__code__ for function in functions]
    with live_points(pointed_example):
        assert all(function.__code__ is not code for function, code in zip(functions, before, strict=True))
        made_meanwhile = pointed_example.closure()
    assert all(function.__code__ is code for function, code in zip(functions, before, strict=True))
    assert made_meanwhile.__code__ is pointed_example.CLOSURE.__code__
    assert made_meanwhile() == 42
    assert not [name for name in vars(pointed_example) if "point" in name]


def test_threads_that_are_no_actors_pass_every_point() -> None:
    assert this_actor() is None
    with live_points(pointed_example):
        assert pointed_example.branches(2) == "many"
        assert pointed_example.CLOSURE() == 42


def test_line_numbers_stay_the_same() -> None:
    def fail() -> None:
        raise ValueError

    with live_points(pointed_example):
        code = pointed_example.handlers.__code__
        lines = {line for _, _, line in code.co_lines() if line}
    assert lines == {line for _, _, line in pointed_example.handlers.__code__.co_lines() if line}


def test_the_names_are_told() -> None:
    with live_points(pointed_example) as names:
        assert {"counter.write", "loop", "first line"} <= names
        assert names == set(points_of(Path(pointed_example.__file__).read_text()).values())


def test_a_mark_may_follow_another_comment_and_is_none_inside_a_text() -> None:
    assert points_of("x = 1  # noqa: E1 - why  # point: here\ny = '# point: no'\n# a point: no\n") == {
        1: "here"
    }


def test_modules_with_points_are_found_in_a_package() -> None:
    found = modules_of("wats_accel")
    assert all(points_of(Path(str(module.__file__)).read_text()) for module in found)


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        ("x = 1  # point: outside\n", "lines 1"),
        ("def f():\n    return [\n        1,  # point: inside\n    ]\n", "lines 3"),
        ("def f():\n    # point: alone\n    return 1\n", "lines 2"),
        ("def f():\n    a = 1  # point: same\n    return a  # point: same\n", "named same"),
    ],
)
def test_marks_that_name_no_place_to_stop_at_are_refused(source: str, complaint: str, tmp_path: Path) -> None:
    module = imported(tmp_path, source)
    with pytest.raises(PointError, match=complaint), live_points(module):
        pass


def test_a_source_that_was_changed_since_its_import_is_refused(tmp_path: Path) -> None:
    module = imported(tmp_path, "def f():\n    return 1  # point: here\n")
    Path(str(module.__file__)).write_text("\n\ndef f():\n    return 1  # point: here\n")
    with pytest.raises(PointError, match="not imported from"), live_points(module):
        pass
    assert module.f() == 1


def imported(folder: Path, source: str) -> types.ModuleType:
    file = folder / "marked.py"
    file.write_text(source)
    spec = importlib.util.spec_from_file_location("marked", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    assert "marked" not in sys.modules
    spec.loader.exec_module(module)
    return module
