"""Watching: notices when files have other contents, whichever way they were written, in a thread of its own.

The library watchdog wakes the thread when something happens in their folders. Besides, it looks by itself now
and then: a network drive tells nobody, a folder may be deleted and made anew, and the library may be missing.
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

Contents = dict[Path, bytes | None]

EVERY_SECONDS = 2.0
_QUIET_SECONDS = 0.2
"""An editor writes in several steps: so long nothing has to happen any more."""
_MOST_ROUNDS = 10

MISSING = (
    "'watch' needs the library watchdog (pip install 'wats-accel[watch]'); without it the file is looked at "
    "every {seconds:g} s"
)


class ConfigWatch:
    """Calls back when a file has other contents than before. Keeps nothing alive.

    A file that is missing for a moment is waited for. One that stays away for a whole interval has changed.

    Args:
        files: gives the files; the first is the one that must be there.
        changed: called in the watching thread; what it raises is dropped.
        report: told, once, if the folders cannot be watched.
        every_seconds: how often it looks by itself; by default every `EVERY_SECONDS`.
    """

    def __init__(
        self,
        files: Callable[[], Iterable[Path]],
        changed: Callable[[], object],
        *,
        report: Callable[[str], None],
        every_seconds: float | None = None,
    ) -> None:
        self._files = files
        self._changed = changed
        self._report = report
        self._every_seconds = EVERY_SECONDS if every_seconds is None else every_seconds
        self._woken = threading.Event()
        self._is_stopped = False
        self._seen: Contents = {}
        self._missing = 0  # how often in a row the first file was not there
        self._folders = _Folders(self._woken)

    def start(self) -> None:
        """Begin; what the files hold now counts as known."""
        self._seen = _contents(self._files())
        try:
            self._folders.open()
        except ImportError:
            self._report(MISSING.format(seconds=self._every_seconds))
        except Exception as error:  # noqa: BLE001 - it looks by itself, then
            self._report(f"the folder cannot be watched: {type(error).__name__}")
        try:
            threading.Thread(target=self._run, name="wats-accel-watch", daemon=True).start()
        except RuntimeError:  # the system has no more threads, or the interpreter is about to end
            self._folders.close()
            self._report("the file is not watched: no thread can be started")

    def stop(self) -> None:
        """Call back no more, unless a call has begun. Waits for nothing; safe to call twice."""
        self._is_stopped = True
        self._woken.set()

    def _run(self) -> None:
        try:
            while not self._is_stopped:
                self._folders.follow(path.parent for path in self._seen)
                if self._woken.wait(self._every_seconds):
                    self._await_quiet()
                if not self._is_stopped:
                    with contextlib.suppress(Exception):  # it tells of its failures itself
                        self.look()
        finally:
            self._folders.close()

    def _await_quiet(self) -> None:
        # Not for ever: the program may write a log into the same folder, and never rest.
        for _ in range(_MOST_ROUNDS):
            if self._is_stopped or not self._woken.is_set():
                return
            self._woken.clear()
            self._woken.wait(_QUIET_SECONDS)

    def look(self) -> None:
        """Call back if the files have other contents than when it last looked."""
        files = list(self._files())
        now = _contents(files)
        if files and now[files[0]] is None:
            self._missing += 1
            if self._missing == 1:
                return  # editors put another file in its place
        else:
            self._missing = 0
        if now != self._seen:
            self._seen = now
            self._changed()


class _Folders:
    """The folders of the files, watched by watchdog. Called by one thread."""

    def __init__(self, woken: threading.Event) -> None:
        self._woken = woken
        self._observer: Any = None
        self._handler: Any = None
        self._watched: dict[Path, tuple[Any, object]] = {}

    def open(self) -> None:
        """Begin to watch.

        Raises:
            ImportError: the library is not there.
        """
        from watchdog.events import FileSystemEventHandler  # noqa: PLC0415 - an optional library
        from watchdog.observers import Observer  # noqa: PLC0415 - as above

        # It tells of each change at debug; in a log in that folder each such line would be a change.
        lines = logging.getLogger("watchdog")
        if lines.level == logging.NOTSET:
            lines.setLevel(logging.INFO)
        woken = self._woken

        class _Waking(FileSystemEventHandler):
            def on_any_event(self, event: object) -> None:
                if getattr(event, "event_type", "") not in _ONLY_READ:
                    woken.set()

        observer = Observer()
        observer.daemon = True
        observer.start()
        self._observer, self._handler = observer, _Waking()

    def follow(self, folders: Iterable[Path]) -> None:
        """Watch these folders; one that was made anew is another one. Raises nothing."""
        if self._observer is None:
            return
        wanted = {folder.absolute(): _identity(folder) for folder in folders}
        for folder in [known for known in self._watched if self._watched[known][1] != wanted.get(known)]:
            watch, _ = self._watched.pop(folder)
            with contextlib.suppress(Exception):  # of a folder that is gone, it may be gone, too
                self._observer.unschedule(watch)
        for folder, identity in wanted.items():
            if identity is not None and folder not in self._watched:
                with contextlib.suppress(Exception):  # the system allows no more; next time, perhaps
                    watch = self._observer.schedule(self._handler, str(folder), recursive=False)
                    self._watched[folder] = (watch, identity)

    def close(self) -> None:
        """Watch nothing any more. Raises nothing, waits for nothing."""
        observer, self._observer = self._observer, None
        if observer is not None:
            with contextlib.suppress(Exception):
                observer.stop()


_ONLY_READ = ("opened", "closed_no_write")


def _contents(files: Iterable[Path]) -> Contents:
    return {path: _content(path) for path in files}


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None


def _identity(folder: Path) -> object:
    try:
        found = os.stat(folder)
    except OSError:
        return None
    return found.st_dev, found.st_ino
