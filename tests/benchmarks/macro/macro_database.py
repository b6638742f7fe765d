"""A private server with the example's data, and runs on copies of it, each in a process behind a proxy."""

from __future__ import annotations

import contextlib
import json
import re
import statistics
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from far_away import ProxyProcess, far_away
from macro_processes import RunFailedError, run_script
from macro_trace import Trace, put_example_on_path

_ORIGINAL: Final = "macro_original"
_COPY: Final = "macro_copy"


class Database:
    """The server, and a folder for what passes between processes.

    Args:
        server: the example's `PrivateServer`, started.
    """

    def __init__(self, server: Any, folder: Path) -> None:
        self._server = server
        self._trace = folder / "trace.pickle"
        self._log_file = str(folder / "worker.log")
        self._statement(f"CREATE DATABASE {_ORIGINAL}")

    def fill(self, seed: int) -> None:
        """The example's tables with its rows, once."""
        put_example_on_path()
        from simulation.generator import create_database
        from src.wats.config.settings import Settings

        settings = Settings()
        settings.DB_TYPE, settings.DB_ODBC = "postgresql", self._server.odbc(_ORIGINAL)
        create_database(settings, seed=seed)
        # Or the server would look at the tables in the middle of somebody's run, and plan anew.
        self._statement("VACUUM ANALYZE", _ORIGINAL)

    def drop(self) -> None:
        """Leave the server as it was found."""
        self._statement(f"DROP DATABASE {_ORIGINAL} WITH (FORCE)")

    def live_one_day(self, seed: int, hours: float) -> Trace:
        """What the unpatched application calls on its day, and what it is answered; without a proxy."""
        with self._copy() as odbc:
            self._run(odbc, "macro_trace.py", str(self._trace), self._log_file, str(seed), str(hours))
        return Trace.load(self._trace)

    def run(self, script: str, round_trip_ms: float, *arguments: str) -> dict[str, Any]:
        """Run one of our scripts on fresh data behind a proxy: its figures, and the proxy's."""
        with self._copy() as odbc, far_away(self._server.port, round_trip_ms) as proxy:
            behind = _behind(proxy, odbc)
            options = ("--trace", str(self._trace), "--log-file", self._log_file)
            result: dict[str, Any] = json.loads(self._run(behind, script, *options, *arguments))
            return {**result, "network": asdict(proxy.counts())}

    def round_trip_ms(self, round_trip_ms: float, times: int = 50) -> float:
        """What a bare ``SELECT 1`` takes through the driver and the proxy: the median, in milliseconds."""
        import pyodbc

        taken = []
        with far_away(self._server.port, round_trip_ms) as proxy:
            behind = _behind(proxy, self._server.odbc())
            with contextlib.closing(pyodbc.connect(behind)) as connection:
                for _ in range(times):
                    begin = time.perf_counter()
                    connection.execute("SELECT 1").fetchone()
                    taken.append((time.perf_counter() - begin) * 1000)
        return statistics.median(taken)

    def versions(self) -> dict[str, str]:
        """Of the server and of its ODBC driver."""
        import pyodbc

        with contextlib.closing(pyodbc.connect(self._server.odbc())) as connection:
            return {
                "PostgreSQL": str(connection.getinfo(pyodbc.SQL_DBMS_VER)),
                "psqlODBC": str(connection.getinfo(pyodbc.SQL_DRIVER_VER)),
            }

    @contextlib.contextmanager
    def _copy(self) -> Iterator[str]:
        """A database with the same rows and the same next numbers; what it is reached by."""
        self._statement(f"CREATE DATABASE {_COPY} TEMPLATE {_ORIGINAL}")
        try:
            yield self._server.odbc(_COPY)
        finally:
            self._statement(f"DROP DATABASE {_COPY} WITH (FORCE)")

    def _run(self, odbc: str, script: str, *arguments: str) -> str:
        variables = {"DB_TYPE": "postgresql", "DB_ODBC": odbc}
        return run_script(script, *arguments, environment=variables)

    def _statement(self, sql: str, *database: str) -> None:
        import pyodbc

        odbc = self._server.odbc(*database)
        with contextlib.closing(pyodbc.connect(odbc, autocommit=True)) as connection:
            connection.execute(sql)


def _behind(proxy: ProxyProcess, odbc: str) -> str:
    return re.sub(r"PORT=\d+", f"PORT={proxy.port}", odbc)


@contextlib.contextmanager
def private_database(seed: int) -> Iterator[Database]:
    """A server of our own with the example's data, for a ``with`` block.

    Raises:
        RunFailedError: PostgreSQL is not installed, or does not start.
    """
    put_example_on_path()
    import pyodbc
    from simulation.private_postgresql import ServerMissingError, private_postgresql

    pyodbc.pooling = False
    try:
        with private_postgresql() as server, tempfile.TemporaryDirectory(prefix="wats-macro-") as folder:
            database = Database(server, Path(folder))
            database.fill(seed)
            yield database
    except ServerMissingError as error:
        raise RunFailedError(str(error)) from error
