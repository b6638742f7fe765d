"""A redis-server for one test at a time, reached by a socket file: it needs no port."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

_PATIENCE_SECONDS = 20.0


class UnitRedis:
    """Args:
    folder: where its socket is.
    """

    def __init__(self, folder: Path) -> None:
        self._socket = folder / "s"
        self._process: subprocess.Popen[bytes] | None = None
        self._paused = False

    @property
    def url(self) -> str:
        """What leads to it."""
        return f"unix://{self._socket}"

    def client(self) -> Any:
        """A connection past everything that is tested."""
        import redis

        return redis.Redis(unix_socket_path=str(self._socket))

    def start(self, *options: str) -> None:
        """Have it run, with nothing in it."""
        self._process = subprocess.Popen(
            ["redis-server", "--port", "0", "--unixsocket", str(self._socket), "--save", "", *options],
            stdout=subprocess.DEVNULL,
        )
        until = time.monotonic() + _PATIENCE_SECONDS
        while True:
            try:
                self.client().ping()
            except Exception:
                assert time.monotonic() < until
                time.sleep(0.01)
            else:
                return

    def stop(self) -> None:
        """End it at once, without a word."""
        if self._process is not None:
            self.resume()
            self._process.kill()
            self._process.wait()
            self._process = None
            self._socket.unlink(missing_ok=True)

    def pause(self) -> None:
        """Have it answer nothing, and connections stay open."""
        self._signal(signal.SIGSTOP)
        self._paused = True

    def resume(self) -> None:
        """End a pause."""
        if self._paused:
            self._signal(signal.SIGCONT)
            self._paused = False

    def _signal(self, number: int) -> None:
        assert self._process is not None
        os.kill(self._process.pid, number)

    def begin_empty(self) -> None:
        """Run, with nothing in it."""
        if self._process is None:
            self.start()
        self.resume()
        client = self.client()
        client.config_set("maxmemory", 0)
        client.flushall()
        client.close()
