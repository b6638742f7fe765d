"""``wats-accel check``: is the configuration valid, and is everything there that it names?"""

from __future__ import annotations

import click

from wats_accel.cli.environment import (
    PROBLEMS_FOUND,
    add_import_paths,
    assembled,
    config_option,
    print_problems,
)
from wats_accel.patching.rehearsal import rehearse


@click.command("check")
@config_option
@click.option(
    "--path",
    "paths",
    metavar="FOLDER",
    multiple=True,
    help="Where the application's modules are; repeatable.",
)
@click.option("--no-import", is_flag=True, help="Check the file only; import nothing of the application.")
def command(config: str | None, paths: tuple[str, ...], no_import: bool) -> int:
    """Check a configuration, and that everything it names is there.

    The application's modules are imported for that. Exit status: 0 all well, 1 something cannot be
    applied, 2 the configuration is not valid.
    """
    assembly, problems = assembled(config)
    if not no_import:
        add_import_paths(paths or (".",))
        located = assembly.config.problem
        problems += [
            located(found.message, found.key_path, target=found.target) for found in rehearse(assembly.plan)
        ]
    print_problems(problems)
    reads, writes = len(assembly.context.caches), len(list(assembly.context.invalidator))
    pools = len(assembly.context.pools)
    pooled = f"{pools} connection pools, " if pools else ""
    click.echo(f"{reads} cached reads, {writes} invalidating writes, {pooled}{len(problems)} problems")
    return PROBLEMS_FOUND if problems else 0
