"""The scan: a source tree, and what each of its methods asks of the database."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from wats_accel.sql.access import Columns
from wats_accel.sql.source.facts import SourceFacts


def scan(folder: Path, *, dialect: str = "", columns: Mapping[str, Columns] | None = None) -> SourceFacts:
    """Scan all Python files below a folder, without importing or running any of them.

    Args:
        folder: where modules are imported from: ``src/wats/db.py`` in it is ``src.wats.db``.
        dialect: that its SQL is written in, as in `statement.facts_of`.
        columns: the columns of tables, where they are known.
    """
    raise NotImplementedError
