"""Documents: plain data that remembers where each key stands, and what is wrong with a source."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

from wats_accel.errors import AccelError, KeyPath
from wats_accel.records import record

# A config is some six levels deep and some hundred values long. These stop accidents and attacks.
DEEPEST = 100
MOST_VALUES = 100_000

_Places = Mapping[KeyPath, tuple[int, int]]


@record(frozen=True, slots=True)
class Position:
    """A place in a text file; both numbers start at 1 and columns count characters."""

    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.line}:{self.column}"


class Issue(NamedTuple):
    """One thing wrong with a source: a sentence, and where, if that is known."""

    message: str
    position: Position | None


class SourceError(AccelError, ValueError):
    """A source cannot be read; its text is one line for each issue, `name:line:column: message`."""

    def __init__(self, name: str, issues: Sequence[Issue]) -> None:
        super().__init__(name, tuple(issues))
        self.name = name
        self.issues = tuple(issues)

    @property
    def message(self) -> str:
        """The first issue's sentence, without the file's name."""
        return self.issues[0].message

    @property
    def position(self) -> Position | None:
        """The first issue's place, or None when it concerns the file as a whole."""
        return self.issues[0].position

    def __str__(self) -> str:
        return "\n".join(f"{self._place(issue)}: {issue.message}" for issue in self.issues)

    def _place(self, issue: Issue) -> str:
        return f"{self.name}:{issue.position}" if issue.position else self.name


@dataclass(frozen=True)
class Document:
    """Plain data (dicts with text keys, lists, scalars) read from the source called `name`."""

    name: str
    data: dict[str, Any] = field(repr=False)  # a config may hold secrets
    locate: Callable[[], _Places] | None = field(default=None, repr=False, compare=False)

    def position(self, path: KeyPath) -> Position | None:
        """Return where the key or list item at `path` stands, or else its nearest existing parent.

        None when the source is not a text.
        """
        if self._places is None:
            return None
        while path and path not in self._places:
            path = path[:-1]
        return Position(*self._places[path]) if path else Position(1, 1)

    @cached_property
    def _places(self) -> _Places | None:
        return None if self.locate is None else self.locate()


def failure(name: str, message: str, position: Position | None = None) -> SourceError:
    """The error of a source with one thing wrong."""
    return SourceError(name, (Issue(message, position),))


def position_of(text: str, offset: int) -> Position:
    """The place of the character at `offset`."""
    return Position(text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset))


def plain(value: Any, levels_left: int = DEEPEST) -> Any:
    """Copy the containers of `value`; raise RecursionError early, so that what we return can be walked."""
    if not isinstance(value, Mapping | list | tuple):
        return value
    if not levels_left:
        raise RecursionError
    if isinstance(value, Mapping):
        return {_text_key(key): plain(item, levels_left - 1) for key, item in value.items()}
    return [plain(item, levels_left - 1) for item in value]


def _text_key(key: object) -> str:
    if not isinstance(key, str):
        raise failure("<mapping>", f"a key is of type {type(key).__name__}: keys must be text")
    return key
