"""Circuit breakers: a part that keeps failing is left alone for a while, and then tried once more.

Without one, a part that is broken for good would be tried, fail and be paid for in every call. The pattern is
Michael Nygard's (*Release It!*, 2007): closed while all is well, open while the part is left alone, half-open
while it is on trial.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Literal

from wats_accel.event_bus import EventBus
from wats_accel.events import BreakerClosed, BreakerOpened
from wats_accel.forks import begins_anew_when_forked
from wats_accel.records import record

State = Literal["closed", "open", "half-open"]


@record(frozen=True, slots=True)
class BreakerRules:
    """When a breaker opens, and for how long. Times are in seconds.

    Attributes:
        most_failures: so many within `within_seconds` open it.
        within_seconds: for how long a failure counts.
        pause_seconds: how long the part is left alone the first time; twice as long after each failed trial.
        longest_pause_seconds: at most so long.
    """

    most_failures: int = 5
    within_seconds: float = 60.0
    pause_seconds: float = 30.0
    longest_pause_seconds: float = 600.0


class Breaker:
    """Says whether one part is to be used.

    Args:
        part: what people call it: ``cache users:get_user_role``.
        bus: told when it opens and closes: one line each, however many failures there are.
        clock: seconds, never going backwards.
        rules: when, and for how long.

    Attributes:
        closed: whether all is well. A plain attribute, so that a hot path pays next to nothing to ask.
        failures: how many there have been.
        opened: how often they have opened it.
    """

    def __init__(
        self,
        part: str,
        *,
        bus: EventBus,
        clock: Callable[[], float] = time.monotonic,
        rules: BreakerRules | None = None,
    ) -> None:
        self.part = part
        self.closed = True
        self.failures = 0
        self.opened = 0
        self._bus = bus
        self._clock = clock
        self._rules = rules or BreakerRules()
        self._recent: list[float] = []
        self._pause = self._rules.pause_seconds
        self._retry_at = 0.0
        self._on_trial = False
        self._lock = threading.RLock()  # a finalizer of the application's may meet the same failure

    @property
    def state(self) -> State:
        """Whether the part is used, is left alone, or is on trial."""
        return "closed" if self.closed else "half-open" if self._on_trial else "open"

    @property
    def retry_in_seconds(self) -> float:
        """How long the part is left alone yet; 0 unless it is."""
        return max(0.0, self._retry_at - self._clock()) if self.state == "open" else 0.0

    def may_try(self) -> bool:
        """Whether the part may be used by this call.

        While it is left alone, one caller after each pause gets True: he is the trial. He says afterwards
        whether it `worked` or `failed`; if he never does, the next pause brings another trial.
        """
        if self.closed:
            return True
        with self._lock:
            now = self._clock()
            if self.state == "closed":  # by another thread, meanwhile
                return True
            if now < self._retry_at:
                return False
            self._on_trial = True
            self._retry_at = now + self._pause
            return True

    def failed(self, error: BaseException | str) -> bool:
        """Note that the part has failed; gives whether that has opened the breaker just now.

        Args:
            error: what it raised, or what was wrong. Of an exception only the type is told.
        """
        with self._lock:
            self.failures += 1
            now = self._clock()
            if not self.closed:
                self._pause_again(now)
                return False
            self._recent = [when for when in self._recent if now - when < self._rules.within_seconds]
            self._recent.append(now)
            if len(self._recent) < self._rules.most_failures:
                return False
            count = len(self._recent)
            self._open(now)
        what = error if isinstance(error, str) else type(error).__name__
        self._bus.emit(BreakerOpened(self.part, count, what, self._pause))
        return True

    def trip(self) -> None:
        """Open it at once, whatever has been counted: one such failure is enough. Its caller says why."""
        with self._lock:
            self.failures += 1
            now = self._clock()
            if self.closed:
                self._open(now)
            else:
                self._pause_again(now)

    def worked(self) -> None:
        """Note that the part has done its work. Costs one look while all is well."""
        if self.closed:
            return
        with self._lock:
            if not self._on_trial:
                return  # an older call that ends late says nothing about now
            self._close()
        self._bus.emit(BreakerClosed(self.part))

    def begin_anew(self) -> None:
        """In a child process: nobody holds the lock any more."""
        self._lock = threading.RLock()

    def _open(self, now: float) -> None:
        self._recent.clear()
        self.opened += 1
        self.closed = False
        self._retry_at = now + self._pause

    def _pause_again(self, now: float) -> None:
        if self._on_trial:
            self._on_trial = False
            self._pause = min(2 * self._pause, self._rules.longest_pause_seconds)
            self._retry_at = now + self._pause

    def _close(self) -> None:
        self._on_trial = False
        self._pause = self._rules.pause_seconds
        self.closed = True


class Breakers:
    """The breakers of one accelerator, each made when it is first asked for.

    Args:
        bus: told when one opens and closes.
        clock: seconds, never going backwards.
        rules: of all of them.
    """

    def __init__(
        self,
        *,
        bus: EventBus,
        clock: Callable[[], float] = time.monotonic,
        rules: BreakerRules | None = None,
    ) -> None:
        self._bus = bus
        self._clock = clock
        self._rules = rules
        self._known: dict[str, Breaker] = {}
        begins_anew_when_forked(self)

    def of(self, part: str) -> Breaker:
        """The breaker of the part that people call so."""
        known = self._known.get(part)
        if known is None:
            made = Breaker(part, bus=self._bus, clock=self._clock, rules=self._rules)
            known = self._known.setdefault(part, made)  # a single step: two threads get the same one
        return known

    def add(self, breaker: Breaker) -> None:
        """Take in a breaker that goes by a clock of its own."""
        self._known[breaker.part] = breaker

    def begin_anew(self) -> None:
        """In a child process: nobody holds a lock any more."""
        for breaker in self:
            breaker.begin_anew()

    def __iter__(self) -> Iterator[Breaker]:
        return iter(list(self._known.values()))
