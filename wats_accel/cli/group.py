"""The group of commands: built-in ones by name, others from plugins."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Any

import click

from wats_accel import __version__

_COMMANDS = {
    "run": "Run a program with the accelerator, without editing it.",
    "check": "Check a configuration, and that everything it names is there.",
    "lock": "Write down what each patched method looks like, so that a change is noticed.",
    "scan": "Propose a configuration, from the SQL in an application's source.",
    "explain": "Say what is cached of a method, and what drops it.",
    "report": "Write all rules as a Markdown page.",
    "schema": "Write the JSON Schema of the configuration.",
    "schema-scan": "Write down a live database's tables, keys, triggers, views and procedures.",
    "freshness-ddl": "Write the script by which a database tells which tables have changed.",
    "status": "Say what running processes have on.",
    "disable": "Switch something off in the configuration file.",
    "enable": "Switch something on again in the configuration file.",
    "plugins": "List the plugins and the hooks that they implement.",
}

_ELSEWHERE = {"disable": ("switch", "disable"), "enable": ("switch", "enable")}
"""Commands that share a file."""


class _Commands(click.Group):
    """Imports a command when it is called, and plugins when nothing else has the name."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*_COMMANDS, *sorted(_plugin_commands())]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in _COMMANDS:
            module, name = _ELSEWHERE.get(cmd_name, (cmd_name.replace("-", "_"), "command"))
            command = getattr(importlib.import_module(f"wats_accel.cli.{module}"), name)
            command.short_help = _COMMANDS[cmd_name]
            return command  # type: ignore[no-any-return]  # each of those modules has it
        return _plugin_commands().get(cmd_name)


def _plugin_commands() -> dict[str, click.Command]:
    from wats_accel.cli.environment import known_plugins  # noqa: PLC0415 - seldom needed

    commands = known_plugins().collect("accel_cli_commands")
    return {command.name: command for command in commands if command.name}


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="wats-accel")
def group() -> None:
    """Caching with correct invalidation for an existing application, from a config file."""


def dispatch(argv: Sequence[str] | None) -> Any:
    """Run one command; gives its exit status, or the program that it wants to have run."""
    try:
        outcome = group.main(args=argv, prog_name="wats-accel", standalone_mode=False)
    except click.Abort:
        click.echo("Aborted.", err=True)
        return 130
    except click.ClickException as error:
        error.show()
        return error.exit_code
    return outcome or 0
