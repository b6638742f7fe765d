"""The words of the backplane: its times, and who it talks to in this process."""

from __future__ import annotations

from typing import Protocol

from wats_accel.records import record
from wats_accel.shared.messages import Message


@record(frozen=True, slots=True)
class BackplaneRules:
    """Times of the backplane, in seconds.

    Attributes:
        timeout_seconds: how long a call of the application may wait for the server.
        isolated_seconds: how old an answer may become while others cannot be heard.
        beat_seconds: how often a process says that it lives.
        lost_seconds: when one is missing that has not said so.
        forgotten_seconds: when one that is missing is taken for dead.
    """

    timeout_seconds: float = 0.05
    isolated_seconds: float = 30.0
    beat_seconds: float = 1.0
    lost_seconds: float = 5.0
    forgotten_seconds: float = 600.0

    @property
    def trusted_seconds(self) -> float:
        """How long after a good beat what was loaded before it may still be given."""
        # Another process may have been cut off that much before that beat, and have begun to tell of a write.
        # Its own last beat may have been one beat late.
        unheard_seconds = self.lost_seconds + self.timeout_seconds + self.beat_seconds
        return max(0.0, self.isolated_seconds - unheard_seconds)


class Listener(Protocol):
    """What applies the messages of other processes, and is told how things are. Raises nothing."""

    def told(self, message: Message, /) -> None:
        """Drop what a message means."""
        ...

    def bounded(self, seconds: float | None, /) -> None:
        """Have answers that are loaded from now on live so long at most; None: as their rules say."""
        ...

    def connected(self, members: int, /) -> None:
        """All is known."""
        ...

    def isolated(self, why: str, /) -> None:
        """Not all is known."""
        ...
