"""The life of an accelerator: how it is put into effect, and taken down again."""

from __future__ import annotations

import abc
import atexit
import contextlib
import logging
import os
import threading
import time
import weakref
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from wats_accel.admission import Admission
from wats_accel.assembly import Assembly, assemble, expect
from wats_accel.companions import Companions
from wats_accel.complaints import Complaints, tell_where
from wats_accel.config.documents import Document
from wats_accel.config.models import RootSection
from wats_accel.config_source import ConfigSource, load_parser, read_config
from wats_accel.context import EventSubscription
from wats_accel.errors import ConfigError, Problem
from wats_accel.event_bus import EventBus
from wats_accel.events import ConfigUnused, Initialized
from wats_accel.figures import figures_of
from wats_accel.forks import begins_anew_when_forked
from wats_accel.patching.patcher import Patcher
from wats_accel.patching.plan import Patch
from wats_accel.reloading import begin_again_for, begin_settling, contents, listen_to
from wats_accel.settling import Settling
from wats_accel.status.view import View
from wats_accel.switching import RuntimeSwitches
from wats_accel.telemetry.logs import EventLog
from wats_accel.telemetry.stats import CacheStats, Stats
from wats_accel.telemetry.summary import summary_of

if TYPE_CHECKING:
    from wats_accel.watching import ConfigWatch


def _twice(step: Callable[..., object], *arguments: object) -> None:
    """Take a step of a take-down; if something of ours fails in it, once more."""
    for _ in range(2):
        try:
            step(*arguments)
            return
        except Exception as error:  # noqa: BLE001 - the other steps are to be taken
            told = type(error).__name__
    with contextlib.suppress(Exception):
        logging.getLogger("wats_accel").debug("a step of taking down failed: %s", told)


class _InChild:
    """Tells an accelerator that it finds itself in a child process, as nobody else should."""

    def __init__(self, life: Life) -> None:
        self._life = weakref.ref(life)
        begins_anew_when_forked(self)

    def begin_anew(self) -> None:
        """Tell it."""
        life = self._life()
        if life is not None:
            life._begin_anew()


class Life(abc.ABC):
    """What an accelerator is made of, and how that comes and goes. See `Accelerator`."""

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
        load_parser(source, self._environ)
        self._bus = EventBus()
        self._log = EventLog(self._bus)
        self._complaints = Complaints(self._bus)
        self._rejected: tuple[Problem, ...] = ()
        self._patcher = Patcher(bus=self._bus, report=self._left_out, put_late=self._put_late)
        self._assembly: Assembly | None = None
        self._leaving: Assembly | None = None  # the one that is being taken down
        self._contents: tuple[bytes | None, ...] = ()
        self._switches = RuntimeSwitches(self._environ)
        self._companions = Companions(
            self._bus,
            self._environ,
            total=lambda: self.stats().total,
            view=self._seen_from_outside,
            watch=self._made_watch,
            report=self._left_out,
        )
        self._final: Stats | None = None
        self._heard: list[EventSubscription] = []
        self._installing = False
        self._started = False
        self._newest: Assembly | None = None  # the one that is being put into effect
        self._farewells = 0  # how often somebody has wanted it uninstalled
        self._lock = threading.RLock()
        self._in_child = _InChild(self)

    def _begin_anew(self) -> None:
        """In a child process: nobody holds a lock any more."""
        self._lock = threading.RLock()
        self._patcher.begin_anew()
        self._companions.begin_anew()

    # -- install ---------------------------------------------------------------------------------------

    def install(self) -> None:
        """Put the configuration into effect. Raises nothing unless strict.

        Raises:
            ConfigError: strict, and the configuration is not valid or cannot be applied whole.
        """
        with self._lock:
            if self.underway or "all" in self._switches.by_environment:
                return
            self._installing = True
            self._complaints, self._rejected = Complaints(self._bus), ()
            self._switches.clear()
            farewells = self._farewells
            try:
                self._install()
                self._leave_if_asked_since(farewells)
            except Exception as error:
                self._give_up(error)
                if self._is_strict():
                    raise
            except BaseException:  # a Control-C must not leave half of it
                self._take_down()
                raise
            finally:
                self._installing = False

    def _install(self) -> None:
        self._log.open()
        self._complaints.document = document = read_config(self.source, self._environ)
        assembly = assemble(
            document,
            clock=self._clock,
            wall_clock=self._wall_clock,
            bus=self._bus,
            report=self._complaints.left_out,
        )
        expect(Assembly)(assembly)
        self._assembly = self._newest = assembly
        self._contents = contents(assembly.config)
        root = assembly.config.root
        if not root.enabled:
            self._companions.start_watch(root)
            self._refuse_problems_if_strict(self._complaints)
            self._companions.start_status(root)
            return
        self._open_log(root)
        heard = assembly.plugins.collect(
            "accel_event_subscriptions", expect(EventSubscription), context=assembly.context
        )
        listen_to(self._bus, [], heard)
        self._heard = heard
        for problem in self._switches.switch_off_by_environment(assembly):
            self._left_out(problem)
        self._patch_first(assembly)
        self._refuse_problems_if_strict(self._complaints)
        self._companions.start_summary(root)
        self._companions.start_watch(root)
        self._refuse_problems_if_strict(self._complaints)
        self._companions.start_status(root)
        atexit.register(self.uninstall)
        patched, waiting = len(self._patcher.patched), len(self._patcher.waiting)
        self._bus.emit(Initialized(patched, waiting, len(self._complaints)))

    def _patch_first(self, assembly: Assembly) -> None:
        context, complaints = assembly.context, self._complaints
        settling = Settling()  # the application may be at work already
        for region in context.caches:
            region.settling = settling
        self._started = True
        list(assembly.plugins.each("accel_startup", context=context))
        admission = Admission(
            assembly.config, bus=self._bus, report=complaints.left_out, note=complaints.noted
        )
        plan = admission.admitted(assembly.plan)
        self._assembly = assembly.with_plan(plan)
        self._patcher.install(plan)
        begin_settling(settling, self._patcher, context)

    def _put_late(self, patches: list[Patch]) -> None:
        if self._assembly is not None:
            begin_again_for(patches, self._patcher, self._assembly.context)

    def _open_log(self, root: RootSection) -> None:
        before = self._log
        self._log = EventLog(self._bus, style=root.logging.format, level=root.logging.level)
        before.hand_over(self._log)
        self._log.open()

    def _switch(self, pattern: str, *, enabled: bool) -> int:
        with self._lock:  # a reload must not pass by in between
            if self._assembly is None:
                return 0
            count = self._switches.switch(self._assembly, pattern, enabled=enabled)
            self._companions.note_change()
            return count

    def _is_strict(self, document: Document | None = None) -> bool:
        if self._strict is not None:
            return self._strict
        # From the raw file: one that is not valid may ask for strictness all the same.
        document = document or self._complaints.document
        return document is not None and document.data.get("strict") is True

    def _refuse_problems_if_strict(self, complaints: Complaints) -> None:
        if complaints and (self._is_strict() or self._is_strict(complaints.document)):
            raise ConfigError(list(complaints))

    def _seen_from_outside(self) -> View | None:
        assembly = self._assembly
        if assembly is None:
            return None
        return View(
            assembly,
            patched=self._patcher.patched,
            waiting=self._patcher.waiting,
            switches=self._switches.known,
            by_environment=self._switches.by_environment,
            problems=(*self._complaints, *self._rejected),
        )

    @abc.abstractmethod
    def _made_watch(self) -> ConfigWatch | None:
        """What looks after the configuration's file; None where there is none."""

    # -- uninstall -------------------------------------------------------------------------------------

    def _give_up(self, error: BaseException) -> None:
        unforeseen = Problem(f"cannot be installed: {type(error).__name__}")
        tell_where(error)
        try:
            for problem in error.problems if isinstance(error, ConfigError) else [unforeseen]:
                if problem not in self._complaints:
                    self._bus.emit(ConfigUnused(str(self._complaints.noted(problem))))
        finally:
            self._take_down()

    def uninstall(self) -> None:
        """Put everything back as it was, and log the figures. Safe to call twice, and at exit."""
        with self._lock:
            self._farewells += 1
            if self._assembly is None and self._leaving is None:
                return
            try:
                self._sum_up()
                self._take_down()
            except BaseException as error:  # a Control-C, perhaps: all is put back nevertheless
                self._take_down()
                if not isinstance(error, Exception):
                    raise

    def _leave_if_asked_since(self, farewells: int) -> bool:
        """Take down what was put into effect after all, if it was to be uninstalled in the middle of that.

        A listener, a finalizer or a signal handler may have wanted that, in the very thread that was at it.

        Args:
            farewells: their number when that began.
        """
        if self._farewells == farewells:
            return False
        self._assembly = self._newest
        self._take_down()
        return True

    def _sum_up(self) -> None:
        assembly = self._assembly
        if assembly is not None:
            self._final = self.stats()
            if assembly.config.root.enabled:
                self._bus.checkpoint()
                self._bus.emit(summary_of(self._final.total))

    def _take_down(self) -> None:
        """Each step is taken, whatever another one raises; and all again, if a Control-C has come in between.

        Raises nothing of its own.
        """
        if self._assembly is not None:
            self._leaving, self._assembly = self._assembly, None
        with contextlib.ExitStack() as last_first:
            last_first.callback(_twice, self._log.close)
            if self._leaving is not None:
                last_first.callback(_twice, self._leaving.context.caches.end)
                last_first.callback(_twice, self._shut_down, self._leaving)
                last_first.callback(_twice, self._leaving.context.pools.close)
            last_first.callback(_twice, self._patcher.uninstall)
            if self._leaving is not None:
                # Before that, so that nothing is answered from them once the writes are not seen any more.
                last_first.callback(_twice, self._leaving.context.caches.close)
            last_first.callback(_twice, self._companions.stop)
        atexit.unregister(self.uninstall)
        self._leaving = self._newest = None

    def _shut_down(self, assembly: Assembly) -> None:
        if self._started:
            self._started = False
            list(assembly.plugins.each("accel_shutdown", reverse=True, context=assembly.context))
        listen_to(self._bus, self._heard, [])
        self._heard = []

    def _left_out(self, problem: Problem) -> None:
        self._complaints.left_out(problem)

    # -- figures ---------------------------------------------------------------------------------------

    @property
    def installed(self) -> bool:
        """Whether the configuration is in effect."""
        return self._assembly is not None

    @property
    def underway(self) -> bool:
        """Whether the configuration is in effect, or is being put into effect right now."""
        return self._installing or self.installed

    def stats(self) -> Stats:
        """The figures up to now; after `uninstall`, or where they cannot be had, the last ones."""
        assembly = self._assembly
        if assembly is not None:
            with contextlib.suppress(Exception):  # a figure is not worth an exception
                figures = figures_of(assembly)
                if isinstance(figures, Stats):
                    return figures
        return self._final or Stats(CacheStats(), {}, {})
