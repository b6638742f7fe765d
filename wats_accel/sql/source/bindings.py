"""Bindings: what gives a name its value in a block of code, in whatever order it is run."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

BindingKind = Literal["value", "item", "enter", "added", "import", "definition", "unknown"]
Path = tuple["int | str", ...]
FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Binding:
    """One way in which a name gets a value.

    Attributes:
        kind: value: that of `node`; item: of those in `node`, as in a loop; enter: what a context manager
            gives; added: it grows by `node`; import: `node` is the import, `path` the dotted name.
        node: the expression, or the import or definition.
        path: where in the value it is, if that is unpacked; a string counts from its end.
        block: the list of statements that it stands in.
    """

    kind: BindingKind
    node: ast.AST
    path: Path = ()
    block: int = 0


Bindings = dict[str, list[Binding]]


def bindings_of(body: Iterable[ast.stmt]) -> Bindings:
    """The names that are bound in statements, not in functions and classes inside them."""
    found: Bindings = {}
    for statement, block in statements_of(body):
        for name, binding in _bound_by(statement, block):
            found.setdefault(name, []).append(binding)
    return found


def statements_of(body: Iterable[ast.stmt], block: int = 0) -> Iterator[tuple[ast.stmt, int]]:
    """Statements and those inside them, but for functions and classes; each with the block it is in."""
    body = list(body)
    block = block or (id(body[0]) if body else 0)
    for statement in body:
        yield statement, block
        for inner in blocks_in(statement):
            yield from statements_of(inner)


def blocks_in(statement: ast.stmt) -> Iterator[list[ast.stmt]]:
    """The blocks of a compound statement."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return
    for name in ("body", "orelse", "finalbody"):
        inner = getattr(statement, name, None)
        if isinstance(inner, list) and inner:
            yield inner
    for part in (*getattr(statement, "handlers", ()), *getattr(statement, "cases", ())):
        yield part.body


def expressions_in(statement: ast.stmt) -> Iterator[ast.expr]:
    """The expressions that a statement itself has, not those of its blocks."""
    for field, value in ast.iter_fields(statement):
        if field in ("body", "orelse", "finalbody", "handlers"):
            continue
        for part in value if isinstance(value, list) else [value]:
            if isinstance(part, ast.expr):
                yield part
            elif isinstance(part, ast.withitem):
                yield part.context_expr
            elif isinstance(part, ast.match_case) and part.guard is not None:
                yield part.guard


def _bound_by(statement: ast.stmt, block: int) -> Iterator[tuple[str, Binding]]:
    if isinstance(statement, ast.Assign):
        for target in statement.targets:
            yield from _in_target(target, "value", statement.value, block)
    elif isinstance(statement, ast.AnnAssign):
        if statement.value is not None:
            yield from _in_target(statement.target, "value", statement.value, block)
    elif isinstance(statement, ast.AugAssign):
        yield from _in_target(statement.target, "added", statement.value, block)
    elif isinstance(statement, ast.For | ast.AsyncFor):
        yield from _in_target(statement.target, "item", statement.iter, block)
    elif isinstance(statement, ast.With | ast.AsyncWith):
        for item in statement.items:
            if item.optional_vars is not None:
                yield from _in_target(item.optional_vars, "enter", item.context_expr, block)
    elif isinstance(statement, FunctionNode | ast.ClassDef):
        yield statement.name, Binding("definition", statement, block=block)
    elif isinstance(statement, ast.Import | ast.ImportFrom):
        yield from _imported(statement, block)
    else:
        yield from _bound_otherwise(statement, block)
    for expression in expressions_in(statement):
        if not isinstance(expression, ast.Constant | ast.Name | ast.Attribute):
            yield from _walruses(expression, block)


def _bound_otherwise(statement: ast.stmt, block: int) -> Iterator[tuple[str, Binding]]:
    if isinstance(statement, ast.Try) or type(statement).__name__ == "TryStar":
        for handler in getattr(statement, "handlers", ()):
            if handler.name:
                yield handler.name, Binding("unknown", handler, block=block)
    elif isinstance(statement, ast.Match):
        for case in statement.cases:
            for name in names_in_pattern(case.pattern):
                yield name, Binding("unknown", case.pattern, block=block)


def _walruses(expression: ast.expr, block: int) -> Iterator[tuple[str, Binding]]:
    waiting: list[ast.AST] = [expression]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.NamedExpr):
            yield node.target.id, Binding("value", node.value, block=block)
        for name in node._fields:  # as ast.walk, which takes three times as long
            value = getattr(node, name, None)
            if isinstance(value, list):
                waiting += [part for part in value if isinstance(part, ast.AST)]
            elif isinstance(value, ast.AST):
                waiting.append(value)


def _imported(statement: ast.Import | ast.ImportFrom, block: int) -> Iterator[tuple[str, Binding]]:
    for alias in statement.names:
        if isinstance(statement, ast.Import):
            first = alias.name.partition(".")[0]
            name, dotted = (alias.asname, alias.name) if alias.asname else (first, first)
        else:
            name, dotted = alias.asname or alias.name, alias.name
        yield name, Binding("import", statement, (dotted,), block)


def _in_target(
    target: ast.expr, kind: BindingKind, value: ast.expr, block: int, path: Path = ()
) -> Iterator[tuple[str, Binding]]:
    if isinstance(target, ast.Name):
        yield target.id, Binding(kind, value, path, block)
    for part, inner in unpacked(target):
        yield from _in_target(part, kind, value, block, (*path, inner))


def unpacked(target: ast.expr) -> Iterator[tuple[ast.expr, int | str]]:
    """The parts of a target that is a tuple or list, with the place of each; behind a star from the end."""
    if not isinstance(target, ast.Tuple | ast.List):
        return
    starred = next((i for i, part in enumerate(target.elts) if isinstance(part, ast.Starred)), None)
    for index, part in enumerate(target.elts):
        if isinstance(part, ast.Starred):
            yield part.value, f"*{index}:{len(target.elts) - index - 1}"
        elif starred is not None and index > starred:
            yield part, f"{len(target.elts) - index}"
        else:
            yield part, index


def names_in_pattern(pattern: ast.pattern) -> Iterator[str]:
    """The names that a pattern of ``match`` binds."""
    for node in ast.walk(pattern):
        name = getattr(node, "name", None) or getattr(node, "rest", None)
        if isinstance(name, str):
            yield name
