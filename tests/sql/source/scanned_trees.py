"""Source trees for tests: written to a folder, scanned, and looked at in short words."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from pathlib import Path

from wats_accel.sql.source.facts import SourceFacts, SourceMethod
from wats_accel.sql.source.scan import scan

EXAMPLE = Path(__file__).parents[3] / "docs" / "examples" / "legacy_wats"
SAMPLE = Path(__file__).parent / "sample_app"


def scanned(folder: Path, files: Mapping[str, str], dialect: str = "sqlite") -> SourceFacts:
    """Write files below a folder and scan them."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(content), encoding="utf-8")
    return scan(folder, dialect=dialect)


def one_method(
    folder: Path, source: str, target: str = "app:Repo.run", dialect: str = "sqlite"
) -> SourceMethod:
    """The method of a tree that is one file, `app.py`."""
    return scanned(folder, {"app.py": source}, dialect).methods[target]


def texts(method: SourceMethod) -> list[str]:
    """What it sends."""
    return [statement.text for statement in method.statements]


def reads(facts: SourceFacts, target: str) -> dict[str, set[str]]:
    """The tables and columns that a method reads, itself or through others."""
    found: dict[str, set[str]] = {}
    for method in facts.reachable(target):
        for statement in method.statements:
            for table, columns in statement.facts.reads.items:
                found.setdefault(table, set()).update(columns)
    return found


def writes(facts: SourceFacts, target: str) -> dict[str, set[str]]:
    """The tables that a method writes, itself or through others: events, and of updates the columns."""
    found: dict[str, set[str]] = {}
    for method in facts.reachable(target):
        for statement in method.statements:
            for write in statement.facts.writes:
                columns = write.columns if write.event == "update" else {write.event}
                found.setdefault(write.table, set()).update(columns)
    return found


def unknown(facts: SourceFacts, target: str) -> list[str]:
    """What is not known of a method, or of what it calls."""
    return [each.what for method in facts.reachable(target) for each in method.unknowns]
