"""``wats-accel freshness-ddl``: the script by which a database tells which of its tables have changed."""

from __future__ import annotations

import click

from wats_accel.cli.environment import CONFIG_INVALID, assembled, print_problems
from wats_accel.cli.output import deliver, output_options
from wats_accel.errors import AccelError, ConfigError
from wats_accel.versions.ddl import Method, script
from wats_accel.versions.dialects import DEFAULT_NAME, Dialect
from wats_accel.versions.names import listed

_OUTPUT_WARNING = (
    "SQL Server refuses OUTPUT without INTO on tables that have triggers: see the head of the script, "
    "or use --by change-tracking"
)


@click.command("freshness-ddl")
@click.option(
    "--dialect",
    type=click.Choice(["sqlite", "postgresql", "sqlserver"]),
    required=True,
    help="The database that the script is for.",
)
@click.option(
    "--config",
    "-c",
    metavar="FILE",
    help="The tables to be watched are those of its section sql and of its files of schema.",
)
@click.option("--tables", metavar="NAMES", help="The tables to be watched, separated by commas, instead.")
@click.option(
    "--name",
    metavar="NAME",
    default=DEFAULT_NAME,
    show_default=True,
    help="Of the version table, with its schema if it is not public or dbo.",
)
@click.option(
    "--by",
    "method",
    type=click.Choice(["triggers", "change-tracking"]),
    default="triggers",
    show_default=True,
    help="How the database notices: by triggers, or by what SQL Server has of its own.",
)
@click.option("--drop", is_flag=True, help="Take away what the script has made.")
@output_options
def command(
    dialect: Dialect,
    config: str | None,
    tables: str | None,
    name: str,
    method: Method,
    drop: bool,
    output: str | None,
    check: bool,
) -> int:
    """Print the script that has a database note which of its tables are written to.

    Nothing is connected to. Read the script, and run it as whoever owns the tables. It may be run again: then
    the tables of the last run count. With --drop give the same tables again.
    """
    if tables is not None and config is not None:
        raise click.UsageError("give --tables or --config")
    try:
        names = listed(tables) if tables is not None else _tables_of(config)
        text = str(script(dialect, names, name=name, method=method, drop=drop))
    except ConfigError as error:
        print_problems(error.problems)
        return CONFIG_INVALID
    except AccelError as error:
        raise click.ClickException(str(error)) from None
    if dialect == "sqlserver" and method == "triggers" and not drop:
        click.echo(_OUTPUT_WARNING, err=True)
    return deliver(text, output, check=check)


def _tables_of(config: str | None) -> list[str]:
    """Every table that a configuration and its files of schema know."""
    from wats_accel.schema_descriptions import descriptions  # noqa: PLC0415 - heavy
    from wats_accel.sql.schema_description import merged  # noqa: PLC0415 - heavy

    assembly, _ = assembled(config)
    return sorted(merged(descriptions(assembly.config)).tables)
