"""A bench for the pool itself: one pooled `connect`, a clock that stands still, and what happened."""

from __future__ import annotations

import contextlib
import gc
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from wats_accel.events import Event
from wats_accel.pool.connection_pool import ConnectionPool
from wats_accel.pool.pooled_connect import PooledConnect
from wats_accel.pool_events import (
    PoolCheckedIn,
    PoolCheckedOut,
    PoolConnected,
    PoolDiscarded,
    PoolExhausted,
    PoolLeakSuspected,
)
from wats_accel.runtime import Accelerator
from wats_accel.testing import FakeClock, accelerated

POOL_EVENTS = (
    *(PoolConnected, PoolCheckedOut, PoolCheckedIn, PoolDiscarded),
    *(PoolExhausted, PoolLeakSuspected),
)
PATIENCE = 20.0
"""Seconds until a thread that does not come to an end is a failure."""


@dataclass
class Bench:
    """A module whose `connect` is pooled.

    Attributes:
        database: what `connect` is given first.
        events: what the pool has sent, in order.
    """

    module: Any
    database: Any
    accelerator: Accelerator
    clock: FakeClock
    events: list[Any] = field(default_factory=list)

    def connect(self, *args: Any, **kwargs: Any) -> Any:
        """A connection to the bench's database."""
        return self.module.connect(self.database, *args, **kwargs)

    def connections(self, count: int) -> list[Any]:
        """Several at a time."""
        return [self.connect() for _ in range(count)]

    def use_and_return(self, count: int = 1) -> None:
        """So many are in use at a time, and come back."""
        for connection in self.connections(count):
            connection.close()

    @property
    def pooled(self) -> PooledConnect:
        """The pooled `connect`, from inside."""
        assert self.accelerator._assembly is not None
        (only,) = self.accelerator._assembly.context.pools
        return only

    @property
    def pool(self) -> ConnectionPool:
        """The only pool that there is by now."""
        (only,) = self.pooled.pools
        return only

    @property
    def stats(self) -> Any:
        """The figures of the pooled `connect`."""
        (only,) = self.accelerator.stats().pools.values()
        return only

    def sent(self, kind: type[Event]) -> list[Any]:
        """The events of one type."""
        return [event for event in self.events if type(event) is kind]

    def discarded(self) -> dict[str, int]:
        """How many connections were parted with, by reason, as the events say."""
        return dict(Counter(event.why for event in self.sent(PoolDiscarded)))


@contextlib.contextmanager
def benched(module: Any, database: Any, target: str | None = None, **rules: Any) -> Iterator[Bench]:
    """A module with a pooled `connect` for a ``with`` block."""
    clock = FakeClock(1_000.0)
    config = {"version": 1, "pool": [{"connect": target or f"{module.__name__}:connect", **rules}]}
    with accelerated(config, clock=clock) as accelerator:
        made = Bench(module, database, accelerator, clock)
        for kind in POOL_EVENTS:
            accelerator._bus.subscribe(kind, made.events.append)
        yield made
    gc.collect()


def in_thread(action: Callable[[], Any]) -> Any:
    """Do something in a thread of its own; gives what came of it, or raises."""
    told: list[Any] = []
    raised: list[BaseException] = []

    def run() -> None:
        try:
            told.append(action())
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(PATIENCE)
    assert not thread.is_alive(), "it does not come to an end"
    if raised:
        raise raised[0]
    return told[0]
