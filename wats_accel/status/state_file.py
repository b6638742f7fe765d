"""State files: one for each accelerator at work, beside a lock file that tells whether it still is."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from wats_accel.atomic_files import USER_ONLY, replace_file
from wats_accel.forks import uncut_by_forks
from wats_accel.status.folder import make_private
from wats_accel.status.holds import Hold

FORMAT: Final = 1
"""Of the content; another one is not read."""

_MOST_BYTES: Final = 4 * 1024 * 1024
_MOST_IN_A_PROCESS: Final = 9


class StateFile:
    """The state file of one accelerator in this process.

    Args:
        folder: of all state files of this user.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._hold: Hold | None = None

    def write(self, state: Mapping[str, Any]) -> None:
        """Write the state, in one step.

        Raises:
            OSError: it cannot be written.
        """
        if self._hold is None:
            make_private(self.folder)
            with uncut_by_forks:  # a child that knows nothing of the lock would keep it for us
                self._hold = self._claim()
        data = json.dumps({"format": FORMAT, **state}, ensure_ascii=False, default=str).encode(
            "utf-8", "replace"
        )
        replace_file(_content(self._hold.path), data, mode=USER_ONLY, durable=False)

    def remove(self) -> None:
        """Take it away. Safe to call twice."""
        hold, self._hold = self._hold, None
        if hold is not None:
            with contextlib.suppress(OSError):
                _content(hold.path).unlink()
            hold.give_up()

    def begin_anew(self) -> None:
        """In a child process: leave the parent's file alone; what is written next is another."""
        if self._hold is not None:
            self._hold.abandon()
        self._hold = None

    def _claim(self) -> Hold:
        for number in range(1, _MOST_IN_A_PROCESS + 1):
            hold = Hold.take(self.folder / f"{os.getpid()}-{number}.lock")
            if hold is not None:
                return hold
        raise OSError("there are too many state files of this process already")


def running_states(folder: Path) -> Iterator[dict[str, Any]]:
    """The states of all accelerators that are at work; what others have left behind is taken away.

    A file that cannot be read is skipped.
    """
    for path in sorted(folder.glob("*-*.json")):
        if not _is_gone(path) and (state := _read(path)) is not None:
            yield state
    for path in folder.glob("*-*.lock"):  # of a process that ended before it wrote anything
        _is_gone(_content(path))


def _content(lock: Path) -> Path:
    return lock.with_suffix(".json")


def _is_gone(content: Path) -> bool:
    """Whether nobody holds the state file any more; then it is gone indeed."""
    try:
        hold = Hold.take(content.with_suffix(".lock"))
    except OSError:  # nothing can be locked there: nobody knows
        return False
    if hold is None:
        return False
    for left in (content, *content.parent.glob(f".{content.name}.*.new")):
        with contextlib.suppress(OSError):
            left.unlink()
    hold.give_up()
    return True


def _read(path: Path) -> dict[str, Any] | None:
    try:
        with path.open("rb") as file:
            state = json.loads(file.read(_MOST_BYTES))
    except (OSError, ValueError, RecursionError):
        return None
    return state if isinstance(state, dict) and state.get("format") == FORMAT else None
