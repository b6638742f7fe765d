"""Runs the same simulated day plain and accelerated, compares every answer, and prints what was saved."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from simulation import report
from simulation.generator import create_database
from simulation.private_postgresql import DRIVER, ServerMissingError, private_postgresql
from simulation.report import Comparison, Run
from src.wats.config.settings import Settings
from tqdm import tqdm  # type: ignore[import-untyped] # its stubs are a package of their own

HERE: Final = Path(__file__).resolve().parent
CONFIG: Final = HERE.parents[2] / "config" / "wats.yaml"
SCRATCH: Final = Path(".demo")
WHAT_POSTGRESQL_NEEDS: Final = (
    "Install Debian's packages postgresql, unixodbc and odbc-postgresql, and Python's pyodbc; "
    "or name a server of your own with DB_SERVER or DB_ODBC."
)


class WorkerFailedError(Exception):
    """A worker ended with an error; what it wrote to its error output has been shown."""


def read_options(argv: list[str] | None) -> argparse.Namespace:
    """The demo's options, all with a default."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="what the day is made of")
    parser.add_argument("--hours", type=float, default=8.0, help="simulated hours")
    parser.add_argument("--users-online", type=int, default=6, help="people who take turns at the PC")
    parser.add_argument(
        "--refresh-seconds", type=float, default=60.0, help="interval of the window's refresh"
    )
    parser.add_argument("--config", type=Path, default=CONFIG, help="the accelerator's config file")
    parser.add_argument("--plain-twice", action="store_true", help="accelerate neither run: must not differ")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Run, compare, print; gives the exit code: 0 same answers, 1 different ones, 2 a run failed."""
    options = read_options(argv)
    settings = Settings()
    if settings.DB_TYPE not in {"sqlite", "postgresql"}:
        print(f"The demo fills its own database on SQLite or PostgreSQL, not on {settings.DB_TYPE}.")
        return 2
    shutil.rmtree(SCRATCH, ignore_errors=True)
    SCRATCH.mkdir(parents=True)
    try:
        with database_server(settings):
            first, second = both_runs(options, settings)
    except WorkerFailedError as error:
        print(error)
        return 2
    except ServerMissingError as error:
        print(f"{error}. {WHAT_POSTGRESQL_NEEDS}")
        return 2
    return print_report(options, settings, first, second)


@contextmanager
def database_server(settings: Settings) -> Iterator[None]:
    """For PostgreSQL without an address a server of the demo's own; otherwise what is there."""
    if settings.DB_TYPE != "postgresql" or settings.DB_SERVER or settings.DB_ODBC:
        yield
        return
    if not has_odbc_driver():
        raise ServerMissingError("pyodbc with the ODBC driver of PostgreSQL is not installed")
    with private_postgresql() as server:
        settings.DB_ODBC = server.odbc()
        yield


def has_odbc_driver() -> bool:
    """Whether PostgreSQL can be reached through ODBC here."""
    try:
        import pyodbc
    except ImportError:  # the package, or the library unixodbc that it needs
        return False
    return DRIVER in pyodbc.drivers()


def both_runs(options: argparse.Namespace, settings: Settings) -> tuple[Run, Run]:
    """The plain run, then the other; both start from the same data."""
    if options.plain_twice:
        return one_run(options, settings, "plain"), one_run(options, settings, "plain again")
    return one_run(options, settings, "plain"), one_run(options, settings, "accelerated", options.config)


def one_run(options: argparse.Namespace, settings: Settings, name: str, config: Path | None = None) -> Run:
    """Fill a database, run one worker on it, and collect what it left behind."""
    folder = SCRATCH.resolve() / name.replace(" ", "-")
    folder.mkdir()
    prepare_database(settings, options.seed, folder)
    command = [
        *(sys.executable, "-m", "simulation.worker"),
        *("--seed", str(options.seed), "--hours", str(options.hours)),
        *("--users-online", str(options.users_online), "--refresh-seconds", str(options.refresh_seconds)),
        *("--answers", str(folder / "answers.jsonl"), "--result", str(folder / "result.json")),
        *("--log-file", str(folder / "worker.log")),
        *(() if config is None else ("--config", str(config.resolve()))),
    ]
    watch(command, name, settings)
    result = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    return Run(name, folder / "answers.jsonl", folder / "worker.log", result)


def prepare_database(settings: Settings, seed: int, folder: Path) -> None:
    """On SQLite a copy of one generated file, on PostgreSQL the same tables dropped and filled again."""
    if settings.DB_TYPE != "sqlite":
        create_database(settings, seed=seed)
        return
    original = folder.parent / "original.db"
    settings.DB_DATABASE = str(original)
    if not original.exists():
        create_database(settings, seed=seed)
    settings.DB_DATABASE = str(folder / "wats.db")
    shutil.copyfile(original, settings.DB_DATABASE)


def watch(command: list[str], name: str, settings: Settings) -> None:
    """Run a worker with a progress bar; raises WorkerFailedError if it fails."""
    database = {"DB_DATABASE": settings.DB_DATABASE, "DB_ODBC": settings.DB_ODBC}
    environment = {**os.environ, **database, "PYTHONIOENCODING": "utf-8"}
    # In the example's folder, so that the worker finds the application whatever the current directory is.
    with subprocess.Popen(
        command, cwd=HERE, env=environment, stdout=subprocess.PIPE, encoding="utf-8"
    ) as worker:
        assert worker.stdout is not None, "it was asked for"
        show_progress(worker.stdout, name)
    if worker.returncode != 0:
        raise WorkerFailedError(f"The {name} run ended with exit code {worker.returncode}.")


def show_progress(lines: Iterable[str], name: str) -> None:
    """Follow the worker's reports until its output ends; draws only on a terminal."""
    with tqdm(total=100, desc=name.rjust(11), unit="%", disable=None, leave=False) as bar:
        for line in lines:
            if line.startswith('{"percent"'):
                bar.update(json.loads(line)["percent"] - bar.n)


def print_report(options: argparse.Namespace, settings: Settings, first: Run, second: Run) -> int:
    """Print everything that was measured; gives the exit code."""
    where = f"on {settings.DB_TYPE}, seed {options.seed}, refresh every {options.refresh_seconds:g} s"
    print(f"\n{options.hours:g} simulated hours at one PC, {options.users_online} people, {where}\n")
    print(report.headline(first, second))
    if second.result["statistics"] is not None:
        print(f"\nHit rates\n{report.namespaces(second)}")
        print(f"\nWhere the time was saved\n{report.methods(second)}")
        print(f"\nConnections\n{report.pools(second)}")
        for problem in second.result["statistics"]["problems"]:
            print(f"\nLeft out: {problem}")
        print(f"\nFrom the log ({second.log_file})\n{report.log_excerpt(second)}")
    return print_comparison(report.compare(first, second))


def print_comparison(comparison: Comparison) -> int:
    """Say how many answers were compared and which differ; gives the exit code."""
    print(f"\n{comparison.compared:,} answers compared, {comparison.different:,} different.")
    for line in comparison.first_differences:
        print(f"  {line}")
    return 1 if comparison.different else 0


if __name__ == "__main__":
    sys.exit(main())
