"""Findings as text, for people."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from wats_accel.audit.audit import Outcome
from wats_accel.audit.baseline import Accepted, Judged
from wats_accel.audit.finding import Finding, format_place
from wats_accel.audit.subject import short
from wats_accel.errors import format_key_path

_LONGEST_STATEMENT: Final = 200
"""Characters; of a longer one the beginning and the end are shown. The other forms have all of it."""


def as_text(outcome: Outcome, judged: Judged, *, verbose: bool = False) -> str:
    """All findings, the lines that mend them, and a last line with the figures.

    Args:
        outcome: of the audit.
        judged: its findings, held against the baseline.
        verbose: show statements whole, what was accepted, and what is trusted.
    """
    lines: list[str] = []
    for finding in judged.open:
        lines += [*_lines(outcome, finding, verbose=verbose), ""]
    lines += [line for entry in judged.stale for line in _stale(entry)]
    if verbose:
        lines += _verbose(outcome, judged)
    lines.append(_summary(outcome, judged))
    return "\n".join(lines) + "\n"


def _lines(outcome: Outcome, finding: Finding, *, verbose: bool) -> Iterator[str]:
    yield f"{finding.setting}: {finding.severity}: {finding.message} [{finding.rule}]"
    for known in finding.evidence:
        text = f": {known.text if verbose else _shortened(known.text)}" if known.text else ""
        yield f"  {known.label}: {format_place(outcome.folder, known.place)}{text}"
    if finding.fix:
        yield f"  under {format_key_path(finding.fix_at)} write:"
        yield from (f"    {line}" for line in finding.fix)


def _shortened(text: str) -> str:
    if len(text) <= _LONGEST_STATEMENT:
        return text
    half = _LONGEST_STATEMENT // 2
    return f"{text[:half].rstrip()} … {text[-half:].lstrip()}"


def _stale(entry: Accepted) -> Iterator[str]:
    place = ":".join(str(part) for part in (entry.file, entry.line) if part is not None)
    about = ", ".join(entry.about)
    yield f"{place}: no finding matches this entry any more; take it out: {entry.rule} ({about})"
    yield ""


def _verbose(outcome: Outcome, judged: Judged) -> Iterator[str]:
    for finding, entry in judged.accepted:
        yield f"{finding.setting}: accepted: {finding.message} [{finding.rule}]"
        yield f"  because: {entry.reason}"
        yield ""
    for pair in outcome.trusted:
        patterns = ", ".join(str(pattern) for pattern in pair.patterns if pattern.names(*pair.read.name))
        yield (
            f"trusted: {short(pair.write.target)} drops of {short(pair.read.target)} only what {patterns} "
            "picks out; the name of the argument is all that tells that this is enough"
        )
        yield ""


def _summary(outcome: Outcome, judged: Judged) -> str:
    figures = ", ".join(f"{count} {name}" for name, count in outcome.figures.items())
    counts = {
        severity: sum(finding.severity == severity for finding in judged.open)
        for severity in ("error", "warning", "note")
    }
    found = ", ".join(f"{count} {name}{'s' if count != 1 else ''}" for name, count in counts.items())
    accepted = f"; {len(judged.accepted)} accepted" if judged.accepted else ""
    return f"{figures}: {found}{accepted}"
