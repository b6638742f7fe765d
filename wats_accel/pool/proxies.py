"""Proxies: what a user gets instead of the driver's own objects, and cannot tell from them.

A proxy has exactly those special methods that the driver's type has, says that it is of that type, and
works on the driver's own object. wrapt's object proxies have every special method there is, so that
``hasattr(cursor, "__enter__")`` would be true of an sqlite3 cursor: therefore these are our own.
"""

from __future__ import annotations

import contextlib
from _thread import get_ident
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, ClassVar

from wats_accel.failures import note_failure, noting_failures
from wats_accel.pool.calls import Call
from wats_accel.pool.changes import EXECUTING, READS, Change, change_by_text, statement_of
from wats_accel.pool.drivers import foreign_thread
from wats_accel.pool.holds import Hold
from wats_accel.pool.lease import Lease
from wats_accel.pool.observing import Seen
from wats_accel.pool.statements import TRANSACTION, effect_of

NOTHING: Mapping[str, Any] = MappingProxyType({})
_MISSING: Any = object()


class Proxy:
    """Base of all proxies; `proxy_types` makes the type of each, after the driver's."""

    __slots__ = ("__weakref__", "_accel_hold", "_accel_lease", "_accel_raw", "_accel_remains")
    _accel_hold: Hold
    _accel_lease: Lease
    _accel_raw: Any
    _accel_remains: Mapping[str, Any]
    _accel_own: ClassVar[Mapping[str, Any]] = NOTHING
    """What a proxy does in a way of its own, if the driver's type can do it at all."""

    def __getattr__(self, name: str) -> Any:
        if name in self._accel_remains:
            return self._accel_remains[name]
        return read_attribute(self._accel_raw, name)

    def __delattr__(self, name: str) -> None:
        self._accel_lease.release("a deleted attribute")
        with noting_failures:
            delattr(self._accel_raw, name)

    def __dir__(self) -> Iterable[str]:
        return dir(self._accel_raw)

    def __repr__(self) -> str:
        kind = self._accel_raw.__class__
        if _has_own_repr(kind):
            return repr(self._accel_raw)
        return f"<{kind.__module__}.{kind.__qualname__} object at {id(self):#x}>"

    def __reduce_ex__(self, protocol: Any) -> Any:
        with noting_failures:
            return self._accel_raw.__reduce_ex__(protocol)

    def _accel_call(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Call a method of the driver's object on behalf of the user."""
        lease = self._accel_lease
        self._accel_check_thread(name)
        if not lease.entered():
            with noting_failures:  # mostly this raises what the driver raises
                told = _called(getattr(self._accel_raw, name), args, kwargs)
            return self if told is self._accel_raw else told
        call = Call(self)
        try:
            try:
                call.before(name, args, kwargs)
            except Exception as error:  # noqa: BLE001 - the driver is called all the same
                lease.unseen(error)
            return self._accel_given(call, _called(getattr(self._accel_raw, name), args, kwargs))
        except BaseException as error:
            with lease.harmless:
                call.failed(error)
            raise
        finally:
            lease.left()

    def _accel_given(self, call: Call, raw: Any) -> Any:
        """What the user gets of what the driver gave. Raises nothing of its own."""
        try:
            told = call.returned(raw)
            if told is not raw:
                # Last of all: from here on what the driver gave ends as soon as its user drops the proxy.
                genuine(told)._accel_hold_on()
            return told
        except Exception as error:  # noqa: BLE001 - the call has been made, and its user gets its result
            self._accel_lease.unseen(error)
        return raw

    def _accel_given_straight(self, raw: Any) -> Any:
        """The same of a call that nobody has looked at before: it can only read."""
        return self._accel_given(Call(self), raw)

    def _accel_change(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Change:
        """What a call can do to data, if the name alone does not say it."""
        if name == "close":
            return self._accel_closing()
        return self._accel_leaving(args) if name == "__exit__" else change_by_text(name, args, kwargs)

    def _accel_closing(self) -> Change:
        """What closing the driver's object can do to data."""
        return READS

    def _accel_leaving(self, args: tuple[Any, ...]) -> Change:
        """What leaving the ``with`` block of the driver's object can do to data."""
        raise NotImplementedError

    def _accel_outlast(self, seen: Seen, told: Any) -> None:
        """Have an observer know when a change is over that is part of no transaction."""

    def _accel_link(self) -> Any:
        """The driver's connection; None if it is out of reach."""
        raise NotImplementedError

    def _accel_check_thread(self, name: str) -> None:
        check_thread(self._accel_lease, name)

    def _accel_set_on_dead(self, name: str, value: Any) -> None:
        """Set an attribute after the end, if the driver lets one: its closed object is not ours alone."""
        dead = self._accel_raw
        before = _read(dead, name)
        try:
            with noting_failures:
                setattr(dead, name, value)
        finally:  # one that is refused may have been set all the same
            now = _read(dead, name)
            if now is not _MISSING:
                put(self, _accel_remains={**self._accel_remains, name: now})
            if before is not _MISSING:
                with contextlib.suppress(Exception):  # as above
                    setattr(dead, name, before)

    def _accel_hold_on(self) -> None:
        """Have what it stands for end with it. Safe to call more than once."""

    def _accel_note(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Note what a call may leave behind."""
        if name in EXECUTING:
            _note_statement(self._accel_lease, statement_of(args, kwargs))
        elif name == "callproc":
            self._accel_lease.stain("procedure")

    def _accel_present(self, value: Any) -> Any:
        """What the user gets to see of something that the driver returned."""
        raise NotImplementedError


def read_attribute(raw: Any, name: str) -> Any:
    """An attribute of the driver's object. That there is none of this name is an answer, and no failure."""
    try:
        return getattr(raw, name)
    except AttributeError:
        raise
    except BaseException:
        note_failure()
        raise


def put(proxy: Proxy, **slots: Any) -> None:
    """Set slots of a proxy, past its own way of setting attributes."""
    for name, value in slots.items():
        object.__setattr__(proxy, name, value)


def setter(kind: type[Proxy], name: str) -> Callable[[Proxy, Any], None]:
    """What sets one slot of proxies of this kind: as `put`, where a millionth of a second counts."""
    made: Callable[[Proxy, Any], None] = vars(kind)[name].__set__
    return made


set_lease, set_raw = setter(Proxy, "_accel_lease"), setter(Proxy, "_accel_raw")
set_remains, set_hold = setter(Proxy, "_accel_remains"), setter(Proxy, "_accel_hold")


def _read(dead: Any, name: str) -> Any:
    try:
        return getattr(dead, name)
    except Exception:  # noqa: BLE001 - that is how drivers say that it is closed
        return _MISSING


def _has_own_repr(kind: type[Any]) -> bool:
    return vars(object)["__repr__"] is not kind.__repr__


# -- what a call is, and leaves behind -------------------------------------------------------------------


def check_thread(lease: Lease, name: str) -> None:
    """Raise what the driver raises if a thread other than the lease's own calls a method of this name."""
    if not lease.checks_thread or lease.thread == get_ident():
        return
    driver = lease.lender.driver
    if name in driver.thread_checked:
        note_failure()
        raise foreign_thread(driver, lease.thread)


def _note_statement(lease: Lease, sql: object) -> None:
    if lease.released:
        return
    effect = effect_of(sql)
    lease.inserted = lease.inserted or effect.inserts
    if effect.taint == TRANSACTION:
        # Where a transaction is begun or ended behind the driver's back, its rollback may not reach it.
        if lease.lender.driver.in_transaction(lease.raw) is None:
            lease.stain(TRANSACTION)
    elif effect.taint is not None:
        lease.stain(lease.dialect.taint_of(sql, effect.taint))


def _called(method: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Call the driver's own code, which wants its own objects: proxies among the arguments are unwrapped."""
    proxies = [value for value in (*args, *kwargs.values()) if is_proxy(value)]
    if not proxies:
        return method(*args, **kwargs)
    with contextlib.ExitStack() as stack:  # their leases cannot end meanwhile
        for proxy in proxies:
            if proxy._accel_lease.entered():
                stack.callback(proxy._accel_lease.left)
        plain = {name: _plain(value) for name, value in kwargs.items()}
        return method(*map(_plain, args), **plain)


def genuine(proxy: Any) -> Any:
    """The proxy itself.

    Raises:
        TypeError: it is none; so nobody gets it.
    """
    if not issubclass(type(proxy), Proxy):
        raise TypeError(f"a proxy was to be made, and not a {type(proxy).__name__}")
    return proxy


def is_proxy(value: Any) -> bool:
    """Whether it is one of ours; `isinstance` would be told the driver's type."""
    return issubclass(type(value), Proxy)


def _plain(value: Any) -> Any:
    return value._accel_raw if is_proxy(value) else value
