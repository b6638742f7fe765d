"""Findings as workflow commands, which GitHub shows beside the lines of a pull request."""

from __future__ import annotations

from typing import Final

from wats_accel.audit.audit import Outcome
from wats_accel.audit.baseline import Judged
from wats_accel.audit.finding import Finding, Severity, format_place
from wats_accel.audit.rules import RULES
from wats_accel.errors import format_key_path

_COMMANDS: Final[dict[Severity, str]] = {"error": "error", "warning": "warning", "note": "notice"}


def as_github(outcome: Outcome, judged: Judged) -> str:
    """One command for each finding that nobody has accepted, and for each stale entry of the baseline."""
    lines = [_command(outcome, finding) for finding in judged.open]
    for entry in judged.stale:
        where = _properties(file=entry.file, line=entry.line, title="A stale baseline entry")
        about = ", ".join(entry.about)
        lines.append(f"::notice {where}::{_data(f'no finding matches {entry.rule} ({about}) any more')}")
    return "".join(f"{line}\n" for line in lines)


def _command(outcome: Outcome, finding: Finding) -> str:
    where = _properties(
        file=finding.setting.file,
        line=finding.setting.line,
        col=finding.setting.column,
        title=f"{RULES[finding.rule].title} ({finding.rule})",
    )
    lines = [finding.message]
    for known in finding.evidence:
        text = f": {known.text}" if known.text else ""
        lines.append(f"{known.label}: {format_place(outcome.folder, known.place)}{text}")
    if finding.fix:
        lines += [f"under {format_key_path(finding.fix_at)} write:", *finding.fix]
    return f"::{_COMMANDS[finding.severity]} {where}::" + _data("\n".join(lines))


def _properties(**given: object) -> str:
    return ",".join(f"{name}={_property(str(value))}" for name, value in given.items() if value is not None)


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
