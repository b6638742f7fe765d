"""Names: of expressions, and of the methods that change what they are called of."""

from __future__ import annotations

import ast
from typing import Final

MUTATORS: Final = frozenset(
    {"append", "add", "extend", "insert", "update", "setdefault", "pop", "popitem", "clear", "remove"}
    | {"discard", "sort", "reverse", "appendleft", "extendleft", "popleft", "rotate", "__setitem__"}
    | {"difference_update", "intersection_update", "symmetric_difference_update", "move_to_end"}
)
"""Methods of lists, dictionaries, sets and deques that change them."""


def dotted(node: ast.AST) -> str:
    """``a.b.c`` of an expression that is one, also of a call of it; otherwise empty."""
    if isinstance(node, ast.Call):
        return dotted(node.func)
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        before = dotted(node.value)
        return f"{before}.{node.attr}" if before else ""
    return ""
