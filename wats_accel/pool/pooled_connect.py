"""A pooled `connect`: what an application calls in place of the driver's own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from operator import itemgetter
from typing import Any

from wats_accel.breakers import Breaker
from wats_accel.counters import PoolCounters
from wats_accel.event_bus import EventBus
from wats_accel.failures import note_failure, noting_failures
from wats_accel.forks import begins_anew_when_forked
from wats_accel.frames import forget_locals
from wats_accel.pool.arguments import Arguments
from wats_accel.pool.connection_pool import ConnectionPool
from wats_accel.pool.corpses import Corpses
from wats_accel.pool.drivers import Connect, driver_of
from wats_accel.pool.leaks import lines_of, overdue, watch
from wats_accel.pool.observing import Observer
from wats_accel.pool.onlooking import looked_on
from wats_accel.pool.per_thread import PerThread
from wats_accel.pool.rules import PoolRules
from wats_accel.pool_events import PoolLeakSuspected
from wats_accel.targets import Target

_MOST_POOLS = 50


class PooledConnect:
    """All pools of one `connect`: one for each set of arguments.

    Args:
        rules: of each of these pools.
        bus: told what happens.
        clock: seconds, never going backwards.
        report: told, once, why there is no pool after all.
        siblings: all pools, of every `connect`.
        breaker: opens when a pool fails, not its driver, time and again.

    Attributes:
        observer: told of each call on each connection, pooled or not; nobody, unless somebody asks for it.
    """

    def __init__(
        self,
        rules: PoolRules,
        *,
        bus: EventBus,
        clock: Callable[[], float],
        report: Callable[[str], None],
        siblings: Callable[[], Iterable[ConnectionPool]],
        breaker: Breaker,
    ) -> None:
        self.rules = rules
        self.counters = PoolCounters()
        self.active = True
        self.observer: Observer | None = None
        self.per_thread = PerThread()
        self.driver = driver_of(Target.parse(rules.target).module)
        self._bus = bus
        self._clock = clock
        self._report = report
        self._corpses = Corpses()
        self._siblings = siblings
        self._breaker = breaker
        self._pools: dict[object, ConnectionPool] = {}
        self._by_text: dict[str, ConnectionPool] = {}  # of these those that one text alone leads to
        self._lock = threading.RLock()  # a finalizer of the application's own may connect, meanwhile
        self._stop_watching: Callable[[], None] | None = None
        self._successor: PooledConnect | None = None
        self._closed = self._told = False
        begins_anew_when_forked(self)

    def begin_anew(self) -> None:
        """In a child process: nobody holds the lock any more, and no thread looks for leaks."""
        self._lock = threading.RLock()
        self._stop_watching = None

    def wrap(self, connect: Connect) -> Connect:
        """The function to put in the place of the driver's own `connect`."""

        def pooled(*args: Any, **kwargs: Any) -> Any:
            try:
                pool = None if kwargs else self._pool_at_once(args)
                if pool is not None:
                    return pool.connect_again()
                return self.connect(connect, Arguments(args, kwargs))
            except BaseException as error:
                del args, kwargs  # a traceback that shows local variables must not show a password
                forget_locals(error)
                raise

        return pooled

    def _pool_at_once(self, args: tuple[Any, ...]) -> ConnectionPool | None:
        """The pool of a text that `connect` was given alone before, and that means the same for ever."""
        if not (self.active and self._breaker.closed) or self._closed or self.per_thread.is_used:
            return None
        return self._by_text.get(args[0]) if len(args) == 1 and type(args[0]) is str else None

    def connect(self, connect: Connect, arguments: Arguments) -> Any:
        """A connection: from the pool, or as the driver gives it.

        Raises:
            Exception: the driver's own, when it cannot connect.
        """
        if self._successor is not None:
            return self._newest().connect(connect, arguments)
        pool = self._usable_pool(connect, arguments)
        if pool is not None:
            return self.per_thread.connection(pool)
        with noting_failures:
            raw = connect(*arguments.args, **arguments.kwargs)
        if self.observer is None or self._closed:
            return raw
        return looked_on(raw, self.driver, self.observer, lambda: self.connect(connect, arguments))

    def _usable_pool(self, connect: Connect, arguments: Arguments) -> ConnectionPool | None:
        if not self.active or not self.rules.enabled or self._closed:
            return None
        try:
            if self._breaker.may_try():
                return self._pool(connect, arguments)
        except Exception:  # noqa: BLE001 - without a pool the application works as ever
            note_failure()
        self._left_alone()
        return None

    def _left_alone(self) -> None:
        self.counters.direct += 1
        if self.observer is None:
            note_failure()  # nobody sees what fails on it or is changed there: who relies on that is told

    def _pool(self, connect: Connect, arguments: Arguments) -> ConnectionPool | None:
        try:
            key = self._key(arguments)
            known = None if key is None else self._pools.get(key)
        except Exception:  # noqa: BLE001 - arguments that do not compare, a current folder that is gone
            key = known = None
        if key is None:
            self.counters.bare += 1
            return None
        try:
            return known or self._add(key, connect, arguments)
        except Exception as error:  # noqa: BLE001 - without a pool the application works as ever
            self.active = self.active and not isinstance(error, ImportError)  # that is so for good
            self._breaker.failed(error)
            self._left_alone()
            self._tell_once(f"no pool: {type(error).__name__}" + _what_is_missing(error))
            return None

    def _remember(self, arguments: Arguments, pool: ConnectionPool) -> None:
        args = arguments.args
        alone = len(args) == 1 and type(args[0]) is str and not arguments.kwargs
        if alone and self.driver.is_same_everywhere(args[0]):
            self._by_text[args[0]] = pool

    def _tell_once(self, why: str) -> None:
        if not self._told:
            self._told = True
            self._report(why)

    def _key(self, arguments: Arguments) -> object:
        """What is equal for all connections that may take each other's place; None: none may."""
        if self.driver.why_bare(arguments) is not None:
            return None
        return self.driver.place(arguments), arguments.key()

    def _add(self, key: object, connect: Connect, arguments: Arguments) -> ConnectionPool:
        made = ConnectionPool(
            self.rules,
            self.driver,
            connect,
            arguments,
            counters=self.counters,
            bus=self._bus,
            clock=self._clock,
            corpses=self._corpses,
            observer=self.observer,
            siblings=self._siblings,
            breaker=self._breaker,
        )
        with self._lock:
            self._let_go_of_unused_pools()
            pool = self._pools.setdefault(key, made)
            self._remember(arguments, pool)
            if self.rules.leak_after_seconds and self._stop_watching is None:
                self._stop_watching = watch(self, self.rules.leak_after_seconds)
        if self._closed:  # meanwhile, by another thread
            pool.close()
        elif pool is made:
            pool.warm_up()
        return pool

    def _let_go_of_unused_pools(self) -> None:
        """An application that connects to ever new databases must not run out of handles."""
        unused = [(pool.used_at, key) for key, pool in self._pools.items() if not pool.leases]
        too_many = max(0, len(self._pools) + 1 - _MOST_POOLS)
        for _, key in sorted(unused, key=itemgetter(0))[:too_many]:
            gone = self._pools.pop(key)
            self._by_text = {text: pool for text, pool in self._by_text.items() if pool is not gone}
            gone.close("not used")

    # -- figures ---------------------------------------------------------------------------------------

    @property
    def size(self) -> int:
        """How many idle connections each pool may keep."""
        return self.rules.size

    @property
    def pools(self) -> tuple[ConnectionPool, ...]:
        """The pools that there are by now."""
        return tuple(self._pools.values())

    @property
    def checked_out(self) -> int:
        """Connections in use."""
        return sum(len(pool.leases) for pool in self.pools)

    @property
    def is_in_use(self) -> bool:
        """Whether a connection of a pool is in use, or is being opened."""
        return any(pool.is_in_use for pool in self.pools)

    @property
    def idle(self) -> int:
        """Connections that wait for a user."""
        return sum(pool.idle for pool in self.pools)

    @property
    def overflow(self) -> int:
        """Connections open beyond the size."""
        return sum(pool.overflow for pool in self.pools)

    def report_leaks(self) -> int:
        """Report the leases that are overdue; gives how many."""
        now = self._clock()
        leases = [lease for pool in self.pools for lease in list(pool.leases.values())]
        found = overdue(leases, now - self.rules.leak_after_seconds)
        for lease in found:
            lease.reported = True
            self.counters.leaks += 1
            held = now - lease.taken_at
            self._bus.emit(PoolLeakSuspected(self.rules.target, held, lines_of(lease.stack)))
        return len(found)

    # -- end -------------------------------------------------------------------------------------------

    def retire(self, successor: PooledConnect | None) -> None:
        """Close, and have whoever holds the old `connect` get connections under the rules in effect.

        Args:
            successor: that stands for the same `connect` now; None: the driver's own connections are given.
        """
        if successor is not None:
            successor.counters = self.counters
        self._successor = successor
        self.close()

    def _newest(self) -> PooledConnect:
        newest = self
        while newest._successor is not None:
            newest = newest._successor
        return newest

    def close(self) -> None:
        """Close idle connections; those in use are closed when they come back. Safe to call twice."""
        self._closed = True
        if self._stop_watching is not None:
            self._stop_watching()
        for pool in self.pools:
            try:
                pool.close()
            except Exception as error:  # noqa: BLE001 - the others are to be closed all the same
                self._breaker.failed(error)


def _what_is_missing(error: Exception) -> str:
    return f" ({error.name} is not installed)" if isinstance(error, ModuleNotFoundError) else ""
