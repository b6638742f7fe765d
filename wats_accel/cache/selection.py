"""Selections: a key pattern bound to values, ready to be compared with entries."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from wats_accel.cache.freezing import match_text, readable
from wats_accel.patterns import Glob, KeyPattern, Literal

_COLLECTIONS = (list, tuple, set, frozenset)


@dataclass(frozen=True, slots=True)
class AnyOf:
    """The argument at `position` equals one of `texts`, in the loose form."""

    position: int
    texts: frozenset[str]

    def matches(self, texts: Sequence[str]) -> bool:
        """Whether an entry with these argument texts is meant."""
        return self.position >= len(texts) or texts[self.position] in self.texts


@dataclass(frozen=True, slots=True)
class GlobOf:
    """The argument at `position` matches a shell-style glob."""

    position: int
    glob: str

    def matches(self, texts: Sequence[str]) -> bool:
        """Whether an entry with these argument texts is meant."""
        return self.position >= len(texts) or fnmatch.fnmatchcase(texts[self.position], self.glob)


Condition = AnyOf | GlobOf


@dataclass(frozen=True, slots=True)
class Selection:
    """Entries of a method for which all conditions hold; with no condition, all of them."""

    conditions: tuple[Condition, ...] = ()

    def matches(self, texts: Sequence[str]) -> bool:
        """Whether an entry with these argument texts is meant."""
        return all(condition.matches(texts) for condition in self.conditions)

    @property
    def exact(self) -> AnyOf | None:
        """A condition that an index can answer, if there is one."""
        return next((known for known in self.conditions if isinstance(known, AnyOf)), None)


EVERYTHING = Selection()


def select(pattern: KeyPattern, values: Mapping[str, object], folds: Sequence[bool]) -> Selection:
    """Bind a pattern to the values of its placeholders, for a method whose arguments fold as given.

    A placeholder without a value matches anything: what is not known must not keep an entry alive.
    """
    return Selection(tuple(_conditions(pattern, values, folds)))


def _conditions(
    pattern: KeyPattern, values: Mapping[str, object], folds: Sequence[bool]
) -> Iterable[Condition]:
    for position, part in enumerate(pattern.arguments):
        fold = position < len(folds) and folds[position]
        if isinstance(part, Literal):
            yield AnyOf(position, frozenset((match_text(part.text, fold=fold),)))
        elif isinstance(part, Glob):
            if part.text != "*":
                yield GlobOf(position, part.text.casefold() if fold else part.text)
        elif part.path in values:
            yield AnyOf(position, _texts_of(values[part.path], fold=fold))


def _texts_of(value: object, *, fold: bool) -> frozenset[str]:
    # A write that takes several ids at once means each of them, and the collection as a whole.
    members = list(value) if isinstance(value, _COLLECTIONS) else []
    return frozenset(match_text(item, fold=fold) for item in [value, *members])


def bound_text(pattern: KeyPattern, values: Mapping[str, object]) -> str:
    """The pattern as it was bound, for a log line: ``users:get_user_role:7``."""
    text = pattern.text
    for part in pattern.placeholders:
        shown = readable(values[part.path]) if part.path in values else "*"
        text = text.replace("{" + part.path + "}", shown)
    return text
