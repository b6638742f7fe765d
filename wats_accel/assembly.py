"""The assembly: from a document to plugins, caches, rules and a plan. Nothing is patched here."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from wats_accel.cache.registry import CacheRegistry
from wats_accel.cache.succession import StoreFactory
from wats_accel.clocks import guarded_clocks
from wats_accel.config.documents import Document
from wats_accel.config.loader import LoadedConfig, load, located, peek_plugins
from wats_accel.config.models import OWN_KEYS, ConfigSection, RepositorySection
from wats_accel.context import PluginContext
from wats_accel.errors import AccelError, PluginError, Problem
from wats_accel.event_bus import EventBus
from wats_accel.events import PluginFailed
from wats_accel.invalidation import Invalidator
from wats_accel.patching.plan import PatchPlan, PatchSpec
from wats_accel.patterns import KeyPattern
from wats_accel.plugin_manager import PluginManager
from wats_accel.pool.registry import PoolRegistry
from wats_accel.records import record
from wats_accel.schema_source import SchemaSource

_PLANNING = "accel_patch_specs"
_LOADING = "loading"
_SECTION_NAME = re.compile(r"(?!model_)[a-z][a-z0-9]*(_[a-z0-9]+)*")  # pydantic wants `model_…` for itself


@record(frozen=True, slots=True)
class Assembly:
    """Everything that one configuration asks for, ready to be installed."""

    plugins: PluginManager
    failures: PluginFailures
    config: LoadedConfig
    context: PluginContext
    plan: PatchPlan

    def with_plan(self, plan: PatchPlan) -> Assembly:
        """The same with another plan."""
        return Assembly(self.plugins, self.failures, self.config, self.context, plan)


class PluginFailures:
    """Turns failures of plugins into problems and events, and remembers whether planning was hit.

    Attributes:
        count: how many there were since it was last turned to a document.
        while_planning: the plugin that failed while it planned.
        while_loading: the plugin that could not be loaded, if there is one.
    """

    def __init__(self, document: Document, bus: EventBus, report: Callable[[Problem], None]) -> None:
        self._bus = bus
        self.while_loading: str | None = None
        self.turn_to(document, report)

    def turn_to(self, document: Document, report: Callable[[Problem], None]) -> None:
        """Have failures from now on be told of this document."""
        self._document = document
        self._report = report
        self.count = 0
        self.while_planning: str | None = None

    def __call__(self, plugin: str, during: str, error: BaseException | str) -> None:
        """Report that a plugin failed."""
        why = _harmless_text(error)
        self.count += 1
        if during == _PLANNING:
            self.while_planning = plugin
        elif during == _LOADING:
            self.while_loading = plugin
        message = f"plugin {plugin!r} failed in {during}: {why}"
        self._report(located(self._document, message, ("plugins",)))
        self._bus.emit(PluginFailed(plugin, during, why))


def load_plugins(
    document: Document, *, bus: EventBus, report: Callable[[Problem], None]
) -> tuple[PluginManager, PluginFailures]:
    """Load the plugins that a document asks for, besides the built-in ones."""
    asked = peek_plugins(document)
    failures = PluginFailures(document, bus, report)
    plugins = PluginManager(failed=failures, disabled=asked.disable)
    plugins.load_all(files=asked.load, folder=Path(document.name).parent)
    return plugins, failures


def config_sections(plugins: PluginManager) -> list[ConfigSection]:
    """The sections that plugins contribute, but for those of a plugin that takes a key which is taken."""
    taken = {
        "": {*OWN_KEYS},
        "repositories": {*RepositorySection.model_fields},
    }

    def accept(section: Any) -> None:
        expect(ConfigSection)(section)
        if not _SECTION_NAME.fullmatch(section.name):
            raise PluginError(f"a section's name is lower-case words joined by '_', got {section.name!r}")
        if section.name in taken[section.within]:
            raise PluginError(f"the section {section.name!r} is there already")
        taken[section.within].add(section.name)

    return plugins.collect("accel_config_sections", accept)


def expect(kind: type) -> Callable[[object], None]:
    """What refuses everything but a `kind`, with `PluginError`."""

    def accept(item: object) -> None:
        if not isinstance(item, kind):
            raise PluginError(f"expected items of type {kind.__name__}, got {type(item).__name__}")

    return accept


def assemble(
    document: Document,
    *,
    clock: Callable[[], float],
    bus: EventBus,
    report: Callable[[Problem], None],
    wall_clock: Callable[[], float] = time.time,
) -> Assembly:
    """Put together what a document asks for.

    Raises:
        ConfigError: the document is not valid; carries every problem found.
    """
    plugins, failures = load_plugins(document, bus=bus, report=report)
    config = load(document, config_sections(plugins))
    clock, wall_clock, breakers = guarded_clocks(clock, wall_clock, bus=bus)
    bus.rest_listeners(breakers.of)
    caches = CacheRegistry(
        clock=clock,
        wall_clock=wall_clock,
        bus=bus,
        breakers=breakers,
        store_factory=store_factory_of(plugins),
    )
    invalidator = Invalidator(caches=caches, bus=bus)
    pools = PoolRegistry(bus=bus, clock=clock, breakers=breakers)
    context = PluginContext(
        config, caches, invalidator, pools, bus, clock, report, breakers, SchemaSource(config, report)
    )
    return Assembly(plugins, failures, config, context, planned(plugins, failures, context))


def planned(plugins: PluginManager, failures: PluginFailures, context: PluginContext) -> PatchPlan:
    """The patches that the plugins ask for. Without those of one that failed, nothing is cached."""
    plan = PatchPlan.of(plugins.collect(_PLANNING, expect(PatchSpec), context=context))
    for failed, when in ((failures.while_planning, "while planning"), (failures.while_loading, "to load")):
        if failed is not None:
            # Its rules are missing, and nobody knows which: what is not known to be dropped is not kept.
            context.invalidator.suspend([KeyPattern.parse("*")], f"plugin {failed!r} failed {when}")
    return plan


def store_factory_of(plugins: PluginManager) -> StoreFactory:
    """What asks the plugins for the store of a cached method."""
    return lambda namespace, target: plugins.first(
        "accel_create_store", _expect_store, namespace=namespace, target=target
    )


def _expect_store(given: object) -> None:
    for name in ("get", "put", "remove", "clear", "entries", "__len__"):
        if not callable(getattr(given, name, None)):
            raise PluginError(f"expected a store, got {type(given).__name__}, which has no {name!r}")


def _harmless_text(error: BaseException | str) -> str:
    # The text of our own errors is safe to show; that of a foreign one might hold anything.
    if isinstance(error, str):
        return error
    name = type(error).__name__
    return f"{name}: {error}" if isinstance(error, (AccelError, ImportError, SyntaxError)) else name
