"""Attribute paths: what ``self.db.connection_string`` comes to, as far as the classes of a tree tell."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from wats_accel.sql.source.annotations import annotated
from wats_accel.sql.source.index import Index
from wats_accel.sql.source.modules import ClassInfo, Store
from wats_accel.sql.source.names import dotted
from wats_accel.sql.source.values import Cls, Obj


def attributes_of(index: Index, cls: ClassInfo) -> list[str]:
    """The attributes that objects of a class have, those of its bases among them; no methods."""
    names: dict[str, None] = {}
    for each in index.order(cls):
        names.update(dict.fromkeys(each.annotations))
        names.update(dict.fromkeys(each.stores))
        names.update(dict.fromkeys(each.bindings))
        names.update(dict.fromkeys(each.functions))
    methods = {
        name
        for each in index.order(cls)
        for name, functions in each.functions.items()
        if not functions[0].is_property
    }
    return [name for name in names if name not in methods]


def classes_of(index: Index, cls: ClassInfo, name: str) -> Iterator[ClassInfo]:
    """The classes of the tree that an attribute's objects may have: by annotation, or by what is stored."""
    for each in index.order(cls):
        if name in each.annotations:
            yield from _annotated(index, each, each.annotations[name])
        for store in each.stores.get(name, ()):
            yield from _stored(index, store)


def missing(index: Index, owner: str, path: str) -> tuple[str, str, list[str]] | None:
    """The first attribute of a path that is not there: its name, its class, and what that class has.

    Args:
        index: of the tree.
        owner: the class that ``self`` is of, as in a configuration.
        path: such as ``self.db.connection_string``.

    Returns:
        None if all of it is there, or if that cannot be told.
    """
    cls = index.classes.get(owner)
    for name in path.split(".")[1:]:
        if cls is None or _may_have_more(index, cls):
            return None
        known = [*attributes_of(index, cls), *index.method_names(cls)]
        if name not in known:
            if name in index.stores:  # somebody sets it from outside, on an object of any class
                return None
            return name, cls.target, known
        inner = list({each.target: each for each in classes_of(index, cls, name)}.values())
        cls = inner[0] if len(inner) == 1 else None
    return None


def _may_have_more(index: Index, cls: ClassInfo) -> bool:
    """Whether attributes may come from where nobody looks."""
    return index.has_foreign_base(cls) or bool(index.method(cls, "__getattr__") or index.subclasses(cls))


def _stored(index: Index, store: Store) -> Iterator[ClassInfo]:
    value = store.binding.node
    owner = store.function.owner if store.function is not None else None
    if store.binding.kind != "value" or store.function is None or owner is None:
        return
    if isinstance(value, ast.Call):
        found = index.found(dotted(value.func), store.module) if dotted(value.func) else None
        if isinstance(found, Cls):
            yield index.classes[found.cls]
    elif isinstance(value, ast.Name):
        arguments = store.function.node.args
        for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs):
            if argument.arg == value.id and argument.annotation is not None:
                yield from _annotated(index, owner, argument.annotation)


def _annotated(index: Index, cls: ClassInfo, annotation: ast.expr) -> Iterator[ClassInfo]:
    for atom in annotated(annotation, cls.module, "", index).atoms:
        if isinstance(atom, Obj):
            yield index.classes[atom.cls]
