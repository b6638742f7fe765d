"""Annotations: what they say of the objects that a name stands for."""

from __future__ import annotations

import ast
from typing import Final

from wats_accel.sql.source.alternatives import join
from wats_accel.sql.source.index import Index
from wats_accel.sql.source.modules import ModuleInfo
from wats_accel.sql.source.names import dotted
from wats_accel.sql.source.values import (
    FOREIGN,
    NONE,
    NUMBER,
    UNKNOWN,
    Cls,
    Ext,
    Map,
    Obj,
    Seq,
    Unknown,
    Value,
)

_NUMBERS: Final = frozenset({"int", "float", "bool", "Decimal", "complex"})
_VAGUE: Final = frozenset({"Any", "object", "Callable", "Self", "TypeVar", "Awaitable", "Coroutine"})
_LISTS: Final = frozenset(
    {"list", "tuple", "set", "frozenset", "List", "Tuple", "Set", "FrozenSet", "Sequence", "Iterable"}
    | {"Iterator", "Collection", "Generator", "AsyncIterator", "Deque", "deque", "MutableSequence"}
)
_MAPS: Final = frozenset({"dict", "Dict", "Mapping", "MutableMapping", "defaultdict", "OrderedDict"})
_SEE_THROUGH: Final = frozenset(
    {"Optional", "Union", "Final", "ClassVar", "Annotated", "Required", "NotRequired"}
)
_DEEPEST: Final = 12


def annotated(
    annotation: ast.expr | None, module: ModuleInfo, origin: str, index: Index, depth: int = 0
) -> Value:
    """What is annotated: objects of the tree's classes, something that is none, or not known at all."""
    if annotation is None or depth > _DEEPEST:
        return UNKNOWN
    if isinstance(annotation, ast.Constant):
        return _literal(annotation, module, origin, index, depth)
    if isinstance(annotation, ast.BinOp):
        sides = (annotation.left, annotation.right)
        return join(annotated(side, module, origin, index, depth + 1) for side in sides)
    if isinstance(annotation, ast.Subscript):
        return _generic(annotation, module, origin, index, depth)
    name = dotted(annotation)
    return _named(name, module, origin, index) if name else UNKNOWN


def _literal(annotation: ast.Constant, module: ModuleInfo, origin: str, index: Index, depth: int) -> Value:
    if annotation.value is None:
        return NONE
    if not isinstance(annotation.value, str):
        return UNKNOWN
    try:
        parsed = ast.parse(annotation.value.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return UNKNOWN
    return annotated(parsed, module, origin, index, depth + 1)


def _named(name: str, module: ModuleInfo, origin: str, index: Index) -> Value:
    last = name.rpartition(".")[2]
    found = index.found(name, module)
    if isinstance(found, Cls):
        return Value((Obj(found.cls, exact=False, origin=origin),))
    if last in _VAGUE:
        return UNKNOWN
    if last in _NUMBERS:
        return NUMBER
    if found is None:
        known = name in module.bindings or "*" in module.bindings or not name.islower()
        return UNKNOWN if known else FOREIGN  # lower case and bound nowhere: one of the language's own
    return FOREIGN if isinstance(found, Ext) else UNKNOWN


def _generic(annotation: ast.Subscript, module: ModuleInfo, origin: str, index: Index, depth: int) -> Value:
    last = dotted(annotation.value).rpartition(".")[2]
    inside = annotation.slice.elts if isinstance(annotation.slice, ast.Tuple) else [annotation.slice]
    if last == "Literal":
        return FOREIGN
    values = [annotated(part, module, origin, index, depth + 1) for part in inside]
    if last in _SEE_THROUGH:
        return values[0] if last == "Annotated" else join(values)
    if last in ("type", "Type"):
        found = [Cls(atom.cls, exact=False) for atom in values[0].atoms if isinstance(atom, Obj)]
        return Value(tuple(found)) if found else UNKNOWN
    objects = join(Value((atom,)) for value in values for atom in value.atoms if isinstance(atom, Obj))
    is_vague = any(isinstance(atom, Unknown) for value in values for atom in value.atoms)
    if last in _LISTS:
        return Value((Seq("list", (), objects),)) if objects.atoms else FOREIGN
    if last in _MAPS:
        return Value((Map((), objects),)) if objects.atoms else FOREIGN
    if last in _VAGUE or (is_vague and not last):
        return UNKNOWN
    return annotated(annotation.value, module, origin, index, depth + 1)
