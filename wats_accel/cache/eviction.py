"""Eviction: which entry goes when a namespace is full.

S3-FIFO (Yang, Zhang, Qiu, Yue, Rashmi: "FIFO queues are all you need for cache eviction", SOSP 2023)
with one bit for each entry: a hit only sets a flag, so hits take no lock. Why this policy, with figures:
docs/explanation/eviction.md.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from itertools import count
from typing import Literal

from wats_accel.cache.entries import Departure, Entry, Leftovers

_SMALL_SHARE = 10  # the small queue is held at a tenth of all entries
_MOST_LOOKS = 1_000  # for one victim; then flags no longer count: where all is hot, any choice is as good
_SWEEP_SLICE = 4


class S3FifoQueue:
    """The entries of one namespace, in two queues. Called under the namespace's lock.

    Newcomers queue in the small one. Who was hit by the end of it goes on to the main one, who was not is
    evicted, and remembered for a while: one who comes back goes to the main queue at once. At the end of the
    main queue, one that was hit since its last turn gets another. So what is asked for once, as by a scan,
    only passes through the small queue.

    Entries are dropped behind the queue's back, whole stores of them in one step. They are found dead later.
    """

    def __init__(self) -> None:
        self._small = _SweepableFifo()
        self._main = _SweepableFifo()
        self._swept = self._small
        self._ghosts = _Ghosts()
        self._leftovers = Leftovers()

    def __len__(self) -> int:
        """How many entries stand in it, dead ones among them."""
        return len(self._small) + len(self._main)

    @property
    def bytes(self) -> int:
        """How many bytes they take, as their entries say."""
        return self._small.bytes + self._main.bytes

    def append(self, entry: Entry) -> None:
        """Take a new entry in, and free a slice of what has been forgotten before."""
        if self._leftovers.waiting:
            self._leftovers.free_a_slice()
        queue = self._main if self._ghosts.discard(entry) else self._small
        queue.append(entry)

    def clear(self) -> None:
        """Forget all entries, without visiting them one by one."""
        forgotten = self._small, self._main
        self._small, self._main = _SweepableFifo(), _SweepableFifo()
        self._swept = self._small
        for queue in forgotten:
            queue.leave_to(self._leftovers)

    def victim(self, now: float) -> tuple[Entry, Departure] | None:
        """Take out the live entry that has to go, and say why; None when no live entry is left.

        It takes constant time, amortised: each entry that is passed over was hit, or dropped, before.
        """
        size = len(self)
        small_size = max(1, size // _SMALL_SHARE)
        for looks in count():
            queue = self._small if len(self._small) >= small_size or not self._main else self._main
            if not queue:
                break
            entry = queue.popleft()
            try:
                standing = _standing(entry, now)
            except BaseException:
                queue.append(entry)  # an owner that fails loses none
                raise
            if standing == "dead":
                continue
            if standing != "alive":
                return entry, standing
            if entry.visited and looks < _MOST_LOOKS:
                entry.visited = False
                self._main.append(entry)
                continue
            if queue is self._small:
                self._ghosts.add(entry, most=size - small_size)
            return entry, "evicted"
        return None

    def sweep(self, now: float, looks: int = _SWEEP_SLICE) -> list[tuple[Entry, Departure]]:
        """Look at the next few entries, wherever they stand: forget dead ones, take out those that are over.

        The living keep their places. A pass through both queues takes as many looks as there are entries.

        Args:
            now: by the cache's clock.
            looks: at how many.
        """
        over: list[tuple[Entry, Departure]] = []
        try:
            for _ in range(looks):
                if not self._swept.look_at_next(now, over):
                    self._swept = self._main if self._swept is self._small else self._small
                    self._swept.look_at_next(now, over)
        except BaseException:
            for entry, _why in over:  # nobody gets to know of them
                self._small.append(entry)
            raise
        return over


def _standing(entry: Entry, now: float) -> Literal["alive", "dead"] | Departure:
    """What is to be said of an entry."""
    if not entry.home[0].holds(entry):
        return "dead"
    return entry.why_over(now) or "alive"


class _SweepableFifo:
    """A queue through which a pass goes that takes entries out of its middle.

    The pass divides it in two: what it has seen, which came first, and what is ahead of it.
    """

    __slots__ = ("_ahead", "_seen", "bytes")

    def __init__(self) -> None:
        self.bytes = 0
        self._seen: deque[Entry] = deque()
        self._ahead: deque[Entry] = deque()

    def __len__(self) -> int:
        return len(self._seen) + len(self._ahead)

    def append(self, entry: Entry) -> None:
        """Put an entry at the end."""
        self._ahead.append(entry)
        self.bytes += entry.size

    def popleft(self) -> Entry:
        """Take out the entry that came first."""
        entry = (self._seen or self._ahead).popleft()
        self.bytes -= entry.size
        return entry

    def look_at_next(self, now: float, over: list[tuple[Entry, Departure]]) -> bool:
        """Have the pass see one more entry: a living one keeps its place, a dead one is forgotten.

        Args:
            now: by the cache's clock.
            over: takes the entry, and why it is over, if it is.

        Returns:
            False if the pass was through: then another one begins, at the entry that came first.
        """
        if not self._ahead:
            self._seen, self._ahead = self._ahead, self._seen
            return False
        entry = self._ahead.popleft()
        try:
            is_held = entry.home[0].holds(entry)
            # Most are fresh, and rest on nothing.
            why = None if entry.due_at > now and not entry.premises else entry.why_over(now)
        except BaseException:
            self._ahead.append(entry)  # an owner that fails loses none
            raise
        if is_held and why is None:
            self._seen.append(entry)
            return True
        self.bytes -= entry.size
        if is_held and why is not None:
            over.append((entry, why))
        return True

    def leave_to(self, leftovers: Leftovers) -> None:
        """Give all entries away, to be freed by and by."""
        for part in (self._seen, self._ahead):
            leftovers.add(part, part.pop)


class _Ghosts:
    """Which keys left the small queue unasked for, as hashes: they keep no argument alive.

    Two keys of one hash cost no more than a wrong guess.
    """

    __slots__ = ("_hashes",)

    def __init__(self) -> None:
        self._hashes: OrderedDict[int, None] = OrderedDict()

    def add(self, entry: Entry, *, most: int) -> None:
        """Remember the key of an entry, and forget the oldest when there are more than `most`."""
        self._hashes[_hash_of(entry)] = None
        for _ in range(2):  # by and by, should there be many more than now have room
            if len(self._hashes) > most:
                self._hashes.popitem(last=False)

    def discard(self, entry: Entry) -> bool:
        """Forget the key of an entry; gives whether it was remembered."""
        if not self._hashes:
            return False
        hashed = _hash_of(entry)
        if hashed not in self._hashes:
            return False
        del self._hashes[hashed]
        return True


def _hash_of(entry: Entry) -> int:
    owner, scope = entry.home
    return hash((id(owner), scope, entry.place))
