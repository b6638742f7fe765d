"""The summary: one line with the cache's figures at each interval, from a thread of its own."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable

from wats_accel.event_bus import EventBus
from wats_accel.events import RuleSkipped, StatsSummary
from wats_accel.telemetry.stats import CacheStats


def summary_of(total: CacheStats) -> StatsSummary:
    """The event that carries the figures of the whole cache."""
    return StatsSummary(size=total.size, hits=total.hits, misses=total.misses, hit_rate=total.hit_rate)


class PeriodicSummary:
    """Sends a summary in each interval in which the cache was used. Its thread keeps nothing alive.

    Args:
        total: gives the figures.
        bus: where the summary goes.
        every_seconds: the interval.
    """

    def __init__(self, total: Callable[[], CacheStats], bus: EventBus, *, every_seconds: float) -> None:
        self._total = total
        self._bus = bus
        self._every_seconds = every_seconds
        self._stopping = threading.Event()
        self._asked = 0

    def start(self) -> None:
        """Begin; the first summary comes after one interval. Without a thread there is none."""
        try:
            threading.Thread(target=self._run, name="wats-accel-summary", daemon=True).start()
        except Exception as error:  # noqa: BLE001 - the system has no more threads, or the interpreter ends
            self._bus.emit(RuleSkipped(f"logging.summary_every: no thread starts ({type(error).__name__})"))

    def stop(self) -> None:
        """Send no more summaries."""
        self._stopping.set()

    def _run(self) -> None:
        while not self._stopping.wait(min(self._every_seconds, threading.TIMEOUT_MAX)):
            with contextlib.suppress(Exception):  # a figure is not worth a traceback on standard error
                self.send_if_used()

    def send_if_used(self) -> None:
        """Send a summary, unless nothing has been asked of the cache since the last one."""
        total = self._total()
        asked = total.hits + total.misses + total.shadow_hits
        if asked != self._asked:
            self._asked = asked
            self._bus.checkpoint()
            self._bus.emit(summary_of(total))
