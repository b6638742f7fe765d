"""Runs our scripts in processes of their own: each begins with nothing imported and nothing kept."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).resolve().parent
PATIENCE_SECONDS: Final = 900.0
"""How long one may take: many times what any needs, on a machine with much else to do."""


class RunFailedError(Exception):
    """A process of ours ended with an error, which it has written to its error output, or not at all."""


def run_script(script: str, *arguments: str, environment: Mapping[str, str] | None = None) -> str:
    """Run it and give what it has printed.

    Args:
        environment: variables beside those of this process.

    Raises:
        RunFailedError: it failed.
    """
    told = f"{script} {' '.join(arguments)}"
    try:
        done = subprocess.run(
            [sys.executable, str(HERE / script), *arguments],
            env={**os.environ, **(environment or {}), "PYTHONUTF8": "1"},
            stdout=subprocess.PIPE,
            encoding="utf-8",
            timeout=PATIENCE_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise RunFailedError(f"{told} has not come to its end") from error
    if done.returncode:
        raise RunFailedError(f"{told} ended with exit code {done.returncode}")
    return done.stdout
