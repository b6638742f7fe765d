"""What plugins may import: one page of names, and the built-in features need no other."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path

import pytest

from wats_accel import extension

PLUGINS = Path(__file__).resolve().parents[1] / "plugins"


def test_every_name_is_there_and_in_order() -> None:
    assert extension.__all__ == sorted(extension.__all__, key=lambda name: (not name.isupper(), name))
    assert len(set(extension.__all__)) == len(extension.__all__)
    assert [name for name in extension.__all__ if not hasattr(extension, name)] == []


def test_nothing_else_can_be_imported_by_accident() -> None:
    public = {name for name in vars(extension) if not name.startswith("_")}
    assert public - {"annotations"} == set(extension.__all__)


@pytest.mark.parametrize(
    "name", [name for name in extension.__all__ if inspect.isroutine(getattr(extension, name))]
)
def test_every_function_says_what_it_does(name: str) -> None:
    assert inspect.getdoc(getattr(extension, name))


def imported_from_the_engine(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    found |= {known.name for node in ast.walk(tree) if isinstance(node, ast.Import) for known in node.names}
    return {name for name in found if name.partition(".")[0] == "wats_accel"}


@pytest.mark.parametrize("path", sorted(PLUGINS.glob("*.py")), ids=lambda path: path.stem)
def test_a_built_in_feature_imports_from_there_only(path: Path) -> None:
    assert imported_from_the_engine(path) <= {"wats_accel.extension"}
