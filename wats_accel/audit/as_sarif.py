"""Findings as SARIF 2.1.0, the format of code scanning services."""

from __future__ import annotations

import json
import os
from pathlib import PurePath
from typing import Any, Final
from urllib.parse import quote

from wats_accel.audit.audit import Outcome
from wats_accel.audit.baseline import Accepted, Judged
from wats_accel.audit.finding import Evidence, Finding
from wats_accel.audit.rules import RULES
from wats_accel.errors import format_key_path

_SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"
_IDS: Final = list(RULES)


def as_sarif(outcome: Outcome, judged: Judged, *, version: str) -> str:
    """One run with all findings; accepted ones are suppressed, with their reasons.

    Args:
        outcome: of the audit.
        judged: its findings, held against the baseline.
        version: of wats_accel.
    """
    results = [_result(outcome, finding) for finding in judged.open]
    results += [_result(outcome, finding, entry) for finding, entry in judged.accepted]
    run = {
        "tool": {"driver": {"name": "wats-accel", "version": version, "rules": _rules()}},
        "columnKind": "unicodeCodePoints",
        "results": results,
    }
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def _rules() -> list[dict[str, Any]]:
    return [
        {
            "id": name,
            "name": "".join(part.capitalize() for part in name.split("-")),
            "shortDescription": {"text": kind.title},
            "fullDescription": {"text": kind.meaning},
            "help": {"text": kind.meaning},
        }
        for name, kind in RULES.items()
    ]


def _result(outcome: Outcome, finding: Finding, accepted: Accepted | None = None) -> dict[str, Any]:
    text = finding.message
    if finding.fix:
        text += f"\n\nUnder {format_key_path(finding.fix_at)} write:\n" + "\n".join(finding.fix)
    result: dict[str, Any] = {
        "ruleId": finding.rule,
        "ruleIndex": _IDS.index(finding.rule),
        "level": finding.severity,
        "message": {"text": text},
        "locations": [_location(finding.setting.file, finding.setting.line, finding.setting.column)],
        "partialFingerprints": {"watsAccel/v1": finding.fingerprint},
    }
    if finding.evidence:
        result["relatedLocations"] = [
            _related(outcome, number, known) for number, known in enumerate(finding.evidence, 1)
        ]
    if accepted is not None:
        result["suppressions"] = [{"kind": "external", "justification": accepted.reason}]
    return result


def _related(outcome: Outcome, number: int, known: Evidence) -> dict[str, Any]:
    text = f"{known.label}: {known.text}" if known.text else known.label
    location = _location((outcome.folder / known.place.file).as_posix(), known.place.line)
    return {"id": number, **location, "message": {"text": text}}


def _location(file: str, line: int | None, column: int | None = None) -> dict[str, Any]:
    # Lines and columns begin at 1; a place before that is a file as a whole.
    region = {"startLine": line} if line else {}
    if line and column:
        region["startColumn"] = column
    place: dict[str, Any] = {"artifactLocation": {"uri": _uri(file)}}
    return {"physicalLocation": {**place, "region": region} if region else place}


def _uri(file: str) -> str:
    """Relative to where the command was called, if the file is below; a service looks from there."""
    path = PurePath(file)
    if path.is_absolute():
        try:
            path = path.relative_to(os.getcwd())
        except ValueError:
            return path.as_uri()
    return quote(path.as_posix())
