"""Looking into a raw file, which may be malformed anywhere: what is not there counts as empty."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from wats_accel.errors import KeyPath


def mapping_at(value: object, *path: str) -> Mapping[str, Any]:
    """The mapping at this path inside `value`, or an empty one."""
    for part in path:
        value = value.get(part) if isinstance(value, Mapping) else None
    return value if isinstance(value, Mapping) else {}


def sequence(value: object) -> list[Any]:
    """`value` if it is a list, or an empty one."""
    return value if isinstance(value, list) else []


def repository_rules(raw: Mapping[str, Any], key: str) -> Iterator[tuple[KeyPath, str, Any]]:
    """``(key path, method, rule)`` of each method that a repository has under `key`."""
    for number, repository in enumerate(sequence(raw.get("repositories"))):
        for method, rule in mapping_at(repository, key).items():
            yield ("repositories", number, key, method), method, rule
