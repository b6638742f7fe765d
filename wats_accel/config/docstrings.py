"""Docstrings of attributes: what a section's fields are for, read from its source when a schema is made.

pydantic would read them while each class is made, which takes longer than all else that it does
then; and only whoever asks for a schema sees them.
"""

from __future__ import annotations

import ast
import inspect
import itertools
import linecache
import sys
import weakref
from collections.abc import Iterator
from types import ModuleType
from typing import Any

_Texts = dict[str, str]

_known: weakref.WeakKeyDictionary[ModuleType, dict[str, _Texts]] = weakref.WeakKeyDictionary()


def add_descriptions(model: type[Any], schema: dict[str, Any]) -> None:
    """Give those properties of a JSON Schema a description that have none.

    Args:
        model: the section, a pydantic model.
        schema: of that section, resolved; its properties are changed in place.
    """
    texts: _Texts = {}
    for cls in reversed(model.__mro__):  # a field that is declared anew may be described anew
        if "__pydantic_fields__" in vars(cls):
            texts.update(_attribute_docstrings(cls))
    properties = schema.get("properties", {})
    for name, field in model.model_fields.items():
        place = properties.get(field.alias or name)
        if name in texts and place is not None and field.description is None:
            place["description"] = texts[name]


def _attribute_docstrings(cls: type[Any]) -> _Texts:
    """The text below each annotated attribute of a class; nothing where there is no source."""
    module = sys.modules.get(cls.__module__)
    if not isinstance(module, ModuleType):
        return {}
    if module not in _known:
        _known[module] = dict(_of_all_classes(module))
    return _known[module].get(cls.__qualname__, {})


def _of_all_classes(module: ModuleType) -> Iterator[tuple[str, _Texts]]:
    """``(qualified name, texts)`` of each class in a module's source."""
    try:
        source = "".join(linecache.getlines(module.__file__ or "", vars(module)))
        yield from _in_body(ast.parse(source).body, "")
    except (AttributeError, SyntaxError, ValueError):  # made at run time, or frozen without sources
        return


def _in_body(body: list[ast.stmt], prefix: str) -> Iterator[tuple[str, _Texts]]:
    for statement in body:
        if isinstance(statement, ast.ClassDef):
            name = prefix + statement.name
            yield name, _texts_in(statement)
            yield from _in_body(statement.body, f"{name}.")
        elif isinstance(statement, ast.FunctionDef):
            yield from _in_body(statement.body, f"{prefix}{statement.name}.<locals>.")


def _texts_in(definition: ast.ClassDef) -> _Texts:
    return {
        before.target.id: inspect.cleandoc(statement.value.value)
        for before, statement in itertools.pairwise(definition.body)
        if isinstance(before, ast.AnnAssign)
        and isinstance(before.target, ast.Name)
        and isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    }
