"""``wats-accel lock``: what each patched method looks like today, so that a change is noticed tomorrow."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from wats_accel.admission import lock_path, rehearsed
from wats_accel.assembly import Assembly
from wats_accel.cli.environment import PROBLEMS_FOUND, add_import_paths, assembled, print_problems
from wats_accel.cli.options import config_option, path_option
from wats_accel.cli.output import deliver, output_options
from wats_accel.config.documents import SourceError
from wats_accel.errors import Problem
from wats_accel.locking import Locked, difference, fingerprints, lock_text, read_lock, with_code_of_others
from wats_accel.patching.fingerprint import Fingerprint
from wats_accel.targets import Target


@click.command("lock")
@config_option
@path_option
@output_options
def command(config: str | None, paths: tuple[str, ...], output: str | None, check: bool) -> int:
    """Write down what each patched method looks like, so that a change is noticed.

    The application's modules are imported for that. Without --output the file is the one that the
    configuration names under 'lock'; without that, it is printed. With --check each difference is told.
    Exit status: 0 all well, 1 a method cannot be patched or the file is stale, 2 the configuration is not
    valid.
    """
    assembly, problems = assembled(config)
    add_import_paths(paths or (".",))
    problems += rehearsed(assembly.config, assembly.plan, compares=False)
    print_problems(problems)
    new = fingerprints(_targets(assembly, problems))
    output = output or lock_path(assembly.config) or None
    old = _known(output)
    for line in _differences(new, old or {}):
        click.echo(line, err=True)
    if check:
        status = _compared(new, old, output)
    else:
        status = deliver(lock_text(with_code_of_others(new, old or {})), output, check=False)
        if output is not None:
            click.echo(f"{len(new)} methods locked in {output}")
    return max(status, PROBLEMS_FOUND if problems else 0)


def _targets(assembly: Assembly, problems: list[Problem]) -> list[Target]:
    """The methods that are patched: those of drivers are not the application's, and come with an upgrade."""
    left_out = {(problem.target, problem.key_path) for problem in problems}
    return [
        patch.target
        for patch in assembly.plan
        if any(
            not spec.of_driver and (str(spec.target), spec.key_path) not in left_out for spec in patch.specs
        )
    ]


def _known(output: str | None) -> dict[str, Fingerprint] | None:
    """What the file says now; None if there is none, or if it cannot be read and so will be written anew."""
    try:
        return read_lock(Path(output)) if output is not None else None
    except SourceError as error:
        if Path(output or "").is_file():
            click.echo(str(error), err=True)
        return None


def _differences(new: Locked, old: Locked) -> Iterator[str]:
    for target in sorted({*new, *old} if old else ()):
        if target not in old:
            yield f"{target}: new"
        elif target not in new:
            yield f"{target}: gone"
        elif (what := difference(new[target], old[target])) is not None:
            yield f"{target}: changed ({what})"


def _compared(new: Locked, old: Locked | None, output: str | None) -> int:
    if output is None:
        raise click.UsageError(
            "--check needs --output, or 'lock' in the configuration: it compares that file"
        )
    if old is not None and not any(_differences(new, old)) and bool(old) == bool(new):
        return 0
    if not Path(output).exists():
        click.echo(f"{output}: there is no such file; write it without --check", err=True)
    else:
        click.echo(
            f"{output} is stale; look at what has changed, then write it again without --check", err=True
        )
    return 1
