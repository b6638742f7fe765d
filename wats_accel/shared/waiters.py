"""Waiters: calls that wait for another process's load, and are woken when that has come to its end."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from wats_accel.forks import begins_anew_when_forked


class Waiters:
    """Those of this process, by the name of what they wait for.

    Whoever is not woken looks by himself after some time: a note may be lost, and its loss costs time only.
    """

    def __init__(self) -> None:
        self.begin_anew()
        begins_anew_when_forked(self)

    def begin_anew(self) -> None:
        """Have none: so at first, and in a child process."""
        self._lock = threading.Lock()
        self._events: dict[str, list[threading.Event]] = {}

    @contextmanager
    def waiting_for(self, name: str) -> Iterator[threading.Event]:
        """What is set as soon as the load of this name is over, from the begin of the block on."""
        event = threading.Event()
        with self._lock:
            self._events.setdefault(name, []).append(event)
        try:
            yield event
        finally:
            with self._lock:
                known = self._events.get(name, [])
                if event in known:
                    known.remove(event)
                if not known:
                    self._events.pop(name, None)

    def wake(self, name: str) -> None:
        """A load of this name is over, wherever it was."""
        with self._lock:
            for event in self._events.get(name, ()):
                event.set()
