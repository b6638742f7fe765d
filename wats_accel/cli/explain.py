"""``wats-accel explain``: what is cached of a method, what drops it, how a `connect` is pooled."""

from __future__ import annotations

import click

from wats_accel.cli.environment import assembled, config_option, print_problems
from wats_accel.errors import TargetError
from wats_accel.report.explanation import explain


@click.command("explain")
@config_option
@click.argument("target")
def command(config: str | None, target: str) -> int:
    """Say what is cached of TARGET, for how long, and what drops it; or what it drops as a write.

    TARGET is 'package.module:Class.method' or the end of it, such as 'Class.method'. Of a driver's
    'module:connect' it says how its connections are pooled.
    """
    assembly, problems = assembled(config)
    context = assembly.context
    print_problems(problems)
    try:
        click.echo(str(explain(target, context.caches, context.invalidator, context.pools)))
    except TargetError as error:
        raise click.ClickException(str(error)) from None
    return 0
