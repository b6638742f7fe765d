"""Selections: a key pattern bound to values, ready to be compared with entries."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Iterator, Mapping
from itertools import islice

from wats_accel.cache.sealed import STARS
from wats_accel.cache.texts import Texts, argument_text, match_text, readable
from wats_accel.patterns import ArgumentPart, Glob, KeyPattern, Literal, Placeholder

MOST_TEXTS = 10_000
_ANYTHING = Glob("*")
_COLLECTIONS = (list, tuple, set, frozenset)
_LARGE = 1 << 63


class AnyOf:
    """The argument at `position` equals one of `texts`, in the loose form.

    This class and the next two are written out, since each write makes them anew: a frozen dataclass takes
    three times as long to make.
    """

    __slots__ = ("position", "texts")

    def __init__(self, position: int, texts: frozenset[str]) -> None:
        self.position = position
        self.texts = texts

    def matches(self, texts: Texts) -> bool:
        """Whether an entry with these argument texts is meant."""
        text = texts[self.position] if self.position < len(texts) else None
        return text is None or text in self.texts

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AnyOf) and (self.position, self.texts) == (other.position, other.texts)

    def __hash__(self) -> int:
        return hash((self.position, self.texts))

    def __repr__(self) -> str:  # without the texts: one of them may be a secret
        return f"AnyOf(position={self.position})"


class GlobOf:
    """The argument at `position` matches a shell-style glob."""

    __slots__ = ("glob", "position")

    def __init__(self, position: int, glob: str) -> None:
        self.position = position
        self.glob = glob

    def matches(self, texts: Texts) -> bool:
        """Whether an entry with these argument texts is meant."""
        text = texts[self.position] if self.position < len(texts) else None
        return text is None or fnmatch.fnmatchcase(text, self.glob)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, GlobOf) and (self.position, self.glob) == (other.position, other.glob)

    def __hash__(self) -> int:
        return hash((self.position, self.glob))

    def __repr__(self) -> str:
        return f"GlobOf(position={self.position}, glob={self.glob!r})"


Condition = AnyOf | GlobOf


class Selection:
    """Entries of a method for which all conditions hold; with no condition, all of them.

    Attributes:
        conditions: on arguments.
        exact: a condition that an index can answer, if there is one.
    """

    __slots__ = ("conditions", "exact")

    def __init__(self, conditions: tuple[Condition, ...] = ()) -> None:
        self.conditions = conditions
        self.exact: AnyOf | None = None
        for known in conditions:
            if type(known) is AnyOf:
                self.exact = known
                break

    def matches(self, texts: Texts) -> bool:
        """Whether an entry with these argument texts is meant."""
        for condition in self.conditions:  # noqa: SIM110 - a generator takes longer than what it asks
            if not condition.matches(texts):
                return False
        return True

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Selection) and self.conditions == other.conditions

    def __hash__(self) -> int:
        return hash(self.conditions)

    def __repr__(self) -> str:
        return f"Selection(conditions={self.conditions!r})"


EVERYTHING = Selection()


def select(pattern: KeyPattern, values: Mapping[str, object]) -> Selection:
    """Bind a pattern to the values of its placeholders.

    A placeholder without a value matches anything: what is not known must not keep an entry alive.
    """
    if not pattern.arguments:
        return EVERYTHING
    found = [_condition(position, part, values) for position, part in enumerate(pattern.arguments)]
    return Selection(tuple([condition for condition in found if condition is not None]))


def _condition(position: int, part: ArgumentPart, values: Mapping[str, object]) -> Condition | None:
    """What a part of a pattern says of the argument at its position; None if it may be anything."""
    if isinstance(part, Placeholder):
        texts = loose_texts(values[part.path]) if part.path in values else None
        return None if texts is None else AnyOf(position, texts)
    if isinstance(part, Literal):
        return AnyOf(position, frozenset((match_text(part.text, fold=True),)))
    return None if part.text == "*" else GlobOf(position, part.text.casefold())


def loose_texts(value: object) -> frozenset[str] | None:
    """The texts that a placeholder's value stands for; None when it may stand for anything.

    A write that takes several ids at once means each of them. None is no id: it means all of them, or one
    that is not known yet. What an iterator holds, or a foreign object means, cannot be told. Of a great many
    it would take long to find the entries one by one, and memory to remember them until a commit.
    """
    try:
        if type(value) is int and -_LARGE < value < _LARGE:  # as most ids are: its text is what it looks like
            return frozenset((repr(value),))
        if type(value) is str:
            text = argument_text(value)
            return None if text is None else frozenset((text,))
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


def nothing_is_secret(position: int, part: ArgumentPart) -> bool:
    """Of a pattern all of whose arguments may be read."""
    return False


def bound_text(
    pattern: KeyPattern, values: Mapping[str, object], is_secret: IsSecret = nothing_is_secret
) -> str:
    """The pattern as it was bound, for a log line: ``users:get_user_role:7``.

    Args:
        pattern: of the rule.
        values: of its placeholders.
        is_secret: which of its arguments are shown as three stars.
    """
    if is_secret is nothing_is_secret and "{" not in pattern.text:
        return pattern.text
    texts = pattern.text.split(":")  # as it was parsed: namespace, method, arguments
    for position, part in enumerate(pattern.arguments):
        is_told = part == _ANYTHING or not is_secret(position, part)
        texts[position + 2] = _shown(part, values) if is_told else STARS
    return ":".join(texts)


def _shown(part: ArgumentPart, values: Mapping[str, object]) -> str:
    if not isinstance(part, Placeholder):
        return part.text
    value = values.get(part.path)
    return readable(value) if type(value) is int or loose_texts(value) is not None else "*"
