"""The patcher: puts stand-ins in place, now or when their module is imported, and changes or removes them."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import field
from functools import partial
from types import CodeType, ModuleType

from wats_accel.errors import Problem, TargetError
from wats_accel.event_bus import EventBus
from wats_accel.events import Patched, Unpatched
from wats_accel.patching.imports import await_import, imported, renew_lock_of_hooks
from wats_accel.patching.installation import Installation, codes_of
from wats_accel.patching.making import Report, StandInMaker
from wats_accel.patching.plan import Layer, Patch, PatchPlan
from wats_accel.patching.standing import forget, has_stand_in, remember
from wats_accel.patching.wrapping import while_patching
from wats_accel.records import record
from wats_accel.targets import Target


@record(frozen=True, slots=True)
class Changes:
    """What a new plan changes, ready to be applied.

    Attributes:
        plan: all that is to be in place then.
        kept: installations that stay as they are, each with the equal patch of the plan.
        remade: installations, each with the one whose patch and stand-in take the place of its own.
        new: what is to be put.
        removed: what is to be taken back.
        again: patches that can be looked at only when something has been taken back.
        waiting: those whose module is not imported.
    """

    plan: PatchPlan
    kept: list[tuple[Installation, Patch]] = field(default_factory=list)
    remade: list[tuple[Installation, Installation]] = field(default_factory=list)
    new: list[Installation] = field(default_factory=list)
    removed: list[Installation] = field(default_factory=list)
    again: list[Patch] = field(default_factory=list)
    waiting: list[Patch] = field(default_factory=list)

    @property
    def anew(self) -> list[Patch]:
        """The patches that are to be put where there is nothing of ours, or no longer."""
        return [*(known.patch for known in self.new), *self.again]


class Patcher:
    """Installs a plan, changes it for another one, and undoes it.

    Args:
        bus: told of each method patched and unpatched.
        report: told of each spec that had to be left out.
        put_late: told of what was patched when its module was imported.
    """

    def __init__(
        self, *, bus: EventBus, report: Report, put_late: Callable[[list[Patch]], None] | None = None
    ) -> None:
        self._bus = bus
        self._maker = StandInMaker(report)
        self._put_late = put_late
        # Of the books only. Looking for a target may import something, and wait for another thread's import.
        self._lock = threading.RLock()
        self._installations: dict[Target, Installation] = {}
        self._wanted: dict[Target, Patch] = {}
        self._waiting: dict[str, list[Patch]] = {}
        self._hooked: set[str] = set()
        self._open = False

    @property
    def patched(self) -> tuple[Target, ...]:
        """The targets that carry a stand-in now."""
        return tuple(self._installations)

    @property
    def waiting(self) -> tuple[Target, ...]:
        """The targets whose module has not been imported yet."""
        return tuple(patch.target for patches in list(self._waiting.values()) for patch in patches)

    def begin_anew(self) -> None:
        """In a child process: nobody holds the lock any more."""
        self._lock = threading.RLock()
        renew_lock_of_hooks()

    def codes_of_writes(self) -> dict[int, CodeType]:
        """The code of the methods that are patched to invalidate, by its address."""
        writes = [known for known in list(self._installations.values()) if known.patch.writes]
        return {id(code): code for known in writes for code in codes_of(known.found)}

    # -- a plan ----------------------------------------------------------------------------------------

    def install(self, plan: PatchPlan) -> None:
        """Patch what is imported; have the rest patched as soon as it is imported."""
        self.apply(self.prepare(plan))

    def prepare(self, plan: PatchPlan) -> Changes:
        """Make the stand-ins that a plan asks for, and put none in place. What does not fit is left out."""
        with self._lock:
            known = dict(self._installations)
        changes = Changes(plan)
        wanted = {patch.target for patch in plan}
        changes.removed.extend(there for target, there in known.items() if target not in wanted)
        for patch in plan:
            there = known.get(patch.target)
            if there is None:
                self._prepare_new(patch, changes)
            else:
                self._prepare_again(patch, there, changes)
        return changes

    def _prepare_again(self, patch: Patch, there: Installation, changes: Changes) -> None:
        if not there.stands:
            changes.removed.append(there)
            changes.again.append(patch)
        elif there.is_whole and patch.is_as(there.patch):
            changes.kept.append((there, patch))
        else:
            made = self._maker.made(patch, there.found)
            if made is None:
                changes.removed.append(there)
            else:
                changes.remade.append((there, made))

    def _prepare_new(self, patch: Patch, changes: Changes) -> None:
        name = patch.target.module
        module = sys.modules.get(name)
        # Half a module may never be whole: its last line may be the program's main loop.
        if module is None or (imported(name) is None and not self._maker.is_there(module, patch)):
            changes.waiting.append(patch)
            return
        found = self._maker.found(module, patch)
        if found is None:
            return
        if changes.removed and has_stand_in(found):
            changes.again.append(patch)  # perhaps one that is about to go, under another name
            return
        installation = self._maker.prepared(patch, found)
        if installation is not None:
            changes.new.append(installation)

    def apply(self, changes: Changes) -> None:
        """Put into effect what was prepared: writes before reads, and reads are taken back before writes."""
        again = list(changes.again)
        with self._alone():
            self._open = True
            self._wanted = {patch.target: patch for patch in changes.plan}
            self._waiting.clear()
            for there, patch in changes.kept:
                there.patch = patch
            for step in self._steps(changes, again):
                if not self._open:  # whatever ran in the middle of it wanted all to be taken back
                    break
                step()
        for patch in sorted(again, key=_rank):
            self._put_now(sys.modules.get(patch.target.module), patch)
        waiting = PatchPlan(tuple(changes.waiting)).by_module()
        half_there = [name for name in map(_module_of, changes.new) if imported(name) is None]
        for module in {**waiting, **dict.fromkeys(half_there)}:
            self._await(module, waiting.get(module, []))

    def _steps(self, changes: Changes, again: list[Patch]) -> Iterator[Callable[[], object]]:
        for there, made in sorted(changes.remade, key=lambda item: _rank(item[1].patch)):
            yield partial(self._replace, there, made)
        for installation in sorted(changes.new, key=lambda item: _rank(item.patch)):
            if installation.fits:
                yield partial(self._put, installation)
            else:  # another target of the plan is the same method, or somebody has wrapped it meanwhile
                again.append(installation.patch)
        for installation in sorted(changes.removed, key=lambda item: -_rank(item.patch)):
            yield partial(self._undo, installation)

    def uninstall(self) -> None:
        """Put everything back as it was, reads before writes. Safe to call twice."""
        with self._alone():
            self._open = False
            self._waiting.clear()
            self._wanted.clear()
            last_first = reversed(list(self._installations.values()))
            for installation in sorted(last_first, key=lambda item: -_rank(item.patch)):
                self._undo(installation)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """For ``with``: hold the lock, and tell of what has happened when it is free again.

        A listener may import a module that waits to be patched, or wait for a thread that does.
        """
        with self._bus.held(), self._lock:
            yield

    # -- modules that are imported later ---------------------------------------------------------------

    def _await(self, module: str, patches: list[Patch]) -> None:
        with self._lock:
            if not self._open:
                return
            self._waiting[module] = patches
            is_hooked = module in self._hooked
            self._hooked.add(module)
        if not is_hooked:
            await_import(self, module)
        loaded = imported(module)
        if loaded is not None:  # by now, in another thread
            self.module_is_there(module, loaded)

    def module_is_there(self, name: str, module: ModuleType) -> None:
        """Patch what waits for a module that has just been imported under this name."""
        # wrapt calls this under the import of the application's own module: nothing may escape.
        with self._lock:
            self._hooked.discard(name)
            patches = self._waiting.pop(name, []) if self._open else []
        patches = [*patches, *self._taken_from_old(name)]
        put = [known for patch in sorted(patches, key=_rank) for known in self._put_now(module, patch)]
        if put and self._put_late is not None:
            try:
                self._put_late([known.patch for known in put])
            except Exception as error:  # noqa: BLE001 - as above
                self._maker.tell(Problem(while_patching(error)))

    def _taken_from_old(self, name: str) -> list[Patch]:
        """Take back what was put while half of a module was there, if the rest has defined it anew."""
        with self._alone():
            known = [there for there in self._installations.values() if there.target.module == name]
            old = [there for there in known if there.places and not there.stands]
            for there in old:
                self._undo(there)
        return [there.patch for there in old]

    def _put_now(self, module: ModuleType | None, patch: Patch) -> list[Installation]:
        found = None if module is None else self._maker.found(module, patch)
        installation = None if found is None else self._maker.prepared(patch, found)
        if installation is None:
            return []
        with self._alone():
            # Meanwhile everything may have been taken back, or another plan may be in effect.
            is_wanted = self._open and self._wanted.get(patch.target) is patch
            if not is_wanted or patch.target in self._installations:
                return []
            return [installation] if self._put(installation) else []

    def _put(self, installation: Installation) -> bool:
        patch = installation.patch
        # In the books first: what a Control-C leaves half done must be found by whoever takes it back.
        self._installations[patch.target] = installation
        why: str | None = None
        try:
            installation.put()
        except TargetError as error:
            why = str(error)
        except Exception as error:  # noqa: BLE001 - as above
            why = while_patching(error)
        if why is not None:
            del self._installations[patch.target]
            self._maker.leave_out(patch.specs, why)
            return False
        remember(installation.handle)
        self._bus.emit(Patched(str(patch.target)))
        return True

    def _replace(self, there: Installation, made: Installation) -> None:
        forget(there.handle)
        try:
            there.replace(made.patch, made.handle, is_whole=made.is_whole)
        except Exception as error:  # noqa: BLE001 - it has been put there before, so this is somebody's joke
            there.is_whole = False
            self._maker.leave_out(made.patch.specs, while_patching(error))
        remember(there.handle)

    def _undo(self, installation: Installation) -> None:
        def failed(error: Exception) -> None:
            self._maker.tell(
                Problem(f"{type(error).__name__} while unpatching", target=str(installation.target))
            )

        installation.take_out(failed)
        forget(installation.handle)
        if self._installations.get(installation.target) is installation:
            del self._installations[installation.target]
        self._bus.emit(Unpatched(str(installation.target)))


def _module_of(installation: Installation) -> str:
    return installation.target.module


def _rank(patch: Patch) -> int:
    """What is put first: what sees connections, then what invalidates, then what answers from a cache."""
    layers = {spec.layer for spec in patch.specs}
    return 0 if Layer.CONNECT in layers else 1 if Layer.INVALIDATE in layers else 2
