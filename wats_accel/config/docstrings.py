"""Docstrings of attributes: what a section's fields are for, read from its source when a schema is made.

pydantic would read them while each class is made, which takes longer than all else that it does
then; and only whoever asks for a schema sees them.
"""

from __future__ import annotations

import ast
import inspect
import itertools
import textwrap
from typing import Any


def add_descriptions(model: type[Any], schema: dict[str, Any]) -> None:
    """Give those properties of a JSON Schema a description that have none.

    Args:
        model: the section, a pydantic model.
        schema: of that section, resolved; its properties are changed in place.
    """
    texts: dict[str, str] = {}
    for cls in reversed(model.__mro__):  # a field that is declared anew may be described anew
        if "__pydantic_fields__" in vars(cls):
            texts.update(_attribute_docstrings(cls))
    properties = schema.get("properties", {})
    for name, field in model.model_fields.items():
        place = properties.get(field.alias or name)
        if name in texts and place is not None and field.description is None:
            place["description"] = texts[name]


def _attribute_docstrings(cls: type[Any]) -> dict[str, str]:
    """The text below each annotated attribute of a class; nothing where there is no source."""
    try:
        source = textwrap.dedent("".join(inspect.getsourcelines(cls)[0]))
        (definition,) = ast.parse(source).body
    except (OSError, TypeError, SyntaxError, ValueError):  # made at run time, or frozen without sources
        return {}
    body = definition.body if isinstance(definition, ast.ClassDef) else []
    return {
        before.target.id: inspect.cleandoc(statement.value.value)
        for before, statement in itertools.pairwise(body)
        if isinstance(before, ast.AnnAssign)
        and isinstance(before.target, ast.Name)
        and isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    }
