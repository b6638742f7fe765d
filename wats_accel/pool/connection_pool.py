"""The pool of one set of connect arguments: it lends connections, and takes them back as new."""

from __future__ import annotations

import contextlib
import functools
import math
import os
import threading
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from wats_accel.breakers import Breaker
from wats_accel.counters import PoolCounters
from wats_accel.event_bus import EventBus
from wats_accel.failures import note_failure
from wats_accel.forks import begins_anew_when_forked
from wats_accel.pool.arguments import Arguments
from wats_accel.pool.cleansing import cleanse
from wats_accel.pool.connection_queue import ConnectionQueue, is_busy_here, later
from wats_accel.pool.connections import connection_proxy
from wats_accel.pool.corpses import Corpses
from wats_accel.pool.drivers import Connect, Driver
from wats_accel.pool.fitness import Fitness, reason
from wats_accel.pool.leaks import is_called_by, taken_at
from wats_accel.pool.lease import Lease
from wats_accel.pool.observing import Observer
from wats_accel.pool.onlooking import looked_on
from wats_accel.pool.opening import Opener
from wats_accel.pool.proxies import genuine
from wats_accel.pool.rules import PoolRules
from wats_accel.pool.slots import Slots
from wats_accel.pool.warming import open_ahead
from wats_accel.pool_events import PoolCheckedIn, PoolCheckedOut, PoolConnected, PoolDiscarded, PoolExhausted

if TYPE_CHECKING:
    from sqlalchemy.pool import ConnectionPoolEntry as Entry

_SHORTEST_WAIT_SECONDS = 1.0


class ConnectionPool:
    """Connections that were opened with the same arguments.

    Args:
        rules: how many, how long.
        driver: of the module.
        connect: opens a connection, as the driver does.
        arguments: for `connect`.
        counters: of all pools of this `connect`.
        bus: told what happens.
        clock: seconds, never going backwards.
        corpses: closed connections, shared by all pools.
        siblings: all pools among which somebody may hold one connection and wait for another.
        breaker: opens when the pool fails, not its driver, time and again.
        observer: told of each call on a connection.
    """

    def __init__(
        self,
        rules: PoolRules,
        driver: Driver,
        connect: Connect,
        arguments: Arguments,
        *,
        counters: PoolCounters,
        bus: EventBus,
        clock: Callable[[], float],
        corpses: Corpses,
        siblings: Callable[[], Iterable[ConnectionPool]],
        breaker: Breaker,
        observer: Observer | None = None,
    ) -> None:
        self.rules = rules
        self.driver = driver
        self.leases: dict[int, Lease] = {}
        self.used_at = clock()
        _ = driver.row_type  # found out once, and where it does no harm if that fails
        self._opener = Opener(
            driver, connect, arguments, counters, lambda seconds: self._send(PoolConnected, seconds)
        )
        self._checks_thread = driver.checks_threads(arguments)
        self._counters = counters
        self._bus = bus
        self._checked_out, self._checked_in = bus.channel(PoolCheckedOut), bus.channel(PoolCheckedIn)
        self._clock = clock
        self._corpses = corpses
        self._siblings = siblings
        self._breaker = breaker
        self._observer, self._loading = observer, getattr(observer, "loading", None)
        self._fitness = Fitness(rules, driver, driver.place(arguments), clock)
        self._crowded_at = -math.inf
        self._closed: str | None = None
        self._strays: list[Entry] = []  # that are their users' own, and could not be taken out of the queue
        self._slots, self._queue = Slots(rules.limit, clock), ConnectionQueue(rules, self)
        begins_anew_when_forked(self)

    # -- out -----------------------------------------------------------------------------------------

    def connect_again(self) -> Any:
        """A connection for a new user: pooled, or the driver's own when all are taken, or we fail.

        Raises:
            Exception: the driver's own, when it cannot connect.
        """
        given = self._lent()
        return self._connect_past_the_pool() if given is None else given

    def _lent(self) -> Any:
        """A connection of the pool's; None if none is free, or something of our own has failed."""
        try:
            if self._slots.take_at_once():
                return self._lend_in_slot(0.0)
            began = time.perf_counter()
            if self._take_slot():
                return self._lend_in_slot(time.perf_counter() - began)
            self._nobody_sees()
        except BaseException as error:
            is_the_drivers = self._opener.is_the_drivers(error)
            self._opener.forget()
            if is_the_drivers or not isinstance(error, Exception):
                raise
            self._breaker.failed(error)
            self._nobody_sees()
        return None

    def _nobody_sees(self) -> None:
        if self._observer is None:
            note_failure()  # what fails on it or is changed there: who relies on that is told

    def _lend_in_slot(self, waited: float) -> Any:
        """What the user gets of a lease; None if it is of a type that cannot be stood in for."""
        lease: Lease | None = None
        try:
            if self._slots.free < self.rules.max_overflow:
                self._crowded_at = self._clock()  # more than the size are in use, or on their way back
            lease = self._lend(waited)
            proxy = genuine(connection_proxy(lease))
            if not self._breaker.closed:
                self._breaker.worked()
            return proxy
        except BaseException as error:
            if lease is None:
                self._slots.put_back()
                note_failure()
                raise
            lease.finish()
            if not isinstance(error, Exception):
                raise
            return None

    def _connect_past_the_pool(self) -> Any:
        raw = self._opener.open_past_the_pool()
        if self._observer is None:
            return raw
        return looked_on(raw, self.driver, self._observer, self.connect_again)

    def _take_slot(self) -> bool:
        """Wait for a slot; False if there is none for this caller."""
        # Who holds one already might wait for himself, or for somebody who waits for him.
        nested = any(pool.is_held_here() for pool in self._siblings())
        seconds = 0.0 if nested else self.rules.timeout_seconds
        goes_direct = nested or self.rules.on_exhausted == "direct"
        while not self._slots.take_within(seconds):
            self._counters.exhausted += 1
            self._bus.emit(PoolExhausted(self.rules.target, seconds, "direct" if goes_direct else "wait"))
            if goes_direct:
                return False
            seconds = max(seconds, _SHORTEST_WAIT_SECONDS)
        return True

    def is_held_here(self) -> bool:
        """Whether this thread has a connection of this pool."""
        here = threading.get_ident()
        return any(lease.thread == here for lease in list(self.leases.values()))

    def _lend(self, waited: float) -> Lease:
        """Lend a connection that can be used: idle and in order, or new."""
        while True:
            entry = self._queue.take()
            try:
                why = self._fitness.why_unfit(entry)
                if why is None:
                    return self._lease(entry, waited)
                why = reason(why)
            except BaseException:
                self._undo_lease_of(entry)
                self._queue.discard(entry, "interrupted")
                raise
            self._queue.discard(entry, why)

    def _undo_lease_of(self, entry: Entry) -> None:
        for number, lease in list(self.leases.items()):
            if lease.entry is entry:
                self.leases.pop(number, None)

    def _lease(self, entry: Entry, waited: float) -> Lease:
        is_new = self._fitness.begin_lease(entry)
        lease = Lease(self, entry.dbapi_connection, self._fitness.dialect, entry)
        lease.checks_thread = self._checks_thread
        lease.observer, lease.loading = self._observer, self._loading
        lease.taken_at = self.used_at = self._clock()
        if self.rules.leak_after_seconds and not is_called_by(self.rules.long_lived):
            lease.stack = taken_at()
        self._counters.wait_seconds += waited
        self._counters.reused += not is_new
        if self._checked_out.listeners:
            self._checked_out.send(PoolCheckedOut(self.rules.target, waited, not is_new))
        self.leases[id(lease)] = lease
        return lease

    # -- what the queue asks and tells -----------------------------------------------------------------

    def open(self) -> Any:
        """Open a connection, as the driver does."""
        return self._opener.open()

    def opened(self, raw: Any, info: dict[Any, Any]) -> None:
        """Get to know a new connection."""
        self._fitness.meet(raw, info)

    def parted_with(self, why: str) -> None:
        """Count a connection that was closed, or let go."""
        self._counters.discarded[why] += 1
        self._send(PoolDiscarded, why)

    def _send(self, event_type: type[Any], *facts: Any) -> None:
        channel = self._bus.channel(event_type)
        if channel.listeners:
            channel.send(event_type(self.rules.target, *facts))

    # -- in ------------------------------------------------------------------------------------------

    def take_back(self, lease: Lease) -> None:
        """Take back what a lease held; in any thread, perhaps called by the garbage collector."""
        if lease.process != os.getpid():
            return  # it is the parent's
        if is_busy_here():
            later(functools.partial(self._take_back_later, lease))
            return
        try:
            if lease.raw is not None:
                self._return(lease)
        finally:
            self._forget(lease)
            if self._checked_in.listeners:
                self._checked_in.send(PoolCheckedIn(self.rules.target, self._clock() - lease.taken_at))

    def give_up(self, lease: Lease) -> None:
        """Close what a lease held, and forget the lease: it could not be taken back. Raises nothing."""
        entry, lease.entry = lease.entry, None
        with contextlib.suppress(Exception):
            if entry is not None:
                self._queue.discard(entry, "a failure of our own")
        self._forget(lease)

    def _forget(self, lease: Lease) -> None:
        if self.leases.pop(id(lease), None) is not None:
            self._slots.put_back()

    def _take_back_later(self, lease: Lease) -> None:
        try:
            self.take_back(lease)
        except Exception as error:  # noqa: BLE001 - whoever was interrupted must not be told
            self.broke(error)
            self.give_up(lease)

    def _return(self, lease: Lease) -> None:
        why: str | None = "interrupted"
        try:
            why = self._closed or cleanse(lease, self.rules.reset, self._fitness.baseline or ())
            why = why or self._why_too_many()
        finally:
            entry, lease.entry = lease.entry, None
            if why is None:
                self._fitness.end_lease(entry)
                self._queue.give_back(entry)
            else:
                self._queue.discard(entry, why)
        if why == "lost":
            self.lost(lease)

    def _why_too_many(self) -> str | None:
        """Whether there are more than the size, and have been for longer than there were users for them."""
        if self._crowded_at == -math.inf and not self.rules.min_idle:
            return None  # never were more in use than the size, so no more were opened
        alone = self._clock() - self._crowded_at >= self.rules.linger_seconds
        return "overflow" if alone and self.overflow else None

    def let_go(self, lease: Lease) -> None:
        """Forget the connection of a lease: its user keeps it, and closes it."""
        entry, lease.entry = lease.entry, None
        try:
            self._queue.let_go(entry, "user's own")
        except BaseException:
            self._strays.append(entry)  # or SQLAlchemy would put it back, and somebody else would get it
            raise

    def lost(self, lease: Lease) -> None:
        """A connection turned out to be dead: the idle ones are asked before they are handed out."""
        self._fitness.suspect()

    def broke(self, error: Exception) -> None:
        """Something of our own has failed on a lease."""
        self._breaker.failed(error)

    def corpse(self, lease: Lease) -> tuple[Any, ...]:
        """A closed connection, a cursor of it, and what else can work on one."""
        return self._corpses.of(self.driver, lease)

    # -- ahead, figures, end ---------------------------------------------------------------------------

    def warm_up(self) -> None:
        """Begin to open as many connections ahead as the rules ask for, in the background."""
        if self.rules.min_idle:
            ahead = min(self.rules.min_idle, self.rules.size)
            open_ahead(self._queue, self._slots, ahead, lambda: self._closed is not None)

    @property
    def is_in_use(self) -> bool:
        """Whether a connection is in use, or is being opened."""
        return bool(self.leases) or self._slots.taken > 0

    @property
    def idle(self) -> int:
        """Connections that wait for a user."""
        return self._queue.idle

    @property
    def overflow(self) -> int:
        """Connections open beyond the size."""
        # Those whose entry is gone have been given back this moment, or are their user's own.
        in_use = sum(lease.entry is not None for lease in list(self.leases.values()))
        return max(0, self.idle + in_use - self.rules.size)

    def begin_anew(self) -> object:
        """In a child process: leave to the parent all connections and the slots that they take."""
        inherited = self._queue, self.leases
        for lease in self.leases.values():
            lease.begin_anew()
        self.leases = {}
        self._slots = Slots(self.rules.limit, self._clock)
        self._queue = ConnectionQueue(self.rules, self)
        return inherited

    def close(self, why: str = "uninstalled") -> None:
        """Close what is idle; what is in use is closed when it comes back. Safe to call twice."""
        self._closed = why
        self._queue.close(why)
