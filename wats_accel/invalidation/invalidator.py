"""Invalidation: a write is followed from its begin to its end, and to the commit of what it has done."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Iterable
from functools import partial

from wats_accel.cache.loads import doubt_loads, spoil_loads, stacks
from wats_accel.cache.region import Region
from wats_accel.cache.registry import CacheRegistry
from wats_accel.cache.selection import EVERYTHING, select
from wats_accel.cache.writers import Writing, enter_write, forget_write, leave_write
from wats_accel.event_bus import EventBus
from wats_accel.forks import begins_anew_when_forked
from wats_accel.invalidation.dropping import own_load
from wats_accel.invalidation.rule_book import RuleBook
from wats_accel.invalidation.rules import MOST_REPEATED, Bound, Drop, OpenWrite, Repetition, Values
from wats_accel.patterns import KeyPattern
from wats_accel.transactions import Transaction, open_transactions


class _OpenWrites(threading.local):
    def __init__(self) -> None:
        self.stack: list[OpenWrite] = []


class Invalidator(RuleBook):
    """Applies write rules to the caches."""

    def __init__(self, *, caches: CacheRegistry, bus: EventBus) -> None:
        super().__init__(caches=caches, bus=bus)
        self._open = _OpenWrites()
        self._lock = threading.RLock()  # of what follows
        self._at_commit: weakref.WeakKeyDictionary[Transaction, Repetition] = weakref.WeakKeyDictionary()
        begins_anew_when_forked(self)

    def begin_anew(self) -> None:
        """In a child process: nobody holds the lock any more."""
        self._lock = threading.RLock()

    # -- a write ---------------------------------------------------------------------------------------

    def begin(self, write: OpenWrite, values: Values) -> None:
        """Note that this thread is inside a write; follow it by `end`, even if it is interrupted.

        Args:
            write: that begins.
            values: what `rule.paths` give in its call; what is missing matches anything.
        """
        try:
            self._begin(write, values)
        except Exception:  # noqa: BLE001 - the write is called all the same
            self.begin_blindly(write)

    def begin_blindly(self, write: OpenWrite) -> None:
        """The same for a write of which something could not be noted: readers keep away from all it names."""
        doubt_loads()
        for region in self._named_by(self._widened(write.rule.patterns)):
            try:
                self._keep_away(write, region, Writing(EVERYTHING))
            except Exception as error:  # noqa: BLE001 - then nobody is answered
                region.suspend(f"a write could not be followed: {type(error).__name__}")
        if write not in self._open.stack:
            write.is_outermost = not self._open.stack
            self._open.stack.append(write)

    def _begin(self, write: OpenWrite, values: Values) -> None:
        if stacks:
            # A hit would leave the write out. The one exception is a method that reads and writes at once.
            spoil_loads("wrote", spare=own_load(write.rule.target))
        write.generation = self._generation  # before they are asked for
        bound = _bound_to(values, self._patterns_of(write))
        write.values, write.bound = values, bound
        self._keep_readers_away(write, bound)
        enter_write(write)
        stack = self._open.stack
        write.is_outermost = not stack
        stack.append(write)

    def _patterns_of(self, write: OpenWrite) -> tuple[KeyPattern, ...]:
        rule = write.rule
        if not self._unwatched and self._rules.get(rule.target) is rule:  # as it mostly is
            return rule.patterns
        return (*self._widened(rule.patterns), *self._added_since(write))

    def _keep_readers_away(self, write: OpenWrite, bound: Iterable[Bound]) -> None:
        for pattern, selection in bound:
            writing = Writing(selection)
            for region in self._of(pattern):
                self._keep_away(write, region, writing)

    @staticmethod
    def _keep_away(write: OpenWrite, region: Region, writing: Writing) -> None:
        write.keeps_away.append((region, writing))
        region.writers.enter(writing)

    def end(self, write: OpenWrite, values: Values, *, concerns: bool = True) -> None:
        """Drop what a write that has just ended concerns. Raises nothing of its own.

        It may not be over yet. What it did may be part of another patched write, or of a transaction that
        its caller commits; until then others may load the old state again. So all of it is dropped once
        more when the outer write ends, and when the transaction commits.

        What has interrupted it can be made good by calling it once more.

        Args:
            write: what `begin` was given.
            values: what `rule.paths` gave in its call; what is missing matches anything. If they are those
                that it began with, be it the same object.
            concerns: False if the write has turned out to be none.
        """
        try:
            self._end(write, values, concerns=concerns)
        except Exception as error:  # noqa: BLE001 - the write has been called, and its caller gets its result
            self.end_blindly(write, error)

    def end_blindly(self, write: OpenWrite, error: Exception) -> None:
        """The same for a write of which something has failed: what it names is off until it is emptied."""
        if write.over:
            return
        patterns = self._patterns_of(write)
        drops = [*write.repeated, *(Drop(p, EVERYTHING, p.text, write.rule.target) for p in patterns)]
        regions = self._named_by(drop.pattern for drop in drops)
        why = f"invalidating it failed: {type(error).__name__}"
        try:
            if write.is_outermost:
                self._await_commits(write, drops, open_transactions())
        except Exception:  # noqa: BLE001 - nobody would drop at the commit what is loaded before it
            for region in regions:
                region.suspend(why)
        for region in regions:
            region.quarantine(why)
        self._announce(drops)
        try:
            self._leave(write, drops, ())
        except Exception:  # noqa: BLE001 - then an outer write drops nothing of it
            forget_write(write)
            for region in regions:
                region.suspend(why)
        write.over = True

    def _end(self, write: OpenWrite, values: Values, *, concerns: bool) -> None:
        bound, by = write.bound if concerns and values is write.values else None, write.rule.target
        if bound is None or write.generation is not self._generation:
            bound = self._bound_anew(write, values, concerns=concerns)
        own = [self._bound(pattern, selection, values, by) for pattern, selection in bound]
        repeated = [] if write.within is None else write.repeated
        try:  # whatever interrupts one of the steps, the others are done
            self._before_dropping(write, own, repeated)
        finally:
            try:
                self._drop(own)
            finally:
                try:
                    if repeated:
                        self._drop_again(repeated)
                finally:
                    self._leave(write, own, repeated)
        write.over = True

    def _bound_anew(self, write: OpenWrite, values: Values, *, concerns: bool) -> list[Bound]:
        """What a write drops, if that is not what was foreseen when it began."""
        # The result may be none to a rule that is in effect no longer: those that are drop in any case.
        patterns = (*(self._widened(write.rule.patterns) if concerns else ()), *self._added_since(write))
        bound = _bound_to(values, patterns)
        if write.generation is not self._generation:
            write.generation = self._generation
            self._keep_readers_away(write, bound)
        return bound

    def _before_dropping(self, write: OpenWrite, own: list[Drop], repeated: list[Drop]) -> None:
        if write.is_outermost and (transactions := open_transactions()):
            self._await_commits(write, [*own, *repeated], transactions)
        try:
            self._bus.checkpoint()
        except Exception:  # noqa: BLE001 - what follows is more important
            return

    def _await_commits(
        self, write: OpenWrite, drops: list[Drop], transactions: Iterable[Transaction]
    ) -> None:
        # Before anything is dropped: another thread may commit at any time, and a load that began after
        # the drop and before the commit would be kept.
        for transaction in transactions if drops else ():
            self._repeat_at_commit(transaction, drops)
            for region, writing in write.keeps_away:
                region.writers.enter(Writing(writing.selection, transaction))

    def _leave(self, write: OpenWrite, own: Iterable[Drop], repeated: Iterable[Drop]) -> None:
        stack = self._open.stack
        if stack and stack[-1] is write:
            stack.pop()
        elif write in stack:
            del stack[stack.index(write) :]
        leave_write(write)
        if stack:
            stack[-1].note_within((*own, *repeated))
            self._pass_on(write, stack[-1])
        else:
            for region, writing in write.keeps_away:
                region.writers.leave(writing)

    def _pass_on(self, write: OpenWrite, outer: OpenWrite) -> None:
        """Have readers kept away until the outer write is over; of a great many writes, from everything."""
        outer.keeps_away += write.keeps_away
        if len(outer.keeps_away) <= MOST_REPEATED:
            return
        narrow = list(outer.keeps_away)
        for region in dict.fromkeys(region for region, _ in narrow):
            self._keep_away(outer, region, Writing(EVERYTHING))
        for region, writing in narrow:
            region.writers.leave(writing)
        del outer.keeps_away[: len(narrow)]

    def _repeat_at_commit(self, transaction: Transaction, drops: list[Drop]) -> None:
        with self._lock:
            repetition = self._at_commit.setdefault(transaction, Repetition())
            repetition.add(drops)
        transaction.at_commit(partial(self._drop_again, repetition), key=id(self))


def _bound_to(values: Values, patterns: Iterable[KeyPattern]) -> list[Bound]:
    return [(pattern, select(pattern, values)) for pattern in patterns]
