"""Loads: the runs of cached methods that are under way, and what each of them must not be kept for.

Every thread has a stack of the loads that it runs, one inside the other. A load that calls another
cached method rests on that one's answer, and whatever went wrong inside it went wrong in the outer
one, too.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from threading import get_ident
from typing import TYPE_CHECKING, Final

from wats_accel.cache.ages import FOREVER
from wats_accel.cache.entries import Entry, Key
from wats_accel.cache.footprints import Footprint
from wats_accel.cache.premises import HeldEntry, Premise, SameVersion, ValidUntil, Versioned
from wats_accel.cache.texts import Texts, texts_told

if TYPE_CHECKING:
    from wats_accel.cache.elsewhere import Ticket

_MOST_PREMISES = 32
NOT_FOUND: Final = object()


class Load:
    """One run of a cached method for one key."""

    __slots__ = (
        "began_at", "done", "entry", "expires_by", "failures", "footprint", "found", "gone_by", "key",
        "known_texts", "label", "number", "objection", "overtaken", "premises", "renews", "started", "target",
        "thread", "ticket", "version", "waits",
    )  # fmt: skip

    def __init__(self, target: str, key: Key, texts: Texts | None, label: Callable[[], str]) -> None:
        self.target = target
        self.key = key
        self.known_texts = texts  # None: the key tells them
        self.label = label  # makes the readable key, for those who will read it
        self.thread = get_ident()
        self.started = 0.0  # seconds, by the performance counter
        self.began_at = 0.0  # by the cache's clock: the answer may be as old as this
        self.number = 0  # of the loads of its region, in the order in which they began
        self.version = 0  # of its region, when it began
        self.failures = 0  # that this thread had met when it began
        self.objection: str | None = None  # why its answer must not be kept
        self.premises: dict[object, Premise] = {}
        self.footprint: Footprint | None = None  # what it has read so far, as far as anybody has watched
        self.expires_by = FOREVER  # by the cache's clock: when the first of what it rests on is too old
        self.gone_by = FOREVER  # when the first of it cannot even stand in for a failure any more
        self.found: object = NOT_FOUND  # the answer, where another process has kept it
        self.ticket: Ticket | None = None  # where other processes wait for it
        self.waits = False  # for another one, right now
        self.renews = False  # the answer that there is was fresh, and is to be renewed in the background
        # What follows is written and read under the namespace's lock.
        self.overtaken = False  # by an invalidation
        self.done: threading.Event | None = None  # made by the first who waits for it
        self.entry: Entry | None = None  # what was stored

    @property
    def texts(self) -> Texts:
        """The arguments in the loose form by which invalidation compares them."""
        if self.known_texts is None:
            self.known_texts = texts_told(self.key[1:])
        return self.known_texts

    def rest_on(self, entry: Entry) -> None:
        """Note that the answer is made from another: it goes when that one goes."""
        self.expires_by = min(self.expires_by, entry.fresh_until)
        self.gone_by = min(self.gone_by, entry.expires_at)
        reference = weakref.ref(entry)
        self.premises[reference] = HeldEntry(reference)
        self.read(entry.footprint)
        for premise in entry.premises:
            self._take_over(premise)
        self._keep_premises_few()

    def rest_on_version(self, region: Versioned, version: int) -> None:
        """Note that the answer is made from one that was not stored."""
        self.premises.setdefault(id(region), SameVersion(region, version))

    def rest_on_all_of(self, inner: Load) -> None:
        """Take over what a load inside this one was made from."""
        self.expires_by = min(self.expires_by, inner.expires_by)
        self.gone_by = min(self.gone_by, inner.gone_by)
        self.read(inner.footprint)
        for premise in inner.premises.values():
            self._take_over(premise)
        self._keep_premises_few()

    def read(self, footprint: Footprint | None) -> None:
        """Note that the answer is made from this as well.

        Before it is read indeed: a change that comes to an end later finds it, and of an earlier one it
        reads what that has left.
        """
        known = self.footprint
        if footprint is not None and footprint is not known:
            self.footprint = footprint if known is None else known | footprint

    @property
    def rests_on_others(self) -> bool:
        """Whether the answer is made from answers of other cached methods."""
        return any(not isinstance(premise, ValidUntil) for premise in self.premises.values())

    def rest_on_moment(self, premise: ValidUntil) -> None:
        """Note that time alone changes the answer; of many moments the first is enough."""
        known = self.premises.get(premise.wall_clock)
        if not isinstance(known, ValidUntil) or premise.moment < known.moment:
            self.premises[premise.wall_clock] = premise

    def _take_over(self, premise: Premise) -> None:
        if isinstance(premise, SameVersion):
            self.rest_on_version(premise.region, premise.version)
        elif isinstance(premise, ValidUntil):
            self.rest_on_moment(premise)
        else:
            self.premises.setdefault(getattr(premise, "reference", premise), premise)

    def _keep_premises_few(self) -> None:
        """Each hit asks them all: of many entries remember the methods only, and drop more than needed."""
        if len(self.premises) <= _MOST_PREMISES:
            return
        for name, premise in list(self.premises.items()):
            entry = premise.reference() if isinstance(premise, HeldEntry) else None
            if entry is not None:
                self.rest_on_version(entry.owner, entry.owner.version)
            # The version was read first: what is dropped from now on shows in it.
            if isinstance(premise, HeldEntry):
                if premise.breach() is not None:
                    self.objection = self.objection or "overtaken"
                del self.premises[name]


# -- the loads of each thread ----------------------------------------------------------------------------

stacks: dict[int, list[Load]] = {}
"""By thread. Empty while no load runs anywhere: then a hit needs to look no further.

A dictionary's single operations are atomic, with the GIL and without; only its own thread changes a stack.
"""


def innermost_load() -> Load | None:
    """The load that this thread runs right now, the innermost if they are nested."""
    stack = stacks.get(get_ident())
    return stack[-1] if stack else None


def enter_load(load: Load) -> None:
    """Note that this thread runs `load` from here on."""
    here = get_ident()
    stack = stacks.get(here)
    if stack is None:
        stacks[here] = [load]
    else:
        stack.append(load)


def leave_load(load: Load) -> None:
    """Note that `load` has ended, and with it whatever was nested in it."""
    forget_load(load)


def forget_load(load: Load) -> None:
    """The same, for those who have failed to leave it."""
    here = get_ident()
    stack = stacks.get(here)
    if stack is None:
        return
    if stack and stack[-1] is load:
        stack.pop()
    elif load in stack:
        del stack[stack.index(load) :]
    if not stack:
        stacks.pop(here, None)


def runs_here(target: str, key: Key) -> bool:
    """Whether this thread is inside a load of this key."""
    return any(load.key == key and load.target == target for load in stacks.get(get_ident(), ()))


def begin_anew() -> None:
    """In a child process: the other threads are gone. This one's loads are registered in the parent only."""
    here = get_ident()
    for thread in [known for known in stacks if known != here]:
        del stacks[thread]
    spoil_loads("load_not_registered")


def spoil_loads(why: str, *, spare: Load | None = None) -> None:
    """Have no load kept that this thread runs, but for one."""
    for load in stacks.get(get_ident(), ()):
        if load is not spare:
            load.objection = load.objection or why


def doubt_loads() -> None:
    """Have no load kept that this thread runs: something of ours has failed. Raises nothing."""
    for load in stacks.get(get_ident(), ()):
        load.objection = load.objection or "broken"


def note_reading(footprint: Footprint) -> None:
    """Note, before this thread reads something, that all loads that it runs are made from it."""
    for load in stacks.get(get_ident(), ()):
        load.read(footprint)


def reader() -> object:
    """What stands for the innermost load that this thread runs; None if it runs none."""
    load = innermost_load() if stacks else None
    return None if load is None else (load.target, load.number)


def note_rows_of(before: object) -> None:
    """Note that this thread fetches rows of a statement that it, or another one, has executed before.

    The loads that had not begun then have not seen what is read, and it may be older than they are.

    Args:
        before: what `reader` gave when the statement was executed.
    """
    for load in reversed(stacks.get(get_ident(), ()) if stacks else ()):
        if (load.target, load.number) == before:
            return
        load.objection = load.objection or "read_before"
