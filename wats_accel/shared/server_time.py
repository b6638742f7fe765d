"""The server's time, as this process knows it: a beat says when it is too late to be carried out."""

from __future__ import annotations

from wats_accel.shared.horizon import clock_that_counts_sleep
from wats_accel.shared.server import Server


class ServerTime:
    """What time it is at the server.

    Args:
        beat_seconds: how long after it was sent a beat still says something.
    """

    def __init__(self, beat_seconds: float) -> None:
        self._beat_seconds = beat_seconds
        self._told: tuple[int, float] | None = None  # in ms, and when it was asked for

    def told(self, milliseconds: int) -> None:
        """Note what the server has told just now."""
        self._told = milliseconds, clock_that_counts_sleep()

    def forget(self) -> None:
        """Ask for it anew, next time: it may have been set meanwhile."""
        self._told = None

    def latest_ms(self, server: Server) -> int:
        """The server's time when a beat that is sent now is too late."""
        if self._told is None:
            self.told(server.milliseconds())
        assert self._told is not None
        milliseconds, at = self._told
        return milliseconds + int((clock_that_counts_sleep() - at + self._beat_seconds) * 1e3)
