"""The feature ``freshness:``: the database itself tells which tables have changed, whoever did it."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wats_accel.extension import (
    ConfigReloaded,
    ConfigSection,
    EventSubscription,
    Finding,
    Initialized,
    Later,
    PluginContext,
    Target,
    hookimpl,
    mapping_at,
)

if TYPE_CHECKING:
    from wats_accel.extension import Following
    from wats_accel_plugins.freshness_section import FreshnessSection

# -- configuration -------------------------------------------------------------------------------------


_SOURCES = {
    "sqlserver-change-tracking": "sqlserver",
    "sqlite-data-version": "sqlite",
}


def _model() -> Any:
    from wats_accel_plugins.freshness_section import FreshnessSection  # noqa: PLC0415 - few follow a database

    return FreshnessSection | None


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
            Later(_model),
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
    section: FreshnessSection | None = getattr(context.root, "freshness", None)
    return section if section is not None and section.enabled else None


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
    from wats_accel_plugins.outside import told  # noqa: PLC0415 - as above

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
