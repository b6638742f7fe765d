"""Sameness: whether two parts of configurations say the same, which `==` does not tell of 1 and true."""

from __future__ import annotations

import hashlib
from typing import Any

from pydantic import BaseModel


def digest_of(value: object) -> str:
    """A text that is the same for what is written in the same way. Nothing can be read from it.

    Args:
        value: sections, and whatever they are made of: mappings, lists, tuples, texts, numbers.
    """
    return hashlib.sha256(repr(_spelled(value)).encode("utf-8", "surrogatepass")).hexdigest()


def _spelled(value: Any) -> object:
    if isinstance(value, BaseModel):  # whose repr keeps its values to itself
        return type(value).__name__, [(name, _spelled(known)) for name, known in value]
    if isinstance(value, dict):
        return [(_spelled(key), _spelled(known)) for key, known in value.items()]
    if isinstance(value, (list, tuple)):
        return type(value).__name__, [_spelled(known) for known in value]
    return type(value).__name__, value
