"""Findings as JSON, for programs."""

from __future__ import annotations

import json
from typing import Any

from wats_accel.audit.audit import Outcome
from wats_accel.audit.baseline import Judged
from wats_accel.audit.finding import Evidence, Finding
from wats_accel.errors import format_key_path


def as_json(outcome: Outcome, judged: Judged) -> str:
    """One object: findings, accepted ones, stale entries, trusted pairs, figures."""
    document = {
        "version": 1,
        "figures": dict(outcome.figures),
        "findings": [_finding(outcome, finding) for finding in judged.open],
        "accepted": [
            {**_finding(outcome, finding), "reason": entry.reason} for finding, entry in judged.accepted
        ],
        "stale": [
            {"rule": entry.rule, "about": list(entry.about), "file": entry.file, "line": entry.line}
            for entry in judged.stale
        ],
        "trusted": [{"write": pair.write.target, "read": pair.read.target} for pair in outcome.trusted],
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _finding(outcome: Outcome, finding: Finding) -> dict[str, Any]:
    return {
        "rule": finding.rule,
        "severity": finding.severity,
        "message": finding.message,
        "about": list(finding.about),
        "fingerprint": finding.fingerprint,
        "file": finding.setting.file,
        "line": finding.setting.line,
        "column": finding.setting.column,
        "key": format_key_path(finding.setting.key_path),
        "evidence": [_evidence(outcome, known) for known in finding.evidence],
        "fix": _fix(finding) if finding.fix else None,
    }


def _fix(finding: Finding) -> dict[str, Any]:
    return {"under": format_key_path(finding.fix_at), "lines": list(finding.fix)}


def _evidence(outcome: Outcome, known: Evidence) -> dict[str, Any]:
    return {
        "label": known.label,
        "file": (outcome.folder / known.place.file).as_posix(),
        "line": known.place.line,
        "text": known.text,
    }
