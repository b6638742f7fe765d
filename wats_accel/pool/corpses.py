"""Corpses: closed connections of each driver, which raise what that driver raises after a close."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from types import GeneratorType
from typing import Any

from wats_accel.pool.drivers import Driver
from wats_accel.pool.lease import Lease
from wats_accel.pool.proxies import Proxy, put, set_raw, set_remains
from wats_accel.pool.proxy_types import is_method

_DOES_NOT_LAST = frozenset({"closed", "connection", "hdbc", "hstmt"})
"""Attributes that a close changes; handles would lead to what somebody else has by now."""

Corpse = tuple[Any, ...]
"""A closed connection, a cursor that was made before it was closed, and what else can work on one."""


class Corpses:
    """One corpse for each type of connection, and for each mode that it remembers after it was closed.

    A driver that can make one for nothing does. Of any other the first connection that its user closes is
    closed indeed: that costs one re-use in the life of a process, and every later error is the real one.
    """

    def __init__(self) -> None:
        self._known: dict[object, Corpse] = {}

    def of(self, driver: Driver, lease: Lease) -> Corpse:
        """A closed connection of the type that a lease holds, a cursor of it, and what else there is."""
        kind = lease.raw.__class__, getattr(lease.raw, "autocommit", None)
        found = self._known.get(kind)
        if found is None:
            found = driver.own_corpse() or _sacrificed(lease)
            self._known[kind] = found
        return found


def _sacrificed(lease: Lease) -> Corpse:
    connection, cursor = lease.raw, lease.raw.cursor()
    connection.close()
    lease.doubt = "first close"
    return connection, cursor


def bury(connection: Proxy, lease: Lease) -> None:
    """Have a connection and what works on it raise, from now on, what the driver's closed ones raise."""
    dead = lease.lender.corpse(lease)
    if lease.dependents:
        for raw, reference in list(lease.dependents.values()):
            proxy = reference()
            if proxy is not None:
                _bury_dependent(proxy, raw, *dead)
    _replace(connection, dead[0])


def _bury_dependent(proxy: Proxy, raw: Any, dead_connection: Any, dead_cursor: Any, *others: Any) -> None:
    if hasattr(raw, "fetchone"):
        _replace(proxy, dead_cursor)
    elif not isinstance(raw, GeneratorType):
        for dead in others:
            if dead.__class__ is raw.__class__:
                _replace(proxy, dead)
    elif raw.gi_frame is not None:  # it has more to give
        put(proxy, _accel_raw=_dead_generator(dead_connection))


def _dead_generator(dead_connection: Any) -> Iterator[Any]:
    yield from dead_connection.cursor()


def _replace(proxy: Proxy, dead: Any) -> None:
    """What can be read of a dead one is still what it was when it died."""
    raw, remains = proxy._accel_raw, {}
    for name in _lasting(raw.__class__, dead):
        try:
            remains[name] = getattr(raw, name)
        except Exception:  # noqa: BLE001 - then it is not there; `suppress` would cost more
            continue
    set_remains(proxy, remains)
    set_raw(proxy, dead)


@functools.lru_cache(maxsize=64)
def _lasting(raw_type: type[Any], dead: Any) -> tuple[str, ...]:
    """The names of what can be read of an object of this type after its end."""
    names = [name for name in dir(raw_type) if not name.startswith("__") and name not in _DOES_NOT_LAST]
    return tuple(name for name in names if not is_method(raw_type, name) and _survives(dead, name))


def _survives(dead: Any, name: str) -> bool:
    """Whether it can be read after the end, and is not the same of each: sqlite3's have its exceptions."""
    try:
        found = getattr(dead, name)
    except AttributeError:
        return True  # this one never had it
    except Exception:  # noqa: BLE001 - that is how drivers say that it is closed
        return False
    return not (isinstance(found, type) and issubclass(found, BaseException))
