"""A Redis or Valkey server of one's own: on a free port, keeping nothing, gone when it is stopped."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from simulation.private_postgresql import ServerMissingError

PROGRAMS: Final = ("redis-server", "valkey-server")
_PATIENCE_SECONDS: Final = 10.0


@contextmanager
def private_redis() -> Iterator[str]:
    """A server for a ``with`` block; gives its URL.

    Raises:
        ServerMissingError: there is no program of it here, or it does not start.
    """
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        raise ServerMissingError("Neither Redis (Debian's package redis-server) nor Valkey is installed")
    port = _free_port()
    command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as server:
        try:
            _await(port)
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            server.terminate()


def _free_port() -> int:
    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        port: int = asked.getsockname()[1]
        return port


def _await(port: int) -> None:
    ends = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1.0).close()
        except OSError as error:
            if time.monotonic() > ends:
                raise ServerMissingError("The Redis server did not start") from error
            time.sleep(0.02)
        else:
            return
