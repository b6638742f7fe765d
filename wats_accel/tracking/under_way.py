"""Changes under way: of calls that have not returned, of transactions and of cursors that are not done with.

While a change is under way nobody knows whether the database has the old state or the new one. So the
methods with answers that it concerns are kept from their caches, and no answer that it concerns is stored.
Called under the caches' lock, which storing and dropping take as well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

from wats_accel.cache.region import Region
from wats_accel.cache.selection import EVERYTHING
from wats_accel.cache.writers import Writing
from wats_accel.tracking.seen import Changed, remember
from wats_accel.transactions import Transaction


class UnderWayCall:
    """A call that changes something, and has not returned."""

    __slots__ = ("changed", "keeps_away")

    def __init__(self, changed: Changed) -> None:
        self.changed = changed
        self.keeps_away: list[tuple[Region, Writing]] = []


class _OpenTransaction:
    """What a transaction has changed so far, and the regions whose readers it keeps away."""

    __slots__ = ("changed", "keeps_away", "parts")

    def __init__(self, changed: Changed) -> None:
        self.changed = changed
        self.parts = {changed: None}
        self.keeps_away: set[Region] = set()

    def add(self, changed: Changed) -> None:
        """Take in what one more statement has changed."""
        if changed not in self.parts:
            remember(self.parts, changed, None)
            self.changed |= changed


class UnderWay:
    """All changes that are under way."""

    def __init__(self) -> None:
        self._calls: dict[UnderWayCall, None] = {}
        self._open: dict[Transaction, _OpenTransaction] = {}
        # A dictionary for its single, indivisible steps: the garbage collector may end one.
        self._outlasting: dict[object, Changed] = {}

    def enter(self, call: UnderWayCall, regions: Iterable[Region]) -> None:
        """Note that a call begins, and keep readers away from what it concerns."""
        self._calls[call] = None
        writing = Writing(EVERYTHING)
        for region in regions:
            call.keeps_away.append((region, writing))
            region.writers.enter(writing)

    def leave(self, call: UnderWayCall) -> None:
        """Note that it has returned, and all that follows from it is done. Safe to call twice."""
        for region, writing in call.keeps_away:
            region.writers.leave(writing)
        self._calls.pop(call, None)

    def outlast(self, call: UnderWayCall) -> Callable[[], object]:
        """Note that what a call changes may be committed after it has returned; gives what ends that.

        What is read meanwhile must not be kept: see `is_outlasting`. So nothing is to be dropped at the end,
        which takes no lock.
        """
        key = object()
        self._outlasting[key] = call.changed
        return partial(self._outlasting.pop, key, None)

    def is_outlasting(self, footprint: object) -> bool:
        """Whether this is about to be read before a change of it is committed whose call has returned."""
        return bool(self._outlasting) and any(
            changed.concerns(footprint) for changed in tuple(self._outlasting.values())
        )

    def add(self, transaction: Transaction, call: UnderWayCall) -> None:
        """Note that what a call has changed is part of a transaction that is open."""
        known = self._open.get(transaction)
        if known is None:
            self._forget_those_settled()
            known = self._open[transaction] = _OpenTransaction(call.changed)
        known.add(call.changed)
        for region, writing in call.keeps_away:
            if region not in known.keeps_away:
                known.keeps_away.add(region)
                region.writers.enter(Writing(EVERYTHING, transaction, writing.thread))

    def of(self, transaction: Transaction) -> Changed | None:
        """What a transaction has changed; None if that is forgotten."""
        known = self._open.get(transaction)
        return None if known is None else known.changed

    def forget(self, transaction: Transaction) -> None:
        """Note that a transaction is over, and all that follows from it is done."""
        self._open.pop(transaction, None)

    def concerns(self, footprint: object) -> bool:
        """Whether any change under way concerns an answer with this footprint."""
        if self.is_outlasting(footprint) or any(call.changed.concerns(footprint) for call in self._calls):
            return True
        if self._open:
            self._forget_those_settled()
        return any(known.changed.concerns(footprint) for known in self._open.values())

    def _forget_those_settled(self) -> None:
        # A rollback tells nobody: it may be the garbage collector's.
        for transaction in [known for known in self._open if known.is_settled]:
            del self._open[transaction]

    def begin_anew(self) -> None:
        """In a child process: the calls of other threads are gone, and nobody ends their transactions."""
        self._calls.clear()
        self._outlasting.clear()
        self._open = {known: parts for known, parts in self._open.items() if known.is_changed_here()}
