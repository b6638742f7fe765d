"""The rules of one pool entry of the configuration, as the engine sees them."""

from __future__ import annotations

import math
from typing import Literal

from wats_accel.records import record

Reset = Literal["auto", "rollback", "full"]
OnExhausted = Literal["direct", "wait"]

NEVER = math.inf


@record(frozen=True, slots=True)
class PoolRules:
    """How the connections of one `connect` are pooled. Times are in seconds.

    Attributes:
        target: the `connect` callable, such as ``pyodbc:connect``.
        enabled: whether there is a pool at all; if not, connections are only observed.
        size: how many idle connections are kept.
        max_overflow: how many more may be open at a time.
        linger_seconds: how long more than `size` are kept after so many were last in use together.
        timeout_seconds: how long a checkout waits when all are taken.
        recycle_seconds: the age at which a connection is not re-used; 0: any age will do.
        ping_after_seconds: how long a connection may be idle and be handed out untested; 0: not at
            all, `NEVER`: as long as it likes.
        lifo: whether the connection returned last is taken first, so that the others may grow old.
        min_idle: how many are opened ahead, in the background, when a pool is first used.
        reset: what is done to a connection when it comes back.
        on_exhausted: what happens when `timeout_seconds` have passed.
        leak_after_seconds: the age at which a lease is reported; 0: never.
        per_thread: the methods that return one connection for all threads, and give each its own.
        long_lived: patterns of the functions that keep a connection for good, and are not reported.
    """

    target: str
    enabled: bool = True
    size: int = 5
    max_overflow: int = 10
    linger_seconds: float = 60.0
    timeout_seconds: float = 10.0
    recycle_seconds: float = 3600.0
    ping_after_seconds: float = 0.0
    lifo: bool = True
    min_idle: int = 0
    reset: Reset = "auto"
    on_exhausted: OnExhausted = "direct"
    leak_after_seconds: float = 0.0
    long_lived: tuple[str, ...] = ()
    per_thread: tuple[str, ...] = ()

    @property
    def limit(self) -> int:
        """How many connections of one pool may be open at a time."""
        return self.size + self.max_overflow
