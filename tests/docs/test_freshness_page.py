"""The table of the freshness page is a part of the one that `make peers` writes."""

from __future__ import annotations

import re
from pathlib import Path

from pages import DOCS

RESULTS = Path(__file__).parents[1] / "benchmarks" / "peers" / "RESULTS.md"
Cells = dict[tuple[str, str], str]


def cells_of(text: str) -> Cells:
    """The cells of the first table in a text, by row and by column; a column without its version."""
    rows = [
        [cell.strip() for cell in line.strip().strip("|").split("|")]
        for line in text.splitlines()
        if line.startswith("|")
    ]
    columns = [re.sub(r" \d[\d.]*$", "", name) for name in rows[0]]
    return {
        (row[0], column): cell for row in rows[2:] for column, cell in zip(columns[1:], row[1:], strict=True)
    }


def test_the_table_says_what_was_found() -> None:
    page = (DOCS / "explanation" / "freshness.md").read_text(encoding="utf-8")
    shown = cells_of(page.partition("## What other libraries do")[2])
    found = cells_of(RESULTS.read_text(encoding="utf-8"))
    assert len(shown) > 50
    assert {place: found.get(place) for place in shown} == shown
