"""The queue of idle connections: SQLAlchemy's `QueuePool`, without its proxies, locks, resets and log lines.

What goes out and comes back are SQLAlchemy's records of connections, by the two steps that every pool of
SQLAlchemy's is made of. Its proxies go around these: one is made, watched and taken apart again for each use
of a connection. And its queue is one that can wait, with a lock and two conditions, where nobody ever waits:
`Slots` has done that. So a deque stands in its place, whose steps nobody can interrupt.
"""

from __future__ import annotations

import contextlib
import functools
import logging
import threading
import weakref
from collections import deque
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Protocol

from wats_accel.pool.rules import PoolRules
from wats_accel.pool.statements import get_ready

if TYPE_CHECKING:
    from sqlalchemy.pool import ConnectionPoolEntry as Entry
    from sqlalchemy.pool import QueuePool

_NAME = "wats_accel"


class QueueOwner(Protocol):
    """What a queue asks and tells."""

    def open(self) -> Any:
        """Open a connection, as the driver does."""
        ...

    def opened(self, raw: Any, info: dict[Any, Any]) -> None:
        """Be told of a new one; `info` stays with it."""
        ...

    def parted_with(self, why: str) -> None:
        """Be told that one has been closed, or let go."""
        ...


class ConnectionQueue:
    """Idle connections, and a count of those that are out.

    Its calls may be interrupted by the garbage collector, and that may end a lease which gives back a
    connection to this very queue, or to another. Where connections are opened and closed, SQLAlchemy's
    locks are not made for that. So whoever gives back asks `is_busy_here`, and comes back `later`.
    """

    def __init__(self, rules: PoolRules, owner: QueueOwner) -> None:
        self._rules = rules
        self._owner = owner
        self._why: dict[int, str] = {}
        self._closed: str | None = None
        self._idle: deque[Entry] = deque()
        self._take_idle = self._idle.pop if rules.lifo else self._idle.popleft
        self._pool = self._new_pool()

    def _new_pool(self) -> QueuePool:
        from sqlalchemy import event  # noqa: PLC0415 - as in _queue_type

        queue_type: Any = _queue_type()
        made: QueuePool = queue_type(
            self._idle,
            self._owner.open,
            # It would close the overflow at once, and open it again in the next moment of a busy time.
            pool_size=self._rules.limit,
            max_overflow=-1,  # whoever takes has counted already, and here a Control-C may upset the count
            reset_on_return=None,
            logging_name=_NAME,
        )
        event.listen(made, "connect", self._on_connect)
        event.listen(made, "close", self._on_close)
        # It would log what the driver says, which may hold a secret.
        kind = type(made)
        logging.getLogger(f"{kind.__module__}.{kind.__name__}.{_NAME}").disabled = True
        return made

    def _on_connect(self, raw: Any, record: Any) -> None:
        self._owner.opened(raw, record.info)

    def _on_close(self, raw: Any, record: Any) -> None:
        self._owner.parted_with(self._why.pop(id(raw), self._closed or "closed"))

    # -- in and out ----------------------------------------------------------------------------------

    def take(self) -> Entry:
        """An idle connection, or a new one.

        Raises:
            Exception: the driver's own, when it cannot connect.
        """
        entry = self._idle_one()
        if entry is not None:
            return entry
        with _busy():
            return self._pool._do_get()

    def _idle_one(self) -> Entry | None:
        try:
            return self._take_idle()
        except IndexError:
            return None

    def give_back(self, entry: Entry) -> None:
        """Take back one that `take` gave."""
        self._idle.append(entry)
        if self._closed:  # by another thread, while this one came back
            with _busy():
                self._pool.dispose()

    def discard(self, entry: Entry, why: str) -> None:
        """Close one that `take` gave."""
        self._why[id(entry.dbapi_connection)] = why
        with _busy():
            entry.invalidate()  # cut short, the record is nobody's, and its connection goes with it
            self._pool._dec_overflow()

    def let_go(self, entry: Entry, why: str) -> None:
        """Forget one that `take` gave; whoever has it closes it."""
        with _busy():
            entry.dbapi_connection = None  # type: ignore[misc]  # it is a slot of the class below
            self._pool._dec_overflow()
        self._owner.parted_with(why)

    def close(self, why: str) -> None:
        """Close what is idle. Safe to call twice."""
        self._closed = why
        with _busy():
            self._pool.dispose()

    @property
    def idle(self) -> int:
        """Connections that wait for a user."""
        return len(self._idle)


@functools.cache
def _queue_type() -> type[QueuePool]:
    from sqlalchemy.pool import QueuePool  # noqa: PLC0415 - a quarter of a second, when it is first needed
    from sqlalchemy.util.queue import Empty  # noqa: PLC0415 - as above

    get_ready()

    class Idle:
        """What SQLAlchemy asks of its queue, of a deque that is shared with who takes and gives back."""

        def __init__(self, records: deque[Entry], maxsize: int) -> None:
            self.maxsize = maxsize
            self._records = records

        def get(self, *how_long: object) -> Entry:
            try:
                return self._records.pop()
            except IndexError:
                raise Empty from None

        def qsize(self) -> int:
            return len(self._records)

    class Queue(QueuePool):
        """Opens and closes connections, and forgets the records of those that are closed.

        It would queue them, too: the next user might get one of these, and open a connection, while
        others are idle.
        """

        def __init__(self, idle: deque[Entry], *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self._pool: Any = Idle(idle, self.size())

    return Queue


# -- interruptions ---------------------------------------------------------------------------------------


class _Call:
    """A call of a queue, for as long as it lasts: a Control-C ends it, too, wherever it comes."""

    __slots__ = ("__weakref__",)


class _Here(threading.local):
    call: weakref.ref[_Call] | None = None


_here = _Here()
_later: deque[Callable[[], None]] = deque()
"""Of all queues: while one is busy in a thread, no other may wait there for a lock of its own."""


def is_busy_here() -> bool:
    """Whether this thread is inside a call of a queue, and has been interrupted."""
    call = _here.call
    return call is not None and call() is not None


def later(callback: Callable[[], None]) -> None:
    """Have `callback` run as soon as the call that was interrupted is done."""
    _later.append(callback)


@contextlib.contextmanager
def _busy() -> Iterator[None]:
    if is_busy_here():
        yield
        return
    call = _Call()
    _here.call = weakref.ref(call)
    try:
        yield
    finally:
        del call
        _do_what_was_left()


def _do_what_was_left() -> None:
    while _later:
        with contextlib.suppress(IndexError):  # another thread has taken the last one
            _later.popleft()()
