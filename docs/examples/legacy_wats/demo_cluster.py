"""Five PCs work on one PostgreSQL and tell each other over one Redis, which goes away for a while."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import yaml
from simulation.generator import create_database
from simulation.private_postgresql import ServerMissingError, private_postgresql
from simulation.private_redis import PrivateRedis, RedisMissingError
from src.wats.config.settings import Settings

HERE: Final = Path(__file__).resolve().parent
CONFIG: Final = HERE.parents[2] / "config" / "wats.yaml"
SCRATCH: Final = Path(".demo")
WHAT_IT_NEEDS: Final = (
    "Install Debian's packages postgresql, unixodbc, odbc-postgresql and redis-server, and Python's pyodbc."
)
START_SECONDS: Final = 60.0
SHARED: Final = {
    "prefix": "demo",
    "tier": "shared",
    "namespaces": ["connections", "users", "groups", "permissions"],
    "arguments_in_clear": True,  # of people who do not exist
    "isolated_ttl": "3s",
    "lost_after": "1s",
    "beat": "300ms",
}
HEAD: Final = (
    "PC  mode        members  sent  heard  delay, ms  heard last, s       hits   loads  loads avoided\n"
    "--  ----------  -------  ----  -----  ---------  -------------  ---------  ------  -------------"
)


class Pc:
    """One process, and what it has told last.

    Args:
        number: its name.
        command: that starts it.
        settings: where its database is.
    """

    def __init__(self, number: int, command: Sequence[str], settings: Settings) -> None:
        self.number = number
        self.figures: dict[str, Any] = {}
        environment = {**os.environ, "DB_TYPE": settings.DB_TYPE, "DB_ODBC": settings.DB_ODBC}
        self._process = subprocess.Popen(
            command,
            cwd=HERE,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None, "it was asked for"
        for line in self._process.stdout:
            self.figures = json.loads(line)

    def row(self) -> str:
        """Its line of the table."""
        shared = self.figures.get("shared")
        if shared is None:
            return f"{self.number:2}  begins"
        silent = shared["silent_seconds"]
        heard = "" if silent is None else f"{silent:.1f}"
        return (
            f"{self.number:2}  {shared['mode']:10}  {shared['members']:7}  {shared['sent']:4}  "
            f"{shared['received']:5}  {shared['delay_seconds'] * 1e3:9.1f}  {heard:>13}  "
            f"{self.figures['hits']:9,}  {self.figures['loads']:6,}  {self.figures['found']:13,}"
        )

    @property
    def is_connected(self) -> bool:
        """Whether it hears of all that the others do."""
        return bool(self.figures and self.figures["shared"]["mode"] == "connected")

    def end(self) -> int:
        """Have it stop; gives its exit status."""
        assert self._process.stdin is not None, "it was asked for"
        self._process.stdin.close()
        status = self._process.wait(60)
        self._reader.join()
        return status


def main(argv: list[str] | None = None) -> int:
    """Run and print; gives the exit code: 0 all well, 1 a process failed, 2 something is not installed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--processes", type=int, default=5)
    parser.add_argument(
        "--seconds", type=float, default=15.0, help="in the middle the Redis is gone for a third"
    )
    parser.add_argument("--pause", type=float, default=0.005, help="seconds between two calls of a PC")
    options = parser.parse_args(argv)
    SCRATCH.mkdir(parents=True, exist_ok=True)
    try:
        with private_postgresql() as server, running_redis() as redis:
            return demonstrate(options, server.odbc(), redis)
    except (ServerMissingError, RedisMissingError, ImportError) as error:
        print(f"{error}. {WHAT_IT_NEEDS}")
        return 2


@contextmanager
def running_redis() -> Iterator[PrivateRedis]:
    """A server of the demo's own."""
    redis = PrivateRedis()
    redis.start()
    try:
        yield redis
    finally:
        redis.kill()


def demonstrate(options: argparse.Namespace, odbc: str, redis: PrivateRedis) -> int:
    """Have the PCs work, and take the Redis away for a while."""
    settings = Settings()
    settings.DB_TYPE, settings.DB_ODBC = "postgresql", odbc
    create_database(settings, seed=1)
    config = written_config(redis.url)
    pcs = [
        Pc(number, command(number, config, options.pause), settings)
        for number in range(1, options.processes + 1)
    ]
    third = options.seconds / 3
    try:
        wait_until_connected(pcs)
        show("All is well", pcs, third)
        redis.kill()
        show("The Redis is gone: nobody fails, and no answer gets older than 3 s", pcs, third)
        redis.start()
        show("It is back, and knows nothing", pcs, third)
    finally:
        statuses = [pc.end() for pc in pcs]
    print_sum(pcs)
    return 1 if any(statuses) else 0


def written_config(url: str) -> Path:
    """The application's own configuration, and what the processes share."""
    document = yaml.safe_load(CONFIG.read_text(encoding="utf-8"))
    document["sql"]["schema"] = str(CONFIG.parent / document["sql"]["schema"])
    document["shared"] = {"url": url, **SHARED}
    path = (SCRATCH / "cluster.yaml").resolve()
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    return path


def command(number: int, config: Path, pause: float) -> list[str]:
    """What starts a PC."""
    options = ["--config", str(config), "--seed", str(number), "--pause", str(pause)]
    return [sys.executable, "-m", "simulation.cluster_worker", *options]


def wait_until_connected(pcs: Sequence[Pc]) -> None:
    """So that the time begins when all are there; on a slow machine without one that is late."""
    ends_at = time.monotonic() + START_SECONDS
    while not all(pc.is_connected for pc in pcs) and time.monotonic() < ends_at:
        time.sleep(0.1)


def show(title: str, pcs: Sequence[Pc], seconds: float) -> None:
    """Let them work for a while, and print how they are then."""
    time.sleep(seconds)
    print(f"\n{title}\n{HEAD}")
    for pc in pcs:
        print(pc.row())


def print_sum(pcs: Sequence[Pc]) -> None:
    """What all have done together."""
    hits, loads, found = (sum(pc.figures.get(name, 0) for pc in pcs) for name in ("hits", "loads", "found"))
    print(
        f"\nTogether {hits:,} answers from their own caches, {found:,} that another one had loaded, "
        f"{loads:,} from the database."
    )
    for problem in pcs[0].figures.get("problems", []):
        print(f"Left out: {problem}")


if __name__ == "__main__":
    sys.exit(main())
