"""Where the configuration file is: the environment, what the application said, or the usual places."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

CONFIG_VARIABLE = "WATS_ACCEL_CONFIG"
DISABLE_VARIABLE = "WATS_ACCEL_DISABLE"

_USUAL = tuple(
    Path(folder, f"wats-accel{suffix}") for folder in (".", "config") for suffix in (".yaml", ".yml", ".toml")
)


def locate_config(given: str | os.PathLike[str] | None, environ: Mapping[str, str]) -> Path | None:
    """The file to read; None when nobody named one and there is none in the usual places.

    `WATS_ACCEL_CONFIG` beats what the application says, so that a maintainer can try another file
    without touching it. A relative name is looked for in the current folder, then beside the program.
    """
    named = environ.get(CONFIG_VARIABLE) or given
    if named:
        return _nearby(Path(named))
    return next((path for name in _USUAL if (path := _nearby(name)).is_file()), None)


def disabled_patterns(environ: Mapping[str, str]) -> list[str]:
    """What `WATS_ACCEL_DISABLE` switches off: ``all``, or patterns separated by commas."""
    parts = [part.strip() for part in environ.get(DISABLE_VARIABLE, "").split(",")]
    return ["all" if part.lower() == "all" else part for part in parts if part]


def _nearby(path: Path) -> Path:
    beside = _program_folder() / path
    return beside if not path.is_absolute() and not path.is_file() and beside.is_file() else path


def _program_folder() -> Path:
    if getattr(sys, "frozen", False):
        return Path(sys.executable).parent
    program = getattr(sys.modules.get("__main__"), "__file__", None)
    return Path(program).resolve().parent if program else Path()
