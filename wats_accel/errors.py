"""Everything that wats_accel raises or reports.

AccelError
├── ConfigError             the file cannot be used; carries every problem found, not the first
├── PatternError            a key pattern that cannot be read
├── TargetError             a target that cannot be patched
│   ├── TargetNotFoundError     module, class or method is not there
│   └── UnsupportedTargetError  it is there, but is nothing that can be patched
├── PluginError             a plugin that cannot be loaded
└── AlreadyInstalledError   another accelerator is active in this process
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from wats_accel.records import record

KeyPath = tuple[str | int, ...]

_LONGEST_KEY_SHOWN = 80
_OF_A_CONNECTION_STRING = re.compile(r"\w[=;@]|://")


def format_key_path(path: KeyPath) -> str:
    """Spell a key path as people write it: ``repositories[0].cached.list_items``.

    A file may have any text as a key: see `shown`.
    """
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += f".{shown(part)}" if text else shown(part)
    return text


def shown(text: str) -> str:
    """Text out of a file as a message may show it: in one line that is not too long.

    What would upset a terminal is escaped. What looks like a connection string, which has come to stand for a
    name by mistake, is shown as three stars.
    """
    if _OF_A_CONNECTION_STRING.search(text):
        return "***"
    if len(text) > _LONGEST_KEY_SHOWN:
        text = text[: _LONGEST_KEY_SHOWN - 1] + "…"
    return text if text.isprintable() else "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


@record(frozen=True, slots=True, repr=False)
class Problem:
    """One thing that is wrong, where it stands, and what to do about it.

    `accelerator.problems` lists those that were left out at run time; a `ConfigError` carries those
    that make a file unusable.
    """

    message: str
    key_path: KeyPath = ()
    file: str | None = None
    line: int | None = None
    column: int | None = None
    target: str | None = None
    hint: str | None = None

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.file, self.line, self.column) if part is not None)
        where = [place, format_key_path(self.key_path), self.target or ""]
        text = ": ".join([*(part for part in where if part), self.message])
        return f"{text} ({self.hint})" if self.hint else text

    def __repr__(self) -> str:
        return f"Problem({str(self)!r})"  # and so the path of its key as people may see it


class AccelError(Exception):
    """Base of every error that wats_accel raises."""


class ConfigError(AccelError):
    """The configuration cannot be used.

    Attributes:
        problems: all that is wrong with it, in the order of the file.
    """

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class PatternError(AccelError, ValueError):
    """A key pattern cannot be read."""


class TargetError(AccelError):
    """A target cannot be patched."""


class TargetNotFoundError(TargetError):
    """The module, class or method of a target is not there."""


class UnsupportedTargetError(TargetError):
    """The target is there, but is nothing that can be patched."""


class PluginError(AccelError):
    """A plugin cannot be loaded."""


class AlreadyInstalledError(AccelError):
    """Another accelerator is active in this process."""
