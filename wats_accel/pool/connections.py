"""Connections and what works on them, as their user sees them."""

from __future__ import annotations

import functools
import weakref
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar

from wats_accel.failures import note_failure, noting_failures
from wats_accel.pool.calls import Call
from wats_accel.pool.changes import COMMIT, EXECUTING, FETCHING, MAY_COMMIT, READS, Change
from wats_accel.pool.corpses import bury
from wats_accel.pool.holds import hold
from wats_accel.pool.lease import Lease
from wats_accel.pool.observing import Observer, Seen
from wats_accel.pool.outlasting import Unfinished, may_outlast
from wats_accel.pool.own_classes import has_own_methods
from wats_accel.pool.proxies import (
    NOTHING,
    Proxy,
    check_thread,
    genuine,
    put,
    read_attribute,
    set_hold,
    set_lease,
    set_raw,
    set_remains,
    setter,
)
from wats_accel.pool.proxy_types import made_type
from wats_accel.pool.straight import OF_CONNECTIONS, READING

_MISSING = object()
ENDS_TRANSACTION = ("commit", "rollback", "__exit__")
"""Methods of a connection after which no transaction is open; of a cursor, if they raise nothing."""


# -- a connection ----------------------------------------------------------------------------------------


def _close_connection(self: ConnectionProxy, /, *args: Any, **kwargs: Any) -> Any:
    lease = self._accel_lease
    if args or kwargs or lease.raw is None or lease.ended:
        told = self._accel_call("close", args, kwargs)
        if not has_own_methods(self._accel_raw.__class__) or _is_closed(self):
            lease.finish()
        return told
    check_thread(lease, "close")
    try:
        bury(self, lease)
    except Exception as error:  # noqa: BLE001 - it is closed all the same
        lease.broke(error)
    except BaseException:
        note_failure()
        raise
    if lease.raw is None and self._accel_raw is not None:  # something of ours has failed: it is closed indeed
        return self._accel_call("close", args, kwargs)
    lease.closed = True
    lease.finish()
    return None


def _is_closed(connection: ConnectionProxy) -> bool:
    """Whether a `close` of the user's own has closed it: it may keep it open for others."""
    try:
        return connection._accel_lease.lender.driver.in_transaction(connection._accel_raw) is None
    except Exception:  # noqa: BLE001 - that is how drivers say so
        return True


def _total_changes(self: ConnectionProxy) -> Any:
    return read_attribute(self._accel_raw, "total_changes") - self._accel_lease.changes_before


class ConnectionProxy(Proxy):
    """A connection. Its lease ends with it, unless it is closed before."""

    __slots__ = ()
    _accel_own: ClassVar[Mapping[str, Any]] = MappingProxyType(
        {**OF_CONNECTIONS, "close": _close_connection, "total_changes": property(_total_changes)}
    )

    def __setattr__(self, name: str, value: Any) -> None:
        lease = self._accel_lease
        if lease.lender.driver.checks_thread_of(name, value):
            check_thread(lease, "commit")
        if not lease.entered():
            return self._accel_set_on_dead(name, value)
        before = _MISSING
        call = Call(self, MAY_COMMIT)  # autocommit does, and levels of isolation
        try:
            with lease.harmless:
                call.begin()
                before = _before_session_attribute(lease, self._accel_raw, name, value)
            setattr(self._accel_raw, name, value)
            with lease.harmless:
                _after_session_attribute(lease, name, before)
                call.returned(None)
        except BaseException as error:
            with lease.harmless:
                call.failed(error)
            raise
        finally:
            lease.left()

    def _accel_note(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        super()._accel_note(name, args, kwargs)
        if name not in self._accel_lease.lender.driver.clean_calls:
            self._accel_lease.release(name)
        elif name == "cursor" and (args or kwargs):
            self._accel_lease.release("a cursor of another type")
        if not self._accel_lease.released:
            self._accel_lease.lender.driver.before_call(self._accel_raw, name)

    def _accel_present(self, value: Any) -> Any:
        return self if value is self._accel_raw else _presented(self, value)

    def _accel_given_straight(self, raw: Any) -> Any:
        lease = self._accel_lease
        try:
            if lease.dirty or not lease.lender.driver.is_dependent(raw):
                return super()._accel_given_straight(raw)
            told = genuine(dependent_proxy(self, raw))
            told._accel_hold_on()  # last of all, as in `_accel_given`
            return told
        except Exception as error:  # noqa: BLE001 - the call has been made, and its user gets its result
            lease.unseen(error)
        return raw

    def _accel_link(self) -> Any:
        return self._accel_raw

    def _accel_outlast(self, seen: Seen, told: Any) -> None:
        if issubclass(type(told), DependentProxy):  # of a method that executes and gives the cursor
            told._accel_outlast(seen, told)

    def _accel_closing(self) -> Change:
        lease = self._accel_lease
        may_commit = has_own_methods(self._accel_raw.__class__) or not lease.lender.driver.close_rolls_back
        return MAY_COMMIT if lease.dirty and may_commit else READS

    def _accel_leaving(self, args: tuple[Any, ...]) -> Change:
        return COMMIT  # after an exception most roll back instead; nobody knows


def _before_session_attribute(lease: Lease, raw: Any, name: str, value: Any) -> Any:
    """What an attribute of a connection is before its user sets it."""
    if not lease.lender.driver.keeps_session(name, value):
        lease.release(name)
    return _MISSING if lease.released else getattr(raw, name, _MISSING)


def _after_session_attribute(lease: Lease, name: str, before: Any) -> None:
    if before is _MISSING:
        lease.release("an attribute that cannot be read")
    else:
        lease.remember(name, before)


# -- a cursor, a blob, a generator -----------------------------------------------------------------------


def _close_dependent(self: DependentProxy, /, *args: Any, **kwargs: Any) -> Any:
    lease = self._accel_lease
    is_cursor = hasattr(self._accel_raw, "fetchone")
    again_after_all = self._accel_is_closed and lease.closed
    if again_after_all and is_cursor and lease.lender.driver.closing_asks_connection:
        self._accel_check_thread("close")
        dead: Any = None
        with lease.harmless:
            dead = lease.lender.corpse(lease)[1]
        if dead is not None:
            with noting_failures:
                return dead.close(*args, **kwargs)
    told = self._accel_call("close", args, kwargs)
    if is_cursor:  # a closed blob is still asked, first of all, whether its connection is closed
        lease.dependents.pop(self._accel_number, None)
    put(self, _accel_is_closed=True)
    known = self._accel_connection
    if known is not None and (lease.lender.driver.frees_connection_with_cursor or lease.untouched):
        put(self, _accel_weakly=weakref.ref(known), _accel_connection=None)
    return told


def _connection(self: DependentProxy) -> Any:
    read_attribute(self._accel_raw, "connection")  # asked only because the driver may refuse
    return self._accel_facade or self._accel_owner()


class DependentProxy(Proxy):
    """Something that works on a connection, and keeps it."""

    __slots__ = (
        "_accel_connection", "_accel_facade", "_accel_is_closed", "_accel_is_held", "_accel_number",
        "_accel_reader", "_accel_unfinished", "_accel_weakly",
    )  # fmt: skip
    _accel_connection: ConnectionProxy | None
    _accel_facade: Any
    _accel_is_closed: bool
    _accel_is_held: bool
    _accel_number: int
    _accel_reader: object
    _accel_unfinished: Unfinished | None
    _accel_weakly: weakref.ref[ConnectionProxy]
    _accel_own: ClassVar[Mapping[str, Any]] = MappingProxyType(
        {**READING, "close": _close_dependent, "connection": property(_connection)}
    )

    def __getattr__(self, name: str) -> Any:
        value = super().__getattr__(name)
        # Where the driver's class is written in Python, `connection` may be any object's own attribute.
        known = self._accel_connection
        if known is not None and value is known._accel_raw:
            return self._accel_facade or known
        return self._accel_owner() if value is not None and value is self._accel_lease.raw else value

    def __setattr__(self, name: str, value: Any) -> None:
        lease = self._accel_lease
        if not lease.entered():
            return self._accel_set_on_dead(name, value)
        try:
            with lease.harmless:
                if not lease.lender.driver.keeps_session(name, value):
                    lease.release(name)
            with noting_failures:
                return setattr(self._accel_raw, name, value)
        finally:
            lease.left()

    def _accel_present(self, value: Any) -> Any:
        if value is self._accel_raw:
            return self
        if value is not None and value is self._accel_lease.raw:
            return self._accel_owner()
        return _presented(self, value)

    def _accel_call(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        lease, unfinished = self._accel_lease, None
        if lease.observer is not None:
            unfinished = self._accel_unfinished
            if name in FETCHING or name in EXECUTING:
                with lease.harmless:
                    self._accel_note_reader(lease.observer, name)
        try:
            told = super()._accel_call(name, args, kwargs)
        except StopIteration:
            if unfinished is not None:
                with lease.harmless:
                    unfinished.exhausted()
            raise
        if unfinished is not None:
            with lease.harmless:
                if unfinished.is_ended_by(name, told):
                    unfinished.end()
        if self._accel_facade is not None and name in ENDS_TRANSACTION and not any(args):
            self._accel_facade._accel_has_ended(self._accel_connection)
        return told

    def _accel_note_reader(self, observer: Observer, name: str) -> None:
        if name in FETCHING:
            observer.fetched(self._accel_reader)
        else:
            put(self, _accel_reader=observer.reader())

    def _accel_outlast(self, seen: Seen, told: Any) -> None:
        if may_outlast(self._accel_lease.lender.driver, self._accel_raw, seen.change):
            before, finished = self._accel_unfinished, seen.observer.outlasts(seen.token)
            put(self, _accel_unfinished=Unfinished(self._accel_raw, seen.change, finished))
            if before is not None:
                before.end()

    def _accel_leaving(self, args: tuple[Any, ...]) -> Change:
        lender, is_cursor = self._accel_lease.lender, hasattr(self._accel_raw, "fetchone")
        return COMMIT if is_cursor and lender.driver.commits_with_cursor and not any(args) else MAY_COMMIT

    def _accel_hold_on(self) -> None:
        lease = self._accel_lease
        if not self._accel_is_held and lease.raw is not None:
            _set_is_held(self, True)
            set_hold(self, hold(functools.partial(lease.drop, self._accel_number)))

    def _accel_link(self) -> Any:
        if not self._accel_lease.released:
            return self._accel_lease.raw
        owner = self._accel_connection or self._accel_weakly()
        return None if owner is None else owner._accel_raw

    def _accel_check_thread(self, name: str) -> None:
        if name == "close" or not self._accel_is_closed:  # a closed cursor says so to any thread
            super()._accel_check_thread(name)

    def _accel_owner(self) -> Any:
        """The connection that it works on."""
        known = self._accel_connection or self._accel_weakly()
        if known is None:  # its cursor is closed, its user has dropped it, and there was nothing to lose
            known = self._accel_lease.lender.connect_again()
            put(self, _accel_connection=known)
        return known


def _presented(proxy: ConnectionProxy | DependentProxy, value: Any) -> Any:
    if not proxy._accel_lease.lender.driver.is_dependent(value):
        return value
    owner = proxy if isinstance(proxy, ConnectionProxy) else proxy._accel_owner()
    return dependent_proxy(owner, value)


# -- how they are made -----------------------------------------------------------------------------------

_set_number = setter(DependentProxy, "_accel_number")
_set_connection = setter(DependentProxy, "_accel_connection")
_set_facade = setter(DependentProxy, "_accel_facade")
_set_unfinished = setter(DependentProxy, "_accel_unfinished")
_set_is_closed = setter(DependentProxy, "_accel_is_closed")
_set_is_held = setter(DependentProxy, "_accel_is_held")
_set_reader = setter(DependentProxy, "_accel_reader")


def connection_proxy(lease: Lease) -> Any:
    """The connection that the user of a lease gets."""
    proxy = _new(made_type(ConnectionProxy, lease.raw.__class__), lease, lease.raw)
    set_hold(proxy, hold(lease.finish))
    return proxy


def dependent_proxy(connection: ConnectionProxy, raw: Any) -> Any:
    """What the user gets of something that works on a connection."""
    lease = connection._accel_lease
    proxy = _new(made_type(DependentProxy, raw.__class__), lease, raw)
    _set_number(proxy, lease.keep(raw, proxy))
    _set_connection(proxy, connection)
    _set_facade(proxy, None)
    _set_is_closed(proxy, False)
    _set_is_held(proxy, False)
    if lease.observer is not None:  # or nobody asks for these two
        _set_unfinished(proxy, None)
        _set_reader(proxy, lease.observer.reader())
    return proxy


def _new(kind: type[Proxy], lease: Lease, raw: Any) -> Any:
    proxy = kind.__new__(kind)  # the `__init__` belongs to the driver's object
    set_lease(proxy, lease)
    set_raw(proxy, raw)
    set_remains(proxy, NOTHING)
    return proxy
