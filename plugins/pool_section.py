"""The section ``pool:``, as a model."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, StrictBool, WithJsonSchema

from wats_accel.extension import NEVER, Duration, OneOrSeveral, Section, TargetText, parse_duration


def _ping_after(value: object) -> object:
    words = {"always": 0.0, "never": NEVER}
    if isinstance(value, str) and value in words:
        return words[value]
    try:
        return parse_duration(value)
    except ValueError:
        raise ValueError("expected 'always', 'never', or an idle time such as 30s") from None


PingAfter = Annotated[
    float,
    BeforeValidator(_ping_after),
    WithJsonSchema(
        {
            "anyOf": [
                {"enum": ["always", "never"]},
                {"type": "string", "pattern": r"\d"},
                {"type": "number", "minimum": 0},
            ]
        }
    ),
]


class PoolSection(Section):
    """The pool of one `connect`; each set of connect arguments has one of its own."""

    connect: TargetText
    """The driver's ``connect``, such as ``pyodbc:connect``."""
    enabled: StrictBool = True
    """False: the driver's own is left alone."""
    size: int = Field(default=5, ge=1, strict=True)
    """How many idle connections are kept."""
    max_overflow: int = Field(default=10, ge=0, strict=True)
    """How many more may be open at a time."""
    linger: Duration = 60.0
    """How long these are kept after so many were last in use together; 0: they are closed at once."""
    timeout: Duration = 10.0
    """How long a caller waits when all are taken."""
    on_exhausted: Literal["direct", "wait"] = "direct"
    """Then: open one that is not pooled, or go on waiting."""
    recycle: Duration = 3600.0
    """The age at which a connection is not used again; 0: any age will do."""
    pre_ping: PingAfter = 0.0
    """When a connection is tested before it is handed out: always, never, or after so long an idle time."""
    lifo: StrictBool = True
    """Whether the connection that came back last is taken first."""
    min_idle: int = Field(default=0, ge=0, strict=True)
    """How many are opened ahead, in the background, when a pool is first used."""
    reset: Literal["auto", "rollback", "full"] = "auto"
    """What is done to a connection that comes back, besides the rollback: a full reset if its session may
    have changed (auto) or always (full); with rollback, one whose session may have changed is discarded."""
    leak_after: Duration = 0.0
    """A connection that is out for so long is reported, with the place that took it; 0: none is."""
    long_lived: OneOrSeveral = Field(default=[])
    """Patterns of functions that keep a connection for good: ``package.module:Class.method``."""
    per_thread: list[TargetText] = Field(default=[])
    """Methods that return one connection for all threads: each thread gets one of its own under it,
    until it commits or rolls back."""
