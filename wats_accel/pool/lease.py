"""A lease: one driver connection in the hands of one user, until nobody can use it any more."""

from __future__ import annotations

import itertools
import os
import weakref
from _thread import RLock, get_ident
from collections.abc import Callable, Container
from types import TracebackType
from typing import Any, Protocol

from wats_accel.failures import note_failure
from wats_accel.pool.dialects import Dialect
from wats_accel.pool.drivers import Driver
from wats_accel.pool.observing import Observer
from wats_accel.pool.uncommitted import Uncommitted

SETTLED = ("IntegrityError", "ProgrammingError", "DataError", "NotSupportedError", "Warning")
"""Driver errors after which a connection is as good as before: the server has answered."""

UNCLEAR = "unclear"
"""A doubt that a ping can settle; of any other the connection is not used again."""

_numbers = itertools.count()


class Lender(Protocol):
    """Where a lease comes from and goes back to."""

    driver: Driver

    def take_back(self, lease: Lease) -> None:
        """Take back what a lease held; it is used no more."""
        ...

    def give_up(self, lease: Lease) -> None:
        """Close what a lease held, and forget the lease: it could not be taken back. Raises nothing."""
        ...

    def let_go(self, lease: Lease) -> None:
        """Forget the connection of a lease: its user keeps it, and closes it."""
        ...

    def lost(self, lease: Lease) -> None:
        """Be told that a connection turned out to be dead."""
        ...

    def corpse(self, lease: Lease) -> tuple[Any, ...]:
        """A closed connection, a cursor of it …, to raise what the driver raises after a close."""
        ...

    def broke(self, error: Exception) -> None:
        """Be told that something of our own has failed. Raises nothing."""
        ...

    def connect_again(self) -> Any:
        """What the user's own `connect` would give with the same arguments."""
        ...


class Lease:
    """Who uses a connection, what they have done to it, and when it ends.

    It ends when its user closes the connection, or has dropped it and all that works on it. If some
    thread is inside the driver at that moment, it ends when that thread comes out.

    Args:
        lender: the pool.
        raw: the driver's connection.
        dialect: that it speaks.
        entry: what the pool needs to have back.
    """

    __slots__ = (
        "_broken", "_lock", "_over", "changed", "changes_before", "checks_thread", "closed", "dependents",
        "dialect", "doubt", "ended", "entry", "inserted", "inside", "known_changes", "lender", "loading",
        "lost", "observer", "on_use", "process", "raw", "reported", "stack", "taint", "taken_at", "thread",
    )  # fmt: skip

    def __init__(self, lender: Lender, raw: Any, dialect: Dialect, entry: Any) -> None:
        self.lender = lender
        self.raw: Any = raw
        self.dialect = dialect
        self.entry = entry
        self.process = os.getpid()
        self.thread = get_ident()
        self.checks_thread = False
        self.taken_at = 0.0
        self.stack: Any = None
        self.reported = False
        self.on_use: Callable[[Lease], None] | None = None
        self.observer: Observer | None = None
        self.loading: Container[int] | None = None
        self.known_changes: Uncommitted | None = None
        self.changed: dict[str, Any] = {}
        self.changes_before = getattr(raw, "total_changes", 0)
        self.taint: str | None = None
        self.doubt: str | None = None
        self.inserted = False
        self.lost = False
        self.ended = False
        self.closed = False  # by its user, who has not just dropped it
        self.dependents: dict[int, tuple[Any, weakref.ref[Any]]] = {}
        self.inside: list[None] = []  # one for each call of the driver that is under way
        self._broken = self._over = False
        # Re-entrant: the garbage collector may run a finalizer of the user's in here, and that close us.
        self._lock = RLock()

    # -- use -----------------------------------------------------------------------------------------

    def enter(self) -> bool:
        """Begin a call of the driver; False if the lease has ended, and the call must not be made.

        No lock is needed: who ends it sets `ended` and then looks who is `inside`, and who enters does that
        the other way round. So one of them sees the other.
        """
        self.inside.append(None)
        if self.ended:
            self.leave()
            return False
        return True

    def begin_anew(self) -> None:
        """In a child process: nobody holds a lock any more, and calls of other threads end in the parent."""
        self._lock = RLock()
        if self.known_changes is not None:
            self.known_changes.begin_anew()

    def leave(self) -> None:
        """End a call of the driver that `enter` allowed."""
        self.inside.pop()
        if self.ended:
            self._finish_if_over()

    def end(self) -> None:
        """Give the connection back, as soon as no call is under way. Safe to call twice."""
        self.ended = True
        if not self._over:
            self._finish_if_over()

    def _finish_if_over(self) -> None:
        with self._lock:
            # Of one that is broken nobody knows who is inside; it is its user's own anyway.
            if not self.ended or (self.inside and not self._broken) or self._over:
                return
            self._over = True
        try:
            self._abandon_changes()
        finally:
            self._go_back()

    def _abandon_changes(self) -> None:
        if self.known_changes is not None:
            with self.harmless:
                self.known_changes.abandon()  # it will be rolled back, or closed

    def _go_back(self) -> None:
        try:
            self.lender.take_back(self)
        except Exception as error:  # noqa: BLE001 - its user has closed or dropped it, and must not be told
            self.lender.broke(error)
            self.lender.give_up(self)

    def entered(self) -> bool:
        """As `enter`; if that fails, the call is made all the same, and whoever watches is told."""
        try:
            told: object = self.enter()
        except Exception as error:  # noqa: BLE001 - the call is the application's
            self.unseen(error)
            return False
        if type(told) is bool:
            return told
        self.unseen(TypeError("whether a lease has ended is not known"))
        return False

    def left(self) -> None:
        """As `leave`, and raises nothing of its own."""
        try:
            self.leave()
        except Exception as error:  # noqa: BLE001 - as above
            self.broke(error)

    def finish(self) -> None:
        """As `end`, and raises nothing of its own: if that fails, the connection is closed."""
        raw = self.raw
        try:
            self.end()
        except Exception as error:  # noqa: BLE001 - as above
            self.broke(error)
            if raw is not None and not self._over:  # nobody else gets it, so its transaction ends here
                close_quietly(raw)
                self._abandon_changes()
                self.lender.give_up(self)

    # -- what its user does to it --------------------------------------------------------------------

    @property
    def uncommitted(self) -> Uncommitted:
        """What its user has changed and not committed; made when it is first asked for."""
        known = self.known_changes
        if known is None:
            with self._lock:
                known = self.known_changes
                if known is None:
                    known = self.known_changes = Uncommitted(self.dialect)
        return known

    @property
    def dirty(self) -> bool:
        """Whether the connection has changes that are not committed, or one is being made."""
        return self.known_changes is not None and self.known_changes.dirty

    @property
    def released(self) -> bool:
        """Whether the connection is its user's own by now: the pool will not see it again."""
        return self.raw is None

    @property
    def untouched(self) -> bool:
        """Whether another connection could take its place, and nobody would know."""
        return (
            not self.released
            and not (self.changed or self.taint or self.doubt or self.inserted)
            and self.lender.driver.in_transaction(self.raw) is False
        )

    def release(self, why: str) -> None:
        """Leave the connection to its user for good: what was done to it cannot be undone.

        From now on nothing but the user's own objects keeps it alive, so that whatever it refers to (a
        function of the application's, say) may refer back to it without a leak.
        """
        with self._lock:
            if self.released or self._over:
                return
            self.taint, self.raw = why, None
        self.lender.let_go(self)
        self.dependents.clear()

    def stain(self, why: str) -> None:
        """Note that the database's session has something that a rollback does not undo."""
        if self.taint is None or why in self.dialect.not_reset:
            self.taint = why

    def remember(self, name: str, value: object) -> None:
        """Note what an attribute was before its user changed it."""
        self.changed.setdefault(name, value)

    def failed(self, error: BaseException) -> None:
        """Look at what a call of the driver raised to this thread."""
        if isinstance(error, StopIteration):
            return
        note_failure()
        if not isinstance(error, Exception):
            self.doubt = "interrupted"  # nobody knows how far the driver had come
        elif self.dialect.is_disconnect(error):
            self.lost = True
            self.lender.lost(self)
        elif type(error).__name__ in SETTLED:
            return
        elif any(kind.__name__ == "Error" for kind in type(error).__mro__):
            self.doubt = self.doubt or UNCLEAR

    def broke(self, error: Exception) -> None:
        """Note that something of our own has failed: the connection is its user's own from now on.

        Whatever the thread is loading must not be kept: nobody knows what was not seen. Raises nothing.
        """
        note_failure()
        self._broken = True
        self.taint = self.taint or "a failure of our own"
        try:
            self.release(self.taint)
        except Exception:  # noqa: BLE001 - then it is closed when it comes back
            self.doubt = self.doubt or "a failure of our own"
        self.lender.broke(error)

    def unseen(self, error: Exception) -> None:
        """As `broke`, of a call of which nobody has seen what it does: who observes it is told."""
        self.broke(error)
        if self.observer is not None:
            self.observer.lost_sight(f"a call could not be followed: {type(error).__name__}")

    @property
    def harmless(self) -> _Harmless:
        """For ``with``: what our own code raises in the block goes to `broke`, and no further."""
        return _Harmless(self)

    # -- what works on the connection ----------------------------------------------------------------

    def keep(self, dependent: object, proxy: object) -> int:
        """Keep what works on the connection, to be closed before anybody else gets it; gives a number."""
        number = next(_numbers)
        if self.raw is not None:
            self.dependents[number] = dependent, weakref.ref(proxy)
        return number

    def is_owned_here(self) -> bool:
        """Whether this thread is the one that connected."""
        return self.thread == get_ident()

    def drop(self, number: int) -> None:
        """Close what its user has dropped."""
        known = self.dependents.pop(number, None)
        if known is not None:
            close_quietly(known[0])


class _Harmless:
    """A block of our own code, around which the application's call goes on as if it were not there."""

    __slots__ = ("_lease",)

    def __init__(self, lease: Lease) -> None:
        self._lease = lease

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if not isinstance(error, Exception):
            return False  # Ctrl+C and the like are the application's own
        self._lease.broke(error)
        return True


def close_quietly(dependent: Any) -> None:
    """Close a cursor or generator; what it says to that is of no interest any more."""
    try:
        dependent.close()
    except Exception:  # noqa: BLE001 - each driver has errors of its own
        return
