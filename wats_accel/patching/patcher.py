"""The patcher: puts stand-ins in place, now or when their module is imported, and takes them back."""

from __future__ import annotations

import sys
import threading
import weakref
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import wrapt

from wats_accel.errors import Problem, TargetError, UnsupportedTargetError
from wats_accel.events import EventBus, Patched, Unpatched
from wats_accel.patching.plan import Patch, PatchPlan, PatchSpec
from wats_accel.patching.resolver import Found, resolve
from wats_accel.patching.stand_in import stand_in
from wats_accel.patching.wrapping import wrapped
from wats_accel.targets import Target

_installed: dict[int, Any] = {}
"""All stand-ins of this process, by address: no method is ever wrapped twice, whoever asks."""


Report = Callable[[Problem], None]
"""Where the patcher says what it had to leave out."""


@dataclass(frozen=True, slots=True)
class _Place:
    """One name under which a stand-in was put: a class's or module's attribute."""

    parent: Any
    attribute: str
    raw: Any
    created: bool


@dataclass(frozen=True, slots=True)
class _Installation:
    target: Target
    handle: Any
    places: tuple[_Place, ...]


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
        return tuple(patch.target for patches in self._waiting.values() for patch in patches)

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
                    self._leave_out(patch.specs, f"{type(error).__name__} while patching")

    def _install_one(self, module: ModuleType, patch: Patch) -> None:
        try:
            found = resolve(module, patch.target)
            _refuse_second_patch(found)
            wrapper = wrapped(found, patch.specs, self._leave_out)
            if wrapper is not None:
                self._put(patch.target, found, stand_in(found, wrapper))
        except TargetError as error:
            self._leave_out(patch.specs, str(error))

    def _put(self, target: Target, found: Found, handle: Any) -> None:
        installation = _Installation(target, handle, _places(found))
        _installed[id(handle)] = handle
        try:
            for place in installation.places:
                wrapt.apply_patch(place.parent, place.attribute, handle)
        except (TypeError, AttributeError) as error:
            self._undo(installation)
            raise UnsupportedTargetError("its class does not allow attributes to be set") from error
        self._installations.append(installation)
        self._bus.emit(Patched(str(target)))

    def _leave_out(self, specs: Iterable[PatchSpec], why: str) -> None:
        for spec in specs:
            self._report(Problem(why, spec.key_path, target=str(spec.target)))
            spec.on_left_out(f"{spec.target}: {why}")

    def _undo(self, installation: _Installation) -> None:
        for place in installation.places:
            _restore(place, installation.handle)
        _installed.pop(id(installation.handle), None)
        self._bus.emit(Unpatched(str(installation.target)))


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
    for _ in range(100):  # a chain that loops is somebody else's trouble
        if _installed.get(id(layer), _installed) is layer:
            raise TargetError("it is patched already; an accelerator can be installed once")
        layer = getattr(layer, "__wrapped__", None)
        if layer is None:
            return


def _places(found: Found) -> tuple[_Place, ...]:
    own = _Place(found.parent, found.attribute, found.raw, found.inherited)
    if found.info.kind != "function":
        return (own,)
    return (own, *_aliases(found))


def _aliases(found: Found) -> list[_Place]:
    """The other names of a module-level function: ``from module import function`` made them."""
    modules: list[Any] = list(sys.modules.values())  # where anything may have been put, not only modules
    return [
        _Place(module, name, found.raw, created=False)
        for module in modules
        if isinstance(module, ModuleType)
        for name, value in list(vars(module).items())
        if value is found.raw and not (module is found.parent and name == found.attribute)
    ]


def _restore(place: _Place, handle: Any) -> None:
    current = vars(place.parent).get(place.attribute)
    if current is handle:
        if place.created:
            delattr(place.parent, place.attribute)
        else:
            wrapt.apply_patch(place.parent, place.attribute, place.raw)
        return
    _take_out_from_below(place, handle)


def _take_out_from_below(place: _Place, handle: Any) -> None:
    """Somebody has wrapped our stand-in since. Leave his wrapper, take ours out from under it.

    Where that cannot be (a plain closure holds our function), the stand-in stays and passes every
    call on: its region and its rule are switched off.
    """
    try:
        wrapt.unwrap_object(place.parent, place.attribute, handle, missing_ok=True)
    except wrapt.WrapperNotOutermostError:
        return
