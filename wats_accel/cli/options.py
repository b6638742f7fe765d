"""Options that several commands share. Nothing heavy is imported here: `run` starts a program with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

_Command = TypeVar("_Command", bound=Callable[..., Any])


def config_option(function: _Command) -> _Command:
    """The option ``--config FILE``."""
    return click.option(
        "--config",
        "-c",
        metavar="FILE",
        help="YAML or TOML file; else $WATS_ACCEL_CONFIG, else wats-accel.yaml here or in config/.",
    )(function)


def path_option(function: _Command) -> _Command:
    """The option ``--path FOLDER``, repeatable: gives ``paths``."""
    return click.option(
        "--path",
        "paths",
        metavar="FOLDER",
        multiple=True,
        help="Where the application's modules are; repeatable.",
    )(function)
