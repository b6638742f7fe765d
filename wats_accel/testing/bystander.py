"""A plugin that implements every hook and changes nothing: so that each hook can be made to fail.

A file of a test's own brings it in:

    from wats_accel.testing.bystander import *
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wats_accel.context import EventSubscription, PluginContext
from wats_accel.events import Event, Invalidated, Miss, Stored
from wats_accel.hookspecs import hookimpl
from wats_accel.testing.faulty_store import FaultyStore

if TYPE_CHECKING:
    import click

    from wats_accel.cache.entries import Store
    from wats_accel.config.models import ConfigSection
    from wats_accel.patching.plan import PatchSpec

__all__ = [
    "accel_cli_commands",
    "accel_config_sections",
    "accel_create_store",
    "accel_event_subscriptions",
    "accel_patch_specs",
    "accel_shutdown",
    "accel_startup",
]


@hookimpl
def accel_config_sections() -> list[ConfigSection]:
    """None."""
    return []


@hookimpl
def accel_patch_specs(context: PluginContext) -> list[PatchSpec]:
    """None."""
    return []


@hookimpl
def accel_event_subscriptions(context: PluginContext) -> list[EventSubscription]:
    """To a few events of the cache."""
    return [EventSubscription(kind, hear) for kind in (Miss, Stored, Invalidated)]


def hear(event: Event) -> None:
    """A listener that does nothing."""


@hookimpl
def accel_create_store(namespace: str, target: str) -> Store:
    """A store of a plugin's, which keeps entries in memory."""
    return FaultyStore()


@hookimpl
def accel_startup(context: PluginContext) -> None:
    """Nothing."""


@hookimpl
def accel_shutdown(context: PluginContext) -> None:
    """Nothing."""


@hookimpl
def accel_cli_commands() -> list[click.Command]:
    """None."""
    return []
