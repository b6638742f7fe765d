"""Onlooking: a connection that no pool can lend, and of which each call is seen all the same.

It is the driver's own, opened with the user's own arguments, and nobody else will ever have it. Only a proxy
stands before it, as before one that its user has made his own: see `Lease.release`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from wats_accel.pool.calls import changes_of, notice
from wats_accel.pool.connections import connection_proxy
from wats_accel.pool.dialects import dialect_of
from wats_accel.pool.drivers import Driver
from wats_accel.pool.lease import Lease
from wats_accel.pool.observing import Observer
from wats_accel.pool.proxies import genuine

Open = Callable[[], Any]
"""Opens one more connection with the same arguments, in whatever way they allow."""


class Onlooker:
    """A lender that lends nothing.

    Args:
        driver: of the connections.
        open_again: gives what the user's own `connect` would.
        observer: told if something cannot be seen.
    """

    def __init__(self, driver: Driver, open_again: Open, observer: Observer) -> None:
        self.driver = driver
        self._open_again = open_again
        self._observer = observer

    def take_back(self, lease: Lease) -> None:
        """It was never lent."""

    def give_up(self, lease: Lease) -> None:
        """It was never lent."""

    def let_go(self, lease: Lease) -> None:
        """It was never held."""

    def lost(self, lease: Lease) -> None:
        """There are no others that might be lost as well."""

    def corpse(self, lease: Lease) -> tuple[Any, ...]:
        """Never asked for: when its user closes it, it is closed indeed."""
        raise NotImplementedError

    def connect_again(self) -> Any:
        """What the user's own `connect` would give with the same arguments."""
        return self._open_again()

    def broke(self, error: Exception) -> None:
        """What was not seen on this one may have changed anything."""
        self._observer.lost_sight(f"a call could not be followed: {type(error).__name__}")


def looked_on(raw: Any, driver: Driver, observer: Observer, open_again: Open) -> Any:
    """What the user gets instead of a connection of his own; `observer` is told of each call.

    If its type cannot be stood in for, that is the connection itself, and `observer` is told that.
    """
    try:
        lease = Lease(Onlooker(driver, open_again, observer), raw, dialect_of(driver.name, raw), None)
        lease.changes_before = 0  # those of its making are its user's own, too
        lease.observer = observer
        proxy = genuine(connection_proxy(lease))
        lease.release("its user's own from the start")
        if changes_of(proxy):
            notice(proxy)  # its class writes when it is made
    except Exception:  # noqa: BLE001 - without a proxy the application works as ever
        observer.lost_sight("a connection is of a type that nothing can stand in for")
        return raw
    return proxy
