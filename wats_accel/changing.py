"""Changing: an accelerator goes over to another configuration while the application is at work."""

from __future__ import annotations

import atexit
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wats_accel.assembly import Assembly
from wats_accel.complaints import Complaints, tell_where
from wats_accel.config.sameness import digest_of
from wats_accel.config_source import config_file, read_config
from wats_accel.errors import ConfigError, Problem
from wats_accel.events import ConfigRejected, ConfigReloaded
from wats_accel.forks import uncut_by_forks
from wats_accel.life import Life
from wats_accel.reloading import Counts, Reload, contents, files_besides, listen_to
from wats_accel.settling import Settling

if TYPE_CHECKING:
    from wats_accel.watching import ConfigWatch


class Changing(Life):
    """What reloads a configuration, and looks after its file. See `Accelerator`."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        # Of reloads alone: while one reads and plans, anybody may uninstall.
        self._reload_lock = threading.RLock()
        self._reloading = False
        self._draft: tuple[int, Complaints] | None = None  # of the thread that plans

    def _begin_anew(self) -> None:
        super()._begin_anew()
        self._reload_lock = threading.RLock()
        self._reloading = False
        self._draft = None

    # -- the file --------------------------------------------------------------------------------------

    def _made_watch(self) -> ConfigWatch | None:
        if config_file(self.source, self._environ) is None:
            return None
        from wats_accel.watching import ConfigWatch  # noqa: PLC0415 - few files are watched

        return ConfigWatch(self._files, self._reload_quietly, report=self._not_watched)

    def _files(self) -> Iterator[Path]:
        path, assembly = config_file(self.source, self._environ), self._assembly
        if path is not None:
            yield path
        if assembly is not None:
            yield from files_besides(assembly.config)

    def _not_watched(self, why: str) -> None:
        self._left_out(Problem(why, ("watch",)))

    def _reload_quietly(self) -> None:
        try:
            self.reload()
        except ConfigError:
            return  # that has been told, and there is nobody here to raise it to

    # -- reload ----------------------------------------------------------------------------------------

    def reload(self) -> bool:
        """Read the configuration again, and put what has changed into effect while the program goes on.

        What cannot be used leaves everything as it is: the log, and `problems`, say why.

        Returns:
            whether another configuration is in effect now.

        Raises:
            ConfigError: strict, and the configuration is not valid or cannot be applied whole.
        """
        with self._reload_lock:
            if self._reloading:  # asked for by a plugin that is just being told of one
                return False
            self._reloading = True
            try:
                return self._reload()
            except Exception as error:
                self._reject(error)
                if self._is_strict():
                    raise
                return False
            finally:
                self._reloading = False

    def _reload(self) -> bool:
        before = self._assembly
        if before is None:
            return False
        document = read_config(self.source, self._environ)
        old = before.config
        if digest_of(document.data) == digest_of(old.document.data) and self._contents == contents(old):
            self._tell_that_it_is_mended(before)
            return False
        complaints = Complaints(self._bus, document, quiet=True)
        attempt = Reload(document, before, patcher=self._patcher, complaints=complaints)
        self._draft = threading.get_ident(), complaints
        try:
            attempt.prepare(self._contents)
            self._refuse_problems_if_strict(complaints)  # which may be the first that ask for strictness
        except BaseException:
            attempt.abandon()
            raise
        finally:
            self._draft = None
        return self._take_effect(attempt, before, complaints)

    def _tell_that_it_is_mended(self, before: Assembly) -> None:
        """The file says again what is in effect: who heard that it cannot be used hears this."""
        was_rejected, self._rejected = bool(self._rejected), ()
        if was_rejected:
            kept = len(before.plan) if before.config.root.enabled else 0
            self._bus.emit(ConfigReloaded(0, 0, 0, kept))

    def _left_out(self, problem: Problem) -> None:
        draft = self._draft
        is_planning = draft is not None and draft[0] == threading.get_ident()
        (draft[1] if draft is not None and is_planning else self._complaints).left_out(problem)

    def _reject(self, error: Exception) -> None:
        unforeseen = Problem(f"cannot be put into effect: {type(error).__name__}")
        tell_where(error)
        problems = tuple(error.problems) if isinstance(error, ConfigError) else (unforeseen,)
        if self._assembly is None:  # everything was taken down, and that has been told
            return
        self._rejected = problems
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        self._bus.emit(ConfigRejected(f"{problems[0]}{more}"))

    # -- the step --------------------------------------------------------------------------------------

    def _take_effect(self, attempt: Reload, before: Assembly, complaints: Complaints) -> bool:
        with self._lock:
            if self._assembly is not before:  # it was uninstalled meanwhile
                attempt.abandon()
                return False
            farewells, self._newest = self._farewells, attempt.assembly
            try:
                with uncut_by_forks:  # a child process must not begin with half of it
                    counts = self._swap(attempt, before, complaints)
            except BaseException as error:  # what is half one thing and half another is of no use
                self._give_up(error)
                raise
            if self._leave_if_asked_since(farewells):
                return False
        self._bus.emit(ConfigReloaded(counts.added, counts.changed, counts.removed, counts.kept))
        return True

    def _swap(self, attempt: Reload, before: Assembly, complaints: Complaints) -> Counts:
        assembly, root, old = attempt.assembly, attempt.assembly.config.root, before.config.root
        kept, settling = attempt.kept, Settling()
        attempt.switch_engines(settling, self._switches.known)
        self._assembly, self._contents, self._rejected = assembly, contents(assembly.config), ()
        self._complaints.hand_over(complaints, kept)
        self._complaints = complaints
        same_log = (root.logging.level, root.logging.format) == (old.logging.level, old.logging.format)
        if root.enabled and not (same_log and old.enabled):
            self._open_log(root)
        listen_to(self._bus, self._heard, attempt.heard)
        self._heard = attempt.heard
        self._started = root.enabled
        attempt.tell_plugins()
        counts = attempt.patch(settling)
        for problem in self._switches.missed_by_environment(assembly) if root.enabled else ():
            self._left_out(problem)
        self._companions.go_on_with(root, old)
        atexit.unregister(self.uninstall)
        atexit.register(self.uninstall)
        return counts
