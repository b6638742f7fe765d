"""One of several PCs that work on one database at the same time, in its own process (see demo_cluster.py).

Prints its figures, one JSON line at a time, and ends at the end of its standard input.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
import threading
import time
from pathlib import Path
from typing import Any

import wats_accel
from simulation.recording import Call
from simulation.workload import Workload

_TOLD_EVERY_SECONDS = 0.25


def main() -> None:
    """Live through one day after another until nobody wants to know any more."""
    parser = argparse.ArgumentParser(prog="simulation.cluster_worker")
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--pause", type=float, required=True, help="real seconds between two calls")
    options = parser.parse_args()
    logging.getLogger().addHandler(logging.NullHandler())
    ends = threading.Event()
    threading.Thread(target=_wait_for_the_end, args=(ends,), daemon=True).start()
    with wats_accel.installed(options.config) as accelerator:
        # A thread of its own: the day goes on while nobody reads.
        teller = threading.Thread(target=_tell, args=(accelerator, ends), daemon=True)
        teller.start()
        _live(options, ends)
        teller.join()
        print(json.dumps(_figures(accelerator)), flush=True)


def _wait_for_the_end(ends: threading.Event) -> None:
    sys.stdin.read()
    ends.set()


def _live(options: argparse.Namespace, ends: threading.Event) -> None:
    from src.wats.config.settings import Settings  # the application's modules come after the options

    def on_call(call: Call) -> None:
        if ends.wait(options.pause):
            raise _DayOverError

    seed = options.seed
    while not ends.is_set():
        try:
            Workload(Settings(), seed=seed, hours=8.0).run(on_call)
        except _DayOverError:
            return
        seed += 1_000


class _DayOverError(BaseException):
    """Nobody wants to know any more. Not an `Exception`: the application swallows those."""


def _tell(accelerator: Any, ends: threading.Event) -> None:
    while not ends.wait(_TOLD_EVERY_SECONDS):
        print(json.dumps(_figures(accelerator)), flush=True)


def _figures(accelerator: Any) -> dict[str, Any]:
    stats = accelerator.stats()
    total = stats.total
    return {
        "at": time.time(),
        "hits": total.hits,
        "loads": total.loads,
        "found": dict(total.shared).get("found", 0),
        "shared": stats.shared.as_dict(),
        "problems": [str(problem) for problem in accelerator.problems],
    }


if __name__ == "__main__":
    main()
