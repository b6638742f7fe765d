"""Covering: whether a pattern of a write is sure to drop the entries of a read that the write concerns."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from wats_accel.audit.subject import CachedRead
from wats_accel.patterns import ArgumentPart, Glob, KeyPattern, Placeholder
from wats_accel.sql.access import Access
from wats_accel.sql.source.facts import SourceMethod
from wats_accel.sql.source.knowledge import Source

Degree = Literal["all", "trusted", "unsure", "none"]
"""all: every entry. trusted: those for the write's own argument, which has the name of the read's. unsure:
some entries, and nothing tells that these are the right ones. none: not one."""


@dataclass(frozen=True, slots=True)
class Cover:
    """How a pattern covers a read, and why no better, in a clause."""

    degree: Degree
    why: str = ""

    @property
    def holds(self) -> bool:
        """Whether it counts as covering."""
        return self.degree in ("all", "trusted")


_DEGREES: tuple[Degree, ...] = ("none", "unsure", "trusted", "all")


def cover(
    patterns: Iterable[KeyPattern], write: SourceMethod, read: CachedRead, by: Access, own: Iterable[Source]
) -> Cover:
    """The best that any of these patterns does for a read.

    Args:
        patterns: of a rule of `write`.
        write: the method that they are bound to.
        read: whose entries are to go.
        by: the tables by which the write concerns the read.
        own: the statements of the read.
    """
    texts = [source.statement.text for source in own]
    found = [_cover(pattern, write, read, by, texts) for pattern in patterns]
    return max(found, key=lambda known: _DEGREES.index(known.degree), default=Cover("none"))


def _cover(pattern: KeyPattern, write: SourceMethod, read: CachedRead, by: Access, texts: list[str]) -> Cover:
    if not pattern.names(read.rules.namespace, read.rules.method):
        return Cover("none")
    names = key_names(read)
    told = [
        _doubt(part, names[position], write)
        for position, part in enumerate(pattern.arguments)
        if position < len(names)  # a surplus argument matches anything
    ]
    doubts = [why for why in told if why is not None]
    if any(doubts):
        return Cover("unsure", next(why for why in doubts if why))
    if not doubts:
        return Cover("all")
    twice = next((table for table in by if _is_read_twice(table, texts)), None)
    if twice is not None:
        return Cover(
            "unsure", f"{read.rules.method} reads {twice} more than once, so rows of others may be in it"
        )
    return Cover("trusted")


def key_names(read: CachedRead) -> tuple[str, ...]:
    """What stands at each position of the read's key, as far as the source tells."""
    parameters = read.methods[0].parameters if read.methods else ()
    kept = [name for name in parameters if name not in read.rules.key.exclude and not name.startswith("*")]
    return (*kept, *read.rules.key.include)


def _doubt(part: ArgumentPart, name: str, write: SourceMethod) -> str | None:
    """Why this argument may pick out the wrong entries; empty if trusted; None if it picks out all."""
    if isinstance(part, Glob) and part.text == "*":
        return None
    if not isinstance(part, Placeholder):
        return f"{part.text!r} stands for some entries only"
    if part.path != name:
        return f"nothing tells that {{{part.path}}} is the {name} of the read"
    if part.root not in ("self", "cls") and part.root not in write.parameters:
        return None  # it has no value, and what is not known matches anything
    return ""


def _is_read_twice(table: str, texts: list[str]) -> bool:
    word = re.compile(rf"(?<![\w.]){re.escape(table)}\]?\b(?!\s*\.)", re.IGNORECASE)
    return any(len(word.findall(text)) > 1 for text in texts)
