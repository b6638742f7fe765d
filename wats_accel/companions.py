"""Companions: what runs beside an accelerator, and can be had or not: summaries, a state file, a watch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from wats_accel.config.models import RootSection
from wats_accel.errors import Problem
from wats_accel.event_bus import EventBus
from wats_accel.status.reporter import StatusReporter
from wats_accel.status.view import View
from wats_accel.telemetry.stats import CacheStats
from wats_accel.telemetry.summary import PeriodicSummary

if TYPE_CHECKING:
    from wats_accel.watching import ConfigWatch


class Companions:
    """The companions of one accelerator.

    Args:
        bus: where summaries go.
        environ: says where the user's files are.
        total: gives the figures of the whole cache.
        view: gives what the state file shows.
        watch: makes what looks after the configuration's file; None where there is no file.
        report: told what cannot be had.
    """

    def __init__(
        self,
        bus: EventBus,
        environ: Mapping[str, str],
        *,
        total: Callable[[], CacheStats],
        view: Callable[[], View | None],
        watch: Callable[[], ConfigWatch | None],
        report: Callable[[Problem], None],
    ) -> None:
        self._bus = bus
        self._environ = environ
        self._total = total
        self._make_watch = watch
        self._summary: PeriodicSummary | None = None
        self._watch: ConfigWatch | None = None
        self._status = StatusReporter(bus, view, report)

    def begin_anew(self) -> None:
        """In a child process: nobody sums up, or watches the file."""
        self._summary = self._watch = None

    def start_summary(self, root: RootSection) -> None:
        """Begin to sum up at intervals, if that is asked for."""
        every_seconds = root.logging.summary_every
        if every_seconds:
            self._summary = PeriodicSummary(self._total, self._bus, every_seconds=every_seconds)
            self._summary.start()

    def start_watch(self, root: RootSection) -> None:
        """Begin to look after the file, if that is asked for."""
        self._watch = self._make_watch() if root.watch else None
        if self._watch is not None:
            self._watch.start()

    def start_status(self, root: RootSection) -> None:
        """Have `wats-accel status` see this process, or not."""
        if root.status:
            self._status.start(self._environ)
        else:
            self._status.stop()

    def note_change(self) -> None:
        """Something has been switched: the state file is to say so."""
        self._status.note_change()

    def go_on_with(self, root: RootSection, old: RootSection) -> None:
        """Have the summary come at other intervals, and the file watched or not, as is asked for now."""
        every = root.logging.summary_every if root.enabled else 0.0
        if self._summary is not None and every != old.logging.summary_every:
            self._summary.stop()
            self._summary = None
        if self._summary is None and every:
            self.start_summary(root)
        self.start_status(root)
        if self._watch is not None and not root.watch:
            self._watch.stop()
            self._watch = None
        elif self._watch is None:
            self.start_watch(root)

    def stop(self) -> None:
        """End them all. Safe to call twice."""
        self._status.stop()
        if self._summary is not None:
            self._summary.stop()
        if self._watch is not None:
            self._watch.stop()
        self._summary = self._watch = None
