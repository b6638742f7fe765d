"""One measured run of the simulated day in a process of its own, plain or accelerated (see demo.py)."""

from __future__ import annotations

import argparse
import importlib
import json
import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import Any, Final

from simulation.clock import SimulatedTime
from simulation.metering import metered
from simulation.recording import Call
from simulation.workload import Workload

LOG_FORMAT: Final = "%(asctime)s [%(levelname)s] %(filename)s:%(lineno)d - %(message)s"
COUNTS: Final = ("hits", "misses", "loads", "stored", "invalidated", "expired", "evicted", "size")
DEBUG_SECONDS: Final = 1800.0
"""So long the log shows each hit and miss; then it is at INFO, as where people work, in both runs alike."""
AMOUNTS: Final = ("load_seconds", "saved_seconds", "hit_rate")


def read_options(argv: list[str] | None) -> argparse.Namespace:
    """The worker's own options; demo.py passes all of them."""
    parser = argparse.ArgumentParser(prog="simulation.worker")
    parser.add_argument("--config", type=Path, help="accelerate with this file; plain without it")
    parser.add_argument("--answers", type=Path, required=True)
    parser.add_argument("--result", type=Path, required=True)
    parser.add_argument("--log-file", type=Path, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--hours", type=float, required=True)
    parser.add_argument("--users-online", type=int, required=True)
    parser.add_argument("--refresh-seconds", type=float, required=True)
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> None:
    """Run the day and leave answers, log and result in the files that were asked for."""
    options = read_options(argv)
    handler = logging.FileHandler(options.log_file, encoding="utf-8")
    logging.basicConfig(level=logging.DEBUG, format=LOG_FORMAT, handlers=[handler])
    time = SimulatedTime()
    result = run(options, time)
    result["accelerator_was_imported"] = "wats_accel" in sys.modules
    options.result.write_text(json.dumps(result), encoding="utf-8")


def run(options: argparse.Namespace, time: SimulatedTime) -> dict[str, Any]:
    """The run itself; gives the counts and, when accelerated, the accelerator's own statistics."""
    from src.wats.config.settings import Settings  # the application's modules come after the options

    settings = Settings()
    driver = importlib.import_module("sqlite3" if settings.DB_TYPE == "sqlite" else "pyodbc")
    day = Workload(
        settings,
        seed=options.seed,
        hours=options.hours,
        users_online=options.users_online,
        refresh_seconds=options.refresh_seconds,
        time=time,
    )
    # The meter goes in first, so that it lies below the accelerator's pool.
    with metered(driver) as meter, accelerated(options.config, time) as statistics:
        begin = perf_counter()
        with options.answers.open("w", encoding="utf-8") as answers:
            day.run(_recorder(answers, time, options.hours * 3600))
        seconds = perf_counter() - begin
        numbers = statistics()
    counts = {name: getattr(meter, name) for name in ("connections", "selects", "others", "pings")}
    return {**counts, "seconds": seconds, "statistics": numbers}


def _recorder(answers: Any, time: SimulatedTime, whole_day_seconds: float) -> Callable[[Call], None]:
    reported = -1

    def record(call: Call) -> None:
        nonlocal reported
        answers.write(call.as_json() + "\n")
        if time.monotonic() > DEBUG_SECONDS:
            logging.getLogger().setLevel(logging.INFO)
        percent = min(100, int(100 * time.monotonic() / whole_day_seconds))
        if percent > reported:
            reported = percent
            print(json.dumps({"percent": percent}), flush=True)

    return record


@contextmanager
def accelerated(config: Path | None, time: SimulatedTime) -> Iterator[Callable[[], dict[str, Any] | None]]:
    """Accelerate the block if there is a config; gives a function that takes the statistics."""
    if config is None:
        yield lambda: None
        return
    import wats_accel  # only here: the plain run shall not even import it

    with wats_accel.installed(config, clock=time.monotonic) as accelerator:
        yield lambda: {
            **_plain_numbers(accelerator.stats()),
            "problems": [str(problem) for problem in accelerator.problems],
        }


def _plain_numbers(stats: Any) -> dict[str, Any]:
    return {
        "total": _numbers(stats.total),
        "namespaces": {name: _numbers(numbers) for name, numbers in stats.namespaces.items()},
        "methods": {name: _numbers(numbers) for name, numbers in stats.methods.items()},
        "pools": stats.as_dict()["pools"],
        "shared": stats.shared.as_dict(),
        "answers_shared": dict(stats.total.shared),
    }


def _numbers(numbers: Any) -> dict[str, Any]:
    values = {name: getattr(numbers, name) for name in (*COUNTS, *AMOUNTS)}
    return {**values, "not_stored": {str(why): n for why, n in numbers.not_stored.items()}}


if __name__ == "__main__":
    main()
