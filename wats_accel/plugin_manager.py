"""The plugin manager: finds, orders and guards plugins."""

from __future__ import annotations

import hashlib
import importlib
import importlib.metadata
import importlib.util
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pluggy

import wats_accel_plugins
from wats_accel import hookspecs
from wats_accel.errors import PluginError
from wats_accel.suggestions import nearest

ENTRY_POINT_GROUP = "wats_accel"

Failed = Callable[[str, str, BaseException | str], None]
"""``(plugin, during, error)``: told of each failure; the rest goes on."""


@dataclass(frozen=True, slots=True)
class PluginInfo:
    """A loaded plugin: its name, where it came from, and the hooks that it implements."""

    name: str
    origin: str
    hooks: tuple[str, ...]


class PluginManager:
    """The plugins of one accelerator.

    Args:
        failed: told of each plugin that cannot be loaded or raises.
        disabled: names of plugins that are not to be used.
    """

    def __init__(self, *, failed: Failed, disabled: Iterable[str] = ()) -> None:
        self._failed = failed
        self._origins: dict[str, str] = {}
        self._seen_files: list[str] = []
        self._manager = pluggy.PluginManager(hookspecs.PROJECT)
        self._manager.add_hookspecs(hookspecs)
        self._disabled = list(disabled)
        for name in self._disabled:
            self._manager.set_blocked(name)

    # -- finding -----------------------------------------------------------------------------------

    def load_all(self, *, files: Sequence[str], folder: Path) -> None:
        """Load built-in plugins, those of installed packages, and the files that the config names.

        Args:
            files: files, or folders of files.
            folder: what relative names are relative to.
        """
        # Built-in ones by name: in a frozen executable there are no entry points.
        for name in wats_accel_plugins.BUILT_IN:
            self._guard(name, "loading", self._load_builtin, name)
        for found in importlib.metadata.entry_points(group=ENTRY_POINT_GROUP):
            self._guard(found.name, "loading", self._load_entry_point, found)
        for name in files:
            for path in self._plugin_files(folder / name):
                self._guard(path.stem, "loading", self._load_file, path)
        self._check_disabled()

    def _load_builtin(self, name: str) -> None:
        self.register(importlib.import_module(f"wats_accel_plugins.{name}"), name, "built in")

    def _load_entry_point(self, found: importlib.metadata.EntryPoint) -> None:
        if found.name not in self._disabled:
            self.register(found.load(), found.name, f"entry point {found.value}")

    def _plugin_files(self, path: Path) -> list[Path]:
        if path.is_dir():
            return sorted(file for file in path.glob("*.py") if not file.name.startswith("_"))
        if not path.is_file():
            self._failed(path.stem, "loading", f"there is no file or folder {path.name!r}")
            return []
        return [path]

    def _load_file(self, path: Path) -> None:
        self._seen_files.append(path.stem)
        if path.stem not in self._disabled:
            self.register(_module_from_file(path), path.stem, f"file {path.name}")

    def register(self, plugin: object, name: str, origin: str) -> None:
        """Take a plugin in, all of it or nothing.

        Raises:
            PluginError: it implements no hook, names an unknown one, or misses a hook's signature.
        """
        if name in self._disabled:
            return
        if name in self._origins:
            raise PluginError(f"the name is taken by the plugin from {self._origins[name]}")
        unknown = [hook for hook in _hook_names(plugin) if not hasattr(hookspecs, hook)]
        if unknown:
            raise PluginError(f"there is no hook {unknown[0]!r}{nearest(unknown[0], _specified())}")
        try:
            self._manager.register(plugin, name)
            self._manager.check_pending()
        except Exception:
            if self._manager.is_registered(plugin):
                self._manager.unregister(plugin)
            raise
        if not self._manager.get_hookcallers(plugin):
            self._manager.unregister(plugin)
            raise PluginError("it implements no hook; are its functions marked with hookimpl?")
        if any(known.hookwrapper or known.wrapper for known in self._implementations(name)):
            self._manager.unregister(plugin)
            raise PluginError("hook wrappers are not supported")
        self._origins[name] = origin

    def _check_disabled(self) -> None:
        there = [
            *wats_accel_plugins.BUILT_IN,
            *importlib.metadata.entry_points(group=ENTRY_POINT_GROUP).names,
        ]
        for name in self._disabled:
            if name not in there and name not in self._seen_files:
                self._failed(name, "disabling", f"there is no such plugin{nearest(name, there)}")

    # -- calling -----------------------------------------------------------------------------------

    def collect(self, hook: str, **arguments: Any) -> list[Any]:
        """Call a hook of every plugin and chain the lists that they give."""
        return [item for given in self.each(hook, **arguments) for item in given or ()]

    def first(self, hook: str, **arguments: Any) -> Any:
        """The first answer that is not None; the plugin that was loaded last is asked first."""
        answers = self.each(hook, reverse=True, **arguments)
        return next((given for given in answers if given is not None), None)

    def each(self, hook: str, *, reverse: bool = False, **arguments: Any) -> Iterator[Any]:
        """Call a hook of one plugin after another, each guarded, in the order of loading.

        A loop of our own, since pluggy stops at the first implementation that raises. `tryfirst` and
        `trylast` hold as in pluggy.
        """
        implementations = sorted(
            getattr(self._manager.hook, hook).get_hookimpls(),
            key=lambda known: (not known.tryfirst, known.trylast, self._order(known.plugin_name)),
        )
        for known in reversed(implementations) if reverse else implementations:
            passed = {name: arguments[name] for name in known.argnames}
            try:
                given = known.function(**passed)
            except Exception as error:  # noqa: BLE001 - one plugin must not stop the others
                self._failed(known.plugin_name, hook, error)
            else:
                yield given

    def _implementations(self, plugin: str) -> list[pluggy.HookImpl]:
        hooks = (getattr(self._manager.hook, name) for name in _specified())
        return [known for hook in hooks for known in hook.get_hookimpls() if known.plugin_name == plugin]

    def _order(self, name: str) -> int:
        return list(self._origins).index(name)

    def plugins(self) -> list[PluginInfo]:
        """What is loaded, in the order of loading."""
        return [
            PluginInfo(name, self._origins[name], tuple(_hook_names(plugin)))
            for name, plugin in self._manager.list_name_plugin()
            if plugin is not None and name in self._origins
        ]

    def _guard(self, name: str, during: str, action: Callable[..., None], *arguments: Any) -> None:
        try:
            action(*arguments)
        except Exception as error:  # noqa: BLE001 - a plugin may raise anything
            self._failed(name, during, error)


def _specified() -> list[str]:
    return [name for name in dir(hookspecs) if name.startswith("accel_")]


def _hook_names(plugin: object) -> list[str]:
    return sorted(
        name
        for name in dir(plugin)
        if name.startswith("accel_") and hasattr(getattr(plugin, name), f"{hookspecs.PROJECT}_impl")
    )


def _module_from_file(path: Path) -> ModuleType:
    # The name tells files of the same name in different folders apart.
    digest = hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:8]
    name = f"wats_accel_plugin_{path.stem}_{digest}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise PluginError(f"{path.name} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module
