"""Generated files: written, printed, or checked for staleness."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from wats_accel.atomic_files import replace_file

_Command = TypeVar("_Command", bound=Callable[..., Any])


def output_options(function: _Command) -> _Command:
    """The options ``--output FILE`` and ``--check``."""
    output = click.option("--output", "-o", metavar="FILE", help="Write to this file instead of printing.")
    check = click.option("--check", is_flag=True, help="Write nothing; exit with 1 if the file is stale.")
    return output(check(function))


def deliver(text: str, output: str | None, *, check: bool) -> int:
    """Print `text`, write it to a file, or say whether the file has it already; gives an exit status."""
    if output is None:
        if check:
            raise click.UsageError("--check needs --output: it compares that file")
        click.echo(text, nl=False)
        return 0
    path = Path(output)
    current = path.read_text(encoding="utf-8") if path.is_file() else None
    if current == text:
        return 0
    if check:
        click.echo(f"{output} is stale; write it again without --check", err=True)
        return 1
    try:
        _write(path, text)
    except OSError as error:
        raise click.FileError(output, error.strerror or type(error).__name__) from None
    return 0


def _write(path: Path, text: str) -> None:
    if path.exists() and not path.is_file():  # /dev/stdout, a pipe: nothing to be replaced
        path.write_text(text, encoding="utf-8", newline="\n")
    else:
        replace_file(path, text.encode("utf-8"))
