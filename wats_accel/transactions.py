"""Open transactions: what a thread has changed in a database and not committed yet.

An invalidation at the end of a write comes too early where somebody else commits: until then other
threads load the old rows again. So the pool, which sees changes and commits, keeps a `Transaction` for
each connection with changes, and whoever invalidates asks for those of its thread and leaves a callback.
"""

from __future__ import annotations

import contextlib
import threading
import weakref
from collections import deque
from collections.abc import Callable, Hashable

Callback = Callable[[], None]


class _Here(threading.local):
    def __init__(self) -> None:
        # A dictionary for its order and its single, indivisible steps: a finalizer may come in between.
        self.changed: dict[Transaction, None] = {}


_here = _Here()


# Of single, indivisible steps, as above.
_all: dict[int, weakref.ref[Transaction]] = {}


class Transaction:
    """Changes on one connection, by one thread or several, that may not be committed yet.

    No lock is taken anywhere. Whoever ends it sets `over` before looking for callbacks, and whoever
    adds one does so before looking at `over`: so each callback is called by one of them, or by both.

    Attributes:
        over: whether it has been committed or rolled back. Never becomes false again.
        perhaps_committed: whether some of the changes may be durable by now, whatever becomes of the rest.
    """

    __slots__ = ("__weakref__", "_callbacks", "_is_calling_back", "over", "perhaps_committed")

    def __init__(self) -> None:
        self.over = False
        self.perhaps_committed = False
        self._is_calling_back = False
        self._callbacks: dict[Hashable, Callback] = {}
        number = id(self)  # nobody else's until this one is gone, and then it is forgotten
        _all[number] = weakref.ref(self, lambda _: _all.pop(number, None))

    def changed_here(self) -> None:
        """Note that the calling thread has changed something in it."""
        _forget_those_over()
        _here.changed[self] = None

    def is_changed_here(self) -> bool:
        """Whether the calling thread has changed something in it."""
        return self in _here.changed

    @property
    def is_settled(self) -> bool:
        """Whether it is over, and whoever waited for that has been told."""
        return self.over and not self._is_calling_back  # in this order: `end` sets them the other way round

    def at_commit(self, callback: Callback, *, key: Hashable) -> None:
        """Have `callback` called when it commits, or at once if it is over.

        It may be called more often than there are commits, and in any thread that commits. If it raises, it
        is called once more; what it raises, if that is an `Exception`, is dropped. If the same is to be done
        at once, too, leave the callback first: the commit may come in between.

        Args:
            callback: for instance drops cache entries; takes no arguments.
            key: a later callback with an equal key takes the place of an earlier one.
        """
        self._callbacks[key] = callback
        if self.over:
            _call(callback)

    def call_back(self) -> None:
        """Call all callbacks, and keep them: it may have been committed, and may be open still."""
        with contextlib.ExitStack() as stack:  # each is called, even if a Control-C ends another
            for callback in reversed(tuple(self._callbacks.values())):
                stack.callback(_call, callback)

    def end(self, *, committed: bool) -> None:
        """Note that it is over, and call the callbacks if it was, or may have been, committed.

        Call it after the driver's own commit, and before that returns to its caller. Without
        `committed` it does nothing but set `over`, so that a finalizer may call it in the middle of
        anything. Safe to call twice.
        """
        if not committed:
            self.over = True
            return
        try:
            self._is_calling_back = True
            self.over = True
            self.call_back()
        finally:
            self._is_calling_back = False


_unended: deque[Transaction] = deque()
"""Those that were committed and could not be ended: that is tried again, and until then they are open."""


def end_transaction(known: Transaction, *, committed: bool) -> None:
    """End a transaction. Raises nothing of its own: what fails is done again, later."""
    try:
        known.end(committed=committed)
    except Exception:  # noqa: BLE001 - the driver's call has succeeded, and its caller must be told so
        if committed:
            _unended.append(known)
        else:
            known.over = True  # there is no more to it


def _end_the_rest() -> None:
    for _ in range(len(_unended)):
        with contextlib.suppress(IndexError):  # another thread has taken the last one
            end_transaction(_unended.popleft(), committed=True)


def open_transactions() -> list[Transaction]:
    """Those that are not over, and in which the calling thread has changed something; oldest first."""
    _forget_those_over()
    return list(_here.changed)


def all_open_transactions() -> list[Transaction]:
    """Those of all threads that are not settled yet."""
    known = [reference() for reference in list(_all.values())]
    return [each for each in known if each is not None and not each.is_settled]


def has_uncommitted_changes() -> bool:
    """Whether the calling thread has changed something, in any database, that may not be committed yet."""
    return bool(_here.changed or _unended) and bool(open_transactions())


def _forget_those_over() -> None:
    if _unended:
        _end_the_rest()
    changed = _here.changed
    for known in list(changed):
        if known.over:
            changed.pop(known, None)


def _call(callback: Callback) -> None:
    try:
        callback()
    except BaseException as error:
        with contextlib.suppress(Exception):
            callback()  # it was cut short, by a Control-C, say: once more, and that time to its end
        if not isinstance(error, Exception):
            raise  # of any other the commit that it follows is none of its business: that has happened
