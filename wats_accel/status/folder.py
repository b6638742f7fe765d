"""Where state files are: a folder of the user's own, which nobody else can look into."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Final

STATE_DIR_VARIABLE: Final = "WATS_ACCEL_STATE_DIR"

_OWN: Final = "wats-accel"


def state_folder(environ: Mapping[str, str]) -> Path | None:
    """The folder, which need not be there yet; None when nobody can say where the user's files are.

    `WATS_ACCEL_STATE_DIR`, else ``%LOCALAPPDATA%\\wats-accel\\state`` on Windows, and elsewhere
    ``$XDG_STATE_HOME/wats-accel``, by default ``~/.local/state/wats-accel``.
    """
    named = environ.get(STATE_DIR_VARIABLE)
    if named:
        return Path(os.path.abspath(named))
    return _of_windows(environ) if os.name == "nt" else _of_xdg(environ)


def _of_windows(environ: Mapping[str, str]) -> Path | None:
    local = environ.get("LOCALAPPDATA")
    if local:
        return Path(local, _OWN, "state")
    home = _home(environ, "USERPROFILE")
    return home and home / "AppData" / "Local" / _OWN / "state"


def _of_xdg(environ: Mapping[str, str]) -> Path | None:
    base = environ.get("XDG_STATE_HOME", "")
    if os.path.isabs(base):  # the specification says that any other is to be ignored
        return Path(base, _OWN)
    home = _home(environ, "HOME")
    return home and home / ".local" / "state" / _OWN


def _home(environ: Mapping[str, str], variable: str) -> Path | None:
    if environ.get(variable):
        return Path(environ[variable])
    if environ is not os.environ:  # somebody wants no part of this machine
        return None
    try:
        return Path.home()
    except RuntimeError:
        return None


def make_private(folder: Path) -> None:
    """Make the folder if need be, and see to it that it is for its owner only.

    Raises:
        OSError: it cannot be made, or belongs to somebody else.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)
    if os.name == "nt":
        return  # %LOCALAPPDATA% is the user's own already
    known = folder.stat()
    if known.st_uid != os.geteuid():
        raise PermissionError(errno.EPERM, "its folder belongs to another user")
    if stat.S_IMODE(known.st_mode) & 0o077:
        folder.chmod(0o700)
