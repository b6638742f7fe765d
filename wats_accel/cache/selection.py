"""Selections: a key pattern bound to values, ready to be compared with entries."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from wats_accel.cache.texts import match_text, readable
from wats_accel.patterns import Glob, KeyPattern, Literal

_COLLECTIONS = (list, tuple, set, frozenset, dict)
_TEXTS = (str, bytes, bytearray)


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
            texts = loose_texts(values[part.path], fold=fold)
            if texts is not None:
                yield AnyOf(position, texts)


def loose_texts(value: object, *, fold: bool) -> frozenset[str] | None:
    """The texts that a placeholder's value stands for; None when it may stand for anything.

    A write that takes several ids at once means each of them, and the collection as a whole. None is no
    id: it means all of them, or one that is not known yet. What an iterator holds cannot be told.
    """
    try:
        return frozenset(_texts_of(value, fold=fold))
    except Exception:  # noqa: BLE001 - a foreign collection may raise anything, or hold itself
        return None


def _texts_of(value: object, *, fold: bool) -> Iterator[str]:
    yield match_text(value, fold=fold)
    if isinstance(value, _COLLECTIONS):
        for member in value:
            yield from _texts_of(member, fold=fold)
    elif value is None or (hasattr(type(value), "__iter__") and not isinstance(value, _TEXTS)):
        raise ValueError("it may stand for anything")


def bound_text(pattern: KeyPattern, values: Mapping[str, object]) -> str:
    """The pattern as it was bound, for a log line: ``users:get_user_role:7``."""
    text = pattern.text
    for part in pattern.placeholders:
        value = values.get(part.path)
        shown = "*" if loose_texts(value, fold=False) is None else readable(value)
        text = text.replace("{" + part.path + "}", shown)
    return text
