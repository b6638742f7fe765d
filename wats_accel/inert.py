"""The inert accelerator: what an application gets where the real one cannot be loaded.

A dependency is missing, or has another version than was asked for, or Python is too old. The application goes
on without us, and one line says why. Nothing but the standard library is imported here, and nothing of ours
that an old Python could not load.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from wats_accel.config.location import disabled_patterns, locate_config

_PACKAGES = {"yaml": "PyYAML", "sqlalchemy": "SQLAlchemy"}
"""What to install, where that has another name than what is imported."""
_ASKS_FOR_STRICTNESS = re.compile(rb"""^["']?strict["']?\s*[:=]\s*true\b""", re.MULTILINE)
_LONGEST_CONFIG_BYTES = 10_000_000


class InertAccelerator:
    """Has every public name of `Accelerator`, and does nothing.

    Args:
        source: as it was given to `install`.
        why: what is wrong.
    """

    installed = False
    underway = False

    def __init__(self, source: object, why: str) -> None:
        self.source = source
        self.problems: tuple[Any, ...] = (_problem(why),)

    def install(self) -> None:
        """Nothing is installed."""

    def uninstall(self) -> None:
        """There is nothing to put back."""

    def reload(self) -> bool:
        """Nothing changes."""
        return False

    def kept_for(self, source: object, *, strict: bool) -> InertAccelerator:
        """This one stays."""
        return self

    def disable(self, pattern: str) -> int:
        """Nothing is on."""
        return 0

    def enable(self, pattern: str) -> int:
        """Nothing can be."""
        return 0

    def invalidate(self, pattern: str) -> int:
        """Nothing is kept."""
        return 0

    def explain(self, target: str) -> Any:
        """Say that nothing is done with any target.

        Raises:
            TargetError: always.
        """
        raise _error("TargetError", "nothing is installed")

    def stats(self) -> Any:
        """The figures: all of them are 0."""
        try:
            from wats_accel.telemetry.snapshots import snapshot  # noqa: PLC0415 - it may be what is broken

            return snapshot([])
        except Exception:  # noqa: BLE001 - whatever is wrong with the installation, nobody shall notice here
            return SimpleNamespace(as_dict=dict)


def instead(
    error: Exception | None,
    source: Any,
    *,
    strict: bool | None,
    oldest_python: tuple[int, int],
    environ: Mapping[str, str] | None = None,
) -> InertAccelerator:
    """The accelerator to give where the real one cannot be loaded, once the log has been told why.

    Args:
        error: what was raised when it was loaded; None if this Python is too old to try.
        source: what `install` was given.
        strict: what `install` was given.
        oldest_python: that will do.
        environ: where `WATS_ACCEL_DISABLE` and `WATS_ACCEL_CONFIG` are looked up.

    Raises:
        ConfigError: strict, by the argument or by the file.
    """
    environ = os.environ if environ is None else environ
    inert = InertAccelerator(source, why(error, oldest_python))
    if "all" in disabled_patterns(environ):
        inert.problems = ()
        return inert
    if strict or (strict is None and _file_is_strict(source, environ)):
        raise _error("ConfigError", inert.problems) from error
    _tell(f"Configuration not used: {inert.problems[0].message}")
    return inert


def why(error: BaseException | None, oldest_python: tuple[int, int]) -> str:
    """One sentence about what keeps the accelerator from being loaded."""
    if error is None:
        oldest, here = (".".join(map(str, version)) for version in (oldest_python, sys.version_info[:2]))
        return f"wats_accel needs Python {oldest} or newer, and this is {here}"
    missing = (getattr(error, "name", None) or "").partition(".")[0]
    if isinstance(error, ModuleNotFoundError) and missing and missing != "wats_accel":
        return f"wats_accel needs the package {_PACKAGES.get(missing, missing)}, which is not installed"
    # The import system's own texts are harmless; any other might hold a secret.
    text = f": {error}" if isinstance(error, (ImportError, SyntaxError)) else ""
    return f"wats_accel cannot be loaded: {type(error).__name__}{text}"


def _file_is_strict(source: Any, environ: Mapping[str, str]) -> bool:
    """Whether a configuration that cannot be read properly asks for strictness."""
    if isinstance(source, Mapping):
        return source.get("strict") is True
    try:
        path: Path | None = locate_config(source, environ)
        if path is None or not path.is_file() or path.stat().st_size > _LONGEST_CONFIG_BYTES:
            return False
        return _ASKS_FOR_STRICTNESS.search(path.read_bytes()) is not None
    except Exception:  # noqa: BLE001 - unreadable, or no path at all
        return False


def _tell(line: str) -> None:
    with contextlib.suppress(Exception):  # the host's handlers may raise, as anything may
        logging.getLogger("wats_accel").warning("%s", line)


# -- our own types, as far as they can be loaded ----------------------------------------------------------


class _PlainProblem(str):
    """A problem for a Python that cannot load `Problem`."""

    __slots__ = ()

    @property
    def message(self) -> str:
        return str(self)


def _problem(message: str) -> Any:
    try:
        from wats_accel.errors import Problem  # noqa: PLC0415 - an old Python cannot load it

        return Problem(message)
    except Exception:  # noqa: BLE001 - as above
        return _PlainProblem(message)


def _error(kind: str, told: Any) -> Exception:
    try:
        from wats_accel import errors  # noqa: PLC0415 - an old Python cannot load it

        made: Exception = getattr(errors, kind)(told)
    except Exception:  # noqa: BLE001 - as above
        return RuntimeError(told)
    return made
