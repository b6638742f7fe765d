"""``wats-accel scan``: a configuration for an application, from the SQL in its source."""

from __future__ import annotations

import os
from pathlib import Path

import click

from wats_accel.cli.output import deliver, output_options

DIALECTS = ("tsql", "postgres", "sqlite", "mysql", "oracle")


@click.command("scan")
@click.option(
    "--source",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="FOLDER",
    required=True,
    help="Where the application's modules are imported from. None of them is imported for this.",
)
@click.option(
    "--exclude",
    metavar="PATTERN",
    multiple=True,
    help="Files or folders in it that are no part of the application; repeatable.",
)
@click.option("--dialect", type=click.Choice(DIALECTS), help="Of its SQL; by default that of its driver.")
@click.option(
    "--schema",
    "schemas",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    multiple=True,
    help="What 'wats-accel schema-scan' has written of its database; repeatable.",
)
@output_options
def command(
    source: Path,
    exclude: tuple[str, ...],
    dialect: str | None,
    schemas: tuple[Path, ...],
    output: str | None,
    check: bool,
) -> int:
    """Propose a configuration: which reads to cache, and why; and every write that has to drop them.

    'wats-accel check --source' finds nothing that the configuration could mend. What it still finds is
    told on standard error.
    """
    from wats_accel.cli.source_scan import SourceScan  # noqa: PLC0415 - heavy: it reads SQL

    folder = Path(output).parent if output is not None else Path()
    named = tuple(os.path.relpath(schema, folder).replace(os.sep, "/") for schema in schemas)
    found = SourceScan(source, exclude, dialect, schemas, named).run()
    status = deliver(found.text, output, check=check)
    for line in found.told:
        click.echo(line, err=True)
    return status
