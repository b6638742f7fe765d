"""The long soak, by hand: ``python tests/harmless/soak_by_hand.py --minutes 30`` prints the figures.

On a PostgreSQL server of its own, over ODBC, which it restarts now and then.
"""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]


def main(arguments: Sequence[str] | None = None) -> int:
    """Soak for so many minutes; gives 1 if there was any difference."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--threads", type=int, default=16)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    sys.path[:0] = [str(TESTS), str(TESTS.parent / "docs/examples/legacy_wats/simulation")]
    from private_postgresql import private_postgresql
    from soaking import postgresql_soak, summary

    logger = logging.getLogger("wats_accel")
    logger.addHandler(logging.NullHandler())
    logger.propagate = False
    ends_at = time.monotonic() + 60 * options.minutes
    with (
        private_postgresql() as server,
        tempfile.TemporaryDirectory() as folder,
        postgresql_soak(Path(folder), server, threads=options.threads, seed=options.seed) as soak,
    ):
        result = soak.run(lambda done: time.monotonic() < ends_at, calls=500)
    print("\n".join(summary(result)))
    for difference, count in Counter(result.differences).most_common(20):
        print(f"{count} times {difference}")
    for violation in result.violations[:10]:
        print(violation)
    for known in result.handles[:: max(1, len(result.handles) // 12)]:
        print(known)
    return 1 if result.differences or result.violations else 0


if __name__ == "__main__":
    raise SystemExit(main())
