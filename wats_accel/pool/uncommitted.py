"""Uncommitted changes: what the user of one lease has changed and not committed, as far as anybody can tell.

sqlite3 says whether a transaction is open, and so do the drivers of PostgreSQL and one of MySQL. ODBC does
not: there autocommit has to tell, and what texts of SQL have begun. An end that is not sure counts for the
callbacks, and leaves the transaction open.
"""

from __future__ import annotations

import dataclasses
import threading
from typing import Any, Final

from wats_accel.failures import note_failure
from wats_accel.pool.changes import Change
from wats_accel.pool.dialects import Dialect
from wats_accel.pool.drivers import Driver
from wats_accel.transactions import Transaction, end_transaction

Covered = tuple[Transaction, ...]
"""The transactions that were open when a call began: only these can have been ended by it."""


class Uncommitted:
    """The open transactions of one connection: one, mostly.

    Threads may share the connection. A change that one makes while another commits may have come too late
    for that commit, so it gets a transaction of its own, which the next commit ends.

    Args:
        dialect: that the connection speaks.

    Attributes:
        dirty: whether the connection has changes that are not committed, or one is being made.
    """

    __slots__ = (
        "_begun", "_changing", "_confused", "_crossed", "_dialect", "_each_begins", "_ending", "_lock",
        "_open", "_unsure", "dirty",
    )  # fmt: skip

    def __init__(self, dialect: Dialect) -> None:
        self.dirty = False
        self._dialect = dialect
        self._open: list[Transaction] = []
        self._changing = 0  # calls under way that may change data
        self._ending = 0  # calls under way that may end those open
        self._begun = 0  # by texts of SQL, and not ended yet, as far as is sure
        self._unsure = False  # of whether those are open, and the next change is a part of one
        self._confused = False  # a driver that begins transactions itself has not begun or ended this one
        self._crossed = False  # a change and what may have committed it were under way at once
        self._each_begins = False  # a statement begins a transaction, whatever autocommit says
        # Re-entrant: the garbage collector may run a finalizer of the user's in here, and that write.
        self._lock = threading.RLock()

    def begin_anew(self) -> None:
        """In a child process: nobody holds the lock any more."""
        self._lock = threading.RLock()

    @property
    def transaction(self) -> Transaction | None:
        """The one that the last change is a part of; None if nothing is uncommitted."""
        return self._open[-1] if self._open else None

    def begin(self, change: Change) -> Covered:
        """Be told of a call, before it is made; gives what `settle` wants. Mere reads only while `dirty`."""
        with self._lock:
            if (change.may_change and self._ending) or (_may_end(change) and self._changing):
                self._crossed = True
            self._changing += change.may_change
            self._ending += _may_end(change)
            self.dirty = self.dirty or change.may_change
            return tuple(self._open)

    def settle(
        self, change: Change, covered: Covered, driver: Driver, raw: Any, *, raised: bool, lost: bool
    ) -> Transaction | None:
        """Be told that a call has returned or raised, in the thread that made it, before its caller is.

        Args:
            change: what the call can have done.
            covered: what `begin` gave.
            driver: of the connection.
            raw: the driver's connection; None if it cannot be asked any more.
            raised: whether the call raised something.
            lost: whether that said that the connection is gone.

        Returns:
            the transaction that what the call has changed is a part of; None if it is a part of none.
        """
        autocommit, known_open = _autocommit(raw), _in_transaction(driver, raw)
        here = self._as_here(change) if known_open is None and autocommit else change
        with self._lock:
            surely_ended = not raised and self._ends(change, autocommit=autocommit)
            self._count(here, raised=raised, surely_ended=surely_ended, autocommit=autocommit)
            is_open = not lost and self._is_open(known_open, autocommit=autocommit)
            over = covered if surely_ended or not is_open else ()
            changed = change.may_change and is_open and not surely_ended
            guessed = self._confused or (autocommit and self._unsure)
            unsure = self._crossed or (known_open is None and guessed)
            still_open = self._update(change, over, changed=changed, unsure=unsure)
            part_of = still_open[-1] if changed else None
        # Whose commit it was is not always known, so nothing but a plain rollback spares the callbacks.
        rolled_back = change.end == "rollback" and not change.may_commit
        for known in over:
            end_transaction(known, committed=not rolled_back)
        if here.may_commit:
            for known in still_open:
                known.call_back()
        return part_of

    def lose_track(self, change: Change, covered: Covered) -> Transaction | None:
        """Be told that `settle` was cut short: what was open may be committed, or be open still.

        Args:
            change: what the call can have done.
            covered: what `begin` gave.

        Returns:
            the transaction that what the call has changed may be a part of; None if it changes nothing.
        """
        with self._lock:
            self._open += [known for known in covered if known not in self._open and not known.over]
            if change.may_change:
                self._open = self._open or [Transaction()]
                self._open[-1].changed_here()
            perhaps = {*covered, *self._open}
            part_of = self._open[-1] if change.may_change else None
            self.dirty = self._unsure = True
        for known in perhaps:
            known.perhaps_committed = True
            end_transaction(known, committed=True) if known.over else known.call_back()
        return part_of

    def note_read(self) -> None:
        """Be told that this thread reads while the connection is dirty.

        It may see what another thread has changed and will take back, so no answer made of that may be
        kept. (What it has changed itself is known to `transactions`.)
        """
        if self._changing > 0 or not all(known.is_changed_here() for known in tuple(self._open)):
            note_failure()

    def abandon(self) -> None:
        """Be told that the connection is closed, or rolled back, for good; no call is under way.

        The garbage collector may be the caller, in the middle of anything: nothing is waited for.
        """
        for known in self._open:
            end_transaction(known, committed=False)

    def _as_here(self, change: Change) -> Change:
        if not (change.saves or change.releases) or not self._dialect.savepoints_begin:
            return change
        begins, may_commit = change.begins + change.saves, change.may_commit or change.releases
        return dataclasses.replace(change, begins=begins, may_commit=may_commit)

    # -- what is open --------------------------------------------------------------------------------

    def _update(self, change: Change, over: Covered, *, changed: bool, unsure: bool) -> Covered:
        """Take out what is over, and put in what this thread has changed; gives what is open now."""
        self._changing -= change.may_change
        self._ending -= _may_end(change)
        self._open = [known for known in self._open if known not in over]
        if changed:
            if self._ending > 0 or not self._open:
                self._open.append(Transaction())
            self._open[-1].changed_here()
            self._open[-1].perhaps_committed |= unsure
        self.dirty = bool(self._open) or self._changing > 0
        self._crossed = self._crossed and self._changing + self._ending > 0
        return tuple(self._open)

    def _is_open(self, known: bool | None, *, autocommit: bool) -> bool:
        if known is not None:
            return known
        return not autocommit or self._begun > 0 or self._each_begins or self._confused

    # -- transactions by texts of SQL ----------------------------------------------------------------

    def _ends(self, change: Change, *, autocommit: bool) -> bool:
        """Whether a call that has returned has ended the transaction for sure."""
        if change.end is None or (change.by_driver and autocommit):
            return False  # with autocommit on, methods of many drivers do nothing, whatever a text has begun
        if not self._dialect.nests_transactions:
            return True
        return change.alone and (change.end == "rollback" or self._levels(change, autocommit=autocommit) <= 0)

    def _levels(self, change: Change, *, autocommit: bool) -> int:
        """How many transactions are open, one inside the other, after a call that commits some."""
        implicit = not autocommit or self._each_begins
        return self._begun + change.begins - change.commits + implicit

    def _count(self, change: Change, *, raised: bool, surely_ended: bool, autocommit: bool) -> None:
        self._each_begins = self._each_begins or change.for_good
        if not autocommit and (change.begins or change.end is not None):
            self._confused = not (change.by_driver and surely_ended)
        surely_begun = change.alone and change.begins > 0 and not raised
        self._unsure = not (surely_ended or surely_begun) and (self._unsure or change.may_commit)
        if surely_ended:
            self._begun = 0
        elif raised or change.end != "commit" or (change.by_driver and autocommit) or not change.alone:
            self._begun += change.begins
        else:
            self._begun = max(0, self._begun + change.begins - change.commits)


def _may_end(change: Change) -> bool:
    return change.may_commit or change.end is not None


def _autocommit(raw: Any) -> bool:
    try:
        return getattr(raw, "autocommit", False) is True
    except Exception:  # noqa: BLE001 - that is how drivers say that it is closed
        return False


_LIBPQ_IDLE: Final = 0
_LIBPQ_UNKNOWN: Final = 4


def _in_transaction(driver: Driver, raw: Any) -> bool | None:
    """Whether a transaction is open, whatever has begun it; None if nobody knows.

    Without it a block such as psycopg's `with connection.transaction()` could not be told from autocommit.
    """
    try:
        known = driver.in_transaction(raw)
        if known is None:
            known = getattr(raw, "in_transaction", None)  # mysql.connector
        if isinstance(known, bool):
            return known
        status = getattr(getattr(raw, "info", None), "transaction_status", None)  # psycopg, psycopg2
        return status != _LIBPQ_IDLE if isinstance(status, int) and status != _LIBPQ_UNKNOWN else None
    except Exception:  # noqa: BLE001 - as above
        return None
