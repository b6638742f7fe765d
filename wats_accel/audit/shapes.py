"""Shapes: what the code of a method looks like, as far as a cache has to know it."""

from __future__ import annotations

import ast
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from wats_accel.sql.source.facts import Place

_Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Shape:
    """What is seen of one ``def``.

    Attributes:
        path: its qualified name in the module: ``Class.method``.
        returns_value: whether some ``return`` gives anything.
        changes_instance: the attributes of ``self`` that it sets or deletes.
    """

    path: str
    returns_value: bool = True
    changes_instance: tuple[str, ...] = ()


UNKNOWN_SHAPE = Shape("")


class Shapes:
    """Finds the shape of methods of a source tree; files are read once, and nothing is imported."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: dict[str, dict[int, Shape]] = {}

    def of(self, place: Place) -> Shape:
        """The shape of the ``def`` on this line; `UNKNOWN_SHAPE` if there is none."""
        if place.file not in self._files:
            self._files[place.file] = _shapes_in(self._folder / place.file)
        return self._files[place.file].get(place.line, UNKNOWN_SHAPE)


def _shapes_in(path: Path) -> dict[int, Shape]:
    try:
        with tokenize.open(path) as stream:
            tree = ast.parse(stream.read())
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return {}
    return {
        line: _shape(name, function)
        for name, function in _functions(tree, ())
        for line in _lines_of(function)
    }


def _lines_of(function: _Function) -> set[int]:
    return {function.lineno, *(decorator.lineno for decorator in function.decorator_list)}


def _functions(node: ast.AST, path: tuple[str, ...]) -> Iterator[tuple[str, _Function]]:
    for child in ast.iter_child_nodes(node):
        inner = path
        if isinstance(child, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            inner = (*path, child.name)
        if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield ".".join(inner), child
        yield from _functions(child, inner)


def _shape(path: str, function: _Function) -> Shape:
    nodes = list(_own_nodes(function))
    returns = any(
        (isinstance(node, ast.Return) and not _is_nothing(node.value))
        or isinstance(node, (ast.Yield, ast.YieldFrom))
        for node in nodes
    )
    changed = dict.fromkeys(_changed_attributes(function, nodes))
    return Shape(path, returns, tuple(changed))


def _is_nothing(value: ast.expr | None) -> bool:
    return value is None or (isinstance(value, ast.Constant) and value.value is None)


def _own_nodes(function: _Function) -> Iterator[ast.AST]:
    """Everything in its body but what is inside another function, or is its docstring."""
    body = function.body[1:] if ast.get_docstring(function, clean=False) is not None else function.body
    waiting: list[ast.AST] = list(body)
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)):
            waiting += ast.iter_child_nodes(node)


def _changed_attributes(function: _Function, nodes: list[ast.AST]) -> Iterator[str]:
    arguments = [*function.args.posonlyargs, *function.args.args]
    if not arguments or arguments[0].arg not in ("self", "cls"):
        return
    for node in nodes:
        target = node.value if isinstance(node, ast.Subscript) else node
        if (
            isinstance(node, (ast.Attribute, ast.Subscript))
            and isinstance(node.ctx, (ast.Store, ast.Del))
            and isinstance(target, ast.Attribute)
            and isinstance(target.value, ast.Name)
            and target.value.id == arguments[0].arg
        ):
            yield target.attr
