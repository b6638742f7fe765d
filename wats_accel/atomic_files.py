"""Files that are replaced in one step: whoever reads one finds the old content or the new, never a part."""

from __future__ import annotations

import contextlib
import os
import stat
import time
from pathlib import Path

USER_ONLY = 0o600

_TRIES = 20
_PAUSE_SECONDS = 0.02


def replace_file(
    path: str | os.PathLike[str], data: bytes, *, mode: int | None = None, durable: bool = True
) -> None:
    """Give the file this content. A symbolic link stays one: what it leads to is replaced.

    Args:
        path: need not be there yet.
        data: the whole content.
        mode: the permissions, such as `USER_ONLY`; None: those that the file has, or for a new one the usual.
        durable: whether the old content or the new one must also survive a crash of the machine. That takes
            some milliseconds.

    Raises:
        OSError: it cannot be written; then the file is as it was.
    """
    import tempfile  # noqa: PLC0415 - it imports much, which the start of a program need not wait for

    target = Path(os.path.realpath(path))
    descriptor, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=".new")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            if durable:  # else a crash may leave an empty file with the new name
                os.fsync(file.fileno())
        _take_over_rights(target, temporary, mode)
        _move(temporary, target)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def _take_over_rights(target: Path, temporary: str, mode: int | None) -> None:
    try:
        known = target.stat()
    except FileNotFoundError:
        os.chmod(temporary, _usual_mode() if mode is None else mode)
        return
    os.chmod(temporary, stat.S_IMODE(known.st_mode) if mode is None else mode)
    if hasattr(os, "chown"):
        with contextlib.suppress(OSError):  # only an administrator may give a file away
            os.chown(temporary, known.st_uid, known.st_gid)


def _usual_mode() -> int:
    mask = os.umask(0)  # there is no other way to ask
    os.umask(mask)
    return 0o666 & ~mask


def _move(temporary: str, target: Path) -> None:
    for _ in range(_TRIES - 1):
        try:
            os.replace(temporary, target)
            return
        except PermissionError:
            if os.name != "nt":
                raise
            time.sleep(_PAUSE_SECONDS)  # on Windows somebody who reads the file stands in the way
    os.replace(temporary, target)
