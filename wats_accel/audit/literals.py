"""Literals: constants of Python as a configuration file spells them."""

from __future__ import annotations

import ast
from typing import Any


def spelled(text: str) -> str:
    """A Python literal as YAML's flow style spells it, or in Python's own where YAML has no word for it."""
    return flow(literal_of(text))


def literal_of(text: str) -> Any:
    """A Python literal as the data that a configuration has for it."""
    try:
        return _plain(ast.literal_eval(text))
    except (ValueError, SyntaxError):
        return {"python": text}


def _plain(value: object) -> Any:
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, str) and value.isprintable():
        return value
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, dict) and list(value) != ["python"] and all(isinstance(key, str) for key in value):
        return {key: _plain(item) for key, item in value.items()}
    raise ValueError("YAML has no word for it")


def flow(value: object) -> str:
    """Plain data in YAML's flow style."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return "[" + ", ".join(map(flow, value)) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_key(key)}: {flow(item)}" for key, item in value.items()) + "}"
    return "'" + value.replace("'", "''") + "'" if isinstance(value, str) else repr(value)


def _key(name: str) -> str:
    return name if name == "python" else flow(name)  # YAML takes a bare `yes` for something else
