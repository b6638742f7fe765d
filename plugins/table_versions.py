"""The feature ``freshness:``: the database itself tells which tables have changed, whoever did it."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, StrictBool

from wats_accel.extension import (
    ConfigReloaded,
    ConfigSection,
    Duration,
    EventSubscription,
    Finding,
    Initialized,
    PluginContext,
    Section,
    Target,
    TargetText,
    hookimpl,
    mapping_at,
)
from wats_accel_plugins.outside import Secret, told

if TYPE_CHECKING:
    from wats_accel.extension import Following

# -- configuration -------------------------------------------------------------------------------------


class FreshnessSection(Section):
    """How a database is followed."""

    enabled: StrictBool = True
    """False: it is not asked."""
    source: Literal["version-table", "sqlserver-change-tracking", "sqlite-data-version"] = "version-table"
    """What is asked. The first two need what `wats-accel freshness-ddl` prints."""
    dialect: Literal["sqlite", "postgresql", "sqlserver"]
    """Of the database."""
    connect: TargetText
    """What gives a connection for this alone, such as ``pyodbc:connect``."""
    connection: Secret = Secret.model_construct(text="")
    """What it is called with; nothing if it is empty."""
    name: str = "wats_accel_versions"
    """Of the version table, with its schema if it is not the usual one."""
    tables: list[str] = Field(default=[])
    """Those that are watched, where Change Tracking is asked; none for all that it tracks."""
    poll: Duration = 2.0
    """The time between two questions: so old an answer may become."""
    isolated_ttl: Duration = 30.0
    """How old an answer may become while the database does not answer."""
    revalidate: StrictBool = True
    """Whether entries that become too old live on while the database vouches for them."""


_SOURCES = {
    "sqlserver-change-tracking": "sqlserver",
    "sqlite-data-version": "sqlite",
}


def _across_sections(raw: Mapping[str, Any]) -> Iterator[Finding]:
    section = mapping_at(raw, "freshness")
    source, dialect = section.get("source"), section.get("dialect")
    only = _SOURCES.get(source) if isinstance(source, str) else None
    if only is not None and isinstance(dialect, str) and dialect != only:
        yield Finding(("freshness", "source"), f"{source} is there with {only} only")


@hookimpl
def accel_config_sections() -> list[ConfigSection]:
    """``freshness:``."""
    return [
        ConfigSection(
            "freshness",
            FreshnessSection | None,
            None,
            check=_across_sections,
            description="The database that tells which tables have changed.",
        )
    ]


# -- start and end -------------------------------------------------------------------------------------


@hookimpl(trylast=True)
def accel_startup(context: PluginContext) -> None:
    """Begin to follow, after the caches and what sees statements are there."""
    section = _section(context)
    if section is None:
        return
    with context.invalidator.nothing_kept_without("the database cannot be followed"):
        _follow(context, section)
    context.announce("table_versions", f"Freshness initialized ({section.source}, every {section.poll:g}s)")


@hookimpl
def accel_event_subscriptions(context: PluginContext) -> list[EventSubscription]:
    """It is asked when everything is patched."""

    def start(_: object) -> None:
        following = _following(context)
        if following is not None:
            following.start()

    return [EventSubscription(kind, start) for kind in (Initialized, ConfigReloaded)]


def _section(context: PluginContext) -> FreshnessSection | None:
    section = getattr(context.root, "freshness", None)
    return section if isinstance(section, FreshnessSection) and section.enabled else None


def _follow(context: PluginContext, section: FreshnessSection) -> None:
    from wats_accel.extension import Following, FollowingRules, source_of  # noqa: PLC0415 - few follow one

    following = Following(
        _connector(context, section),
        lambda: source_of(section.source, section.dialect, name=section.name, tables=section.tables or None),
        FollowingRules(section.poll, section.isolated_ttl, section.revalidate),
        caches=context.caches,
        bus=context.bus,
    )
    following.begin(context.pools.observer)


def _connector(context: PluginContext, section: FreshnessSection) -> Callable[[], Any]:
    """What opens a connection; the driver is imported in the thread that asks."""
    folder = Path(context.config.document.name).parent
    text = told(section.connection, folder, ("freshness", "connection"))
    target = Target.parse(section.connect)

    def connect() -> Any:
        found: Any = importlib.import_module(target.module)
        for name in target.path.split("."):
            found = getattr(found, name)
        bare = inspect.unwrap(found)  # one of the pool's own would be given back to others
        return bare(text) if text else bare()

    return connect


def _following(context: PluginContext) -> Following | None:
    follower = context.caches.follower
    if follower is None:
        return None
    from wats_accel.extension import Following  # noqa: PLC0415 - it is loaded, then

    return follower if isinstance(follower, Following) else None


@hookimpl(trylast=True)
def accel_reload(context: PluginContext, previous: PluginContext) -> None:
    """Go on, begin, or end."""
    following = _following(context)
    if following is not None and _section(context) == _section(previous):
        following.serve(context.pools.observer)
        return
    accel_shutdown(context)
    accel_startup(context)


@hookimpl
def accel_shutdown(context: PluginContext) -> None:
    """Ask no more."""
    following = _following(context)
    if following is not None:
        following.end()
