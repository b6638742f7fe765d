"""Fitness: whether an idle connection can be lent again; and what is noted of each one for that."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from wats_accel.pool.dialects import Dialect, dialect_and_baseline
from wats_accel.pool.drivers import Driver
from wats_accel.pool.rules import PoolRules

if TYPE_CHECKING:
    from sqlalchemy.pool import ConnectionPoolEntry as Entry


class Fitness:
    """Judges the connections of one pool. What it knows of each stands in the `info` of its entry.

    Args:
        rules: of the pool.
        driver: of the connections.
        place: of the database, as the driver has it.
        clock: seconds, never going backwards.

    Attributes:
        dialect: that the connections speak; the first one tells.
        baseline: what a full reset brings a session back to.
    """

    def __init__(self, rules: PoolRules, driver: Driver, place: Any, clock: Callable[[], float]) -> None:
        self.dialect = Dialect()
        self.baseline: tuple[str, ...] | None = None
        self._rules = rules
        self._driver = driver
        self._place = place
        self._clock = clock
        self._suspect_since = -math.inf

    def meet(self, raw: Any, info: dict[Any, Any]) -> None:
        """Get to know a new connection; the first one tells what database it is."""
        if self.baseline is None:
            self.dialect, self.baseline = dialect_and_baseline(self._driver.name, raw)
        now = self._clock()
        info["identity"] = self._driver.identity(self._place)
        info.update(is_new=True, opened_at=now, proven_at=now, idle_since=now)

    def suspect(self) -> None:
        """Have all connections asked before they are lent that have not proven since that they are alive."""
        self._suspect_since = self._clock()

    def why_unfit(self, entry: Entry) -> str | None:
        """Why a connection must not be lent again; None if it may."""
        now, known = self._clock(), entry.info
        if "is_new" in known:
            return None
        if "lent" in known:  # SQLAlchemy has put it back, when it could not be closed: nobody has cleansed it
            return "astray"
        if self._rules.recycle_seconds and now - known["opened_at"] >= self._rules.recycle_seconds:
            return "recycled"
        if self._driver.identity(self._place) != known["identity"]:
            return "another database file"
        is_suspect = known["proven_at"] <= self._suspect_since
        if not is_suspect and now - known["idle_since"] < self._rules.ping_after_seconds:
            return None
        if self.dialect.is_alive(entry.dbapi_connection):
            known["proven_at"] = now
            return None
        self._suspect_since = now
        return "lost"

    @staticmethod
    def begin_lease(entry: Entry) -> bool:
        """Note that a connection is lent; gives whether it is new."""
        entry.info["lent"] = True
        return bool(entry.info.pop("is_new", False))

    def end_lease(self, entry: Entry) -> None:
        """Note that a connection has been put in order, and waits for its next user."""
        entry.info["idle_since"] = self._clock()
        del entry.info["lent"]


def reason(why: object) -> str:
    """What `Fitness.why_unfit` has said.

    Raises:
        TypeError: that is none; else there would be no end of connections that are not lent.
    """
    if not isinstance(why, str):
        raise TypeError("no reason is known for which a connection is not lent")
    return why
