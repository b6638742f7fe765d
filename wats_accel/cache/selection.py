"""Selections: a key pattern bound to values, ready to be compared with entries."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice

from wats_accel.cache.sealed import STARS
from wats_accel.cache.texts import Texts, argument_text, match_text, readable
from wats_accel.patterns import ArgumentPart, Glob, KeyPattern, Literal, Placeholder

MOST_TEXTS = 10_000
_ANYTHING = Glob("*")
_COLLECTIONS = (list, tuple, set, frozenset)


@dataclass(frozen=True, slots=True)
class AnyOf:
    """The argument at `position` equals one of `texts`, in the loose form."""

    position: int
    texts: frozenset[str] = field(repr=False)  # one of them may be a secret

    def matches(self, texts: Texts) -> bool:
        """Whether an entry with these argument texts is meant."""
        text = _text_at(self.position, texts)
        return text is None or text in self.texts


@dataclass(frozen=True, slots=True)
class GlobOf:
    """The argument at `position` matches a shell-style glob."""

    position: int
    glob: str

    def matches(self, texts: Texts) -> bool:
        """Whether an entry with these argument texts is meant."""
        text = _text_at(self.position, texts)
        return text is None or fnmatch.fnmatchcase(text, self.glob)


def _text_at(position: int, texts: Texts) -> str | None:
    return texts[position] if position < len(texts) else None


Condition = AnyOf | GlobOf


@dataclass(frozen=True, slots=True)
class Selection:
    """Entries of a method for which all conditions hold; with no condition, all of them."""

    conditions: tuple[Condition, ...] = ()

    def matches(self, texts: Texts) -> bool:
        """Whether an entry with these argument texts is meant."""
        return all(condition.matches(texts) for condition in self.conditions)

    @property
    def exact(self) -> AnyOf | None:
        """A condition that an index can answer, if there is one."""
        return next((known for known in self.conditions if isinstance(known, AnyOf)), None)


EVERYTHING = Selection()


def select(pattern: KeyPattern, values: Mapping[str, object]) -> Selection:
    """Bind a pattern to the values of its placeholders.

    A placeholder without a value matches anything: what is not known must not keep an entry alive.
    """
    return Selection(tuple(_conditions(pattern, values)))


def _conditions(pattern: KeyPattern, values: Mapping[str, object]) -> Iterable[Condition]:
    for position, part in enumerate(pattern.arguments):
        if isinstance(part, Literal):
            yield AnyOf(position, frozenset((match_text(part.text, fold=True),)))
        elif isinstance(part, Glob):
            if part.text != "*":
                yield GlobOf(position, part.text.casefold())
        elif part.path in values:
            texts = loose_texts(values[part.path])
            if texts is not None:
                yield AnyOf(position, texts)


def loose_texts(value: object) -> frozenset[str] | None:
    """The texts that a placeholder's value stands for; None when it may stand for anything.

    A write that takes several ids at once means each of them. None is no id: it means all of them, or one
    that is not known yet. What an iterator holds, or a foreign object means, cannot be told. Of a great many
    it would take long to find the entries one by one, and memory to remember them until a commit.
    """
    try:
        texts = list(islice(_texts_of(value), MOST_TEXTS + 1))
        return frozenset(texts) if len(texts) <= MOST_TEXTS else None
    except Exception:  # noqa: BLE001 - a foreign collection may raise anything, or hold itself
        return None


def _texts_of(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        value = [*value.keys(), *value.values()]
    if isinstance(value, _COLLECTIONS):
        for member in value:
            yield from _texts_of(member)
        return
    text = argument_text(value)
    if not isinstance(text, str):
        raise ValueError("it may stand for anything")  # noqa: TRY004 - not of a wrong type
    yield text


IsSecret = Callable[[int, ArgumentPart], bool]
"""Whether nobody may read what a pattern says of the argument at a position."""


def _nothing(position: int, part: ArgumentPart) -> bool:
    return False


def bound_text(pattern: KeyPattern, values: Mapping[str, object], is_secret: IsSecret = _nothing) -> str:
    """The pattern as it was bound, for a log line: ``users:get_user_role:7``.

    Args:
        pattern: of the rule.
        values: of its placeholders.
        is_secret: which of its arguments are shown as three stars.
    """
    texts = pattern.text.split(":")  # as it was parsed: namespace, method, arguments
    for position, part in enumerate(pattern.arguments):
        is_told = part == _ANYTHING or not is_secret(position, part)
        texts[position + 2] = _shown(part, values) if is_told else STARS
    return ":".join(texts)


def _shown(part: ArgumentPart, values: Mapping[str, object]) -> str:
    if not isinstance(part, Placeholder):
        return part.text
    value = values.get(part.path)
    return "*" if loose_texts(value) is None else readable(value)
