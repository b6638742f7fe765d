"""The feature ``invalidation:``: the SQL itself says which answers a write makes old."""

from __future__ import annotations

import functools
import importlib
from typing import TYPE_CHECKING, Any, Literal

from wats_accel.extension import (
    ConfigSection,
    PatchSpec,
    PluginContext,
    ShortSection,
    hookimpl,
)

if TYPE_CHECKING:
    from wats_accel.extension import Region, Tracker

# -- configuration -------------------------------------------------------------------------------------


class InvalidationSection(ShortSection):
    """What says which answers a write drops. In short: just the mode."""

    mode: Literal["rules", "sql", "both"] = "rules"
    """rules: those under ``invalidates``. sql: the statements that the drivers are given, and no rule.
    both: either."""

    @classmethod
    def lengthened(cls, value: object) -> object:
        """As the base class has it."""
        return {"mode": value} if isinstance(value, str) else value

    @classmethod
    def short_schemas(cls, long_form: dict[str, Any]) -> list[dict[str, Any]]:
        """As the base class has it."""
        return [{**long_form["properties"]["mode"], "description": "The mode."}]


@hookimpl
def accel_config_sections() -> list[ConfigSection]:
    """``invalidation:``."""
    return [
        ConfigSection(
            "invalidation",
            InvalidationSection,
            InvalidationSection.model_construct(),
            description="What says which answers a write drops: rules, the SQL, or both.",
        )
    ]


def mode_of(context: PluginContext) -> str:
    """The mode that is in effect; ``rules`` without this plugin."""
    section = getattr(context.root, "invalidation", None)
    return section.mode if isinstance(section, InvalidationSection) else "rules"


# -- before the start ----------------------------------------------------------------------------------


class _NotYet:
    """Watches nothing: until statements are seen, and if that never begins, no answer is kept."""

    def why_not_keep(self, region: Region, load: object, /) -> str:
        """Why the answer of a load must not be kept."""
        return "switched_off"

    def told_of(self, region: Region, /) -> dict[str, str]:
        """What is known of a method's reads."""
        return {"reads": "statements are not seen"}


@hookimpl(trylast=True)
def accel_patch_specs(context: PluginContext) -> list[PatchSpec]:
    """No wrapper; but where the SQL decides, nothing is kept before somebody sees it."""
    for region in context.caches.planned if mode_of(context) != "rules" else ():
        region.watch = region.watch or _NotYet()
    return []


# -- start and end -------------------------------------------------------------------------------------


@hookimpl(trylast=True)
def accel_startup(context: PluginContext) -> None:
    """Begin to see statements, after the caches, the pools and the rules are there."""
    mode = mode_of(context)
    if mode == "rules":
        return
    with context.invalidator.nothing_kept_without("statements cannot be followed"):
        _start(context)
    context.announce("sql_invalidation", _summary(context, mode))


def _tracker(context: PluginContext) -> Tracker | None:
    """What sees statements, if something does."""
    observer = context.pools.observer
    if observer is None:
        return None
    from wats_accel.extension import Tracker  # noqa: PLC0415 - loads what reads SQL

    return observer if isinstance(observer, Tracker) else None


def _start(context: PluginContext) -> None:
    from wats_accel.extension import Tracker  # noqa: PLC0415 - loads what reads SQL

    importlib.import_module("sqlglot")  # that it is missing is told now, and not found out by statements
    sql = context.root.sql
    options: dict[str, Any] = {
        "dialect": sql.dialect or "",
        "strict": not sql.assume_plain_tables,
        "covered": functools.partial(_has_rule, context),
        "report": functools.partial(context.problem, key_path=("invalidation",)),
    }
    tracker = _tracker(context)
    if tracker is not None:  # from before a reload: connections in use know this one
        tracker.go_by(lambda: context.schema, **options)
    else:
        made = functools.partial(Tracker, context.caches, lambda: context.schema, bus=context.bus)
        tracker = made(breakers=context.breakers, **options)
    _watch(context, tracker)


def _watch(context: PluginContext, tracker: Tracker) -> None:
    tracker.watch(context.caches)
    context.pools.observe(tracker)
    sql = context.root.sql
    if not len(context.pools):
        tracker.lost_sight("there is no entry under 'pool', so no connection is seen")
    elif not (sql.assume_plain_tables or sql.schema_files or sql.tables or sql.views):
        context.problem(_NO_SCHEMA, ("invalidation",))


_NO_SCHEMA = (
    "nothing is known of the database, so any table may be a view, and no answer is kept without a rule: "
    "name a file under 'sql.schema' (`wats-accel schema-scan` writes one), or say 'assume_plain_tables: true'"
)


def _has_rule(context: PluginContext, region: Region) -> bool:
    return bool(context.invalidator.dropping(region))


def _summary(context: PluginContext, mode: str) -> str:
    if mode == "both":
        return "SQL decides what a write drops, besides the rules"
    left_out = sum(len(repository.invalidates) for repository in context.repositories)
    without = f" ({left_out} rules under 'invalidates' are left out)" if left_out else ""
    return f"SQL decides what a write drops{without}"


@hookimpl(trylast=True)
def accel_reload(context: PluginContext, previous: PluginContext) -> None:
    """Go on seeing statements, see them otherwise, begin to, or end."""
    tracker, mode = _tracker(context), mode_of(context)
    if mode == "rules":
        accel_shutdown(context)
    elif context.continues and tracker is not None:  # mode and schema are as before
        _watch(context, tracker)
    else:
        accel_startup(context)


@hookimpl
def accel_shutdown(context: PluginContext) -> None:
    """See nothing any more."""
    tracker = _tracker(context)
    if tracker is not None:
        tracker.close()
