"""Looking into a raw file, which may be malformed anywhere: what is not there counts as empty."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from wats_accel.errors import KeyPath

_WORD = re.compile(r"[\w.:*?\[\]{}-]{1,80}")


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


def rules_given_twice(raw: Mapping[str, Any], key: str) -> Iterator[KeyPath]:
    """The key path of each rule for a method that has one under `key` in an earlier repository."""
    seen: set[tuple[object, str]] = set()
    for path, method, _ in repository_rules(raw, key):
        target = mapping_at(sequence(raw.get("repositories"))[int(path[1])]).get("target")
        if isinstance(target, str):
            if (target.strip(), method) in seen:
                yield path
            seen.add((target.strip(), method))


def quoted(text: str) -> str:
    """`text` in quotes after a space; nothing if it can be no word of our grammar, as it may be a secret."""
    return f" {text!r}" if _WORD.fullmatch(text) else ""
