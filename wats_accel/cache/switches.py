"""Switches: whether one method is cached.

It is while its maintainer says so, while it can be kept fresh, and while its breaker has not opened. What is
off for the last two reasons is tried again after a while, and begins from empty: of what was kept before
nobody knows what it is worth.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from contextlib import suppress

from wats_accel.breakers import Breaker
from wats_accel.cache.region_rules import RegionRules
from wats_accel.event_bus import EventBus
from wats_accel.events import CacheSuspended


class Switches(ABC):
    """The switches of one region.

    Attributes:
        active: whether calls may use the cache. A plain attribute, so that a hit pays next to nothing to ask.
        is_off: whether it is off without anything to be tried again; then a call is no more than the method.
        breaker: opens when parts of this region keep failing.
    """

    def __init__(self, rules: RegionRules, bus: EventBus, breaker: Breaker) -> None:
        self.rules = rules
        self.bus = bus
        self.breaker = breaker
        self.active = True
        self.is_off = False
        self._enabled = True
        self._suspended: str | None = None
        self._distrusted: str | None = None
        self._to_be_emptied: str | None = None

    @property
    @abstractmethod
    def lock(self) -> threading.RLock:
        """Of everything that changes the region."""

    @abstractmethod
    def begin_from_empty(self) -> None:
        """Drop everything, with the loads that are under way. Called under the lock.

        Raises:
            Exception: it could not be done.
        """

    @abstractmethod
    def overtake_everything(self) -> None:
        """Have nothing kept that is under way, nor what was made from any answer. Under the lock."""

    # -- by a maintainer -----------------------------------------------------------------------------

    def switch(self, *, enabled: bool, why: str | None = None) -> None:
        """Turn caching of this method off or on. Invalidation goes on meanwhile, so both are safe.

        Args:
            enabled: off, or on.
            why: it cannot be trusted any more, for this reason, until it is turned on again.
        """
        with self.lock:
            self._enabled = enabled
            self._distrusted = None if enabled else why or self._distrusted
            self._settle_switches()

    # -- to stay fresh -------------------------------------------------------------------------------

    def suspend(self, why: str) -> None:
        """Stop caching this method for good: nobody will drop what is to be dropped. Raises nothing."""
        known, self._suspended = self._suspended, self._suspended or why
        self._go_off(why, is_news=known is None)

    def quarantine(self, why: str) -> None:
        """Stop caching this method until it could be emptied: something old may be in it. Raises nothing.

        Args:
            why: in words, without any value.
        """
        known, self._to_be_emptied = self.suspended, self._to_be_emptied or why
        self.active = False  # at once: what follows may fail, too
        with suppress(Exception):
            self.breaker.trip()
        self._go_off(why, is_news=known is None, until_emptied=True)

    def _go_off(self, why: str, *, is_news: bool, until_emptied: bool = False) -> None:
        self.active = False
        with suppress(Exception), self.lock:
            if until_emptied:  # another thread may have emptied it meanwhile, and called it good
                self._to_be_emptied = self._to_be_emptied or why
            self._settle_switches()
            self.overtake_everything()
            # A store that fails keeps its entries, but nobody is answered from it any more.
            self.begin_from_empty()
        with suppress(Exception):
            if is_news:
                self.bus.emit(CacheSuspended(self.rules.target, why))

    @property
    def suspended(self) -> str | None:
        """Why this method is not cached although its rule asks for it, if so."""
        return self._suspended or self._distrusted or self._to_be_emptied

    @property
    def is_given_up(self) -> bool:
        """Whether it is suspended for good, so that only other rules can change that."""
        return self._suspended is not None

    # -- by the breaker ------------------------------------------------------------------------------

    def broke(self, error: BaseException | str) -> None:
        """Note that a part of this cache has failed. Not under the lock; raises nothing."""
        with suppress(Exception):
            self.breaker.failed(error)
            self._follow_breaker()

    def worked(self) -> None:
        """Note that an answer was stored; that ends a trial. Not under the lock; raises nothing."""
        if not self.breaker.closed:
            with suppress(Exception):
                self.breaker.worked()
                self._follow_breaker()

    def _follow_breaker(self) -> None:
        if self.active is not self._is_on():
            with self.lock:
                self._settle_switches()

    def try_again(self) -> bool:
        """Whether a call may use the cache although it is off: after a while it is tried once more.

        Then it has been emptied, and is on. Raises nothing.
        """
        if not self._enabled or self._suspended is not None:
            return False
        try:
            if self.breaker.may_try() is not True:
                return False
            with self.lock:
                if self.active:  # since another thread has tried
                    return True
                self.overtake_everything()
                self.begin_from_empty()
                self._to_be_emptied = None
                self._settle_switches()
        except Exception:  # noqa: BLE001 - stores are foreign code
            with suppress(Exception):
                self.breaker.trip()
                self._follow_breaker()
        return self.active

    # -- all together --------------------------------------------------------------------------------

    @property
    def is_broken(self) -> bool:
        """Whether it is off because its breaker is open, and for no other reason."""
        return self._enabled and self.suspended is None and not self.active

    @property
    def why_off(self) -> str | None:
        """Why no call of this method is answered, in words; None while calls are."""
        if self.active:
            return None
        return self.suspended or ("left alone after failures" if self._enabled else "switched off")

    def _is_on(self) -> bool:
        fresh = self._suspended is None and self._to_be_emptied is None
        return self._enabled and fresh and self.breaker.state != "open"

    def _settle_switches(self) -> None:
        self.active = self._is_on()
        self.is_off = not self._enabled or self._suspended is not None
