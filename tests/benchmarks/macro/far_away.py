"""The delay proxy in a process of its own, so that no client takes its turns from it."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from delay_proxy import Counts

_PROGRAM: Final = Path(__file__).with_name("delay_proxy.py")


class ProxyProcess:
    """A proxy that runs elsewhere: its port, and its counts."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.port = int(self._line()["port"])

    def counts(self) -> Counts:
        """What has passed so far."""
        assert self._process.stdin is not None, "it was asked for"
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return Counts(**self._line())

    def _line(self) -> dict[str, int]:
        assert self._process.stdout is not None, "it was asked for"
        found: dict[str, int] = json.loads(self._process.stdout.readline())
        return found


@contextlib.contextmanager
def far_away(to_port: int, round_trip_ms: float) -> Iterator[ProxyProcess]:
    """A running proxy, for a ``with`` block."""
    command = [sys.executable, str(_PROGRAM), "--to", str(to_port), "--round-trip-ms", str(round_trip_ms)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, encoding="utf-8") as process:
        try:
            yield ProxyProcess(process)
        finally:
            assert process.stdin is not None, "it was asked for"
            process.stdin.close()
