"""``wats-accel disable`` and ``enable``: set switches in a configuration file, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence

import click

from wats_accel.cli.environment import PROBLEMS_FOUND, assembled, print_problems
from wats_accel.cli.options import config_option
from wats_accel.config.sources import read_document
from wats_accel.editing.config_file import switch_in_file
from wats_accel.editing.switches import Switch
from wats_accel.errors import ConfigError


@click.command("disable")
@click.argument("pattern")
@config_option
def disable(pattern: str, config: str | None) -> int:
    """Switch off in the configuration file what PATTERN names.

    PATTERN is `all`, a namespace (users, users:*), a method (users:get_role, UserRepository.get_role), a
    class (UserRepository), a pool (pyodbc:connect), or a glob of these; more than one with * or ?. The
    file's comments and its layout stay. Exit status: 0 done, 1 nothing has that name or the file cannot be
    written, 2 the configuration is not valid.
    """
    return _switch(pattern, config, on=False)


@click.command("enable")
@click.argument("pattern")
@config_option
def enable(pattern: str, config: str | None) -> int:
    """Switch on again in the configuration file what PATTERN names.

    What a PATTERN may be: see `wats-accel disable --help`. Exit status: 0 done, 1 nothing has that name or
    the file cannot be written, 2 the configuration is not valid.
    """
    return _switch(pattern, config, on=True)


def _switch(pattern: str, config: str | None, *, on: bool) -> int:
    assembly, _ = assembled(config)
    name = assembly.config.document.name
    try:
        switched = switch_in_file(name, pattern, on=on)
    except ConfigError as error:
        print_problems(error.problems)
        return PROBLEMS_FOUND
    word = "on" if on else "off"
    _tell(name, f"switched {word}", switched.changed)
    _tell(name, f"{word} already", switched.already)
    for above in switched.still_off:
        click.echo(f"without effect yet: {above.names} is off, too ({_place(name, above)})")
    if switched.changed:
        click.echo(_who_sees_it(name, is_watched=assembly.config.root.watch))
    return 0


def _who_sees_it(name: str, *, is_watched: bool) -> str:
    key = "watch = true" if name.lower().endswith(".toml") else "watch: true"
    if is_watched:
        return f"A running process takes it over by itself: the file says '{key}'."
    return f"A running process does not see it until it is started again: the file does not say '{key}'."


def _tell(name: str, what: str, switches: Sequence[Switch]) -> None:
    for switch in switches:
        click.echo(f"{what}: {switch.names} ({_place(name, switch)})")


def _place(name: str, switch: Switch) -> str:
    position = read_document(name).position((*switch.path, "enabled"))
    return f"{name}:{position.line}" if position else name
