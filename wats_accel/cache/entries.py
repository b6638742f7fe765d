"""Entries and the stores that hold them, one store for each cached method."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable, Iterable, Sized
from typing import Literal, Protocol

from wats_accel.cache.copying import Snapshot
from wats_accel.cache.footprints import Footprint
from wats_accel.cache.premises import Breach, Premise
from wats_accel.cache.texts import Texts

Key = tuple[Hashable, ...]
"""``(scope number, *frozen arguments)``: typed and unambiguous."""

Departure = Literal["expired", "evicted", "orphaned"]

_SWEEP_SLICE = 16


class EntryOwner(Protocol):
    """What holds an entry; the namespace's queue asks it when room is needed."""

    @property
    def version(self) -> int:
        """Rises with each invalidation, before anything is dropped."""
        ...

    def is_being_written(self, texts: Texts | None, /) -> bool:
        """Whether a write is under way that concerns an entry with these argument texts; None: any."""
        ...

    def vouches_for(self, entry: Entry, /) -> bool:
        """Whether an answer that was made from this entry may be given."""
        ...

    def holds(self, entry: Entry, /) -> bool:
        """Whether the entry is still the one to be found under its key."""
        ...

    def remove(self, entry: Entry, /) -> None:
        """Take the entry out. Called under the namespace's lock."""
        ...

    def note_departure(self, why: Departure, /) -> None:
        """Count and report an entry that left by itself. Called without a lock."""
        ...


class Entry:
    """One stored answer."""

    __slots__ = (
        "__weakref__", "began_at", "due_at", "expires_at", "footprint", "fresh_until", "key", "kind",
        "number", "owner", "premises", "size", "texts", "thaw", "value", "visited",
    )  # fmt: skip

    def __init__(
        self,
        key: Key,
        texts: Texts,
        snapshot: Snapshot,
        expires_at: float,
        owner: EntryOwner,
        *,
        began_at: float = 0.0,
        number: int = 0,
        fresh_until: float | None = None,
        due_at: float | None = None,
        premises: tuple[Premise, ...] = (),
        size: int = 0,
        footprint: Footprint | None = None,
    ) -> None:
        self.key = key
        self.texts = texts  # the arguments in the loose form by which invalidation compares them
        # Of the snapshot itself only what it says is kept, here, where a hit reads it.
        self.value = snapshot.stored
        self.thaw = snapshot.thaw  # None: the value itself may be given to everybody
        self.kind = snapshot.kind
        # By the cache's monotonic clock: when its load began, from when on a hit is not all that is to be
        # done, until when it answers, until when it may stand in for a failure. Infinity: until invalidated.
        self.began_at = began_at
        self.fresh_until = expires_at if fresh_until is None else fresh_until
        self.due_at = self.fresh_until if due_at is None else due_at
        self.expires_at = expires_at
        self.number = number  # of its load, among those of its method: which of two began later
        self.owner = owner
        self.premises = premises  # what else has to hold for it to be given
        self.footprint = footprint  # what it was made from; None if nobody has watched
        self.size = size  # bytes, as an estimate; 0 where nobody asks
        self.visited = False  # set by hits, read by eviction

    @property
    def snapshot(self) -> Snapshot:
        """How the answer is kept, and how a caller gets one of his own."""
        return Snapshot(self.value, self.thaw, self.kind)

    def breach(self) -> Breach | None:
        """Why a premise of this answer does not hold; None while all do."""
        for premise in self.premises:
            why = premise.breach()
            if why is not None:
                return why
        return None

    def why_over(self, now: float) -> Departure | None:
        """Why it is of no use any more, at this time by the cache's clock; None while it may be."""
        why = "expired" if self.expires_at <= now else self.breach()
        return None if why == "being_written" else why


class StoreFaultError(Exception):
    """A store has done something else than it was asked for. The message holds no value."""


class Store(Protocol):
    """Where the entries of one method are kept. All but `get` are called under the namespace's lock."""

    def get(self, key: Key, /) -> Entry | None:
        """The entry of this key. Called without a lock, by many threads at once."""
        ...

    def put(self, entry: Entry) -> Entry | None:
        """Keep an entry; gives the one that it replaces."""
        ...

    def remove(self, key: Key) -> Entry | None:
        """Drop the entry of this key."""
        ...

    def clear(self) -> int:
        """Drop all entries without visiting them; gives how many there were."""
        ...

    def entries(self) -> Iterable[Entry]:
        """All entries, as they are now."""
        ...

    def __len__(self) -> int: ...


class Leftovers:
    """Containers that were dropped as a whole, and are freed in slices, by what comes later.

    To free a million entries at once takes a tenth of a second, and the write that invalidates has a
    caller who waits.
    """

    def __init__(self) -> None:
        self._waiting: deque[tuple[Sized, Callable[[], object]]] = deque()

    def add(self, container: Sized, take_one: Callable[[], object]) -> None:
        """Take in a container that nobody else uses any more, and what takes one item out of it."""
        if container:
            self._waiting.append((container, take_one))

    def free_a_slice(self) -> None:
        """Free a few items."""
        for _ in range(_SWEEP_SLICE):
            if not self._waiting:
                return
            # Freeing a value may run foreign code that stores, and so comes here once more.
            container, take_one = self._waiting[0]
            if container:
                take_one()
            else:
                self._waiting.popleft()
