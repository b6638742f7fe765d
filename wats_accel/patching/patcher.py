"""The patcher: puts stand-ins in place, now or when their module is imported, and takes them back."""

from __future__ import annotations

import logging
import threading
import weakref
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import wrapt

from wats_accel.errors import Problem, TargetError, UnsupportedTargetError
from wats_accel.event_bus import EventBus
from wats_accel.events import Patched, Unpatched
from wats_accel.patching.places import MAX_LAYERS, Place, aliases, own_layers, places, restore
from wats_accel.patching.plan import Patch, PatchPlan, PatchSpec
from wats_accel.patching.resolver import Found, resolve
from wats_accel.patching.stand_in import stand_in
from wats_accel.patching.wrapping import while_patching, wrapped
from wats_accel.targets import Target

_installed: dict[int, Any] = {}
"""All stand-ins of this process, by address: no method is ever wrapped twice, whoever asks."""

Report = Callable[[Problem], None]
"""Where the patcher says what it had to leave out."""


@dataclass(frozen=True, slots=True)
class _Installation:
    target: Target
    handle: Any
    places: tuple[Place, ...]

    @property
    def places_now(self) -> tuple[Place, ...]:
        """Its places, and the names that a module-level function was given while it was patched."""
        own = self.places[0]
        later = aliases(self.handle, own.raw) if isinstance(own.parent, ModuleType) else ()
        return (*self.places, *later)


class Patcher:
    """Installs a plan and undoes it.

    Args:
        bus: told of each method patched and unpatched.
        report: told of each spec that had to be left out.
    """

    def __init__(self, *, bus: EventBus, report: Report) -> None:
        self._bus = bus
        self._report = report
        self._lock = threading.RLock()  # an import during install may fire our own hook
        self._installations: list[_Installation] = []
        self._waiting: dict[str, list[Patch]] = {}
        self._open = False

    @property
    def patched(self) -> tuple[Target, ...]:
        """The targets that carry a stand-in now."""
        return tuple(known.target for known in self._installations)

    @property
    def waiting(self) -> tuple[Target, ...]:
        """The targets whose module has not been imported yet."""
        return tuple(patch.target for patches in list(self._waiting.values()) for patch in patches)

    def install(self, plan: PatchPlan) -> None:
        """Patch what is imported; have the rest patched as soon as it is imported."""
        self._open = True
        for module, patches in plan.by_module().items():
            self._waiting[module] = patches
            wrapt.register_post_import_hook(_weak_hook(self, module), module)

    def uninstall(self) -> None:
        """Put everything back as it was. Safe to call twice."""
        with self._lock:
            self._open = False
            self._waiting.clear()
            while self._installations:
                self._undo(self._installations.pop())

    def module_is_there(self, name: str, module: ModuleType) -> None:
        """Patch what waits for a module that has just been imported under this name."""
        # wrapt calls this under the import of the application's own module: nothing may escape.
        with self._lock:
            patches = self._waiting.pop(name, [])
            for patch in patches if self._open else []:
                try:
                    self._install_one(module, patch)
                except Exception as error:  # noqa: BLE001 - the application's import must succeed
                    self._leave_out(patch.specs, while_patching(error))

    def _install_one(self, module: ModuleType, patch: Patch) -> None:
        try:
            found = resolve(module, patch.target, needs_signature=patch.needs_signature)
            _refuse_second_patch(found)
            wrapper = wrapped(found, patch.specs, self._leave_out)
            if wrapper is not None:
                self._put(patch.target, found, stand_in(found, wrapper))
        except TargetError as error:
            self._leave_out(patch.specs, str(error))

    def _put(self, target: Target, found: Found, handle: Any) -> None:
        installation = _Installation(target, handle, places(found))
        try:
            for place in installation.places:
                setattr(place.parent, place.attribute, handle)
        except Exception as error:  # a metaclass or module may refuse with anything
            self._take_out(installation)
            raise UnsupportedTargetError("its class does not allow attributes to be set") from error
        _installed.update({id(layer): layer for layer in own_layers(handle)})
        self._installations.append(installation)
        self._bus.emit(Patched(str(target)))

    def _leave_out(self, specs: Iterable[PatchSpec], why: str) -> None:
        for spec in specs:
            self._tell(Problem(why, spec.key_path, target=str(spec.target)))
            try:
                spec.on_left_out(f"{spec.target}: {why}")
            except Exception as error:  # noqa: BLE001 - the others must be told all the same
                failed = f"{type(error).__name__} while its rule was left out"
                self._tell(Problem(failed, spec.key_path, target=str(spec.target)))

    def _tell(self, problem: Problem) -> None:
        try:
            self._report(problem)
        except Exception:
            logging.getLogger("wats_accel").debug("problem not reported: %s", problem, exc_info=True)

    def _undo(self, installation: _Installation) -> None:
        self._take_out(installation)
        for layer in own_layers(installation.handle):
            _installed.pop(id(layer), None)
        self._bus.emit(Unpatched(str(installation.target)))

    def _take_out(self, installation: _Installation) -> None:
        for place in installation.places_now:
            try:
                restore(place, installation.handle)
            except Exception as error:  # noqa: BLE001 - the other places must be restored all the same
                failed = f"{type(error).__name__} while unpatching"
                self._tell(Problem(failed, target=str(installation.target)))


def _weak_hook(patcher: Patcher, name: str) -> Callable[[ModuleType], None]:
    # wrapt keeps a hook until its module is imported, perhaps for ever: it must not keep us.
    reference = weakref.ref(patcher)

    def hook(module: ModuleType) -> None:
        waiting = reference()
        if waiting is not None:
            waiting.module_is_there(name, module)

    return hook


def _refuse_second_patch(found: Found) -> None:
    if found.inherited:
        return  # a base class and its subclass may both be targets
    layer: Any = found.raw
    for _ in range(MAX_LAYERS):
        if _installed.get(id(layer), _installed) is layer:
            raise TargetError("it is patched already; an accelerator can be installed once")
        layer = getattr(layer, "__wrapped__", None)
        if layer is None:
            return
