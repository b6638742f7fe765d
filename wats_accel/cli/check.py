"""``wats-accel check``: is the configuration valid, is everything there, does it drop enough?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from wats_accel.admission import rehearsed
from wats_accel.cli.environment import (
    PROBLEMS_FOUND,
    add_import_paths,
    assembled,
    print_problems,
    read_schema,
)
from wats_accel.cli.options import config_option, path_option

FORMATS = ("text", "json", "github", "sarif")
_FOR_SOURCE = ("exclude", "format", "fail_on", "baseline", "write_baseline", "output", "verbose")


_SOURCE_OPTIONS = (
    click.option(
        "--source",
        type=click.Path(exists=True, file_okay=False, path_type=Path),
        metavar="FOLDER",
        help="Hold the configuration against the SQL of this source tree, without importing it.",
    ),
    click.option(
        "--exclude",
        metavar="PATTERN",
        multiple=True,
        help="Files or folders in it that are no part of the application; repeatable.",
    ),
    click.option("--format", "format_", type=click.Choice(FORMATS), default="text"),
    click.option(
        "--fail-on",
        type=click.Choice(("error", "warning", "note", "never")),
        default="warning",
        help="End with 1 on findings of this severity or a graver one; by default warning.",
    ),
    click.option(
        "--baseline",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="Findings that are accepted; by default CONFIG-baseline.yaml beside the configuration.",
    ),
    click.option(
        "--write-baseline",
        is_flag=True,
        help="Write what is found into the baseline; whoever accepts it gives the reasons.",
    ),
    click.option("--output", "-o", metavar="FILE", help="Write the findings to this file."),
    click.option(
        "--verbose",
        "-v",
        is_flag=True,
        help="Also show long statements whole, and what is accepted or trusted.",
    ),
)


def _source_options(function: Any) -> Any:
    """The options that go with ``--source``."""
    for option in reversed(_SOURCE_OPTIONS):
        function = option(function)
    return function


@click.command("check")
@config_option
@path_option
@click.option("--no-import", is_flag=True, help="Check the file only; import nothing of the application.")
@_source_options
@click.pass_context
def command(
    context: click.Context,
    /,
    config: str | None,
    paths: tuple[str, ...],
    no_import: bool,
    source: Path | None,
    **for_source: Any,
) -> int:
    """Check a configuration, and that everything it names is there.

    The application's modules are imported for that. With --source nothing is imported: the SQL of the
    source tree is read, and every write that a rule forgets is named, with the line to add. Exit status:
    0 all well, 1 something cannot be applied or is found, 2 the configuration is not valid.
    """
    if source is not None:
        return _check_source(config, source, paths, no_import=no_import, **for_source)
    for name in _FOR_SOURCE:
        parameter = "format_" if name == "format" else name
        if context.get_parameter_source(parameter) is not ParameterSource.DEFAULT:
            raise click.UsageError(f"--{name.replace('_', '-')} needs --source")
    assembly, problems = assembled(config)
    read_schema(assembly)
    if not no_import:
        add_import_paths(paths or (".",))
    problems += rehearsed(assembly.config, assembly.plan, imports=not no_import, compares=not no_import)
    print_problems(problems)
    reads, writes = len(assembly.context.caches), len(list(assembly.context.invalidator))
    pools = len(assembly.context.pools)
    pooled = f"{pools} connection pools, " if pools else ""
    click.echo(f"{reads} cached reads, {writes} invalidating writes, {pooled}{len(problems)} problems")
    return PROBLEMS_FOUND if problems else 0


def _check_source(
    config: str | None, source: Path, paths: tuple[str, ...], *, no_import: bool, **options: Any
) -> int:
    from wats_accel.cli.source_check import SourceCheck  # noqa: PLC0415 - heavy: it reads SQL

    assembly, problems = assembled(config)
    if paths and not no_import:
        add_import_paths(paths)
        problems += rehearsed(assembly.config, assembly.plan)
    print_problems(problems)
    status = SourceCheck(assembly, source, **options).run()
    return max(status, PROBLEMS_FOUND if problems else 0)
