"""Following: a database is asked, again and again, which tables have changed, whoever has changed them.

It needs nothing but the database. What it costs is one question every few seconds, and that an answer may be
as old as the time between two questions.

Each good answer vouches for all entries whose tables are watched: what is still there has not changed since.
So an entry that becomes too old meanwhile need not be loaded anew; HTTP calls that 304 Not Modified.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any, Final

from wats_accel.cache.elsewhere import Tables, tell_changed, tell_dropped
from wats_accel.cache.entries import Entry
from wats_accel.cache.region import Region
from wats_accel.cache.registry import CacheRegistry
from wats_accel.cache.selection import EVERYTHING
from wats_accel.counters import FollowingCounters
from wats_accel.event_bus import EventBus
from wats_accel.events import FollowingBegun, FollowingLost
from wats_accel.forks import begins_anew_when_forked, when_all_have_begun_anew
from wats_accel.patterns import KeyPattern
from wats_accel.records import record
from wats_accel.shared.applying import FollowsTables
from wats_accel.shared.horizon import Horizon, clock_that_counts_sleep
from wats_accel.versions.answers import Changes, Versions
from wats_accel.versions.source import VersionSource

_PARTS: Final = re.compile(r"[.()\s,\"\[\]`]+")
_FIRST_PAUSE_SECONDS: Final = 0.1
_LONGEST_PAUSE_SECONDS: Final = 5.0


@record(frozen=True, slots=True)
class FollowingRules:
    """How a database is followed. Times are in seconds.

    Attributes:
        poll_seconds: between two questions.
        isolated_seconds: how old an answer may become while the database does not answer them.
        revalidates: whether entries live on for which the database vouches.
    """

    poll_seconds: float = 2.0
    isolated_seconds: float = 30.0
    revalidates: bool = True


class Following:
    """Follows one database, in a thread of its own. Raises nothing once it is made.

    Args:
        connect: gives a connection for this alone.
        source: gives what asks the questions.
        rules: times.
        caches: of this process.
        bus: told when the database is followed, or cannot be.
        clock: seconds, as `clock_that_counts_sleep`.
    """

    def __init__(
        self,
        connect: Callable[[], Any],
        source: Callable[[], VersionSource],
        rules: FollowingRules,
        *,
        caches: CacheRegistry,
        bus: EventBus,
        clock: Callable[[], float] = clock_that_counts_sleep,
    ) -> None:
        self.rules = rules
        self.counters = FollowingCounters()
        self._connect = connect
        self._make_source = source
        self._caches = caches
        self._bus = bus
        self._clock = clock
        self._follows: FollowsTables | None = None
        self._connection: Any = None
        self._source: VersionSource | None = None  # goes on from there with another connection
        self._known: Versions | None = None
        self._vouched_at: float | None = None  # by the caches' clock: when the last good question was asked
        self._horizon = Horizon(self._was_reached, clock=clock, is_over=lambda: caches.is_over)
        self._ends = threading.Event()
        self._thread: threading.Thread | None = None
        self._starting = threading.RLock()
        begins_anew_when_forked(self)

    # -- beginning and end -------------------------------------------------------------------------------

    def begin(self, observer: object) -> None:
        """Let nothing get old until the first answer is there; `start` asks for it.

        Args:
            observer: of the pools; it may be what sees statements.
        """
        self._caches.bounds.set(self, self.rules.isolated_seconds)
        self._caches.drop_everything()  # after a reload there may be answers that were loaded under no bound
        self._caches.follower = self
        self._bus.at_checkpoints(self.start_if_possible)
        self.serve(observer)

    def start(self) -> None:
        """Ask, from now on. Safe to call twice.

        Not before everything is patched: this imports the driver, and a module whose import is under way in
        another thread is not told of.
        """
        with self._starting:
            if self._thread is None and not self._ends.is_set():
                self._start()
        self._bus.not_at_checkpoints(self.start_if_possible)

    def start_if_possible(self) -> None:
        """The same, tried now and then where nobody has, or it has failed. Raises nothing."""
        with suppress(Exception):
            if not any(region.is_settling() for region in self._caches):  # before, not all is patched
                self.start()

    def figures(self) -> FollowingCounters:
        """What has happened so far."""
        return self.counters

    def serve(self, observer: object) -> None:
        """Vouch for the entries of all methods that there are now: at first, and after a reload."""
        self._follows = observer if isinstance(observer, FollowsTables) else None
        for region in self._caches:
            region.renewal = self.good_until if self.rules.revalidates else None

    def _start(self) -> None:
        thread = threading.Thread(
            target=self._run, args=(self._ends,), name="wats-accel-following", daemon=True
        )
        thread.start()
        self._thread = thread

    def end(self) -> None:
        """Follow no more. Safe to call twice."""
        self._ends.set()
        self._bus.not_at_checkpoints(self.start_if_possible)
        self._horizon.close()
        self._vouched_at = None
        for region in self._caches:
            region.renewal = None
        self._caches.bounds.set(self, None)
        self._caches.follower = None

    def begin_anew(self) -> object:
        """In a child process: the thread and the connection are the parent's. The child follows by itself."""
        self._starting = threading.RLock()
        goes_on = self._thread is not None and not self._ends.is_set()
        inherited, self._connection = self._connection, None
        self._source = self._known = self._vouched_at = self._thread = None
        self._ends = threading.Event()
        if goes_on:
            self._caches.bounds.set(self, self.rules.isolated_seconds)
            when_all_have_begun_anew(self._start)
        return inherited

    # -- asking (in its thread) --------------------------------------------------------------------------

    def _run(self, ends: threading.Event) -> None:
        pause = _FIRST_PAUSE_SECONDS
        while not ends.is_set() and not self._caches.is_over:
            try:
                self.step()
            except Exception as error:  # noqa: BLE001 - each driver has its own
                with suppress(Exception):  # nothing is vouched for in any case
                    self._lost(f"the database cannot be asked: {type(error).__name__}")
                ends.wait(pause)
                pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
            else:
                pause = _FIRST_PAUSE_SECONDS
                ends.wait(self.rules.poll_seconds)
        with suppress(Exception):
            self._close_connection()

    def step(self) -> None:
        """Ask once, and drop what has changed.

        Raises:
            Exception: whatever the driver or the source raises. Then the next step begins anew.
        """
        asked_at, vouched_at = self._clock(), self._caches.now()
        try:
            versions = self._ask()
            self.counters.polls += 1
            self.counters.poll_seconds += self._clock() - asked_at
            self._catch_up(versions)
            self._horizon.move_to(asked_at + self.rules.isolated_seconds)
        except BaseException:
            self._close_connection()
            raise
        self._vouched_at = vouched_at
        if self._caches.bounds.of(self) is not None and not self._ends.is_set():
            self._caches.bounds.set(self, None)
            self.counters.why_lost = ""
            with suppress(Exception):
                self._bus.emit(FollowingBegun(len(versions.numbers), len(versions.unwatched)))

    def _catch_up(self, versions: Versions) -> None:
        """Drop what has changed since the answer before this one; everything, if there is none."""
        known, self._known = self._known, None  # if it fails, the next answer drops everything
        if known is None:
            self._drop_everything()  # it may have changed since it was loaded, and would be vouched for
        else:
            changes = versions.changes_since(known)
            if type(changes) is not Changes:
                raise TypeError("no changes")
            self._apply(changes)
        self._known = versions

    def _ask(self) -> Versions:
        source = self._source or self._make_source()
        if self._connection is None:
            self._connection = self._connect()
            versions = source.begin(self._connection)
        else:
            versions = source.poll(self._connection)
        self._source = source  # not before it has answered: it might be none
        return versions

    def _close_connection(self) -> None:
        connection, self._connection = self._connection, None
        with suppress(Exception):
            if connection is not None:
                connection.close()

    def _lost(self, why: str) -> None:
        self._vouched_at = None
        self.counters.why_lost = why
        if self._caches.bounds.of(self) is None and not self._ends.is_set():
            self._caches.bounds.set(self, self.rules.isolated_seconds)
            self.counters.losses += 1
            with suppress(Exception):
                self._bus.emit(FollowingLost(why, self.rules.isolated_seconds))

    def _was_reached(self) -> None:
        """Called when the last good question was asked too long ago, whatever the thread is doing."""
        self._lost("the database has not answered for too long")
        self._drop_everything()

    # -- dropping ----------------------------------------------------------------------------------------

    def _apply(self, changes: Changes) -> None:
        if not changes:
            return
        self.counters.changes += 1
        if changes.everything:
            self._tell_others(None, self._caches)
            self._drop_everything()
            return
        tables, follows = {table: ["*"] for table in sorted(changes.tables)}, self._follows
        concerned = [region for region in self._caches if self._concerns(changes, region)]
        self._tell_others(tables, concerned)
        if follows is not None:
            follows.drop_as_told(tables)
        for region in self._caches:
            try:
                if follows is not None:
                    region.invalidate_made_from(_is_unknown)
                elif region in concerned:
                    region.invalidate()
            except Exception as error:  # noqa: BLE001 - what was not dropped must not be served
                with suppress(Exception):
                    region.quarantine(f"invalidating it failed: {type(error).__name__}")

    def _tell_others(self, tables: Tables | None, concerned: Iterable[Region]) -> None:
        """Have answers that are kept for all processes not be found any more. First: they would come back."""
        announcer = self._caches.announcer
        if announcer is None:
            return
        if tables is None or self._follows is not None:
            tell_changed(announcer, tables)
            return
        names = [(region.rules.namespace, region.rules.method) for region in concerned]
        tell_dropped(announcer, [(KeyPattern(":".join(name), *name, ()), EVERYTHING) for name in names])

    @staticmethod
    def _concerns(changes: Changes, region: Region) -> bool:
        """Whether a change concerns a method of which only its rule says what it reads; or else any does."""
        return not region.rules.reads or changes.touch(_tables_in(region.rules.reads))

    def _drop_everything(self) -> None:
        self.counters.dropped_everything += 1
        self._caches.drop_everything()

    # -- vouching ----------------------------------------------------------------------------------------

    def good_until(self, region: Region, entry: Entry) -> float:
        """Until when an entry is good that is too old, by the caches' clock; 0 if nobody vouches for it."""
        vouched_at, versions = self._vouched_at, self._known
        seconds = region.rules.ttl_seconds
        is_bounded = self._caches.bounds.longest_seconds is not None
        # Of two databases only one is followed; and what time changes no table tells.
        is_bounded = is_bounded or region.scopes.values > 1 or bool(region.rules.ages.max_age_seconds)
        if vouched_at is None or versions is None or not seconds or is_bounded:
            return 0.0
        try:
            tables = self._tables_of(region, entry)
            if tables is None or versions.stamp(tables) is None:
                return 0.0
        except Exception:  # noqa: BLE001 - then it is loaded anew
            return 0.0
        return vouched_at + seconds

    def _tables_of(self, region: Region, entry: Entry) -> Iterable[str] | None:
        """What an entry was made from; None if nobody knows, or if time alone changes it."""
        follows = self._follows
        if follows is None or entry.footprint is None:
            return _tables_in(region.rules.reads) if region.rules.reads else None
        tables = follows.tables_of(entry.footprint)
        return None if not tables else list(tables)


def _is_unknown(footprint: object) -> bool:
    return footprint is None


def _tables_in(reads: Iterable[str]) -> list[str]:
    """The tables that a rule says a method reads; of ``a.b`` either may be one."""
    return [part for text in reads for part in _PARTS.split(text) if part]
