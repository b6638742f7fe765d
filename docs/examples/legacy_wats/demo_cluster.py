"""Runs the example on five PCs at once, on one PostgreSQL and one Redis, and prints what sharing has saved.

Both servers are its own: they are started in temporary folders, and stopped. First all is as without
wats_accel. Then each PC has a cache of its own that nobody tells of the others' writes. Then they tell each
other, and share answers.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import yaml
from demo import CONFIG, HERE, SCRATCH, WHAT_POSTGRESQL_NEEDS, WorkerFailedError, database_server
from simulation.generator import create_database
from simulation.private_postgresql import ServerMissingError
from simulation.private_redis import private_redis
from src.wats.config.settings import Settings

KEYS_VARIABLE: Final = "WATS_DEMO_KEYS"
SHARED_NAMESPACES: Final = ("connections", "users", "groups", "permissions", "config")

WHY_SOME_RUN_MORE_OFTEN: Final = (
    "Each for itself, a PC shows what another one has changed when its own TTL has run out. Together it\n"
    "hears of it at once, and loads anew. Lists that are the same for everybody are loaded once for all."
)


def read_options(argv: list[str] | None) -> argparse.Namespace:
    """The demo's options, all with a default."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pcs", type=int, default=5, help="how many PCs there are")
    parser.add_argument("--seed", type=int, default=1, help="what the days are made of")
    parser.add_argument("--hours", type=float, default=2.0, help="simulated hours")
    parser.add_argument("--users-online", type=int, default=6, help="people who take turns at each PC")
    parser.add_argument("--refresh-seconds", type=float, default=60.0, help="interval of the refresh")
    parser.set_defaults(keys=secrets.token_hex(32))
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Run both, print; gives the exit code: 0 all went well, 2 a run failed."""
    options = read_options(argv)
    shutil.rmtree(SCRATCH, ignore_errors=True)
    SCRATCH.mkdir(parents=True)
    settings = Settings()
    settings.DB_TYPE = "postgresql"
    try:
        with database_server(settings), private_redis() as url:
            plain = run_all(options, settings, "unpatched", None)
            alone = run_all(options, settings, "each for itself", {})
            shared = {
                "url": url,
                "tier": "shared",
                "namespaces": list(SHARED_NAMESPACES),
                "keys": {"env": KEYS_VARIABLE},  # there are passwords among the answers
            }
            together = run_all(options, settings, "together", {"shared": shared})
    except WorkerFailedError as error:
        print(error)
        return 2
    except ServerMissingError as error:
        print(f"{error}. {WHAT_POSTGRESQL_NEEDS} And Debian's package redis-server.")
        return 2
    print_report(options, plain, alone, together)
    return 0


def run_all(
    options: argparse.Namespace, settings: Settings, name: str, more: dict[str, Any] | None
) -> list[dict[str, Any]]:
    """Fill the database, run all PCs at once, and collect what they say; `more`: None: nothing is patched."""
    folder = SCRATCH.resolve() / name.replace(" ", "-")
    folder.mkdir()
    create_database(settings, seed=options.seed)
    by_config = [] if more is None else ["--config", str(write_config(folder, more))]
    with workers(options, settings, folder, by_config) as started:
        codes = [worker.wait() for worker in started]
    if any(codes):
        raise WorkerFailedError(f"Of the PCs {name}, some ended with exit codes {codes}.")
    return [json.loads((folder / f"{pc}.json").read_text(encoding="utf-8")) for pc in range(options.pcs)]


def write_config(folder: Path, more: dict[str, Any]) -> Path:
    """The example's configuration with more sections; gives the file."""
    config = folder / "wats.yaml"
    rules = yaml.safe_load(CONFIG.read_text(encoding="utf-8"))
    rules["sql"]["schema"] = str(CONFIG.with_name(rules["sql"]["schema"]))
    config.write_text(yaml.safe_dump(rules | more), encoding="utf-8")
    return config


@contextmanager
def workers(
    options: argparse.Namespace, settings: Settings, folder: Path, by_config: Sequence[str]
) -> Iterator[Sequence[subprocess.Popen[bytes]]]:
    """One process for each PC; all have ended after the block."""
    environment = {**os.environ, "DB_TYPE": "postgresql", "DB_ODBC": settings.DB_ODBC}
    environment[KEYS_VARIABLE] = options.keys
    started: list[subprocess.Popen[bytes]] = []
    try:
        for pc in range(options.pcs):
            command = [
                *(sys.executable, "-m", "simulation.worker", *by_config),
                *("--seed", str(options.seed + pc), "--hours", str(options.hours)),
                *("--users-online", str(options.users_online)),
                *("--refresh-seconds", str(options.refresh_seconds)),
                *("--answers", str(folder / f"{pc}.jsonl"), "--result", str(folder / f"{pc}.json")),
                *("--log-file", str(folder / f"{pc}.log")),
            ]
            started.append(subprocess.Popen(command, cwd=HERE, env=environment, stdout=subprocess.DEVNULL))
        yield started
    finally:
        for worker in started:
            worker.kill()
            worker.wait()


def print_report(
    options: argparse.Namespace,
    plain: Sequence[dict[str, Any]],
    alone: Sequence[dict[str, Any]],
    together: Sequence[dict[str, Any]],
) -> None:
    """Print everything that was counted."""
    hours = f"{options.hours:g} simulated hours on {options.pcs} PCs at once, one PostgreSQL, one Redis"
    print(f"\n{hours}\n")
    print(f"{'':40}{'unpatched':>12}{'each for itself':>18}{'together':>12}")
    for what, name in (
        ("SELECTs that reached the database", "selects"),
        ("logins to the database", "connections"),
    ):
        first, before, after = (sum(run[name] for run in runs) for runs in (plain, alone, together))
        print(f"{what:40}{first:12,}{before:18,}{after:12,}")
    for what, count in (
        ("runs of cached methods", lambda run: run["statistics"]["total"]["loads"]),
        ("calls answered from a PC's own memory", lambda run: run["statistics"]["total"]["hits"]),
        ("answers found at the server", lambda run: _of_server(run, "found")),
        ("answers kept there", lambda run: _of_server(run, "kept")),
        ("loads that were waited for", lambda run: _of_server(run, "waited")),
        ("loads overtaken by a write of another PC", lambda run: _of_server(run, "overtaken")),
    ):
        before, after = (sum(map(count, runs)) for runs in (alone, together))
        print(f"{what:40}{'':12}{before:18,}{after:12,}")
    print("\nRuns of each cached method\n")
    for method in sorted(alone[0]["statistics"]["methods"]):
        before, after = (
            sum(run["statistics"]["methods"][method]["loads"] for run in runs) for runs in (alone, together)
        )
        print(f"{method.rpartition('.')[2]:40}{'':12}{before:18,}{after:12,}")
    print(f"\n{WHY_SOME_RUN_MORE_OFTEN}")
    print("\nWhat each PC says at the end\n")
    head = f"{'':6}{'mode':12}{'members':>8}{'sent':>7}{'heard':>7}{'delay (ms)':>12}{'silent for (s)':>16}"
    print(head)
    for pc, run in enumerate(together):
        told = run["statistics"]["shared"]
        silent = told["silent_seconds"]
        print(
            f"PC {pc + 1:<3}{told['mode']:12}{told['members']:8}{told['sent']:7}{told['received']:7}"
            f"{told['delay_seconds'] * 1e3:12.1f}{'-' if silent is None else f'{silent:.1f}':>16}"
        )


def _of_server(run: dict[str, Any], what: str) -> int:
    count: int = run["statistics"]["answers_shared"].get(what, 0)
    return count


if __name__ == "__main__":
    sys.exit(main())
