"""Outlasting: changes outside any transaction that are committed later than the call that makes them returns.

A statement that changes data and returns rows is done with, and committed, when its rows are: SQLite's
UPDATE ... RETURNING under autocommit, SQL Server's batches. What is written into a blob of SQLite is
committed when that is closed. So an observer is told when the cursor or blob is done with, besides.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any, Final

from wats_accel.pool.changes import EXECUTING, FETCHING, Change
from wats_accel.pool.drivers import Driver
from wats_accel.pool.holds import hold

_BEGINNING_ANEW: Final = EXECUTING | {"callproc", "close"}
"""Methods of a cursor that end what it did before."""


def may_outlast(driver: Driver, raw: Any, change: Change) -> bool:
    """Whether a change outside any transaction may not be over although the driver has returned.

    Args:
        driver: of the connection.
        raw: the cursor or blob that it is made by.
        change: what the call can do.
    """
    if not hasattr(raw, "fetchone"):
        return True  # a blob
    if not (change.alone or driver.finishes_scripts):
        return True
    try:
        return raw.description is not None
    except Exception:  # noqa: BLE001 - that is how drivers say that it is closed
        return False


class Unfinished:
    """A change that its cursor or blob may not have finished.

    Args:
        raw: the cursor or blob.
        change: what the call can do.
        finished: told when it is over, in whatever thread.
    """

    __slots__ = ("_alone", "_hold", "_rest")

    def __init__(self, raw: Any, change: Change, finished: Callable[[], object]) -> None:
        self._alone = change.alone
        self._rest = rest = _Rest(raw, finished)
        self._hold = hold(rest.drop)  # its user may just drop the cursor

    def is_ended_by(self, name: str, told: object) -> bool:
        """Whether it is over when a method of this name has returned something."""
        if name in _BEGINNING_ANEW:
            return True
        if name in FETCHING:
            return self._alone and (name == "fetchall" or not told)
        return name == "nextset" and not told

    def exhausted(self) -> None:
        """Be told that there are no more rows."""
        if self._alone:
            self.end()

    def end(self) -> None:
        """Tell that it is over. Safe to call twice."""
        self._rest.end()


class _Rest:
    __slots__ = ("finished", "raw")

    def __init__(self, raw: Any, finished: Callable[[], object]) -> None:
        self.raw = raw
        self.finished: Callable[[], object] | None = finished

    def end(self) -> None:
        finished, self.finished, self.raw = self.finished, None, None
        if finished is not None:
            finished()

    def drop(self) -> None:
        raw = self.raw
        with contextlib.suppress(Exception):
            if raw is not None:
                raw.close()  # that finishes it; nobody else has the cursor
        del raw
        self.end()
