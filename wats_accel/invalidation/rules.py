"""The words of invalidation: what a write drops, bound to one call of it, and the call while it lasts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field
from types import MappingProxyType
from typing import Literal

from wats_accel.cache.region import Region
from wats_accel.cache.selection import EVERYTHING, Selection
from wats_accel.cache.writers import Writing
from wats_accel.patterns import KeyPattern
from wats_accel.records import record

When = Literal["always", "truthy"]

MOST_REPEATED = 1_000
_EVERYTHING = KeyPattern.parse("*")
Method = tuple[str, str]
"""Namespace and name, as patterns have them."""
Values = Mapping[str, object]
"""What the placeholders of patterns stand for in one call of a write; what is missing matches anything."""
NO_VALUES: Values = MappingProxyType({})
Bound = tuple[KeyPattern, Selection]
"""A pattern, and what it selects with the values of one call."""


@record(frozen=True, slots=True)
class WriteRule:
    """What one write drops, and when: always, or only when its result (or its first item) is truthy."""

    target: str
    patterns: tuple[KeyPattern, ...]
    when: When = "always"

    @property
    def paths(self) -> tuple[str, ...]:
        """What the patterns need from a call of the write."""
        return tuple(dict.fromkeys(part.path for known in self.patterns for part in known.placeholders))

    def concerns(self, result: object) -> bool:
        """Whether a write that returned `result` counts as having written."""
        if self.when == "always":
            return True
        first = result[0] if isinstance(result, (tuple, list)) and result else result
        return bool(first)


@record(slots=True, unsafe_hash=True)  # not frozen: each write makes them, and that takes twice as long
class Drop:
    """A key pattern bound to the values of one write, and the write. It is never changed."""

    pattern: KeyPattern
    selection: Selection
    text: str = field(compare=False)  # of the bound pattern, for the log
    by: str

    @property
    def widened(self) -> Drop:
        """The same for any values."""
        return Drop(self.pattern, EVERYTHING, self.pattern.text, self.by)


class Repetition:
    """What is to be dropped once more, when the changes that it stands for can be seen by others."""

    def __init__(self) -> None:
        self._drops: dict[Drop, None] = {}

    def add(self, drops: Iterable[Drop]) -> None:
        """Take drops in; of a great many remember only the patterns, and drop more than needed."""
        self._drops.update(dict.fromkeys(drops))
        if len(self._drops) > MOST_REPEATED:
            self._drops = dict.fromkeys(drop.widened for drop in self._drops)

    def __iter__(self) -> Iterator[Drop]:
        return iter(list(self._drops))


class OpenWrite:
    """A patched write that a thread is inside of, from `Invalidator.begin` to `Invalidator.end`."""

    __slots__ = (
        "bound", "generation", "is_outermost", "keeps_away", "over", "rule", "values", "within",
    )  # fmt: skip

    def __init__(self, rule: WriteRule) -> None:
        self.rule = rule
        self.values: Values = NO_VALUES  # that its patterns were bound to when it began
        self.bound: list[Bound] | None = None  # what it drops, as far as could be foreseen when it began
        self.keeps_away: list[tuple[Region, Writing]] = []  # readers, until this write is over
        self.within: Repetition | None = None  # what patched writes inside this one have dropped
        self.is_outermost = True
        self.over = False
        self.generation: object = None  # of the rules that were in effect when it began

    def note_within(self, drops: Iterable[Drop]) -> None:
        """Take in what a patched write inside this one has dropped."""
        if self.within is None:
            self.within = Repetition()
        self.within.add(drops)

    @property
    def repeated(self) -> list[Drop]:
        """What is to be dropped once more when it ends."""
        return [] if self.within is None else list(self.within)


def drops_of(
    region: Region, rules: Iterable[tuple[WriteRule, tuple[KeyPattern, ...]]]
) -> set[tuple[str, KeyPattern, When]]:
    """The writes, each with the pattern and when it applies, that drop a region's entries."""
    namespace, method = region.rules.namespace, region.rules.method
    return {
        (rule.target, pattern, rule.when)
        for rule, patterns in rules
        for pattern in patterns
        if pattern.names(namespace, method)
    }


def widened(patterns: tuple[KeyPattern, ...], unwatched: Iterable[Method]) -> tuple[KeyPattern, ...]:
    """These patterns, and everything if they name a method that nobody sees called."""
    names_one = any(pattern.names(*method) for method in list(unwatched) for pattern in patterns)
    return (*patterns, _EVERYTHING) if names_one else patterns
