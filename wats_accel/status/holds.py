"""Holds: a lock file that a process has for as long as it lives, whichever way it ends.

The system itself takes the lock back, so a process that was killed is told from one that is at work, and a
process number that was given to another program deceives nobody.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from pathlib import Path

_BUSY = frozenset({errno.EACCES, errno.EAGAIN, errno.EDEADLK, getattr(errno, "EDEADLOCK", errno.EDEADLK)})
_TRIES = 5


class Hold:
    """A lock file that this process has. Make one with `take`."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor = descriptor

    @classmethod
    def take(cls, path: Path) -> Hold | None:
        """Have the lock file; None if somebody else has it.

        Raises:
            OSError: it cannot be opened, or nothing can be locked there.
        """
        for _ in range(_TRIES):
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)  # no child program inherits it
            try:
                if not _lock(descriptor):
                    os.close(descriptor)
                    return None
                if _is_still(path, descriptor):
                    return cls(path, descriptor)
            except BaseException:
                os.close(descriptor)
                raise
            os.close(descriptor)  # somebody has tidied the file away in between
        return None

    def give_up(self, *, remove: bool = True) -> None:
        """Let go of the lock file, and take it away."""
        # Windows does not remove an open file; elsewhere nobody may get in between.
        if remove and os.name != "nt":
            with contextlib.suppress(OSError):
                self.path.unlink()
        self.abandon()
        if remove and os.name == "nt":
            with contextlib.suppress(OSError):
                self.path.unlink()

    def abandon(self) -> None:
        """In a child process: close the copy of the parent's, and leave the lock to the parent."""
        with contextlib.suppress(OSError):
            os.close(self._descriptor)


def _is_still(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(os.stat(path), os.fstat(descriptor))
    except FileNotFoundError:
        return False


if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> bool:
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError as error:
            if error.errno in _BUSY:
                return False
            raise
        return True

else:
    import fcntl

    def _lock(descriptor: int) -> bool:
        # flock, not lockf: a child's copy belongs to the same lock, and closing it leaves the lock alone.
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in _BUSY:
                return False
            raise
        return True
