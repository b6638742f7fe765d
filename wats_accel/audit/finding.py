"""Findings: what the audit has to say, where it stands, and the line that mends it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from wats_accel.errors import KeyPath, format_key_path
from wats_accel.sql.source.facts import Place

Severity = Literal["error", "warning", "note"]

SEVERITIES: Final[tuple[Severity, ...]] = ("error", "warning", "note")
"""The gravest first."""


@dataclass(frozen=True, slots=True)
class Setting:
    """A place in the configuration; `line` is None where it was not read from a text."""

    file: str
    key_path: KeyPath = ()
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.file, self.line) if part is not None)
        path = format_key_path(self.key_path)
        return f"{place}: {path}" if path else place


@dataclass(frozen=True, slots=True)
class Evidence:
    """A line of the source that a finding rests on.

    Attributes:
        label: what it is, in a few words: ``the write``, ``the read`` …
        place: of the line.
        text: the SQL there, or what else is to be seen; empty if there is no more to show.
    """

    label: str
    place: Place
    text: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that the audit has found.

    Attributes:
        rule: which kind it is of; one of `rules.RULES`, and stable.
        severity: how grave it is.
        message: one sentence.
        about: what it is about, in the order that tells it from others of its kind: targets, patterns,
            columns. No line number: it must outlive edits elsewhere in a file.
        setting: the part of the configuration that it concerns.
        evidence: lines of the source.
        fix: the lines to write into the configuration; empty if no line mends it.
        fix_at: the key that these lines belong under.
    """

    rule: str
    severity: Severity
    message: str
    about: tuple[str, ...]
    setting: Setting
    evidence: tuple[Evidence, ...] = ()
    fix: tuple[str, ...] = ()
    fix_at: KeyPath = ()

    @property
    def fingerprint(self) -> str:
        """The same for the same finding of a later day, whatever has moved since."""
        return hashlib.sha256("\0".join((self.rule, *self.about)).encode()).hexdigest()[:32]


def is_at_least(severity: Severity, limit: Severity) -> bool:
    """Whether a severity is as grave as `limit`, or graver."""
    return SEVERITIES.index(severity) <= SEVERITIES.index(limit)


def in_order(findings: list[Finding]) -> list[Finding]:
    """The gravest first, then by kind, place and subject: the same each time."""
    return sorted(
        findings,
        key=lambda found: (
            SEVERITIES.index(found.severity),
            found.rule,
            found.setting.file,
            found.setting.line or 0,
            found.about,
        ),
    )


def format_place(folder: Path, place: Place) -> str:
    """A place in the source tree, as it is found from the current folder: ``src/app.py:12``."""
    return f"{(folder / place.file).as_posix()}:{place.line}"
