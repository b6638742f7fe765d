"""Elsewhere: other processes that cache answers from the same database, as this one sees them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from wats_accel.cache.footprints import Concerned
    from wats_accel.cache.keys import KeyMaker
    from wats_accel.cache.loads import Load
    from wats_accel.cache.selection import Selection
    from wats_accel.counters import FollowingCounters, SharedCounters
    from wats_accel.patterns import KeyPattern

Tables = Mapping[str, Sequence[str]]
"""Names of tables, each with those of its columns that have changed; ``*`` where rows have come or gone."""


class Announcer(Protocol):
    """Who tells other processes what this one has dropped. None of its methods raises anything of its own."""

    def dropped(self, drops: Sequence[tuple[KeyPattern, Selection]], /) -> None:
        """Tell what patterns, bound to values, have dropped here; they have been told when this returns."""
        ...

    def changed(self, tables: Tables | None, /) -> None:
        """Tell which tables have changed; None: nobody knows which."""
        ...

    def in_doubt(self, why: str, /) -> None:
        """Tell that anything may have changed: what should have been told could not be.

        Until that has been told, nobody is asked for answers.
        """
        ...

    def figures(self) -> SharedCounters:
        """What has happened so far."""
        ...


def tell_dropped(announcer: Announcer, drops: Sequence[tuple[KeyPattern, Selection]]) -> None:
    """Tell other processes what patterns have dropped here. Raises nothing of its own."""
    try:
        announcer.dropped(drops)
    except Exception as error:  # noqa: BLE001 - what is left has to be dropped here
        _tell_of_doubt(announcer, error)


def tell_changed(announcer: Announcer, tables: Tables | None) -> None:
    """The same of tables; None: nobody knows which."""
    try:
        announcer.changed(tables)
    except Exception as error:  # noqa: BLE001 - as above
        _tell_of_doubt(announcer, error)


def _tell_of_doubt(announcer: Announcer, error: Exception) -> None:
    with suppress(Exception):
        announcer.in_doubt(type(error).__name__)


class Tier(Protocol):
    """Where the answers of one method are kept for all processes. None of its methods raises anything."""

    def find(self, load: Load, keys: KeyMaker, args: tuple[Any, ...], kwargs: dict[str, Any], /) -> bool:
        """Look for the answer to a load that has just begun; if there is one, `load.found` has it then.

        If there is none, `load.ticket` is what is told the end. May wait for another process that loads it.
        """
        ...


class Ticket(Protocol):
    """A load that other processes may wait for. None of its methods raises anything."""

    def keep(self, load: Load, result: object, /) -> None:
        """Keep what the load has given, if it was stored here; in any case it is over."""
        ...

    def give_up(self) -> None:
        """Have nobody wait for it any more: it gave nothing. Safe to call twice, and after `keep`."""
        ...

    def note_change(self, concerned: Concerned, /) -> None:
        """Note a change, while it is not known what the answer of another process is made from.

        Called under the lock.
        """
        ...


class Follower(Protocol):
    """Who asks the database what has changed, whoever has changed it."""

    def figures(self) -> FollowingCounters:
        """What has happened so far."""
        ...


class Bounds:
    """What bounds the age of all answers, besides their own rules.

    Attributes:
        longest_seconds: how old an answer may become that is loaded now; None: as old as its rule says. So
            it is bounded while other processes cannot say what they change.
    """

    __slots__ = ("_by_owner", "longest_seconds")

    def __init__(self) -> None:
        self.longest_seconds: float | None = None
        self._by_owner: dict[object, float] = {}

    def of(self, owner: object) -> float | None:
        """What `owner` has set."""
        return self._by_owner.get(owner)

    def set(self, owner: object, seconds: float | None) -> None:
        """Have `owner` bound them, or not any more; the strictest bound is in effect."""
        if seconds is None:
            self._by_owner.pop(owner, None)
        else:
            self._by_owner[owner] = seconds
        self.longest_seconds = min(list(self._by_owner.values()), default=None)
