"""The queue of idle connections: SQLAlchemy's `QueuePool`, without its proxies, resets and log lines."""

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

if TYPE_CHECKING:
    from sqlalchemy.pool import PoolProxiedConnection as Entry
    from sqlalchemy.pool import QueuePool

_NAME = "wats_accel"
_here = threading.local()
_later: deque[Callable[[], None]] = deque()
"""Of all queues: while one is busy in a thread, no other may wait there for a lock of its own."""


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
    connection to this very queue, or to another; SQLAlchemy's locks are not made for that. So whoever
    gives back asks `is_busy_here`, and comes back `later`.
    """

    def __init__(self, rules: PoolRules, owner: QueueOwner) -> None:
        self._rules = rules
        self._owner = owner
        self._why: dict[int, str] = {}
        self._closed: str | None = None
        self._pool = self._new_pool()

    def _new_pool(self) -> QueuePool:
        from sqlalchemy import event  # noqa: PLC0415 - as in _queue_type

        made = _queue_type()(
            self._owner.open,
            # It would close the overflow at once, and open it again in the next moment of a busy time.
            pool_size=self._rules.limit,
            max_overflow=-1,  # whoever takes has counted already, and here a Control-C may upset the count
            use_lifo=self._rules.lifo,
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
        with _busy():
            return self._pool.connect()

    def give_back(self, entry: Entry) -> None:
        """Take back one that `take` gave."""
        with _busy():
            entry.close()
            if self._closed:  # by another thread, while this one came back
                self._pool.dispose()

    def discard(self, entry: Entry, why: str) -> None:
        """Close one that `take` gave."""
        self._why[id(entry.dbapi_connection)] = why
        with _busy():
            entry.invalidate()

    def let_go(self, entry: Entry, why: str) -> None:
        """Forget one that `take` gave; whoever has it closes it."""
        with _busy():
            entry.detach()
        self._owner.parted_with(why)

    def close(self, why: str) -> None:
        """Close what is idle. Safe to call twice."""
        self._closed = why
        with _busy():
            self._pool.dispose()

    @property
    def idle(self) -> int:
        """Connections that wait for a user."""
        return self._pool.checkedin()


@functools.cache
def _queue_type() -> type[QueuePool]:
    from sqlalchemy.pool import QueuePool  # noqa: PLC0415 - a quarter of a second, when it is first needed

    class Queue(QueuePool):
        """Forgets the records of connections that are closed.

        It would queue them, too: the next user might get one of these, and open a connection, while
        others are idle.
        """

        def _do_return_conn(self, record: Any) -> None:
            if record.dbapi_connection is None:
                self._dec_overflow()
            else:
                super()._do_return_conn(record)

    return Queue


# -- interruptions ---------------------------------------------------------------------------------------


class _Call:
    """A call of a queue, for as long as it lasts: a Control-C ends it, too, wherever it comes."""


def is_busy_here() -> bool:
    """Whether this thread is inside a call of a queue, and has been interrupted."""
    call = getattr(_here, "call", None)
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
        while _later:
            with contextlib.suppress(IndexError):  # another thread has taken the last one
                _later.popleft()()
