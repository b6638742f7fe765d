"""Clocks that somebody else gives: they may raise, tell nonsense, or go backwards, and harm nobody."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import NamedTuple

from wats_accel.breakers import Breaker, Breakers
from wats_accel.event_bus import EventBus

Clock = Callable[[], float]

_TRUSTED = (time.monotonic, time.perf_counter, time.time)


class _Reading(NamedTuple):
    """What a clock has shown. Seconds."""

    raw: float
    given: float
    ahead: float  # of the raw one, so that nothing is given twice
    real: float  # by the computer's monotonic clock


class GuardedClock:
    """A clock that never raises. Its callers take no lock, so neither does it.

    Where the guarded clock fails, the computer's own one counts on from what was given last. It is left alone
    for a while when it keeps failing, and that is told once.

    Args:
        clock: seconds. What it raises is dropped, unless it is no `Exception`.
        breaker: of this clock; by the computer's own time.
        may_go_back: whether what is given may fall, as the time of day may. Otherwise a clock that was set
            back goes on from where it was.
        begin: what is given if not even the first reading works.
    """

    def __init__(
        self, clock: Clock, *, breaker: Breaker, may_go_back: bool = False, begin: Clock = time.monotonic
    ) -> None:
        self._clock = clock
        self._breaker = breaker
        self._may_go_back = may_go_back
        self._begin = begin
        self._last: _Reading | None = None

    def __call__(self) -> float:
        """The time it is now, in seconds."""
        try:
            if self._breaker.may_try():
                reading = self._read()
                self._breaker.worked()
                self._last = reading
                return reading.given
        except Exception as error:  # noqa: BLE001 - a clock of the application's
            self._breaker.failed(error)
        last, real = self._last, time.monotonic()
        if last is None:
            return self._begin()
        given = last.given + (real - last.real)
        self._last = last._replace(given=given, real=real)
        return given

    def _read(self) -> _Reading:
        last = self._last  # before the clock is asked: another thread may be ahead
        shown: object = self._clock()
        if not isinstance(shown, (int, float)) or isinstance(shown, bool) or not math.isfinite(shown):
            raise ValueError("a clock tells nonsense")
        raw, real = float(shown), time.monotonic()
        if last is None or self._may_go_back:
            return _Reading(raw, raw, 0.0, real)
        least = last.given
        if raw < last.raw:
            self._breaker.failed("it went backwards")
            least += real - last.real
        ahead = max(last.ahead, least - raw)
        return _Reading(raw, max(least, raw + ahead), ahead, real)


class Clocks(NamedTuple):
    """The clocks of one accelerator, and the breakers that go by them.

    Attributes:
        monotonic: never goes backwards.
        wall: the time of day.
    """

    monotonic: Clock
    wall: Clock
    breakers: Breakers


def guarded_clocks(clock: Clock, wall_clock: Clock, *, bus: EventBus) -> Clocks:
    """The clocks as they may be used by everybody; the standard library's own ones stay as they are."""

    def guarded(given: Clock, part: str, begin: Clock, *, may_go_back: bool) -> Clock:
        if given in _TRUSTED:
            return given
        breaker = Breaker(part, bus=bus)
        known.append(breaker)
        return GuardedClock(given, breaker=breaker, may_go_back=may_go_back, begin=begin)

    known: list[Breaker] = []
    monotonic = guarded(clock, "clock", time.monotonic, may_go_back=False)
    wall = guarded(wall_clock, "wall clock", time.time, may_go_back=True)
    breakers = Breakers(bus=bus, clock=monotonic)
    for breaker in known:
        breakers.add(breaker)
    return Clocks(monotonic, wall, breakers)
