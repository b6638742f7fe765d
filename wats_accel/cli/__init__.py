"""The command line: ``wats-accel``. One file for each command, imported when it is called."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Run a command and end the process with its exit status."""
    from wats_accel.cli.group import dispatch  # noqa: PLC0415 - click is for the command line only
    from wats_accel.cli.program import Program  # noqa: PLC0415 - a start of the program is fast
    from wats_accel.cli.script import exit_with  # noqa: PLC0415 - as above

    outcome = dispatch(argv)
    # A program runs outside of click, which would catch its KeyboardInterrupt.
    exit_with(outcome.execute() if isinstance(outcome, Program) else outcome)
