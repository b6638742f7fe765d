"""``wats-accel schema-scan``: a live database's tables, keys, triggers, views and procedures, as a file."""

from __future__ import annotations

import datetime
from pathlib import Path

import click

from wats_accel.cli.environment import add_import_paths
from wats_accel.cli.live_database import connected
from wats_accel.cli.output import deliver, output_options
from wats_accel.errors import AccelError


@click.command("schema-scan")
@click.option(
    "--driver",
    required=True,
    metavar="MODULE[:FUNCTION]",
    help="What opens the connection: sqlite3, pyodbc, another DB-API module, or a function of your own.",
)
@click.option("--database", metavar="FILE", help="The SQLite file; opened for reading only.")
@click.option(
    "--connection-string-from",
    "variable",
    metavar="VARIABLE",
    help="The environment variable that holds the connection string.",
)
@click.option("--prompt", is_flag=True, help="Ask for the connection string; what is typed is not shown.")
@click.option(
    "--dialect",
    type=click.Choice(["tsql", "postgres", "sqlite", "mysql", "oracle"]),
    help="Which database it is; by default it is asked.",
)
@click.option(
    "--path",
    "paths",
    metavar="FOLDER",
    multiple=True,
    help="Where the module of --driver is; repeatable.",
)
@output_options
def command(
    driver: str,
    database: str | None,
    variable: str | None,
    prompt: bool,
    dialect: str | None,
    paths: tuple[str, ...],
    output: str | None,
    check: bool,
) -> int:
    """Write down what a live database adds to the application's SQL, for the key 'sql.schema'.

    Only its catalogue is read, with SELECTs. The connection string is never printed. A file that says
    the same already is left as it is, with the day of its own scan.
    """
    from wats_accel.sql.schema_file import file_text, says_the_same  # noqa: PLC0415 - heavy
    from wats_accel.sql.schema_scan import scan_schema  # noqa: PLC0415 - heavy

    add_import_paths(paths or (".",))
    with connected(driver, database=database, variable=variable, prompt=prompt) as connection:
        try:
            scanned = scan_schema(connection, dialect or "")
        except AccelError as error:
            raise click.ClickException(str(error)) from None
        except Exception as error:  # noqa: BLE001 - each driver has its own, and they may tell secrets
            raise click.ClickException(f"the database cannot be read: {type(error).__name__}") from None
    text = file_text(scanned.description, product=scanned.product, today=datetime.date.today())
    current = _text_of(output)
    unknown = len(scanned.description.unknown)
    if unknown:
        click.echo(f"could not be found out, and is listed under 'unknown': {unknown}", err=True)
    return deliver(current if says_the_same(current, text) else text, output, check=check)


def _text_of(output: str | None) -> str:
    path = Path(output or "")
    return path.read_text(encoding="utf-8") if output and path.is_file() else ""
