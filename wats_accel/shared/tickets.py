"""Tickets: loads that other processes may wait for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wats_accel.cache.footprints import Concerned, Footprint
from wats_accel.cache.loads import NOT_FOUND, Load
from wats_accel.records import record
from wats_accel.shared.server import Missing

if TYPE_CHECKING:
    from wats_accel.shared.tier import MethodTier


@record(slots=True)
class Names:
    """What the server calls an answer, the lease on it, and what it goes with."""

    answer: str
    lease: str
    tags: list[str]


class OpenTicket:
    """One load that other processes may wait for. Implements `Ticket`.

    An answer of another process was read before it is known here what it is made from. So what changes
    meanwhile is noted, and held against it then.
    """

    __slots__ = ("changes", "holder", "loads_since", "missing", "names", "seconds_left", "tier")

    def __init__(self, tier: MethodTier, names: Names) -> None:
        self.tier = tier
        self.names = names
        self.holder = f"{tier._backplane.member}:{id(self):x}"
        self.missing: Missing | None = None
        self.loads_since = 0.0
        self.seconds_left = tier._backplane.rules.timeout_seconds
        self.changes: list[Concerned] | None = []  # None: the method itself reads

    def note_change(self, concerned: Concerned, /) -> None:
        """Note a change, while it may concern what has been read elsewhere."""
        if self.changes is not None:
            self.changes.append(concerned)

    def is_concerned(self, footprint: Footprint | None) -> bool:
        """Whether any change of meanwhile concerns what an answer is made from."""
        return any(concerned(footprint) for concerned in self.changes or ())

    def keep(self, load: Load, result: object, /) -> None:
        """Keep what the load has given, if it was stored here; in any case it is over."""
        if load.found is NOT_FOUND:
            self.tier.keep(load, result, self)

    def give_up(self) -> None:
        """Have nobody wait for it any more: it gave nothing."""
        self.tier.give_up(self)
