"""The part of docs/explanation/harmless.md that tells the size and the result of the fault matrix.

``python tests/harmless/page.py`` runs the whole matrix, some half an hour, and writes it. With a number it
runs that share of it, drawn at random: ``0.2`` for a fifth. It needs a redis-server.
"""

from __future__ import annotations

import contextlib
import functools
import importlib.metadata
import io
import logging
import random
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from matrix import FAULTS, Matrix
from situations import SITUATIONS
from stages import MODES
from table import LIES, PLACES, striking, write_passed

from wats_accel.testing import seams

PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "harmless.md"
RESULT = Path(__file__).with_name("result.txt")
"""How many combinations the last run has run, and how many of them differed."""
BEGIN, END = "<!-- fault matrix: begin -->\n", "<!-- fault matrix: end -->"


def block() -> str:
    """The generated part, as the table is now."""
    reasons: dict[str, list[str]] = {}
    for (seam, fault), why in LIES.items():
        reasons.setdefault(why, []).append(f"`{seam}` {fault}")
    lies = "".join(f"- {', '.join(which)}: {why}\n" for why, which in reasons.items())
    run, differing = map(int, RESULT.read_text(encoding="utf-8").split())
    sizes = len(seams()), len(FAULTS), len(SITUATIONS), len(MODES), len(striking()), run, differing
    return (
        "| seams | faults | situations | ways to accelerate | combinations that strike | run for this page "
        "| differing |\n|---|---|---|---|---|---|---|\n"
        f"| {' | '.join(f'{size:,}' for size in sizes)} |\n\n"
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


@contextlib.contextmanager
def _redis() -> Iterator[Any]:
    """A server of its own; without one the page would tell of a part only."""
    sys.path[:0] = [str(Path(__file__).parents[1])]
    from private_redis import PrivateRedis, RedisMissingError

    try:
        server = PrivateRedis()
        server.start()
    except RedisMissingError as error:
        sys.exit(str(error))
    try:
        yield server
    finally:
        server.kill()


def main(share: float) -> int:
    """Run a share of the matrix, 1 for all of it, and write what it has found."""
    once = functools.lru_cache(importlib.metadata.entry_points)  # plugins are looked for each time
    importlib.metadata.entry_points = once  # type: ignore[assignment]  # it is called in one way only
    logger = logging.getLogger("wats_accel")
    logger.addHandler(logging.StreamHandler(io.StringIO()))
    logger.propagate = False
    with tempfile.TemporaryDirectory() as folder, _redis() as redis:
        matrix = Matrix(Path(folder), redis)
        write_passed((seam, f"{s.name}/{m.name}") for s, m in PLACES for seam in matrix.passed(s, m))
        chance = random.Random(len(striking()))
        drawn = [one for one in striking() if chance.random() < share]
        differing = [
            f"{one}: {text}"
            for one in drawn
            for text in matrix.run(one.seam, one.fault, one.situation, one.mode).differences[:1]
        ]
        matrix.end()
    print("\n".join(differing), len(differing), "of", len(drawn), "differ")
    RESULT.write_text(f"{len(drawn)} {len(differing)}\n", encoding="utf-8")
    write_block()
    return min(1, len(differing))


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]) if sys.argv[1:] else 1.0))
