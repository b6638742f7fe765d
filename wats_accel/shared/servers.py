"""Servers: one, over the connection of the application's calls and over that of the listening thread."""

from __future__ import annotations

from collections.abc import Callable

from wats_accel.shared.server import Server


class Servers:
    """Connects when it is first asked for one of them; if that fails, it is tried again the next time.

    Args:
        connect: gives what the application's calls ask, and what the listening thread asks.
    """

    def __init__(self, connect: Callable[[], tuple[Server, Server]]) -> None:
        self._connect = connect
        self._made: tuple[Server, Server] | None = None

    @property
    def asked(self) -> Server:
        """What the application's calls ask."""
        return self._both[0]

    @property
    def listening(self) -> Server:
        """What the listening thread asks: it has the time for a server that is slow."""
        return self._both[1]

    @property
    def _both(self) -> tuple[Server, Server]:
        if self._made is None:
            asked, listening = self._connect()
            self._made = asked, listening
        return self._made
