"""Sight: whether all statements are seen. Where they are not, what no rule drops is off."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from wats_accel.cache.region import Region
from wats_accel.cache.registry import CacheRegistry


class Sight:
    """Knows whether statements got out of sight, and whose answers nobody would drop then.

    Args:
        caches: of the methods.
        covered: whether a rule drops a region's entries, whatever is seen.
        report: told, once, why not all is seen.
    """

    def __init__(
        self, caches: CacheRegistry, *, covered: Callable[[Region], bool], report: Callable[[str], None]
    ) -> None:
        self._caches = caches
        self._ask_for_rule = covered
        self._covered: dict[Region, bool] = {}
        self._report = report
        self._why_lost: str | None = None

    def go_by(self, covered: Callable[[Region], bool], report: Callable[[str], None]) -> None:
        """Ask others from now on; the arguments are those of a new one. What was lost stays so."""
        self._ask_for_rule = covered
        self._report = report
        self.ask_anew()

    def ask_anew(self) -> None:
        """Forget which regions a rule covers: the rules may be others."""
        self._covered.clear()

    def covers(self, region: Region) -> bool:
        """Whether a rule drops a region's entries, whatever is seen."""
        known = self._covered.get(region)
        if known is None:
            known = self._covered[region] = self._ask_for_rule(region)
        return known

    def lose(self, why: str) -> bool:
        """Note, in words without any value, why not all is seen from now on; gives whether that is news."""
        is_news = self._why_lost is None
        self._why_lost = self._why_lost or why  # also while nothing is cached: it is so when that goes on
        return is_news

    def suspend_if_lost(self) -> None:
        """Have what no rule drops be off for good, if not all is seen."""
        if self._why_lost is None:
            return
        why = f"not all statements are seen: {self._why_lost}"
        for region in self._caches:
            if not self.covers(region):
                region.suspend(why)
        with suppress(Exception):
            self._report(f"{why}; without a rule nothing is cached")

    def distrust(self, why: str, *, for_good: bool) -> None:
        """Have what no rule drops be off until it is emptied, or for good. Raises nothing."""
        for region in self._caches:
            with suppress(Exception):
                if self.covers(region):
                    continue
            (region.suspend if for_good else region.quarantine)(why)
