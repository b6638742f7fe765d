"""``wats-accel plugins``: the plugins and the hooks that they implement."""

from __future__ import annotations

import click

from wats_accel.assembly import load_plugins
from wats_accel.cli.environment import PROBLEMS_FOUND, config_option, known_plugins, print_problems
from wats_accel.errors import ConfigError, Problem
from wats_accel.events import EventBus
from wats_accel.runtime import read_config


@click.command("plugins")
@config_option
def command(config: str | None) -> int:
    """List the plugins, where each comes from, and the hooks that it implements."""
    problems: list[Problem] = []
    if config:
        try:
            document = read_config(config, {})
        except ConfigError as error:
            raise click.ClickException(str(error)) from None
        plugins, _ = load_plugins(document, bus=EventBus(), report=problems.append)
    else:
        plugins = known_plugins(problems.append)
    for plugin in plugins.plugins():
        click.echo(f"{plugin.name}  ({plugin.origin})")
        for hook in plugin.hooks:
            click.echo(f"  {hook}")
    print_problems(problems)
    return PROBLEMS_FOUND if problems else 0
