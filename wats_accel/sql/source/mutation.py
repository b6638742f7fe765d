"""Mutation: the parameters that a function changes in place, for whoever has given them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

from wats_accel.sql.source.bindings import statements_of
from wats_accel.sql.source.names import MUTATORS, dotted

_IMMUTABLE: Final = frozenset(
    {"int", "str", "float", "bool", "bytes", "tuple", "Tuple", "frozenset", "Decimal"}
)
_CHANGING: Final = frozenset({"shuffle", "heappush", "heappop", "heapify", "insort", "setattr", "delattr"})

AnyFunction = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


def is_generator(node: AnyFunction) -> bool:
    """Whether it yields."""
    return any(isinstance(inner, ast.Yield | ast.YieldFrom) for inner in own_nodes(node))


def own_nodes(node: ast.AST) -> Iterator[ast.AST]:
    """What is in a function, not in those that are defined inside it."""
    waiting = list(ast.iter_child_nodes(node))
    while waiting:
        inner = waiting.pop()
        if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
            continue
        yield inner
        waiting.extend(ast.iter_child_nodes(inner))


def changed_parameters(node: AnyFunction) -> frozenset[str]:
    """The parameters that it changes in place; not ``self``, nor what ``*`` and ``**`` collect."""
    if isinstance(node, ast.Lambda):
        return frozenset()
    return frozenset(_Reader(node).read())


class _Reader:
    """Goes through a function in order, with the parameters that each name may stand for."""

    def __init__(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self._node = node
        self._parameters = {
            each.arg: each for each in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)
        }
        self._aliases: dict[str, set[str]] = {name: {name} for name in self._parameters}
        self._changed: set[str] = set()

    def read(self) -> set[str]:
        for statement, _ in statements_of(self._node.body):
            self._statement(statement)
            for inner in _calls_of(statement):
                self._call(inner)
        first = next(iter(self._parameters), None)
        return self._changed - ({first} if first in ("self", "cls") else set())

    def _statement(self, statement: ast.stmt) -> None:
        if isinstance(statement, ast.Assign):
            for target in statement.targets:
                self._target(target, statement.value)
        elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
            self._target(statement.target, statement.value)
        elif isinstance(statement, ast.AugAssign):
            self._augmented(statement)
        elif isinstance(statement, ast.For | ast.AsyncFor):
            self._target(statement.target, statement.iter)
        elif isinstance(statement, ast.Delete):
            for target in statement.targets:
                self._target(target, None)

    def _target(self, target: ast.expr, value: ast.expr | None) -> None:
        if isinstance(target, ast.Name):
            self._aliases[target.id] = self._of(value) if value is not None else set()
        elif isinstance(target, ast.Attribute | ast.Subscript):
            self._changed |= self._of(target.value)
        elif isinstance(target, ast.Tuple | ast.List):
            for part in target.elts:
                self._target(part, value)

    def _augmented(self, statement: ast.AugAssign) -> None:
        target = statement.target
        if isinstance(target, ast.Attribute | ast.Subscript):
            self._changed |= self._of(target.value)
        elif isinstance(statement.value, ast.List | ast.ListComp | ast.Set | ast.Dict):
            self._changed |= {name for name in self._of(target) if not self._is_immutable(name)}

    def _is_immutable(self, name: str) -> bool:
        annotation = self._parameters[name].annotation
        text = annotation.value if isinstance(annotation, ast.Constant) else dotted(annotation or ast.Pass())
        if isinstance(annotation, ast.Subscript):
            text = dotted(annotation.value)
        return str(text).partition("[")[0].strip() in _IMMUTABLE

    def _call(self, call: ast.Call) -> None:
        function = call.func
        if isinstance(function, ast.Attribute) and function.attr in MUTATORS:
            self._changed |= {name for name in self._of(function.value) if not self._is_immutable(name)}
        if dotted(function).rpartition(".")[2] in _CHANGING and call.args:
            self._changed |= self._of(call.args[0])

    def _of(self, value: ast.expr) -> set[str]:
        """The parameters that an expression may be, or be a part of."""
        if isinstance(value, ast.Name):
            return set(self._aliases.get(value.id, ()))
        if isinstance(value, ast.Attribute | ast.Subscript | ast.Starred):
            return set() if _is_copy(value) else self._of(value.value)
        if isinstance(value, ast.BoolOp):
            return set().union(*map(self._of, value.values))
        if isinstance(value, ast.IfExp):
            return self._of(value.body) | self._of(value.orelse)
        if isinstance(value, ast.NamedExpr):
            return self._of(value.value)
        if isinstance(value, ast.Call):
            return self._of_call(value)
        return set()

    def _of_call(self, call: ast.Call) -> set[str]:
        name = dotted(call.func).rpartition(".")[2]
        if name in ("values", "items", "get", "setdefault") and isinstance(call.func, ast.Attribute):
            return self._of(call.func.value)
        if name in ("enumerate", "zip", "reversed", "iter", "next", "cast"):
            return set().union(*map(self._of, call.args))
        return set()


def _is_copy(value: ast.expr) -> bool:
    """A slice is a list of its own."""
    return isinstance(value, ast.Subscript) and isinstance(value.slice, ast.Slice)


def _calls_of(statement: ast.stmt) -> Iterator[ast.Call]:
    for field, value in ast.iter_fields(statement):
        if field in ("body", "orelse", "finalbody", "handlers", "cases"):
            continue
        for part in value if isinstance(value, list) else [value]:
            if isinstance(part, ast.AST):
                yield from (node for node in ast.walk(part) if isinstance(node, ast.Call))
