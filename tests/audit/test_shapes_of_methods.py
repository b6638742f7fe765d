"""What the code of a method looks like, as far as a cache has to know it."""

from __future__ import annotations

import textwrap

import pytest

from wats_accel.audit.shapes import UNKNOWN_SHAPE, Shape, Shapes
from wats_accel.sql.source.facts import Place


def shape(tmp_path, code: str, line: int = 1) -> Shape:
    (tmp_path / "app.py").write_text(textwrap.dedent(code), encoding="utf-8")
    return Shapes(tmp_path).of(Place("app.py", line))


@pytest.mark.parametrize(
    ("body", "returns"),
    [
        ("return 1", True),
        ("return self.x", True),
        ("yield 1", True),
        ("yield from x", True),
        ("return", False),
        ("return None", False),
        ("pass", False),
        ("f = lambda: 1", False),
    ],
)
def test_whether_a_method_returns_anything(tmp_path, body, returns):
    assert shape(tmp_path, f"def f(self, x):\n    {body}\n").returns_value is returns


def test_what_an_inner_function_returns_is_its_own_affair(tmp_path):
    assert not shape(tmp_path, "def f():\n    def g():\n        return 1\n    g()\n").returns_value


@pytest.mark.parametrize(
    ("body", "changed"),
    [
        ("self.rows = 1", ("rows",)),
        ("self.rows[0] = 1", ("rows",)),
        ("self.rows: int = 1", ("rows",)),
        ("self.count += 1", ("count",)),
        ("del self.rows", ("rows",)),
        ("self.a, self.b = 1, 2", ("a", "b")),
        ("rows = self.rows", ()),
        ("other.rows = 1", ()),
        ("self.rows.count = 1", ()),
    ],
)
def test_the_attributes_of_its_object_that_a_method_changes(tmp_path, body, changed):
    assert sorted(shape(tmp_path, f"def f(self):\n    {body}\n").changes_instance) == sorted(changed)


def test_the_path_of_a_method_is_its_qualified_name(tmp_path):
    code = """
        class A:
            class B:
                @decorated
                def f(self):
                    pass
    """
    assert shape(tmp_path, code, line=5).path == "A.B.f"
    assert shape(tmp_path, code, line=4).path == "A.B.f"  # some tools take the decorator's line


@pytest.mark.parametrize("code", ["def f(:", "\0"], ids=["no Python", "a NUL"])
def test_of_a_file_that_is_no_python_nothing_is_known(tmp_path, code):
    assert shape(tmp_path, code) == UNKNOWN_SHAPE


def test_of_a_file_that_is_not_there_nothing_is_known(tmp_path):
    assert Shapes(tmp_path).of(Place("gone.py", 1)) == UNKNOWN_SHAPE
