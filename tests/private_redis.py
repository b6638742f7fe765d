"""A redis-server of one's own on a free port, which many processes reach, and which can be ill-treated."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from typing import Any

_PATIENCE_SECONDS = 20.0


class RedisMissingError(Exception):
    """There is no redis-server, or it does not start."""


class PrivateRedis:
    """One server; it keeps nothing on the disk, and has the same port whenever it is started again."""

    def __init__(self) -> None:
        if shutil.which("redis-server") is None:
            raise RedisMissingError("redis-server is not installed")
        self.port = _free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """What leads to it."""
        return f"redis://127.0.0.1:{self.port}/0"

    def client(self) -> Any:
        """A connection past everything that is tested."""
        import redis

        return redis.Redis(host="127.0.0.1", port=self.port, socket_timeout=_PATIENCE_SECONDS)

    def start(self) -> None:
        """Have it run, with nothing in it.

        Raises:
            RedisMissingError: it does not come up.
        """
        options = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        self._process = subprocess.Popen(
            ["redis-server", *options], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
        )
        until = time.monotonic() + _PATIENCE_SECONDS
        while True:
            with contextlib.suppress(Exception), self.client() as client:
                if client.info("server")["process_id"] == self._process.pid:  # and nobody else's
                    return
            if time.monotonic() > until or self._process.poll() is not None:
                self.kill()
                raise RedisMissingError("redis-server does not start")
            time.sleep(0.02)

    def kill(self) -> None:
        """End it at once, without a word; connections are closed. Safe to call twice."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def pause(self) -> None:
        """Have it answer nothing, while its connections stay open and new ones are made."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """End a pause. What was sent meanwhile is answered now."""
        self._signal(signal.SIGCONT)

    def begin_empty(self) -> None:
        """Run, awake, with nothing in it."""
        if self._process is None:
            self.start()
        self.resume()
        self.be_large()
        with self.client() as client:
            client.flushall()

    def restart_empty(self) -> None:
        """Have another one in its place, which knows nothing."""
        self.kill()
        self.start()

    def be_full(self) -> None:
        """Have no memory for anything new (OOM)."""
        self._set("maxmemory", "1kb")

    def be_large(self) -> None:
        """Have as much memory as it likes."""
        self._set("maxmemory", "0")

    def refuse_strangers(self) -> None:
        """Want a password that nobody knows, and end all connections there are."""
        with self.client() as client:
            client.config_set("requirepass", "nobody knows it")
            client.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")

    def accept_strangers(self) -> None:
        """Want no password any more."""
        import redis

        with redis.Redis(port=self.port, password="nobody knows it") as client:
            client.config_set("requirepass", "")

    def _set(self, name: str, value: str) -> None:
        with self.client() as client:
            client.config_set("maxmemory-policy", "noeviction")
            client.config_set(name, value)

    def _signal(self, number: int) -> None:
        if self._process is None:
            raise RedisMissingError("it does not run")
        os.kill(self._process.pid, number)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
