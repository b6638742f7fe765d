"""The straight line: calls that only read, and that nobody has to see, reach the driver with next to nothing.

Of a call that may change data much has to be known, before and after. Most calls read, on a connection that
has no uncommitted change. Of these nothing is to be noted unless the driver raises, so that all that is left
is to keep the lease from ending meanwhile. Whatever is not as plain goes the long way: `Proxy._accel_call`.

Each of these functions empties its own frame when it fails. `frames.forgetful` would do that for all of them,
at the price of one more call for each.
"""

from __future__ import annotations

import datetime
import functools
from _thread import get_ident
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from wats_accel.frames import forget_locals
from wats_accel.pool.calls import Call
from wats_accel.pool.changes import READS, change_of
from wats_accel.pool.lease import Lease
from wats_accel.pool.proxies import Proxy, put
from wats_accel.pool.statements import LONGEST_CACHED, effect_of

_NO_PROXIES: Final = frozenset(
    {str, bytes, bytearray, int, float, bool, complex, type(None), tuple, list, dict}
    | {datetime.date, datetime.datetime, datetime.time, datetime.timedelta}
)
"""Types of arguments that a driver is given as they are."""

_ONE: Final = (None,)


def reading(name: str) -> Callable[..., Any]:
    """The method of this name, which only reads, of what works on a connection."""

    def method(self: Proxy, /, *args: Any, **kwargs: Any) -> Any:
        lease = self._accel_lease
        try:
            plain = not (args or kwargs) or _are_no_proxies(args, kwargs)
            if plain and _is_unseen(self, lease):
                return _read(self, lease, name, args, kwargs)
            return self._accel_call(name, args, kwargs)
        except BaseException as error:
            del args, kwargs
            forget_locals(error)
            raise

    return method


def execute(self: Any, /, *args: Any, **kwargs: Any) -> Any:
    """Execute a text of SQL: without a detour, if it does nothing but read."""
    lease = self._accel_lease
    try:
        if lease.on_use is None and _is_unseen(self, lease) and _only_reads(lease, args, kwargs):
            if lease.observer is not None and self._accel_reader is not None:
                put(self, _accel_reader=None)  # it is no load that executes what is fetched from here on
            return _read(self, lease, "execute", args, kwargs)
        return self._accel_call("execute", args, kwargs)
    except BaseException as error:
        del args, kwargs
        forget_locals(error)
        raise


def execute_anew(self: Proxy, /, *args: Any, **kwargs: Any) -> Any:
    """The same of a connection, which makes a cursor for it."""
    lease = self._accel_lease
    try:
        mine = lease.raw is not None and lease.observer is None and lease.on_use is None
        if mine and _is_plain(lease) and _only_reads(lease, args, kwargs):
            return _read(self, lease, "execute", args, kwargs)
        return self._accel_call("execute", args, kwargs)
    except BaseException as error:
        del args, kwargs
        forget_locals(error)
        raise


def cursor(self: Proxy, /, *args: Any, **kwargs: Any) -> Any:
    """A cursor of a connection: no data are read or changed."""
    lease = self._accel_lease
    try:
        if args or kwargs or lease.raw is None or not _is_plain(lease):
            return self._accel_call("cursor", args, kwargs)
        return _read(self, lease, "cursor", args, kwargs)
    except BaseException as error:
        del args, kwargs
        forget_locals(error)
        raise


READING: Final[Mapping[str, Callable[..., Any]]] = MappingProxyType(
    {
        **{name: reading(name) for name in ("fetchone", "fetchmany", "fetchall", "fetchval", "__next__")},
        "execute": execute,
    }
)
"""Of what works on a connection."""
OF_CONNECTIONS: Final[Mapping[str, Callable[..., Any]]] = MappingProxyType(
    {"cursor": cursor, "execute": execute_anew}
)


def _is_plain(lease: Lease) -> bool:
    """Whether a call that reads leaves nothing to be noted; the driver refuses other threads by itself."""
    known = lease.known_changes
    return (known is None or not known.dirty) and (not lease.checks_thread or lease.thread == get_ident())


def _is_unseen(proxy: Any, lease: Lease) -> bool:
    """As `_is_plain`; and besides, nobody observes what a thread reads, or it loads nothing."""
    known = lease.known_changes
    if (known is not None and known.dirty) or (lease.checks_thread and lease.thread != get_ident()):
        return False
    if lease.observer is None:
        return True
    loading = lease.loading
    if loading is None or lease.raw is None or get_ident() in loading:
        return False
    return proxy._accel_unfinished is None


def _are_no_proxies(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> bool:
    return not kwargs and (not args or _NO_PROXIES.issuperset(map(type, args)))


def _only_reads(lease: Lease, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> bool:
    """Whether these arguments have `execute` do nothing but read."""
    try:
        if not args or type(args[0]) is not str or not _are_no_proxies(args, kwargs):
            return False
        sql, observer = args[0], lease.observer
        if len(sql) > LONGEST_CACHED or not _leaves_nothing(sql):
            return False
        return observer is None or observer.only_reads(lease.dialect.language, sql) is True
    except Exception:  # noqa: BLE001 - the long way meets the same, and deals with it
        return False


@functools.lru_cache(maxsize=1024)
def _leaves_nothing(sql: str) -> bool:
    effect = effect_of(sql)
    return change_of(sql) is READS and effect.taint is None and effect.inserts is False


def _read(proxy: Proxy, lease: Lease, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Call the driver, which reads; what is not plain about what it gives, or raises, takes the long way."""
    inside: Any = lease.inside
    is_inside = is_called = False
    try:
        # As `Lease.enter` does, but without a call: at the end of one a Control-C might come in between.
        inside += _ONE
        is_inside = True
        is_called = not lease.ended
        if not is_called:
            return proxy._accel_call(name, args, kwargs)
        told = getattr(proxy._accel_raw, name)(*args, **kwargs)
        known, kind = lease.known_changes, type(told)
        if known is None or not known.dirty:
            if told is proxy._accel_raw:
                return proxy
            # By identity: the class of a row of the user's own making may have any `__eq__`, or `__hash__`.
            if told is None or kind is list or kind is tuple or kind is lease.lender.driver.row_type:
                return told
        return proxy._accel_given_straight(told)
    except BaseException as error:
        if is_called:
            with lease.harmless:
                Call(proxy).failed(error)
        raise
    finally:
        if is_inside and inside:  # a long way that has failed may have left more often than it had entered
            inside.pop()
        if lease.ended:
            lease.finish()
