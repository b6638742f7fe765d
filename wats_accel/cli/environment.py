"""What several commands share: reading a configuration and assembling it without installing anything."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Sequence

import click

from wats_accel.assembly import Assembly, assemble, load_plugins
from wats_accel.config.sources import mapping_document
from wats_accel.config_source import read_config
from wats_accel.errors import ConfigError, Problem
from wats_accel.event_bus import EventBus
from wats_accel.plugin_manager import PluginManager

CONFIG_INVALID = 2
PROBLEMS_FOUND = 1


def assembled(config: str | None) -> tuple[Assembly, list[Problem]]:
    """Assemble a configuration; gives it with what its plugins reported.

    Prints every problem and ends the command with status 2 when the configuration is not valid.
    """
    problems: list[Problem] = []
    environ: dict[str, str] = {} if config else dict(os.environ)
    try:
        document = read_config(config, environ)
        return assemble(document, clock=time.monotonic, bus=EventBus(), report=problems.append), problems
    except ConfigError as error:
        # The keys of a plugin that cannot be loaded are unknown; so first why it cannot.
        print_problems([*problems, *error.problems])
        raise click.exceptions.Exit(CONFIG_INVALID) from None


def read_schema(assembly: Assembly) -> None:
    """Read the files of schema that a configuration names.

    Prints every problem and ends the command with status 2 when one is missing or not valid.
    """
    if not assembly.config.root.sql.schema_files:
        return
    try:
        _ = assembly.context.schema
    except ConfigError as error:
        print_problems(error.problems)
        raise click.exceptions.Exit(CONFIG_INVALID) from None


def known_plugins(report: Callable[[Problem], None] = lambda problem: None) -> PluginManager:
    """The plugins that are there without a configuration: built-in ones and installed ones."""
    plugins, _ = load_plugins(mapping_document({}), bus=EventBus(), report=report)
    return plugins


def print_problems(problems: Sequence[Problem]) -> None:
    """One line for each problem, on standard error."""
    for problem in problems:
        click.echo(str(problem), err=True)


def add_import_paths(paths: Sequence[str]) -> None:
    """Let the application's modules be found, as they are when it runs."""
    sys.path[:0] = [os.path.abspath(path) for path in paths]
