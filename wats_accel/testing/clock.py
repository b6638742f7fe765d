"""A clock that stands still until a test moves it."""

from __future__ import annotations

from datetime import datetime

_NEW_YEAR_2024 = 1_704_067_200.0  # in UTC


class FakeClock:
    """A clock that moves only when told to, and the time of day that goes with it. Seconds.

    ```python
    clock = FakeClock()
    with accelerated(config, clock=clock):
        clock.advance(61)  # everything with a TTL of 60 s has expired
    ```

    Args:
        now: what the clock shows.
        wall_time: what a computer's clock shows then, in seconds since the epoch; by default it is the
            first moment of 2024, in UTC.
    """

    def __init__(self, now: float = 0.0, *, wall_time: float = _NEW_YEAR_2024) -> None:
        self.now = now
        self._ahead = wall_time - now

    def __call__(self) -> float:
        """The time it is now."""
        return self.now

    def wall_time(self) -> float:
        """The computer's time, in seconds since the epoch."""
        return self.now + self._ahead

    def local_time(self) -> datetime:
        """The same as an application sees it: naive local time, as `datetime.now` gives it."""
        return datetime.fromtimestamp(self.wall_time())

    def advance(self, seconds: float) -> None:
        """Let time pass, on both."""
        self.now += seconds

    def set_wall_time(self, seconds_since_epoch: float) -> None:
        """Set the computer's clock, as its owner may at any time; the other one does not notice."""
        self._ahead = seconds_since_epoch - self.now
