"""The accelerator: builds, installs and uninstalls everything that one configuration asks for."""

from __future__ import annotations

import atexit
import os
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from wats_accel.admission import Admission
from wats_accel.assembly import Assembly, assemble, expect
from wats_accel.config.documents import Document, SourceError
from wats_accel.config.loader import located
from wats_accel.config.location import CONFIG_VARIABLE, disabled_patterns, locate_config
from wats_accel.config.sources import mapping_document, read_document
from wats_accel.context import EventSubscription
from wats_accel.errors import AlreadyInstalledError, ConfigError, Problem
from wats_accel.event_bus import EventBus
from wats_accel.events import ConfigUnused, Initialized, RuleSkipped
from wats_accel.patching.patcher import Patcher
from wats_accel.patterns import KeyPattern
from wats_accel.report.explanation import Explanation, explain
from wats_accel.telemetry.logs import EventLog
from wats_accel.telemetry.stats import Stats, snapshot
from wats_accel.telemetry.summary import PeriodicSummary, summary_of
from wats_accel.tracking.tracker import Tracker

ConfigSource = str | os.PathLike[str] | Mapping[str, Any] | None


def read_config(source: ConfigSource, environ: Mapping[str, str]) -> Document:
    """Read the configuration from a mapping, or from the file that `locate_config` finds.

    Raises:
        ConfigError: there is none, or it cannot be read.
    """
    source = _beaten_by_environment(source, environ)
    try:
        if isinstance(source, Mapping):
            return mapping_document(source)
        path = locate_config(source, environ)
        if path is not None:
            return read_document(path)
        raise ConfigError([Problem("no configuration file was named, and there is no wats-accel.yaml")])
    except SourceError as error:
        raise ConfigError(_problems_of(error)) from None


def _beaten_by_environment(source: ConfigSource, environ: Mapping[str, str]) -> ConfigSource:
    return environ.get(CONFIG_VARIABLE) or source


def _effective(source: ConfigSource, environ: Mapping[str, str]) -> object:
    source = _beaten_by_environment(source, environ)
    if source is None or isinstance(source, Mapping):
        return source
    path = locate_config(source, environ)
    return path and path.resolve()


def _problems_of(error: SourceError) -> list[Problem]:
    return [
        Problem(
            issue.message,
            file=error.name,
            line=issue.position.line if issue.position else None,
            column=issue.position.column if issue.position else None,
        )
        for issue in error.issues
    ]


class Accelerator:
    """One configuration in effect. All state belongs to it; nothing is global but what it patches.

    Args:
        source: a YAML or TOML file, a mapping of the same shape, or None for the usual places.
        clock: seconds, never going backwards; for tests and simulations.
        wall_clock: seconds since the epoch; for the same.
        strict: raise what would otherwise be left out; None leaves it to the configuration.
        environ: where `WATS_ACCEL_CONFIG` and `WATS_ACCEL_DISABLE` are looked up.
    """

    def __init__(
        self,
        source: ConfigSource = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
        strict: bool | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self.source = source
        self._clock = clock
        self._wall_clock = wall_clock
        self._strict = strict
        self._environ = os.environ if environ is None else environ
        self._problems: list[Problem] = []
        self._bus = EventBus()
        self._log = EventLog(self._bus)
        self._patcher = Patcher(bus=self._bus, report=self._left_out)
        self._document: Document | None = None
        self._assembly: Assembly | None = None
        self._summary: PeriodicSummary | None = None
        self._final: Stats | None = None
        self._heard: list[EventSubscription] = []
        self._started = False
        self._installing = False
        self._lock = threading.RLock()

    # -- life --------------------------------------------------------------------------------------

    def install(self) -> None:
        """Put the configuration into effect. Raises nothing unless strict.

        Raises:
            ConfigError: strict, and the configuration is not valid or cannot be applied whole.
        """
        with self._lock:
            if self.underway or "all" in disabled_patterns(self._environ):
                return
            self._installing = True
            self._problems.clear()
            try:
                self._install()
            except Exception as error:
                self._give_up(error)
                if self._is_strict():
                    raise
            finally:
                self._installing = False

    def _install(self) -> None:
        self._log.open()
        self._document = document = read_config(self.source, self._environ)
        self._assembly = assembly = assemble(
            document,
            clock=self._clock,
            wall_clock=self._wall_clock,
            bus=self._bus,
            report=self._left_out,
        )
        if not assembly.config.root.enabled:
            return
        logging = assembly.config.root.logging
        self._open_log(logging.level, logging.format)
        self._listen(assembly)
        self._switch_off_what_the_environment_says()
        self._started = True
        list(assembly.plugins.each("accel_startup", context=assembly.context))
        admission = Admission(assembly.config, bus=self._bus, report=self._left_out, note=self._noted)
        self._patcher.install(admission.admitted(assembly.plan))
        self._refuse_problems_if_strict()
        self._start_summary(logging.summary_every)
        atexit.register(self.uninstall)
        patched, waiting = len(self._patcher.patched), len(self._patcher.waiting)
        self._bus.emit(Initialized(patched, waiting, len(self._problems)))

    def _open_log(self, level: str | None, style: Any) -> None:
        provisional, self._log = self._log, EventLog(self._bus, style=style, level=level)
        provisional.hand_over(self._log)
        self._log.open()

    def _listen(self, assembly: Assembly) -> None:
        self._heard = assembly.plugins.collect(
            "accel_event_subscriptions", expect(EventSubscription), context=assembly.context
        )
        for wanted in self._heard:
            self._bus.subscribe(wanted.event_type, wanted.listener)

    def _switch_off_what_the_environment_says(self) -> None:
        for pattern in disabled_patterns(self._environ):
            if not self.disable(pattern):
                self._left_out(Problem(f"WATS_ACCEL_DISABLE: nothing is named by {pattern!r}"))

    def _is_strict(self) -> bool:
        if self._strict is not None:
            return self._strict
        # From the raw file: one that is not valid may ask for strictness all the same.
        return self._document is not None and self._document.data.get("strict") is True

    def _refuse_problems_if_strict(self) -> None:
        if self._problems and self._is_strict():
            raise ConfigError(self._problems)

    def _start_summary(self, every_seconds: float) -> None:
        if every_seconds:
            self._summary = PeriodicSummary(
                lambda: self.stats().total, self._bus, every_seconds=every_seconds
            )
            self._summary.start()

    def _give_up(self, error: Exception) -> None:
        unforeseen = Problem(f"cannot be installed: {type(error).__name__}")
        for problem in error.problems if isinstance(error, ConfigError) else [unforeseen]:
            if problem not in self._problems:
                self._bus.emit(ConfigUnused(str(self._noted(problem))))
        self._take_down()

    def uninstall(self) -> None:
        """Put everything back as it was, and log the figures. Safe to call twice, and at exit."""
        with self._lock:
            if self._assembly is None:
                return
            if self._assembly.config.root.enabled:
                self._bus.checkpoint()
                self._bus.emit(summary_of(self.stats().total))
            self._take_down()

    def _take_down(self) -> None:
        atexit.unregister(self.uninstall)
        self._patcher.uninstall()
        if self._summary is not None:
            self._summary.stop()
        assembly, self._assembly = self._assembly, None
        if assembly is not None:
            self._final = self._snapshot(assembly)
            assembly.context.caches.close()
            assembly.context.pools.close()
            self._shut_down(assembly)
        self._log.close()

    def _shut_down(self, assembly: Assembly) -> None:
        if self._started:
            self._started = False
            list(assembly.plugins.each("accel_shutdown", reverse=True, context=assembly.context))
        for wanted in self._heard:
            self._bus.unsubscribe(wanted.event_type, wanted.listener)
        self._heard = []

    def _left_out(self, problem: Problem) -> None:
        self._bus.emit(RuleSkipped(str(self._noted(problem))))

    def _noted(self, problem: Problem) -> Problem:
        if self._document is not None and problem.key_path and problem.file is None:
            problem = located(self._document, problem.message, problem.key_path, target=problem.target)
        self._problems.append(problem)
        return problem

    def kept_for(self, source: ConfigSource, *, strict: bool) -> Accelerator:
        """This accelerator, asked to be installed once more: it stays, nothing is patched twice.

        Raises:
            AlreadyInstalledError: strict, and another configuration is asked for.
        """
        if _effective(source, self._environ) not in (None, _effective(self.source, self._environ)):
            message = "an accelerator with another configuration is installed; uninstall it first"
            if strict:
                raise AlreadyInstalledError(message)
            self._left_out(Problem(message))
        return self

    # -- what a maintainer asks ----------------------------------------------------------------------

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What was left out, and why."""
        return tuple(self._problems)

    @property
    def installed(self) -> bool:
        """Whether the configuration is in effect."""
        return self._assembly is not None

    @property
    def underway(self) -> bool:
        """Whether the configuration is in effect, or is being put into effect right now."""
        return self._installing or self.installed

    def stats(self) -> Stats:
        """The figures up to now; after `uninstall`, the last ones."""
        assembly = self._assembly
        if assembly is None:
            return self._final or snapshot([])
        return self._snapshot(assembly)

    @staticmethod
    def _snapshot(assembly: Assembly) -> Stats:
        regions, observer = assembly.context.caches, assembly.context.pools.observer
        return snapshot(
            ((region.rules.namespace, region.rules.target, region) for region in regions),
            ((pooled.rules.target, pooled) for pooled in assembly.context.pools),
            observer.counters if isinstance(observer, Tracker) else None,
            assembly.context.breakers,
        )

    def disable(self, pattern: str) -> int:
        """Stop answering from the cache what a pattern names: ``users:*``, a target, or ``all``.

        Invalidation goes on, so that `enable` is safe at any time. A pool that is named opens no more
        connections: the driver's own are given.

        Returns:
            how many cached methods and pools the pattern names.
        """
        return self._switch(pattern, enabled=False)

    def enable(self, pattern: str) -> int:
        """Switch on again what a pattern names; gives how many cached methods and pools that is."""
        return self._switch(pattern, enabled=True)

    def _switch(self, pattern: str, *, enabled: bool) -> int:
        if self._assembly is None:
            return 0
        regions = self._assembly.context.caches.named(pattern)
        for region in regions:
            region.switch(enabled=enabled)
        pools = self._assembly.context.pools.named(pattern)
        for pooled in pools:
            pooled.active = enabled
        return len(regions) + len(pools)

    def invalidate(self, pattern: str) -> int:
        """Drop the entries that a key pattern matches; gives how many there were.

        Raises:
            PatternError: the pattern cannot be read.
        """
        parsed = KeyPattern.parse(pattern)
        if self._assembly is None:
            return 0
        return self._assembly.context.invalidator.drop(parsed, {}, by="accelerator.invalidate")

    def explain(self, target: str) -> Explanation:
        """What is done with a method or a `connect`: what drops its entries and why, how it is pooled.

        Raises:
            TargetError: no rule names the target, or nothing is installed.
        """
        if self._assembly is None:
            return explain(target, (), None)
        context = self._assembly.context
        return explain(target, context.caches, context.invalidator, context.pools)
