"""Ownership: whether a target is the application's own, or lies outside of it. Nothing is imported.

A configuration is a text, and what it names gets called or replaced. Unless told so by name, nothing of
the standard library, of an installed package or of wats_accel itself is touched.
"""

from __future__ import annotations

import fnmatch
import functools
import os
import sys
import sysconfig
from collections.abc import Iterable
from importlib.machinery import ModuleSpec
from typing import Any, Literal

from wats_accel.targets import Target

Origin = Literal["own", "stdlib", "installed", "wats_accel", "unknown"]
"""Whose a module is; ``unknown`` as long as it is not where modules are looked for now."""

_OURS = ("wats_accel", "wats_accel_plugins")
_FOLDERS_OF_PACKAGES = ("site-packages", "dist-packages")
_PLACES: dict[Origin, str] = {"stdlib": "in the standard library", "installed": "in an installed package"}
_SAID_BY_DRIVERS = ("apilevel", "paramstyle", "threadsafety")
"""What the DB-API asks every driver's module to have."""


def refusal(target: Target, allowed: Iterable[str], *, of_driver: bool = False) -> str | None:
    """Why a target may not be patched or called; None if it may.

    Args:
        target: the method or function.
        allowed: patterns of targets outside the application that may be.
        of_driver: whether it is to be the ``connect`` of a DB-API driver, which lies outside by nature.
    """
    origin = origin_of(target.module)
    if origin == "wats_accel":
        return "wats_accel itself is never a target"
    if origin not in _PLACES or is_allowed(target, allowed):
        return None
    if of_driver and _may_be_connect(target):
        return None
    what = "it is no driver's 'connect', and " if of_driver else "it "
    return (
        f"{what}lies {_PLACES[origin]}, outside of the application; "
        f"if it is meant, name it under 'allow_targets', or all of '{target.module}.*'"
    )


def is_allowed(target: Target, patterns: Iterable[str]) -> bool:
    """Whether a shell-style pattern names a target, or its module; ``package.*`` names the package, too."""
    names = (str(target), target.module, f"{target.module}.")
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns for name in names)


def origin_of(module: str) -> Origin:
    """Whose a module is, by where it lies. It is not imported, nor is any of its parents."""
    top = module.partition(".")[0]
    if top in _OURS:
        return "wats_accel"
    if top == "__main__":  # of `python -m wats_accel run` it is another one by now
        return "own"
    if getattr(sys, "frozen", False):  # all lies in one bundle: only names tell
        return "stdlib" if top in sys.stdlib_module_names else "own"
    try:
        spec = _nearest_spec(module)
    except Exception:  # noqa: BLE001 - a finder may raise anything; asked again once it is imported
        return "unknown"
    if spec is None:
        return "own" if module in sys.modules else "unknown"  # made while the program runs
    if spec.origin in ("built-in", "frozen"):
        return "stdlib" if top in sys.stdlib_module_names else "own"
    return _origin_of_place(_place(spec))


def is_missing(module: str) -> bool:
    """Whether a module is surely nowhere, as things are now. Nothing is imported for that."""
    try:
        return module not in sys.modules and spec_of(module) is None
    except Exception:  # noqa: BLE001 - a finder may raise anything, and then nobody knows
        return False


def spec_of(module: str) -> ModuleSpec | None:
    """What the import system knows of a module that need not be imported; None if it finds none.

    Raises:
        Exception: whatever a finder raises.
    """
    if module in sys.modules:
        return _spec_of_imported(module)
    path: Any = None
    parent = module.rpartition(".")[0]
    if parent:
        path = getattr(sys.modules.get(parent), "__path__", None)
        if path is None:
            above = spec_of(parent)
            path = None if above is None else above.submodule_search_locations
        if path is None:
            return None
    finders = (getattr(finder, "find_spec", None) for finder in list(sys.meta_path))
    found = (_asked(find, module, path) for find in finders if find is not None)
    return next((spec for spec in found if spec is not None), None)


def _asked(find: Any, module: str, path: Any) -> ModuleSpec | None:
    try:
        spec: ModuleSpec | None = find(module, path)
    except KeyError:  # of a folder without an __init__.py, whose parent would have to be imported for it
        folders = [os.path.join(entry, module.rpartition(".")[2]) for entry in path or ()]
        found = [folder for folder in folders if os.path.isdir(folder)]
        spec = ModuleSpec(module, None, is_package=True) if found else None
        if spec is not None:
            spec.submodule_search_locations = found
    return spec


# -- places -----------------------------------------------------------------------------------------------


def _spec_of_imported(module: str) -> ModuleSpec | None:
    known: Any = sys.modules[module]
    spec = getattr(known, "__spec__", None)
    if isinstance(spec, ModuleSpec):
        return spec
    file = getattr(known, "__file__", None)  # `python script.py` gives its __main__ no spec
    return ModuleSpec(module, None, origin=file) if isinstance(file, str) else None


def _nearest_spec(module: str) -> ModuleSpec | None:
    """That of the module, or else of the nearest package above it that can be found."""
    name = module
    while name:
        spec = spec_of(name)
        if spec is not None or name in sys.modules:
            return spec
        name = name.rpartition(".")[0]
    return None


def _place(spec: ModuleSpec) -> str:
    """The folder that a module lies in, links to folders resolved: an editable install may be one."""
    if spec.origin and spec.has_location:
        return os.path.realpath(os.path.dirname(spec.origin))
    folders = list(spec.submodule_search_locations or ())  # a package without an __init__.py
    return os.path.realpath(folders[0] if folders else os.path.dirname(spec.origin or ""))


def _origin_of_place(folder: str) -> Origin:
    parts = os.path.normcase(folder).split(os.sep)
    if any(name in parts for name in _FOLDERS_OF_PACKAGES):
        return "installed"
    inner = os.path.normcase(folder).rstrip(os.sep) + os.sep
    packages, stdlib = _known_places()
    if inner.startswith(packages):
        return "installed"
    return "stdlib" if inner.startswith(stdlib) else "own"


@functools.cache
def _known_places() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The folders of installed packages, and those of the standard library."""
    paths = sysconfig.get_paths()
    # `os` may come from a zip file; Windows has the compiled ones in a folder of their own.
    beside_os, compiled = os.path.dirname(os.__file__), os.path.join(sys.base_prefix, "DLLs")
    return (
        _prefixes(paths["purelib"], paths["platlib"]),
        _prefixes(paths["stdlib"], paths["platstdlib"], beside_os, compiled),
    )


def _prefixes(*places: str) -> tuple[str, ...]:
    return tuple(os.path.normcase(os.path.realpath(place)).rstrip(os.sep) + os.sep for place in places)


# -- drivers ----------------------------------------------------------------------------------------------


def _may_be_connect(target: Target) -> bool:
    """Whether a target is, or may turn out to be once it is imported, the ``connect`` of a DB-API module.

    What else lies in one cannot be patched as a ``connect``, and who looks it up says so in better words.
    """
    if target.module in sys.modules:
        return _is_driver(target.module)
    return target.name == "connect"


def _is_driver(module: str) -> bool:
    while module:
        known = sys.modules.get(module)
        if all(hasattr(known, name) for name in _SAID_BY_DRIVERS):
            return True
        module = module.rpartition(".")[0]  # `psycopg2.extensions` leaves it to `psycopg2`
    return False
