"""Key patterns: the words by which a rule says which cached entries a write drops.

A readable key is ``namespace:method:argument:…``; a pattern has the same shape. Each part may be a
shell-style glob, and an argument may be ``{name}``, bound by name from the call of the write. Parts
that a pattern leaves out match anything: a pattern errs on the side of dropping more.
"""

from __future__ import annotations

import fnmatch
import re

from wats_accel.errors import PatternError
from wats_accel.records import record

_PLACEHOLDER = re.compile(r"\{([^\W\d]\w*(?:\.[^\W\d]\w*)*)\}")
_GLOB_CHARACTERS = re.compile(r"[*?\[]")


@record(frozen=True, slots=True)
class Literal:
    """An argument spelt out in the pattern; compared in its loose form."""

    text: str


@record(frozen=True, slots=True)
class Glob:
    """An argument given as a shell-style glob."""

    text: str


@record(frozen=True, slots=True)
class Placeholder:
    """An argument that the write's own call provides: ``{user_id}`` or ``{self.account_id}``."""

    path: str

    @property
    def root(self) -> str:
        """The parameter of the write (or ``self``) that the value is taken from."""
        return self.path.partition(".")[0]


ArgumentPart = Literal | Glob | Placeholder


def _argument_part(text: str, pattern: str) -> ArgumentPart:
    if "{" in text or "}" in text:
        placeholder = _PLACEHOLDER.fullmatch(text)
        if placeholder:
            return Placeholder(placeholder[1])
        raise PatternError(f"pattern {pattern!r}: an argument is '{{name}}' as a whole part, got {text!r}")
    return Glob(text) if _GLOB_CHARACTERS.search(text) else Literal(text)


@record(frozen=True, slots=True)
class KeyPattern:
    """A parsed pattern: globs for namespace and method, and one part for each argument named."""

    text: str
    namespace: str
    method: str
    arguments: tuple[ArgumentPart, ...]

    @classmethod
    def parse(cls, text: str) -> KeyPattern:
        """Read ``ns:*``, ``ns:method:*``, ``ns:method:{argument}`` or globs of that shape.

        Raises:
            PatternError: the text names a namespace only, has empty or malformed parts.
        """
        if type(text) is not str:  # a subclass may compare in a way of its own
            return _parsed(text)
        return _known.get(text) or _remembered(text)

    @property
    def placeholders(self) -> tuple[Placeholder, ...]:
        """The arguments that the write's call has to provide."""
        return tuple(part for part in self.arguments if isinstance(part, Placeholder))

    @property
    def names_one(self) -> bool:
        """Whether it names one method, without a glob."""
        return (
            _GLOB_CHARACTERS.search(self.namespace) is None and _GLOB_CHARACTERS.search(self.method) is None
        )

    def names(self, namespace: str, method: str) -> bool:
        """Whether entries of this namespace and method can match at all."""
        return fnmatch.fnmatchcase(namespace, self.namespace) and fnmatch.fnmatchcase(method, self.method)

    def __str__(self) -> str:
        return self.text


def _parsed(text: str) -> KeyPattern:
    if text.strip() == "*":
        return KeyPattern("*", "*", "*", ())
    parts = [part.strip() for part in text.split(":")]
    if len(parts) < 2:
        raise PatternError(f"pattern {text!r} names no method; write '{parts[0] or 'namespace'}:*'")
    if "" in parts:
        raise PatternError(f"pattern {text!r} has an empty part; write '*' for anything")
    if "{" in parts[0] or "{" in parts[1]:
        raise PatternError(f"pattern {text!r}: only arguments can be '{{name}}'")
    while len(parts) > 2 and parts[-1] == "*":  # the same as leaving the part out
        parts.pop()
    arguments = [_argument_part(part, text) for part in parts[2:]]
    return KeyPattern(text.strip(), parts[0], parts[1], tuple(arguments))


def _remembered(text: str) -> KeyPattern:
    pattern = _parsed(text)
    # Not one with a value in it, which may be a secret, and mostly does not come again.
    if len(_known) < _MOST_REMEMBERED and len(pattern.placeholders) == len(pattern.arguments):
        _known[text] = pattern
    return pattern


_ANYTHING = Glob("*")
_MOST_REMEMBERED = 1_000
_known: dict[str, KeyPattern] = {}  # a pattern never changes, so that all may share it
