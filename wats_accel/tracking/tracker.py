"""The tracker: sees what statements read and change, and drops what was made from what has changed.

Reads are noted before the driver is called, in every load of the thread. A change that is committed later
then finds the load, or the entry that it has stored; of one that was committed before, it reads the new
state. Changes are noted as under way before the driver is called, and what they concern is dropped before
the committing call returns: at once under autocommit, at the commit otherwise, never after a rollback.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial

from wats_accel.breakers import Breakers
from wats_accel.cache.elsewhere import Tables
from wats_accel.cache.loads import Load, doubt_loads, note_reading, note_rows_of, reader, spoil_loads, stacks
from wats_accel.cache.region import Region
from wats_accel.cache.registry import CacheRegistry
from wats_accel.counters import SqlCounters
from wats_accel.event_bus import EventBus
from wats_accel.forks import begins_anew_when_forked
from wats_accel.pool.changes import Change
from wats_accel.sql.access import Changes, Reads, access
from wats_accel.sql.schema import Schema
from wats_accel.tracking.analyses import Analyses
from wats_accel.tracking.dropping import Dropper
from wats_accel.tracking.readers import Readers
from wats_accel.tracking.seen import Changed, Footprints, Seen
from wats_accel.tracking.sight import Sight
from wats_accel.tracking.under_way import UnderWay, UnderWayCall
from wats_accel.transactions import Transaction


def _nothing() -> None:
    """What ends nothing."""


class Tracker:
    """Watches the calls of all drivers, and the loads of all cached methods. Raises nothing of its own.

    Args:
        caches: of the methods.
        schema: gives what is known of the database, when it is first needed.
        dialect: of SQL on connections that do not tell theirs.
        strict: whether a name that the schema does not have may be a view, or a table with triggers.
        bus: told what is dropped.
        breakers: one is for what follows calls; while it is open, any call may read and change anything.
        covered: whether a rule drops a region's entries, whatever is seen.
        report: told, once, why not all is seen.
    """

    loading = stacks  # the threads that do

    def __init__(
        self,
        caches: CacheRegistry,
        schema: Callable[[], Schema],
        *,
        dialect: str = "",
        strict: bool = True,
        bus: EventBus,
        breakers: Breakers | None = None,
        covered: Callable[[Region], bool],
        report: Callable[[str], None],
    ) -> None:
        self.counters = SqlCounters()
        self._caches = caches
        self._footprints = Footprints()
        self._analyses = Analyses(schema, dialect=dialect, strict=strict, footprints=self._footprints)
        self._sight = Sight(caches, covered=covered, report=report)
        self._under_way = UnderWay()
        self._readers = Readers()
        self._dropper = Dropper(caches, self._readers, bus=bus, counters=self.counters)
        self._breaker = (breakers or Breakers(bus=bus)).of("following SQL")
        self._anything = Changed(Changes(unknown=True), ("a call that could not be followed",))
        self._closed = False
        begins_anew_when_forked(self)

    def watch(self, regions: Iterable[Region]) -> None:
        """Watch the loads of these regions from now on, and of no others."""
        watched = [(region, self._analyses.declared(region.rules.reads)) for region in regions]
        with self._caches.lock:
            self._sight.ask_anew()
            self._readers.keep(region for region, _ in watched)
            for region, declared in watched:
                region.declared, region.watch = declared, self
                with suppress(Exception):  # of a store; then the first change visits all its entries
                    region.expect_by_footprint()
                self._readers.note(region, declared)
        self._sight.suspend_if_lost()

    def go_by(
        self,
        schema: Callable[[], Schema],
        *,
        dialect: str,
        strict: bool,
        covered: Callable[[Region], bool],
        report: Callable[[str], None],
    ) -> None:
        """See statements otherwise from now on, or see them again; the arguments are those of a new one.

        What is under way stays so, and whoever has a connection goes on being seen. All regions have to be
        new, and to keep nothing until that is over: what it changes was read in the old way.
        """
        with self._caches.lock:
            was_redefined = self._analyses.were_redefined
            self._footprints = Footprints()
            self._analyses = Analyses(schema, dialect=dialect, strict=strict, footprints=self._footprints)
            self._sight.go_by(covered, report)
            self._readers.keep(())
            self._closed = False
        if was_redefined:
            self.lost_sight("a view or the like was made anew while the program ran, before a reload")

    def lost_sight(self, why: str) -> None:
        """Stop caching what no rule drops: somebody may change data, and nobody sees it."""
        if self._sight.lose(why) and not self._closed:
            self._sight.suspend_if_lost()

    def close(self) -> None:
        """See nothing any more; nothing is cached any more either."""
        self._closed = True

    def begin_anew(self) -> None:
        """In a child process: nobody holds a lock any more, and no other thread is at work."""
        self._footprints.begin_anew()
        self._analyses.begin_anew()
        self._under_way.begin_anew()

    # -- calls of drivers ------------------------------------------------------------------------------

    def before(self, language: str, name: str, sql: object, change: Change) -> UnderWayCall | None:
        """See a call before it is made; gives what `after` wants if it changes something."""
        if self._closed:
            return None
        call: UnderWayCall | None = None
        try:
            if self._breaker.may_try() or change.may_commit:
                call = self._before(language, name, sql, change)
                self._breaker.worked()
                return call
        except Exception as error:  # noqa: BLE001 - what is not seen must not be trusted
            if call is not None:  # it is seen, and only what follows has failed
                return call
            self._note(error)
            if change.may_commit and isinstance(sql, str):
                # What views and tables it may have made anew nobody knows.
                self.lost_sight(f"a definition could not be followed: {type(error).__name__}")
        return self._before_blindly(change)

    def only_reads(self, language: str, sql: str) -> bool:
        """Whether a text is known to change nothing: then a thread that loads nothing is not looked at."""
        return self._analyses.is_known_read(sql, language)

    def _note(self, error: Exception) -> None:
        if not isinstance(error, RecursionError):  # of which there is no room left, and nothing is wrong
            with suppress(Exception):
                self._breaker.failed(error)

    def _before_blindly(self, change: Change) -> UnderWayCall | None:
        """See a call of which nobody knows what it reads and changes. Raises nothing."""
        doubt_loads()
        if not (change.may_change or change.may_commit):
            return None
        call = UnderWayCall(self._anything)
        try:
            with self._caches.lock:
                self._under_way.enter(call, self._caches)
        except Exception as error:  # noqa: BLE001 - nobody would be kept away, nor anything dropped
            self._sight.distrust(f"a change could not be followed: {type(error).__name__}", for_good=True)
        return call

    def _before(self, language: str, name: str, sql: object, change: Change) -> UnderWayCall | None:
        found = self._analyses.of_call(language, name, sql, change)
        changed = found.changed
        if stacks:
            note_reading(found.footprint)
            if self._under_way.is_outlasting(found.footprint):
                spoil_loads("being_written")
            if changed is not None:
                spoil_loads("wrote")  # a hit would leave the write out
        if changed is None:
            return None
        self.counters.changes += 1
        self.counters.unknown_changes += changed.changes.unknown
        call = UnderWayCall(changed)
        try:
            with self._caches.lock:  # point: change-seen
                self._under_way.enter(call, self._readers.concerned_by(changed))
        except BaseException:
            self._under_way.leave(call)
            raise
        return call

    def after(self, token: object, change: Change, transaction: Transaction | None) -> None:
        """Drop what a call concerns that has returned or raised, or have that done at the commit."""
        if not isinstance(token, UnderWayCall):
            return
        try:
            self._after(token, change, transaction)
        except BaseException as interrupt:
            # It was cut short: once more. What is cut short twice stays under way, and is not answered.
            is_open = transaction is not None and not transaction.over
            self._once_more(partial(self._after, token, change, transaction), is_open=is_open)
            self._leave(token)
            if not isinstance(interrupt, Exception):
                raise  # Ctrl+C and the like are the application's own
        else:
            self._leave(token)

    def _leave(self, call: UnderWayCall) -> None:
        try:
            self._under_way.leave(call)
        except Exception:  # noqa: BLE001 - cut short: once more; else its readers are kept away for ever
            with suppress(Exception):
                self._under_way.leave(call)

    def _once_more(self, step: Callable[[], object], *, is_open: bool) -> None:
        try:
            step()
        except Exception as error:  # noqa: BLE001 - what was not dropped must not be served
            self._note(error)
            # If it is not committed yet, nobody drops when it is what is loaded before that.
            self._sight.distrust(f"a change could not be followed: {type(error).__name__}", for_good=is_open)

    def outlasts(self, token: object) -> Callable[[], object]:
        """Have what is read from now on not be kept, if a call's change concerns it, until that is over."""
        try:
            return self._under_way.outlast(token) if isinstance(token, UnderWayCall) else _nothing
        except Exception as error:  # noqa: BLE001 - nobody would know that it is under way
            self._sight.distrust(f"a change could not be followed: {type(error).__name__}", for_good=True)
            return _nothing

    def reader(self) -> object:
        """The load that this thread runs, in few words."""
        try:
            return reader()
        except Exception:  # noqa: BLE001 - then no load is the one that has executed it
            return object()

    def fetched(self, reader: object) -> None:
        """Have no load kept that fetches rows of a statement that was executed before it began."""
        try:
            note_rows_of(reader)
        except Exception:  # noqa: BLE001 - the rows are the application's
            doubt_loads()

    def _after(self, call: UnderWayCall, change: Change, transaction: Transaction | None) -> None:
        if transaction is not None:
            with self._caches.lock:
                self._under_way.add(transaction, call)
            # Another thread may have ended it already: then this calls back at once.
            transaction.at_commit(partial(self._commit, transaction), key=id(self))
        if transaction is None or change.may_commit or transaction.perhaps_committed:
            self._dropper.drop(call.changed)  # point: change-done

    def _commit(self, transaction: Transaction) -> None:
        """Drop what a transaction has changed that is, or may be, committed."""
        try:
            self._drop_all_of(transaction)
        except Exception:  # noqa: BLE001 - whoever commits must not be told
            self._once_more(partial(self._drop_all_of, transaction), is_open=False)

    def _drop_all_of(self, transaction: Transaction) -> None:
        with self._caches.lock:
            changed = self._under_way.of(transaction)
        if changed is None:
            return
        self._dropper.drop(changed)  # point: committed
        if transaction.over:
            with self._caches.lock:
                self._under_way.forget(transaction)

    def drop_as_told(self, tables: Tables | None) -> int:
        """Drop what was made from tables that another process has changed; None: any. Raises nothing."""
        changes = Changes(unknown=True) if tables is None else Changes(access(tables))
        changed = Changed(changes, ("another process",))
        try:
            return self._dropper.drop_here(changed)
        except Exception:  # noqa: BLE001 - what was not dropped must not be served
            self._once_more(partial(self._dropper.drop_here, changed), is_open=False)
            return 0

    def footprint_of(self, tables: Tables) -> Seen:
        """The footprint of what another process has made from these tables and columns."""
        return self._footprints.of(Reads(access(tables)))

    def tables_of(self, footprint: object) -> Tables | None:
        """The tables and columns that something was made from; None if there may be more, or the time."""
        if not isinstance(footprint, Seen) or footprint.clock or footprint.reads.unknown:
            return None
        return {table: tuple(sorted(columns)) for table, columns in footprint.reads.access.items}

    def spelled_out(self, tables: Tables) -> Tables:
        """The same, with all known columns of a table where any of them may be meant."""
        return {table: self._analyses.columns_of(table, known) for table, known in tables.items()}

    # -- loads -----------------------------------------------------------------------------------------

    def why_not_keep(self, region: Region, load: Load) -> str | None:
        """Why the answer of a load must not be kept, as far as what it has read tells. Under the lock."""
        if self._closed:
            return "switched_off"
        seen = load.footprint
        self._readers.note(region, seen)
        if self._under_way.concerns(seen):
            return "being_written"
        if region.declared is not None or self._sight.covers(region):
            return None
        if seen is None:
            return None if load.rests_on_others else "no_statement_seen"
        return None if isinstance(seen, Seen) and not seen.reads.unknown else "unknown_reads"

    def told_of(self, region: Region) -> dict[str, str]:
        """What a method was seen to read so far, for people."""
        with self._caches.lock:
            seen = self._readers.all_of(region)
        if seen is None:
            return {"reads": "nothing was seen yet"}
        facts = {"reads": str(seen.reads.access) or "no table"}
        if seen.reads.unknown:
            facts["reads"] += ", and what nobody knows"
        if seen.clock:
            facts["clock"] = "its statements ask the database for the time"
        return facts
