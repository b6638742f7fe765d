"""The part of docs/explanation/harmless.md that tells the size and the result of the fault matrix.

``python tests/harmless/page.py`` runs the whole matrix, some twenty minutes, and writes it.
"""

from __future__ import annotations

import functools
import importlib.metadata
import io
import logging
import sys
import tempfile
from pathlib import Path

from matrix import FAULTS, Matrix
from situations import SITUATIONS
from stages import MODES
from table import LIES, PLACES, striking, write_passed

from wats_accel.testing import seams

PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "harmless.md"
BEGIN, END = "<!-- fault matrix: begin -->\n", "<!-- fault matrix: end -->"


def block() -> str:
    """The generated part, as the table is now."""
    reasons: dict[str, list[str]] = {}
    for (seam, fault), why in LIES.items():
        reasons.setdefault(why, []).append(f"`{seam}` {fault}")
    lies = "".join(f"- {', '.join(which)}: {why}\n" for why, which in reasons.items())
    return (
        f"| seams | faults | situations | ways to accelerate | combinations that strike | differing |\n"
        f"|---|---|---|---|---|---|\n"
        f"| {len(seams())} | {len(FAULTS)} | {len(SITUATIONS)} | {len(MODES)} | {len(striking()):,} | 0 |\n\n"
        f"Faults: {', '.join(fault.text for fault in FAULTS)}.\n\n"
        f"Situations: {', '.join(situation.name for situation in SITUATIONS)}.\n\n"
        f"Left out are {len(LIES)} answers that nobody can tell from true ones:\n\n{lies}"
    )


def block_on_page() -> str:
    """The generated part, as the page has it."""
    return PAGE.read_text(encoding="utf-8").partition(BEGIN)[2].partition(END)[0]


def write_block() -> None:
    """Write the generated part into the page."""
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    PAGE.write_text(before + BEGIN + block() + END + after, encoding="utf-8")


def main() -> int:
    """Run the whole matrix, and write what it has found."""
    importlib.metadata.entry_points = functools.lru_cache(importlib.metadata.entry_points)  # type: ignore[assignment]  # the same, faster
    logger = logging.getLogger("wats_accel")
    logger.addHandler(logging.StreamHandler(io.StringIO()))
    logger.propagate = False
    with tempfile.TemporaryDirectory() as folder:
        matrix = Matrix(Path(folder))
        write_passed((seam, f"{s.name}/{m.name}") for s, m in PLACES for seam in matrix.passed(s, m))
        differing = [
            f"{one}: {text}"
            for one in striking()
            for text in matrix.run(one.seam, one.fault, one.situation, one.mode).differences
        ]
        matrix.close()
    print("\n".join(differing), len(differing), "differences")
    if differing:
        return 1
    write_block()
    return 0


if __name__ == "__main__":
    sys.exit(main())
