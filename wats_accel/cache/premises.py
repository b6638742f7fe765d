"""Premises: what else an answer rests on, besides its own key and TTL.

An answer that was made from the answer of another cached method is good only as long as that one is,
and one whose permissions run out at ten o'clock only until ten. Each hit asks the entry's premises, if
it has any. So nothing has to be looked for when an inner entry goes, in whichever namespace the outer
one is kept: no lock is held together with another.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, Protocol

from wats_accel.cache.texts import Texts
from wats_accel.records import record

if TYPE_CHECKING:
    from wats_accel.cache.entries import Entry

Breach = Literal["expired", "orphaned", "being_written"]
"""The last one passes: it is over when the write is, and then the answer is mostly dropped."""


class Premise(Protocol):
    """Something that has to hold for an answer to be given."""

    def breach(self) -> Breach | None:
        """Why it holds no longer; None while it does."""
        ...


class Versioned(Protocol):
    """What counts the invalidations that it has seen."""

    @property
    def version(self) -> int:
        """Rises with each invalidation, before anything is dropped."""
        ...

    def is_being_written(self, texts: Texts | None, /) -> bool:
        """Whether a write is under way that concerns an answer with these argument texts; None: any."""
        ...


@record(frozen=True, slots=True)
class HeldEntry:
    """The answer was made from that of another entry, which must still be the one under its key.

    A weak reference: an inner entry that was evicted gives its memory back while the outer one lives.
    """

    reference: weakref.ref[Entry]

    def breach(self) -> Breach | None:
        """Orphaned, once the inner entry has been dropped, has expired, was evicted or replaced."""
        entry = self.reference()
        try:
            if entry is None or not entry.owner.vouches_for(entry):
                return "orphaned"
            return "being_written" if entry.owner.is_being_written(entry.texts) else None
        except Exception:  # noqa: BLE001 - a store that fails vouches for nothing
            return "orphaned"


@record(frozen=True, slots=True)
class SameVersion:
    """The answer was made from one that was not stored: any invalidation of its method since counts."""

    region: Versioned
    version: int

    def breach(self) -> Breach | None:
        """Orphaned, once anything of the method has been invalidated."""
        if self.region.version != self.version:
            return "orphaned"
        return "being_written" if self.region.is_being_written(None) else None


@record(frozen=True, slots=True)
class ValidUntil:
    """The answer changes at a known moment, by the computer's clock. Seconds since the epoch."""

    moment: float
    wall_clock: Callable[[], float]

    def breach(self) -> Breach | None:
        """Expired, from that moment on."""
        return "expired" if self.wall_clock() >= self.moment else None
