"""Constants: literals, and the names that stand for one at some point of a function."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from typing import Final

from wats_accel.sql.source.bindings import unpacked
from wats_accel.sql.source.names import dotted

_EMPTY_CALLS: Final = {
    "list": "[]",
    "dict": "{}",
    "tuple": "()",
    "set": "set()",
    "frozenset": "frozenset()",
    "str": "''",
}

Known = Mapping[str, "str | None"]
"""Names with the constants that they stand for; None if it is none."""


def is_try(statement: ast.stmt) -> bool:
    """Whether it is a ``try``, of either kind."""
    return isinstance(statement, ast.Try) or type(statement).__name__ == "TryStar"


def note_assigned(statement: ast.stmt, known: dict[str, str | None]) -> None:
    """Note the constants that a statement gives to names, and the names that are none any more."""
    for name, value in _assigned(statement):
        text = constant_text(value, known) if value is not None else None
        if text is not None or not is_try(statement):
            known[name] = text


def _assigned(statement: ast.stmt) -> Iterator[tuple[str, ast.expr | None]]:
    if isinstance(statement, ast.Assign):
        for target in statement.targets:
            yield from _pairs(target, statement.value)
    elif isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
        if statement.value is not None:
            yield statement.target.id, statement.value
    elif isinstance(statement, ast.AugAssign) and isinstance(statement.target, ast.Name):
        yield statement.target.id, None
    elif isinstance(statement, ast.If | ast.For | ast.AsyncFor | ast.While | ast.With | ast.AsyncWith):
        for node in ast.walk(statement):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                yield node.id, None
    elif isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
        function = statement.value.func  # rows.append(row): not the empty list any more
        if isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name):
            yield function.value.id, None


def _pairs(target: ast.expr, value: ast.expr) -> Iterator[tuple[str, ast.expr | None]]:
    if isinstance(target, ast.Name):
        yield target.id, value
    for part, where in unpacked(target):
        inner = value.elts[where] if _has(value, where) else None  # type: ignore[attr-defined] # as it says
        if isinstance(part, ast.Name):
            yield part.id, inner


def _has(value: ast.expr, where: int | str) -> bool:
    return isinstance(value, ast.Tuple | ast.List) and isinstance(where, int) and where < len(value.elts)


def constant_text(node: ast.expr, known: Known) -> str | None:
    """A constant as Python spells it; None if the expression is none."""
    if isinstance(node, ast.Constant):
        return ast.unparse(node)
    if isinstance(node, ast.Name):
        return known.get(node.id)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        inner = constant_text(node.operand, known)
        return f"-{inner}" if inner is not None else None
    if isinstance(node, ast.Tuple | ast.List | ast.Set):
        return _list_text(node, known)
    if isinstance(node, ast.Dict):
        keys = [constant_text(key, known) if key is not None else None for key in node.keys]
        values = [constant_text(value, known) for value in node.values]
        if any(each is None for each in (*keys, *values)):
            return None
        return "{" + ", ".join(f"{key}: {value}" for key, value in zip(keys, values, strict=True)) + "}"
    if isinstance(node, ast.Call) and not node.args and not node.keywords:
        return _EMPTY_CALLS.get(dotted(node.func)) if isinstance(node.func, ast.Name) else None
    if isinstance(node, ast.JoinedStr) and all(isinstance(part, ast.Constant) for part in node.values):
        return ast.unparse(node)
    return None


def _list_text(node: ast.Tuple | ast.List | ast.Set, known: Known) -> str | None:
    texts = [constant_text(part, known) for part in node.elts]
    if any(each is None for each in texts):
        return None
    inside = ", ".join(str(each) for each in texts)
    if isinstance(node, ast.Tuple):
        return f"({inside},)" if len(texts) == 1 else f"({inside})"
    return f"[{inside}]" if isinstance(node, ast.List) else "{" + inside + "}"
