"""The baseline: findings that are accepted, each with the reason why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from wats_accel.audit.finding import Finding
from wats_accel.config.documents import Document
from wats_accel.config.raw import mapping_at, sequence
from wats_accel.config.sources import read_document
from wats_accel.errors import ConfigError, KeyPath, Problem

UNDECIDED: Final = "TODO"
"""A reason that is none: whoever accepts a finding has to say why."""

_KEYS = frozenset({"rule", "about", "reason"})
_HEAD = """\
# Findings of `wats-accel check --source` that are accepted, each with the reason why.
# An entry whose reason is TODO accepts nothing yet. One that no finding matches any more is reported.
"""

_Key = tuple[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Accepted:
    """One entry of a baseline."""

    rule: str
    about: tuple[str, ...]
    reason: str
    file: str = ""
    line: int | None = None

    @property
    def is_decided(self) -> bool:
        """Whether somebody has said why."""
        return bool(self.reason.strip()) and not self.reason.strip().upper().startswith(UNDECIDED)

    @property
    def key(self) -> _Key:
        """What it shares with the findings that it is about."""
        return self.rule, self.about


@dataclass(frozen=True, slots=True)
class Judged:
    """Findings, held against a baseline.

    Attributes:
        open: that nobody has accepted.
        accepted: that somebody has, each with the entry.
        stale: entries that no finding matches.
    """

    open: tuple[Finding, ...]
    accepted: tuple[tuple[Finding, Accepted], ...] = ()
    stale: tuple[Accepted, ...] = ()


def beside(config: str) -> Path | None:
    """The baseline of a configuration, if it has one: ``wats-baseline.yaml`` beside ``wats.yaml``."""
    path = name_beside(config)
    return path if path is not None and path.is_file() else None


def name_beside(config: str) -> Path | None:
    """What the baseline of a configuration is called; None if the configuration is not from a file."""
    path = Path(config)
    return path.with_name(f"{path.stem}-baseline.yaml") if path.suffix else None


def read_baseline(path: Path) -> tuple[Accepted, ...]:
    """Read a baseline.

    Raises:
        ConfigError: with everything that is wrong in it.
        SourceError: it cannot be read, or is no YAML.
    """
    document = read_document(path)
    problems = list(_problems(document))
    if problems:
        raise ConfigError(problems)
    return tuple(_entries(document))


def judged(findings: Iterable[Finding], baseline: Iterable[Accepted]) -> Judged:
    """Hold findings against a baseline."""
    entries = {entry.key: entry for entry in baseline}
    known = list(findings)
    accepted = [
        (finding, entry)
        for finding in known
        if (entry := entries.get((finding.rule, finding.about))) is not None and entry.is_decided
    ]
    settled = {finding.fingerprint for finding, _ in accepted}
    still_there = {(finding.rule, finding.about) for finding in known}
    return Judged(
        tuple(finding for finding in known if finding.fingerprint not in settled),
        tuple(accepted),
        tuple(entry for key, entry in entries.items() if key not in still_there),
    )


def baseline_text(findings: Iterable[Finding], baseline: Iterable[Accepted]) -> str:
    """A baseline with an entry for each of these findings; reasons that were given stay."""
    reasons = {entry.key: entry.reason for entry in baseline}
    lines = [_HEAD, "version: 1", "accepted:"]
    keys = list(dict.fromkeys((finding.rule, finding.about) for finding in findings))
    for rule, about in keys:
        lines.append(f"  - rule: {rule}")
        lines.append(f"    about: [{', '.join(map(_quoted, about))}]")
        lines.append(f"    reason: {_quoted(reasons.get((rule, about), UNDECIDED))}")
    if not keys:
        lines[-1] += " []"
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")
    return f'"{escaped}"'


# -- reading -------------------------------------------------------------------------------------------


def _problems(document: Document) -> Iterator[Problem]:
    for name in document.data:
        if name not in ("version", "accepted"):
            yield _problem(document, "unknown key; known: accepted, version", (name,))
    if document.data.get("version") != 1:
        yield _problem(document, "expected 1", ("version",))
    if not isinstance(document.data.get("accepted", []), list):
        yield _problem(document, "expected a list", ("accepted",))
    for number, entry in enumerate(sequence(document.data.get("accepted"))):
        yield from _problems_of(document, ("accepted", number), mapping_at(entry))


def _problems_of(document: Document, path: KeyPath, entry: Mapping[str, Any]) -> Iterator[Problem]:
    if not isinstance(entry.get("rule"), str):
        yield _problem(document, "expected the id of a rule", (*path, "rule"))
    about = entry.get("about")
    if not isinstance(about, list) or not all(isinstance(part, str) for part in about):
        yield _problem(document, "expected a list of texts", (*path, "about"))
    if not isinstance(entry.get("reason"), str) or not entry["reason"].strip():
        yield _problem(document, "an accepted finding needs a reason", (*path, "reason"))
    for name in entry:
        if name not in _KEYS:
            yield _problem(document, "unknown key; known: about, reason, rule", (*path, name))


def _problem(document: Document, message: str, path: KeyPath) -> Problem:
    position = document.position(path)
    line, column = (position.line, position.column) if position else (None, None)
    return Problem(message, path, file=document.name, line=line, column=column)


def _entries(document: Document) -> Iterator[Accepted]:
    for number, entry in enumerate(sequence(document.data.get("accepted"))):
        position = document.position(("accepted", number))
        line = position.line if position else None
        yield Accepted(entry["rule"], tuple(entry["about"]), entry["reason"], document.name, line)
