"""The plugin manager: finds, orders and guards plugins."""

from __future__ import annotations

import hashlib
import importlib
import importlib.metadata
import importlib.util
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pluggy

import wats_accel_plugins
from wats_accel import hookspecs
from wats_accel.errors import PluginError, shown
from wats_accel.records import record
from wats_accel.suggestions import nearest

if TYPE_CHECKING:
    from wats_accel.context import PluginContext

ENTRY_POINT_GROUP = "wats_accel"

Failed = Callable[[str, str, BaseException | str], None]
"""``(plugin, during, error)``: told of each failure; the rest goes on."""

Accept = Callable[[Any], object]
"""Raises `PluginError` for an item that a hook must not give."""

# A plugin that calls sys.exit is a plugin that failed; Ctrl+C is the application's own.
_WHATEVER_PLUGINS_RAISE = (Exception, SystemExit)


@record(frozen=True, slots=True)
class PluginInfo:
    """A loaded plugin: its name, where it came from, and the hooks that it implements."""

    name: str
    origin: str
    hooks: tuple[str, ...]


def _anything(item: object) -> None:
    """Accept it."""


class PluginManager:
    """The plugins of one accelerator.

    Args:
        failed: told of each plugin that cannot be loaded or raises.
        disabled: names of plugins that are not to be used.
    """

    def __init__(self, *, failed: Failed, disabled: Iterable[str] = ()) -> None:
        self._failed: Failed = lambda plugin, during, error: failed(shown(plugin), during, error)
        self._origins: dict[str, str] = {}
        self._entry_points: list[importlib.metadata.EntryPoint] = []
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
        self._guard(ENTRY_POINT_GROUP, "looking for entry points", self._find_entry_points)
        for found in self._entry_points:
            self._guard(found.name, "loading", self._load_entry_point, found)
        for name in files:
            for path in self._plugin_files(folder / name):
                self._guard(path.stem, "loading", self._load_file, path)
        self._check_disabled()

    def _load_builtin(self, name: str) -> None:
        self.register(importlib.import_module(f"wats_accel_plugins.{name}"), name, "built in")

    def _find_entry_points(self) -> None:
        self._entry_points = list(importlib.metadata.entry_points(group=ENTRY_POINT_GROUP))

    def _load_entry_point(self, found: importlib.metadata.EntryPoint) -> None:
        if found.name not in self._disabled:
            self.register(found.load(), found.name, f"entry point {found.value}")

    def _plugin_files(self, path: Path) -> list[Path]:
        if path.is_dir():
            return sorted(file for file in path.glob("*.py") if not file.name.startswith("_"))
        if not path.is_file():
            self._failed(path.stem, "loading", f"there is no file or folder {shown(path.name)!r}")
            return []
        return [path]

    def _load_file(self, path: Path) -> None:
        self._seen_files.append(path.stem)
        if path.stem not in self._disabled:
            self.register(_module_from_file(path), path.stem, f"file {path.name}")

    def register(self, plugin: object, name: str, origin: str) -> None:
        """Take a plugin in, all of it or nothing.

        Raises:
            PluginError: its name is taken, it is there already under another, it implements no hook,
                names an unknown one, misses a hook's signature, or has a hook wrapper.
        """
        if name in self._disabled:
            return
        if name in self._origins:
            raise PluginError(f"the name is taken by the plugin from {self._origins[name]}")
        if self._manager.is_registered(plugin):
            raise PluginError(f"it is loaded already as {self._manager.get_name(plugin)!r}")
        try:
            self._manager.register(plugin, name)
            _check_hooks(self._manager.get_hookcallers(plugin) or [], plugin)
        except Exception as error:
            if self._manager.is_registered(plugin):
                self._manager.unregister(plugin)
            if isinstance(error, pluggy.PluginValidationError):
                raise PluginError(_in_one_line(error)) from error
            raise
        self._origins[name] = origin

    def _check_disabled(self) -> None:
        there = [*wats_accel_plugins.BUILT_IN, *(found.name for found in self._entry_points)]
        for name in self._disabled:
            if name not in there and name not in self._seen_files:
                self._failed(name, "disabling", f"there is no such plugin{nearest(name, there)}")

    # -- calling -----------------------------------------------------------------------------------

    def collect(self, hook: str, accept: Accept = _anything, /, **arguments: Any) -> list[Any]:
        """Call a hook of every plugin and chain the lists that they give.

        A plugin whose list holds one item that `accept` refuses contributes none.
        """

        def listed(given: Any) -> list[Any]:
            items = list(given or ())  # here, where what a generator raises is caught as well
            for item in items:
                accept(item)
            return items

        return [item for items in self._calls(hook, listed, arguments) for item in items]

    def first(self, hook: str, accept: Accept = _anything, /, **arguments: Any) -> Any:
        """The first answer that is not None, nor refused; the plugin that was loaded last is asked first."""

        def accepted(given: Any) -> Any:
            if given is not None:
                accept(given)
            return given

        answers = self._calls(hook, accepted, arguments, reverse=True)
        return next((given for given in answers if given is not None), None)

    def each(
        self,
        hook: str,
        *,
        reverse: bool = False,
        only: Callable[[object], bool] | None = None,
        **arguments: Any,
    ) -> Iterator[Any]:
        """Call a hook of one plugin after another, each guarded, in the order of loading.

        A loop of our own, since pluggy stops at the first implementation that raises. `tryfirst` and
        `trylast` hold as in pluggy.

        Args:
            hook: its name.
            reverse: whether the plugin that was loaded last comes first.
            only: which plugins; all by default.
            arguments: what they are given.
        """
        return self._calls(hook, lambda given: given, arguments, reverse=reverse, only=only)

    def hand_over(self, successor: PluginManager, before: PluginContext, after: PluginContext) -> None:
        """Have plugins go over to another configuration: start, stop, or adapt, each as it is able to.

        Args:
            successor: the plugins of that configuration; it may be this one.
            before: the context that they have worked with.
            after: the one that they work with from now on.
        """

        adaptable = [known.plugin for known in successor._manager.hook.accel_reload.get_hookimpls()]

        def adapts(plugin: object) -> bool:
            return self.has(plugin) and any(known is plugin for known in adaptable)

        list(successor.each("accel_reload", only=adapts, context=after, previous=before))
        list(successor.each("accel_startup", only=lambda plugin: not adapts(plugin), context=after))

        def stops(plugin: object) -> bool:
            return not adapts(plugin)

        list(self.each("accel_shutdown", reverse=True, only=stops, context=before))

    def has(self, plugin: object) -> bool:
        """Whether this very plugin is loaded."""
        return self._manager.is_registered(plugin)

    def _calls(
        self,
        hook: str,
        read: Callable[[Any], Any],
        arguments: dict[str, Any],
        *,
        reverse: bool = False,
        only: Callable[[object], bool] | None = None,
    ) -> Iterator[Any]:
        implementations = sorted(
            (
                known
                for known in getattr(self._manager.hook, hook).get_hookimpls()
                if only is None or only(known.plugin)
            ),
            key=lambda known: (not known.tryfirst, known.trylast, self._order(known.plugin_name)),
        )
        for known in reversed(implementations) if reverse else implementations:
            passed = {name: arguments[name] for name in known.argnames}
            try:
                given = read(known.function(**passed))
            except _WHATEVER_PLUGINS_RAISE as error:
                self._failed(known.plugin_name, hook, error)
            else:
                yield given

    def _order(self, name: str) -> int:
        return list(self._origins).index(name)

    def plugins(self) -> list[PluginInfo]:
        """What is loaded, in the order of loading."""
        return [
            PluginInfo(name, self._origins[name], _hook_names(self._manager.get_hookcallers(plugin) or []))
            for name, plugin in self._manager.list_name_plugin()
            if plugin is not None and name in self._origins
        ]

    def _guard(self, name: str, during: str, action: Callable[..., None], *arguments: Any) -> None:
        try:
            action(*arguments)
        except _WHATEVER_PLUGINS_RAISE as error:
            self._failed(name, during, error)


def _specified() -> list[str]:
    return [name for name in dir(hookspecs) if name.startswith("accel_")]


def _hook_names(callers: Iterable[pluggy.HookCaller]) -> tuple[str, ...]:
    return tuple(sorted(caller.name for caller in callers))


def _check_hooks(callers: Sequence[pluggy.HookCaller], plugin: object) -> None:
    if not callers:
        raise PluginError("it implements no hook; are its functions marked with hookimpl?")
    for caller in callers:
        if not caller.has_spec():
            raise PluginError(f"there is no hook {caller.name!r}{nearest(caller.name, _specified())}")
        own = [known for known in caller.get_hookimpls() if known.plugin is plugin]
        if any(known.hookwrapper or known.wrapper for known in own):
            raise PluginError("hook wrappers are not supported")


def _in_one_line(error: pluggy.PluginValidationError) -> str:
    lines = str(error).splitlines()  # those in between show where the file lies
    return f"{lines[0]}: {lines[-1]}"


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
        sys.modules.pop(name, None)
        raise
    return module
