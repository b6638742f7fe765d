"""A program that `run` is to run, once click has done its part."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

from wats_accel.cli.script import run_module, run_script
from wats_accel.config.location import CONFIG_VARIABLE


@dataclass(frozen=True, slots=True)
class Program:
    """A script or module, its arguments, and the configuration to run it with."""

    name: str
    is_module: bool
    arguments: Sequence[str]
    config: str | None

    def execute(self) -> int:
        """Install the accelerator, run the program as if directly, and give its exit status."""
        import wats_accel  # noqa: PLC0415 - as an application would do it

        if self.config is not None:
            os.environ[CONFIG_VARIABLE] = os.path.abspath(self.config)  # the newest wish beats older ones
        wats_accel.install()
        run = run_module if self.is_module else run_script
        return run(self.name, self.arguments)
