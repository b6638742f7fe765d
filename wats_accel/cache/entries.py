"""Entries and the stores that hold them, one store for each cached method."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable, Iterable, Sized
from typing import Literal, Protocol

from wats_accel.cache.copying import Snapshot
from wats_accel.cache.footprints import Footprint
from wats_accel.cache.premises import Breach, Premise
from wats_accel.cache.texts import Texts, texts_told

Key = tuple[Hashable, ...]
"""``(scope number, *frozen arguments)``: typed and unambiguous."""

Home = tuple["EntryOwner", Hashable]
"""Who holds an entry, and the number of its scope."""

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

    def renew(self, entry: Entry, now: float, /) -> bool:
        """Whether an entry that is too old is as good as new: then it lives on."""
        ...

    def remove(self, entry: Entry, /) -> None:
        """Take the entry out. Called under the namespace's lock."""
        ...

    def note_departure(self, why: Departure, /) -> None:
        """Count and report an entry that left by itself. Called without a lock."""
        ...


def place_of(key: Key) -> Hashable:
    """Under what an entry stands among those of its scope.

    Of one argument that is what it froze to. No tuple of several equals that: what freezes to a tuple has a
    class as its first item, and arguments are frozen themselves.
    """
    return key[1] if len(key) == 2 else key[1:]


def arguments_in(place: Hashable) -> tuple[Hashable, ...]:
    """The frozen arguments of which `place_of` has made a place."""
    if type(place) is tuple and not (place and isinstance(place[0], type)):
        return place
    return (place,)


def key_of(scope: Hashable, place: Hashable) -> Key:
    """The key of which `place_of` has made a place."""
    return (scope, *arguments_in(place))


class Entry:
    """One stored answer.

    Of most answers there is nothing else to keep. What is not kept here is told by the arguments, or is one
    for all; where it is not, the answer is kept in a `DetailedEntry`. A cache may have a million of these.

    Attributes:
        value: the answer as it is kept.
        thaw: makes a caller's own of `value`; None when `value` itself may be given to everybody.
        kind: the type of what `thaw` makes; None if that is not known.
        due_at: from when on a hit is not all that is to be done, by the cache's monotonic clock. Infinity:
            until invalidated.
        premises: what else has to hold for it to be given.
        footprint: what it was made from; None if nobody has watched.
        home: who holds it, and the number of its scope there: one object for many entries.
        place: its arguments, as `place_of` gives them.
        visited: set by hits, read by eviction.
        began_at: when its load began, by the cache's clock; 0 where no rule asks for that.
        number: of its load, among those of its method; 0 if none is under way that began before.
        size: bytes, as an estimate; 0 where nobody asks.
    """

    began_at: float = 0.0
    number: int = 0
    size: int = 0

    __slots__ = (
        "__weakref__", "due_at", "footprint", "home", "kind", "place", "premises", "thaw", "value", "visited",
    )  # fmt: skip

    def __init__(
        self,
        home: Home,
        place: Hashable,
        snapshot: Snapshot,
        due_at: float,
        premises: tuple[Premise, ...] = (),
        footprint: Footprint | None = None,
    ) -> None:
        self.home = home
        self.place = place
        # Of the snapshot itself only what it says is kept, here, where a hit reads it.
        self.value = snapshot.stored
        self.thaw = snapshot.thaw
        self.kind = snapshot.kind
        self.due_at = due_at
        self.premises = premises
        self.footprint = footprint
        self.visited = False

    @property
    def owner(self) -> EntryOwner:
        """Who holds it."""
        return self.home[0]

    @property
    def key(self) -> Key:
        """Its scope and arguments."""
        return key_of(self.home[1], self.place)

    @property
    def texts(self) -> Texts:
        """The arguments in the loose form by which invalidation compares them."""
        return texts_told(arguments_in(self.place))  # they tell it, or there would be details

    @property
    def fresh_until(self) -> float:
        """Until when it answers calls, by the cache's clock."""
        return self.due_at

    @property
    def expires_at(self) -> float:
        """Until when it may stand in for a failure, by the cache's clock."""
        return self.due_at

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

    def live_until(self, at: float) -> None:
        """Be fresh until this time by the cache's clock."""
        self.due_at = at

    def why_over(self, now: float) -> Departure | None:
        """Why it is of no use any more, at this time by the cache's clock; None while it may be."""
        if self.expires_at <= now and not self.owner.renew(self, now):
            return "expired"
        why = self.breach() if self.premises else None
        return None if why == "being_written" else why


class DetailedEntry(Entry):
    """A stored answer of which there is more to keep: its attributes are those that `Entry` tells."""

    __slots__ = ("began_at", "expires_at", "fresh_until", "number", "size", "texts")

    def __init__(
        self,
        home: Home,
        place: Hashable,
        snapshot: Snapshot,
        expires_at: float,
        premises: tuple[Premise, ...] = (),
        footprint: Footprint | None = None,
        *,
        texts: Texts,
        began_at: float = 0.0,
        number: int = 0,
        fresh_until: float | None = None,
        due_at: float | None = None,
        size: int = 0,
    ) -> None:
        fresh_until = expires_at if fresh_until is None else fresh_until
        super().__init__(
            home, place, snapshot, fresh_until if due_at is None else due_at, premises, footprint
        )
        self.texts = texts  # type: ignore[misc]  # a slot takes the place of the property, here and below
        self.began_at = began_at
        self.fresh_until = fresh_until  # type: ignore[misc]
        self.expires_at = expires_at  # type: ignore[misc]
        self.number = number
        self.size = size

    def live_until(self, at: float) -> None:
        """As the base class has it; the grace comes after that, and there is no renewal before."""
        grace = self.expires_at - self.fresh_until
        self.due_at = self.fresh_until = at  # type: ignore[misc]
        self.expires_at = at + grace  # type: ignore[misc]


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

    Attributes:
        waiting: what is to be freed. Mostly there is nothing, and whoever stores looks before he calls.
    """

    __slots__ = ("waiting",)

    def __init__(self) -> None:
        self.waiting: deque[tuple[Sized, Callable[[], object]]] = deque()

    def add(self, container: Sized, take_one: Callable[[], object]) -> None:
        """Take in a container that nobody else uses any more, and what takes one item out of it."""
        if container:
            self.waiting.append((container, take_one))

    def free_a_slice(self) -> None:
        """Free a few items."""
        for _ in range(_SWEEP_SLICE):
            if not self.waiting:
                return
            # Freeing a value may run foreign code that stores, and so comes here once more.
            container, take_one = self.waiting[0]
            if container:
                take_one()
            else:
                self.waiting.popleft()
