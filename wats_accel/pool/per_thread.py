"""One connection object for all threads, a connection for each: transactions no longer get mixed up."""

from __future__ import annotations

import contextlib
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from wats_accel.failures import noting_failures
from wats_accel.frames import forgetful
from wats_accel.pool.connections import ENDS_TRANSACTION, ConnectionProxy, DependentProxy
from wats_accel.pool.lease import Lease
from wats_accel.pool.proxies import Proxy, put, read_attribute
from wats_accel.pool.proxy_types import new_proxy, proxy_type

if TYPE_CHECKING:
    from wats_accel.pool.connection_pool import ConnectionPool


class _Here(threading.local):
    sharing = False


class PerThread:
    """Knows which functions open the connection that all threads share.

    Attributes:
        is_used: whether there are any.
    """

    def __init__(self) -> None:
        self.is_used = False
        self._here = _Here()

    def wrap(self, call: Callable[..., Any]) -> Callable[..., Any]:
        """The function to put in the place of one that opens a connection for all threads."""

        def sharing(*args: Any, **kwargs: Any) -> Any:
            before = self._here.sharing
            self._here.sharing = True
            try:
                told = call(*args, **kwargs)
            finally:
                self._here.sharing = before
            if issubclass(type(told), SharedProxy):
                told._accel_forget_lost()
            return told

        self.is_used = True
        return forgetful(sharing)

    def connection(self, pool: ConnectionPool) -> Any:
        """A connection, for one thread or for all, according to who asks."""
        taken = pool.connect_again()
        if not self._here.sharing or not issubclass(type(taken), ConnectionProxy):
            return taken
        try:
            return _shared(pool, taken.__class__)
        except Exception as error:  # noqa: BLE001 - then all threads share one, as without us
            pool.broke(error)
            return taken


def _shared(pool: ConnectionPool, kind: type[Any]) -> SharedProxy:
    facade = new_proxy(proxy_type(SharedProxy, kind))
    put(facade, _accel_pool=pool, _accel_settings={}, _accel_closed=None, _accel_here=threading.local())
    return facade


class SharedProxy(Proxy):
    """A connection that all threads share by name: each has its own, until it commits or rolls back."""

    __slots__ = ("_accel_closed", "_accel_here", "_accel_pool", "_accel_settings")
    _accel_pool: ConnectionPool
    _accel_settings: dict[str, Any]
    _accel_closed: Any
    _accel_here: threading.local

    def __getattr__(self, name: str) -> Any:
        if name in self._accel_settings:
            return self._accel_settings[name]
        if name == "closed" and self._accel_closed is None and hasattr(self.__class__, name):
            return False
        return read_attribute(self._accel_current(), name)

    def __setattr__(self, name: str, value: Any) -> None:
        with noting_failures:
            setattr(self._accel_current(), name, value)
        self._accel_settings[name] = value

    def __delattr__(self, name: str) -> None:
        with noting_failures:
            delattr(self._accel_current(), name)

    def __dir__(self) -> Iterable[str]:
        return dir(self.__class__)

    def __repr__(self) -> str:
        kind = self.__class__
        return f"<{kind.__module__}.{kind.__qualname__} object at {id(self):#x}>"

    def __reduce_ex__(self, protocol: Any) -> Any:
        return self._accel_current().__reduce_ex__(protocol)

    def _accel_call(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        with noting_failures:  # what is under it may be the driver's own, past the pool
            return self._accel_passed_on(name, args, kwargs)

    def _accel_passed_on(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if name in ENDS_TRANSACTION:
            return self._accel_end(name, args, kwargs)
        connection = self._accel_current()
        if name == "close":
            return self._accel_close(connection, args, kwargs)
        told = getattr(connection, name)(*args, **kwargs)
        if self._accel_pool.driver.is_dependent(told):
            self._accel_use(connection)
        if issubclass(type(told), DependentProxy):
            put(told, _accel_facade=self)
        return self if told is connection else told

    def _accel_current(self) -> Any:
        """This thread's connection: the one in use, or one that is not in use yet."""
        if self._accel_closed is not None:
            return self._accel_closed
        used = self._accel_used()
        return used[-1] if used else self._accel_new()

    def _accel_forget_lost(self) -> None:
        """This thread begins anew; with what the server has dropped it could not even roll back.

        Not before it begins anew: it might take what follows for the rest of the transaction that is lost.
        """
        used = self._accel_used()
        used[:] = [known for known in used if not _is_lost(known)]

    def _accel_new(self) -> Any:
        connection = self._accel_pool.connect_again()
        for name, value in self._accel_settings.items():
            setattr(connection, name, value)
        if issubclass(type(connection), ConnectionProxy):
            connection._accel_lease.on_use = _noting(self, connection)
        return connection

    def _accel_used(self) -> list[Any]:
        used: list[Any] = self._accel_here.__dict__.setdefault("used", [])
        return used

    def _accel_use(self, connection: Any) -> None:
        """Keep a connection for this thread, until its transaction ends."""
        used = self._accel_used()
        if not any(known is connection for known in used):
            used.append(connection)

    def _accel_end(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """End what this thread has begun; on several connections, if it kept a cursor of an earlier one."""
        with self._accel_emptied() as used:
            told = None
            if not used and self._accel_closed is None and name != "__exit__" and not (args or kwargs):
                return told  # a cursor has ended it already: no connection is needed to end nothing
            for connection in used or [self._accel_current()]:
                told = getattr(connection, name)(*args, **kwargs)
            return told

    def _accel_has_ended(self, connection: Any) -> None:
        """A cursor of this thread has ended the transaction of its connection."""
        used = self._accel_used()
        used[:] = [known for known in used if known is not connection]

    @contextlib.contextmanager
    def _accel_emptied(self) -> Iterator[list[Any]]:
        used = self._accel_used()
        try:
            yield list(used)
        finally:
            used.clear()

    def _accel_close(self, connection: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        with self._accel_emptied() as used:
            for known in used or [connection]:
                known.close(*args, **kwargs)
        put(self, _accel_closed=connection)


def _is_lost(connection: Any) -> bool:
    return issubclass(type(connection), ConnectionProxy) and connection._accel_lease.lost


def _noting(facade: SharedProxy, connection: ConnectionProxy) -> Callable[[Lease], None]:
    """Note that a thread has used a connection again, through a cursor that it kept."""
    weak_facade, weak_connection = weakref.ref(facade), weakref.ref(connection)

    def note(lease: Lease) -> None:
        shared, used = weak_facade(), weak_connection()
        if shared is not None and used is not None and not lease.ended:
            shared._accel_use(used)

    return note
