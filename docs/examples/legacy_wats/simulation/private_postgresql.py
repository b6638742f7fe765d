"""A PostgreSQL server of one's own: in a folder, on a free port, gone when it is stopped."""

from __future__ import annotations

import glob
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

ACCOUNT: Final = "postgres"
"""The server refuses to run as root: it then runs as this account, which Debian's package makes."""
DRIVER: Final = "PostgreSQL Unicode"


class ServerMissingError(Exception):
    """The server's programs, or the account for it, are not here."""


def programs() -> Path:
    """The folder of initdb and pg_ctl; Debian keeps it off the PATH.

    Raises:
        ServerMissingError: there is none.
    """
    found = shutil.which("pg_ctl")
    installed = sorted(glob.glob("/usr/lib/postgresql/*/bin/pg_ctl"))
    if found is None and not installed:
        raise ServerMissingError("PostgreSQL (Debian's package postgresql) is not installed")
    return Path(found or installed[-1]).parent


class PrivateServer:
    """One server; anybody on this machine may log in as its superuser.

    Args:
        folder: an empty one, for its data and its log.
    """

    def __init__(self, folder: Path) -> None:
        self._programs = programs()
        self._data = folder / "data"
        self._log = folder / "server.log"
        self._user: dict[str, Any] = _other_account(folder)
        self.port = _free_port()

    def start(self) -> None:
        """Make the data folder if it is not there, and start."""
        if not self._data.exists():
            self._run("initdb", "--auth=trust", "--no-sync", f"--username={ACCOUNT}", "--encoding=UTF8")
        # -F: no waiting for the disk. No socket file: its path may be too long. And who waits for a lock
        # for so long waits for somebody in his own program.
        options = (
            f"-F -p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= "
            "-c lock_timeout=20s -c max_connections=250 -c max_prepared_transactions=4"
        )
        self._run("pg_ctl", "start", "-w", f"--log={self._log}", f"--options={options}")

    def stop(self, mode: str = "immediate") -> None:
        """Stop; clients find their connections cut."""
        self._run("pg_ctl", "stop", "-w", f"--mode={mode}")

    def odbc(self, database: str = "postgres") -> str:
        """What pyodbc connects with."""
        return (
            f"DRIVER={{{DRIVER}}};SERVER=127.0.0.1;PORT={self.port};DATABASE={database};"
            f"UID={ACCOUNT};PWD=none;BoolsAsChar=0"
        )

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._programs / program), *arguments, f"--pgdata={self._data}"]
        # The server inherits what pg_ctl has: a pipe would never be read to its end.
        with tempfile.TemporaryFile() as output:
            done = subprocess.run(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, check=False, **self._user
            )
            output.seek(0)
            if done.returncode:
                raise ServerMissingError(f"{program}: {output.read().decode(errors='replace').strip()}")


def _other_account(folder: Path) -> dict[str, Any]:
    """Whom the programs run as, when that cannot be root."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        return {}
    try:
        shutil.chown(folder, ACCOUNT, ACCOUNT)
    except LookupError as error:
        raise ServerMissingError(f"PostgreSQL does not run as root, and there is no {ACCOUNT!r}") from error
    return {"user": ACCOUNT, "group": ACCOUNT, "cwd": "/"}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def private_postgresql() -> Iterator[PrivateServer]:
    """A running server for a ``with`` block, in a temporary folder.

    Raises:
        ServerMissingError: PostgreSQL is not installed, or does not start.
    """
    # Directly below the folder for such things: the account must be allowed to walk there.
    with tempfile.TemporaryDirectory(prefix="wats-postgresql-") as name:
        server = PrivateServer(Path(name))
        server.start()
        try:
            yield server
        finally:
            server.stop()
