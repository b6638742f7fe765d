"""``wats-accel plugins``: the plugins and the hooks that they implement."""

from __future__ import annotations

import os

import click

from wats_accel.assembly import load_plugins
from wats_accel.cli.environment import CONFIG_INVALID, PROBLEMS_FOUND, print_problems
from wats_accel.cli.options import config_option
from wats_accel.config.documents import Document
from wats_accel.config.location import locate_config
from wats_accel.config.sources import mapping_document
from wats_accel.config_source import read_config
from wats_accel.errors import ConfigError, Problem
from wats_accel.event_bus import EventBus


@click.command("plugins")
@config_option
def command(config: str | None) -> int:
    """List the plugins, where each comes from, and the hooks that it implements."""
    problems: list[Problem] = []
    plugins, _ = load_plugins(_document(config), bus=EventBus(), report=problems.append)
    for plugin in plugins.plugins():
        click.echo(f"{plugin.name}  ({plugin.origin})")
        for hook in plugin.hooks:
            click.echo(f"  {hook}")
    print_problems(problems)
    return PROBLEMS_FOUND if problems else 0


def _document(config: str | None) -> Document:
    environ: dict[str, str] = {} if config else dict(os.environ)
    if locate_config(config, environ) is None:
        return mapping_document({})  # no configuration anywhere: built-in and installed plugins
    try:
        return read_config(config, environ)
    except ConfigError as error:
        print_problems(error.problems)
        raise click.exceptions.Exit(CONFIG_INVALID) from None
