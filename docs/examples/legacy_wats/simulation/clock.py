"""A clock that moves only when told to, and the context manager that shows it to the application."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from types import ModuleType

MONDAY_MORNING = datetime(2024, 3, 11, 8, 0)

# Importing these brings in every module of the application that asks for the time.
_ENTRY_MODULES = ("src.wats.main", "src.wats.admin_panels", "src.wats.db.db_service")


class SimulatedTime:
    """Wall clock and monotonic clock in one; both stand still between two calls of `advance`."""

    def __init__(self, start: datetime = MONDAY_MORNING) -> None:
        self._start = start
        self._elapsed_seconds = 0.0

    def now(self) -> datetime:
        """The simulated wall-clock time, naive and local as the application uses it."""
        return self._start + timedelta(seconds=self._elapsed_seconds)

    def monotonic(self) -> float:
        """Simulated seconds since the start."""
        return self._elapsed_seconds

    def advance(self, seconds: float) -> None:
        """Let `seconds` go by; raises ValueError if they are negative."""
        if seconds < 0:
            raise ValueError("Time cannot go back.")
        self._elapsed_seconds += seconds


@contextmanager
def simulated_datetime(time: SimulatedTime) -> Iterator[None]:
    """Show `time` to the application: its modules' `datetime.now()` is `time.now()` until the block ends."""
    # now() gives plain datetimes: drivers look the type of a parameter up exactly.
    stand_in = type("datetime", (datetime,), {"now": classmethod(lambda cls, tz=None: time.now())})
    modules = _modules_that_ask_for_the_time()
    for module in modules:
        module.datetime = stand_in  # type: ignore[attr-defined] # it has one: that is how it was chosen
    try:
        yield
    finally:
        for module in modules:
            module.datetime = datetime  # type: ignore[attr-defined] # as above


def _modules_that_ask_for_the_time() -> list[ModuleType]:
    for name in _ENTRY_MODULES:
        importlib.import_module(name)
    return [
        module
        for name, module in sorted(sys.modules.items())
        if name.startswith("src.wats.") and getattr(module, "datetime", None) is datetime
    ]
