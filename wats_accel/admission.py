"""Admission: which rules of a plan may be applied. The others are left out before anything is touched.

A target outside of the application has to be allowed by name. A method that has changed since somebody
looked at it is told, or left alone. And where a write's module is nowhere to be found, the application is not
the one that the rules were written for: what the write would drop is not cached.
"""

from __future__ import annotations

import dataclasses
import functools
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wats_accel.config.documents import SourceError
from wats_accel.config.loader import LoadedConfig
from wats_accel.errors import KeyPath, Problem, TargetError
from wats_accel.event_bus import EventBus
from wats_accel.patching.ownership import is_missing, origin_of, refusal
from wats_accel.patching.plan import MethodInfo, Patch, PatchPlan, PatchSpec
from wats_accel.targets import Target

if TYPE_CHECKING:
    from wats_accel.locking import MethodLock

Report = Callable[[Problem], object]


class Admission:
    """Looks at the rules of one plan, now and again when a target is there.

    Args:
        config: says which targets are allowed, and where the lock file is.
        bus: told of each method that has changed.
        report: told of each rule that is left out.
        note: told of what is wrong with a rule that is applied all the same.
        compares: whether methods are compared with the lock file, if there is one.
        looks_for_modules: whether modules that are nowhere are told, as soon as the application is found.
    """

    def __init__(
        self,
        config: LoadedConfig,
        *,
        bus: EventBus,
        report: Report,
        note: Report,
        compares: bool = True,
        looks_for_modules: bool = True,
    ) -> None:
        self._allowed = tuple(config.root.allow_targets)
        self._config = config
        self._bus = bus
        self._report = report
        self._note = note
        self._waiting: dict[str, list[PatchSpec]] = {}
        self._paths: dict[Target, KeyPath] = {}
        self._locks_out_everything = False
        self._looks_for_modules = looks_for_modules
        self._lock = self._read_lock() if compares else None

    def admitted(self, plan: PatchPlan) -> PatchPlan:
        """The part of a plan that may be installed; the rest is reported, and left out."""
        self._waiting.clear()
        admitted = [kept for patch in plan for spec in patch.specs for kept in self._kept(spec)]
        return PatchPlan.of(admitted)

    # -- before it is imported --------------------------------------------------------------------------

    def _kept(self, spec: PatchSpec) -> Iterable[PatchSpec]:
        why = self._why_outside(spec)
        if why is not None:
            self._leave_out(spec, why)
            return
        if self._locks_out_everything and not spec.of_driver:
            self._give_up(spec, "there is no lock file to compare it with")  # that has been told already
            return
        self._paths.setdefault(spec.target, spec.key_path)
        self._waiting.setdefault(spec.target.module, []).append(spec)
        rule = spec.rule
        if rule is not None and self._lock is not None and not spec.of_driver:
            rule = (rule, self._lock.rule_for(spec.target))
        yield dataclasses.replace(spec, wrap=functools.partial(self._wrap, spec), rule=rule)

    def _why_outside(self, spec: PatchSpec) -> str | None:
        why = refusal(spec.target, self._allowed, of_driver=spec.of_driver)
        for called in spec.calls if why is None else ():
            why_not = refusal(called, self._allowed)
            why = f"{called} may not be called: {why_not}" if why_not else why
        return why

    def _read_lock(self) -> MethodLock | None:
        section = self._config.root.lock
        if section is None:
            return None
        from wats_accel.locking import MethodLock, read_lock  # noqa: PLC0415 - reads sources

        path = lock_path(self._config)
        try:
            locked = read_lock(Path(path))
        except SourceError as error:
            self._locks_out_everything = section.on_change == "bypass"
            effect = "no method is patched" if self._locks_out_everything else "no change is seen"
            message = f"{path}: {error.issues[0].message}; until then {effect}"
            self._report(self._config.problem(message, ("lock",)))
            return None
        return MethodLock(locked, section.on_change, bus=self._bus, note=self._note_change)

    def _note_change(self, target: Target, what: str) -> None:
        self._note(self._config.problem(what, self._paths.get(target, ()), target=str(target)))

    # -- once it is there -------------------------------------------------------------------------------

    def _wrap(self, spec: PatchSpec, call: Callable[..., Any], info: MethodInfo) -> Callable[..., Any]:
        self._is_there(spec)
        why = self._why_outside(spec)  # it may lie elsewhere than was thought
        if why is None and self._lock is not None and not spec.of_driver:
            why = self._lock.refusal(spec.target)
        if self._looks_for_modules and not spec.of_driver and origin_of(spec.target.module) == "own":
            self._leave_out_missing_modules()
        if not self._waiting and self._lock is not None:
            self._lock.forget_sources()
        if why is not None:
            raise TargetError(why)
        return spec.wrap(call, info)

    def _is_there(self, spec: PatchSpec) -> None:
        still = [other for other in self._waiting.get(spec.target.module, ()) if other is not spec]
        if still:
            self._waiting[spec.target.module] = still
        else:
            self._waiting.pop(spec.target.module, None)

    def note_kept(self, patches: Iterable[Patch]) -> None:
        """Be told of methods that stay patched as they are at a reload: they are not wrapped again."""
        for patch in patches:
            waiting = self._waiting.get(patch.target.module, ())
            for spec in [known for known in waiting if known.target == patch.target]:
                self._is_there(spec)
            is_drivers = all(spec.of_driver for spec in patch.specs)
            if self._looks_for_modules and not is_drivers and origin_of(patch.target.module) == "own":
                self._leave_out_missing_modules()

    def _leave_out_missing_modules(self) -> None:
        """Now the application is found: what of it is nowhere is gone, or has another name."""
        for module in list(self._waiting):
            if module not in sys.modules and is_missing(module):
                for spec in self._waiting.pop(module, ()):
                    if not spec.of_driver:  # without a driver nobody connects with it
                        self._leave_out(spec, f"there is no module {module}")

    # -- leaving out ------------------------------------------------------------------------------------

    def _leave_out(self, spec: PatchSpec, why: str) -> None:
        self._report(self._config.problem(why, spec.key_path, target=str(spec.target)))
        self._give_up(spec, why)

    def _give_up(self, spec: PatchSpec, why: str) -> None:
        try:
            spec.on_left_out(f"{spec.target}: {why}")
        except Exception as error:  # noqa: BLE001 - the others must be told all the same
            failed = f"{type(error).__name__} while its rule was left out"
            self._report(self._config.problem(failed, spec.key_path, target=str(spec.target)))


def rehearsed(
    config: LoadedConfig, plan: PatchPlan, *, imports: bool = True, compares: bool = True
) -> list[Problem]:
    """What would be told if a plan were installed. Nothing is put in place, and nothing is given up.

    Args:
        config: says which targets are allowed, and where the lock file is.
        plan: what would be installed.
        imports: whether the modules that the plan names may be imported, with whatever that does.
        compares: whether methods are compared with the lock file, if there is one.
    """
    from wats_accel.patching.rehearsal import rehearse  # noqa: PLC0415 - for commands only

    told: list[Problem] = []
    tell = told.append
    admission = Admission(
        config, bus=EventBus(), report=tell, note=tell, compares=compares, looks_for_modules=False
    )
    harmless = [dataclasses.replace(spec, on_left_out=_nothing) for patch in plan for spec in patch.specs]
    admitted = admission.admitted(PatchPlan.of(harmless))
    missing = rehearse(admitted) if imports else []
    return told + [config.problem(found.message, found.key_path, target=found.target) for found in missing]


def _nothing(why: str) -> None:
    """It is only a rehearsal."""


def lock_path(config: LoadedConfig) -> str:
    """The lock file that a configuration names, relative to the configuration's own file; empty if none."""
    section = config.root.lock
    return "" if section is None else str(Path(config.document.name).parent / section.file)
