"""Events of the pool: one frozen type for each thing that can happen to a connection that it lends."""

from __future__ import annotations

from typing import ClassVar

from wats_accel.events import Event
from wats_accel.records import record


@record(frozen=True, slots=True)
class PoolConnected(Event):
    """A pool opened a connection. `pool` is the `connect` that it stands for."""

    name: ClassVar[str] = "accel.pool_connected"
    pool: str
    connect_seconds: float


@record(frozen=True, slots=True)
class PoolCheckedOut(Event):
    """A connection was lent."""

    name: ClassVar[str] = "accel.pool_checked_out"
    pool: str
    wait_seconds: float
    reused: bool


@record(frozen=True, slots=True)
class PoolCheckedIn(Event):
    """A lease ended; its connection comes back, unless it is discarded."""

    name: ClassVar[str] = "accel.pool_checked_in"
    pool: str
    held_seconds: float


@record(frozen=True, slots=True)
class PoolDiscarded(Event):
    """A pool parted with a connection."""

    name: ClassVar[str] = "accel.pool_discarded"
    pool: str
    why: str


@record(frozen=True, slots=True)
class PoolExhausted(Event):
    """All connections of a pool were taken for so long; `then` is ``direct`` or ``wait``."""

    name: ClassVar[str] = "accel.pool_exhausted"
    pool: str
    waited_seconds: float
    then: str


@record(frozen=True, slots=True)
class PoolLeakSuspected(Event):
    """A connection has been lent for long. `stack` is where it was taken, one line for each frame."""

    name: ClassVar[str] = "accel.pool_leak_suspected"
    pool: str
    held_seconds: float
    stack: tuple[str, ...]
