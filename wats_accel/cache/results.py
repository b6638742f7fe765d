"""Comparing a method's result with the literal results that a rule lists."""

from __future__ import annotations

from typing import Any

ResultLiteral = Any
"""A literal as a config file spells it: scalars, lists, mappings; a list stands for a tuple too."""


def same_result(result: object, literal: ResultLiteral) -> bool:
    """Whether `result` is what `literal` spells. ``False`` is not ``0``, and ``1`` is not ``1.0``."""
    if isinstance(literal, list):
        return type(result) in (list, tuple) and _same_items(result, literal)
    if isinstance(literal, tuple):
        return type(result) is tuple and _same_items(result, literal)
    if type(result) is not type(literal):
        return False
    if isinstance(literal, dict):
        return _same_mapping(result, literal)
    return bool(result == literal)


def _same_items(result: Any, literal: Any) -> bool:
    return len(result) == len(literal) and all(map(same_result, result, literal))


def _same_mapping(result: Any, literal: dict[Any, Any]) -> bool:
    return _typed(result) == _typed(literal) and all(
        same_result(result[key], literal[key]) for key in literal
    )


def _typed(keys: Any) -> set[tuple[type, Any]]:
    return {(type(key), key) for key in keys}
