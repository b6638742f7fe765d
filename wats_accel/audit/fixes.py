"""Fixes: the exact lines that a configuration lacks."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Final

from wats_accel.audit.subject import CachedRead, PatchedWrite, Subject
from wats_accel.errors import KeyPath
from wats_accel.patterns import KeyPattern
from wats_accel.targets import Target

_FEW: Final = 2
"""So many patterns are easier to read than one that stands for them."""

Fix = tuple[tuple[str, ...], KeyPath]
"""Lines, and the key that they belong under; the root if they begin an entry of their own."""


def rule_fix(subject: Subject, target: str, patterns: Iterable[str]) -> Fix:
    """The rule by which a write also drops these patterns, in place of the one that it has."""
    own = next((rule for rule in subject.writes_of(target) if rule.target == target), None)
    needed = shortest(subject.reads, patterns)
    texts = [*_still_needed(own, needed), *needed]
    name = Target.parse(target).name
    listed = "[" + ", ".join(f'"{text}"' for text in texts) + "]"
    if own is not None and own.rule.when != "always":
        listed = f"{{patterns: {listed}, when: {own.rule.when}}}"
    line = f"{name}: {listed}"
    if own is not None:
        return (line,), own.key_path[:-1]
    number = _repository_of(subject, target)
    if number is not None:
        return (line,), ("repositories", number, "invalidates")
    owner = target.removesuffix(f".{name}") if "." in target.partition(":")[2] else target.partition(":")[0]
    return (f"- target: {owner}", "  invalidates:", f"    {line}"), ("repositories",)


def shortest(reads: Iterable[CachedRead], patterns: Iterable[str]) -> list[str]:
    """The same patterns, with one for all reads of a namespace, or for all whose names begin alike.

    So ``orders:*``, or ``orders:list_*:*``, only if no read is in it that is not meant.
    """
    meant = set(patterns)
    spaces: dict[str, dict[str, str]] = {}
    for read in reads:
        spaces.setdefault(read.rules.namespace, {})[read.rules.method] = read.everything
    for namespace, patterns_by_method in spaces.items():
        wanted = [method for method, pattern in patterns_by_method.items() if pattern in meant]
        one = _one_pattern(namespace, wanted, list(patterns_by_method))
        if one is not None:
            meant.difference_update(patterns_by_method.values())
            meant.add(one)
    return sorted(meant)


def _one_pattern(namespace: str, wanted: list[str], known: list[str]) -> str | None:
    if len(wanted) == len(known) > 1:
        return f"{namespace}:*"
    start = "_".join(_common_words([name.split("_") for name in wanted]))
    alike = [method for method in known if method.startswith(f"{start}_")]
    return f"{namespace}:{start}_*:*" if start and len(wanted) == len(alike) > _FEW else None


def _common_words(names: list[list[str]]) -> list[str]:
    """The words that all names begin with."""
    columns = itertools.takewhile(lambda words: len(set(words)) == 1, zip(*names, strict=False))
    return [words[0] for words in columns]


def _still_needed(own: PatchedWrite | None, needed: list[str]) -> list[str]:
    """The patterns that the write has, but for those that one of the new ones includes."""
    if own is None:
        return []
    new = [KeyPattern.parse(text) for text in needed]
    return [pattern.text for pattern in own.patterns if not any(_includes(wide, pattern) for wide in new)]


def _includes(wide: KeyPattern, narrow: KeyPattern) -> bool:
    return not wide.arguments and wide.names(narrow.namespace, narrow.method)


def _repository_of(subject: Subject, target: str) -> int | None:
    for number, repository in enumerate(subject.repositories):
        if str(Target.parse(repository.target).child(Target.parse(target).name)) == target:
            return number
    return None
