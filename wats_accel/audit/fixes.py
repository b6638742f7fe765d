"""Fixes: the exact lines that a configuration lacks."""

from __future__ import annotations

from collections.abc import Iterable

from wats_accel.audit.subject import CachedRead, PatchedWrite, Subject
from wats_accel.errors import KeyPath
from wats_accel.patterns import KeyPattern
from wats_accel.targets import Target

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
    """The same patterns, with one for a namespace of which all reads are meant: ``orders:*``."""
    meant = set(patterns)
    spaces: dict[str, list[str]] = {}
    for read in reads:
        spaces.setdefault(read.rules.namespace, []).append(read.everything)
    for namespace, all_of_it in spaces.items():
        if len(all_of_it) > 1 and meant.issuperset(all_of_it):
            meant.difference_update(all_of_it)
            meant.add(f"{namespace}:*")
    return sorted(meant)


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
