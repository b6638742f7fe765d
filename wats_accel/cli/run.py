"""``wats-accel run``: run a program with the accelerator, without editing it."""

from __future__ import annotations

import click

from wats_accel.cli.options import config_option
from wats_accel.cli.program import Program


@click.command(
    "run",
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
    options_metavar="[--config FILE] [-m]",
)
@config_option
@click.option("-m", "is_module", is_flag=True, help="PROGRAM is a module, as with 'python -m'.")
@click.argument("program")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def command(config: str | None, is_module: bool, program: str, arguments: tuple[str, ...]) -> Program:
    """Run PROGRAM (a script, or with -m a module) with its ARGUMENTS as python would, accelerated.

    If the accelerator cannot start, the program runs without it and the log says why.
    """
    return Program(program, is_module, arguments, config)
