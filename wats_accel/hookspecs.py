"""The hooks: everything that a plugin can contribute to wats_accel. One flat page.

A plugin is a module, or an object, with functions of these names marked `hookimpl`. Built-in features
use the same hooks. A hook that raises is reported with the plugin's name, and the rest goes on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pluggy

from wats_accel.config.models import ConfigSection

if TYPE_CHECKING:
    import click

    from wats_accel.cache.entries import Store
    from wats_accel.context import EventSubscription, PluginContext
    from wats_accel.patching.plan import PatchSpec

PROJECT = "wats_accel"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def accel_config_sections() -> list[ConfigSection]:  # type: ignore[empty-body]  # a specification
    """Contribute sections to the configuration, each with its own model."""


@hookspec
def accel_patch_specs(context: PluginContext) -> list[PatchSpec]:  # type: ignore[empty-body]  # as above
    """Turn the plugin's section into wrappers for methods."""


@hookspec
def accel_event_subscriptions(  # type: ignore[empty-body]  # as above
    context: PluginContext,
) -> list[EventSubscription]:
    """Listen to events."""


@hookspec
def accel_create_store(namespace: str, target: str) -> Store | None:
    """Give the store for one cached method's entries, or None to leave it to others."""


@hookspec
def accel_startup(context: PluginContext) -> None:
    """Start what the plugin needs; called once, before anything is patched."""


@hookspec
def accel_reload(context: PluginContext, previous: PluginContext) -> None:
    """Adapt to another configuration, instead of being started and shut down; called while calls go on.

    Caches, rules and pools of `context` are those in effect from now on; what is new is about to be patched.
    """


@hookspec
def accel_shutdown(context: PluginContext) -> None:
    """Stop what `accel_startup` started; called once, after everything is unpatched, in reverse order."""


@hookspec
def accel_cli_commands() -> list[click.Command]:  # type: ignore[empty-body]  # as above
    """Contribute commands to `wats-accel`."""
