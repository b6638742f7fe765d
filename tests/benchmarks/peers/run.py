"""Play every scenario with every library; print the table, and write it beside this file."""

from __future__ import annotations

import argparse
import platform
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

from adapters import PEERS
from peer import Peer
from scenario import OK
from scenarios import SCENARIOS
from stage import PATIENCE

RESULTS = Path(__file__).with_name("RESULTS.md")
HEADER = f"""# The freshness suite, run against other caching libraries

Made by `make peers`, on Python {platform.python_version()}. How each library is set up is in
`adapters.py`; what each row does is in `freshness.py`, `crowds.py` and `values.py`.

- **Bold**: an old or wrong answer, a caller that hangs, more loads than one.
- "no such feature": the library has no public way to do what the row needs.
- "stale": the answer is from before the write, or older than the TTL.
- "hangs": a caller has not come to its end after {PATIENCE:.0f} seconds.
- "the other's answer": dogpile.cache and Beaker leave the instance out of the key, and say so in their
  documentation.
"""


def cell(result: str) -> str:
    """What is wrong stands out."""
    return result if result.startswith((OK, "no such feature")) else f"**{result}**"


def table(results: dict[type[Peer], list[str]]) -> str:
    """A row for each scenario, a column for each library."""
    lines = [
        "| | " + " | ".join(f"{peer.title} {peer.version()}" for peer in results) + " |",
        "|---" * (len(results) + 1) + "|",
    ]
    rows = zip(SCENARIOS, zip(*results.values(), strict=True), strict=True)
    for part, group in groupby(rows, key=lambda row: row[0].part):
        lines.append(f"| **{part}** |" + " |" * len(results))
        lines += [f"| {row.title} | " + " | ".join(map(cell, cells)) + " |" for row, cells in group]
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("only", nargs="*", help="parts of the names of libraries; only printed then")
    only = parser.parse_args(arguments).only
    chosen = [peer for peer in PEERS if not only or any(name in peer.title for name in only)]
    results: dict[type[Peer], list[str]] = {}
    for peer in chosen:
        print(f"{peer.title} ...", flush=True)
        results[peer] = [scenario.result(peer) for scenario in SCENARIOS]
    text = table(results)
    print(f"\n{text}")
    if not only:
        RESULTS.write_text(f"{HEADER}\n{text}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
