"""The context: what a plugin is given to work with."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from wats_accel.breakers import Breakers
from wats_accel.cache.registry import CacheRegistry
from wats_accel.config.loader import LoadedConfig
from wats_accel.config.models import RootSection
from wats_accel.errors import KeyPath, Problem
from wats_accel.event_bus import EventBus
from wats_accel.events import Event, FeatureInitialized
from wats_accel.invalidation import Invalidator
from wats_accel.pool.registry import PoolRegistry
from wats_accel.records import record
from wats_accel.schema_source import SchemaSource

if TYPE_CHECKING:
    from wats_accel.sql.schema import Schema


@record(frozen=True, slots=True)
class EventSubscription:
    """A listener for one type of event. It is called in the thread where the event happens: be quick."""

    event_type: type[Event]
    listener: Callable[[Any], None]


@record(frozen=True, slots=True)
class PluginContext:
    """One accelerator, as its plugins see it.

    Attributes:
        caches: makes and finds the caches of methods.
        invalidator: knows the write rules, and applies them.
        pools: makes and finds the pools of connections.
        bus: carries events.
        clock: seconds, never going backwards.
        breakers: say which parts have failed too often and are left alone for a while.
        continues: whether caches that were in effect before a reload may have stayed; if not, all are new.
    """

    config: LoadedConfig
    caches: CacheRegistry
    invalidator: Invalidator
    pools: PoolRegistry
    bus: EventBus
    clock: Callable[[], float]
    report: Callable[[Problem], None]
    breakers: Breakers
    _schema_source: SchemaSource
    continues: bool = False

    @property
    def schema(self) -> Schema:
        """What is known of the database: the section ``sql:`` and its files, read when first asked for.

        Raises:
            ConfigError: a file of schema is missing, or not valid. That is reported, too, the first time.
        """
        return self._schema_source.schema

    def section(self, name: str) -> Any:
        """The plugin's own section of the configuration, as its model."""
        return getattr(self.config.root, name)

    @property
    def repositories(self) -> list[Any]:
        """The repositories of the configuration, each with the keys that features have added."""
        return list(getattr(self.config.root, "repositories", []))

    @property
    def root(self) -> RootSection:
        """The engine's own part of the configuration."""
        return self.config.root

    def announce(self, feature: str, summary: str) -> None:
        """Say in the log that a feature is ready."""
        self.bus.emit(FeatureInitialized(feature, summary))

    def problem(self, message: str, key_path: KeyPath = (), *, target: str | None = None) -> None:
        """Report something that had to be left out; it appears in the log and in `problems`."""
        self.report(self.config.problem(message, key_path, target=target))
