"""Invalidation: which entries a write drops, and the dropping itself."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Literal

from wats_accel.cache.loads import Load, doubt_loads, innermost_load, spoil_loads
from wats_accel.cache.region import Region
from wats_accel.cache.registry import CacheRegistry
from wats_accel.cache.selection import EVERYTHING, IsSecret, Selection, bound_text, select
from wats_accel.cache.succession import begin_again
from wats_accel.cache.writers import Writing, enter_write, leave_write
from wats_accel.event_bus import EventBus
from wats_accel.events import Invalidated
from wats_accel.forks import begins_anew_when_forked
from wats_accel.patterns import ArgumentPart, KeyPattern, Placeholder
from wats_accel.settling import Settling
from wats_accel.transactions import Transaction, open_transactions

When = Literal["always", "truthy"]

_MOST_REPEATED = 1_000


@dataclass(frozen=True, slots=True)
class WriteRule:
    """What one write drops, and when: always, or only when its result (or its first item) is truthy."""

    target: str
    patterns: tuple[KeyPattern, ...]
    when: When = "always"

    @property
    def paths(self) -> tuple[str, ...]:
        """What the patterns need from a call of the write."""
        return tuple(dict.fromkeys(part.path for known in self.patterns for part in known.placeholders))

    def concerns(self, result: object) -> bool:
        """Whether a write that returned `result` counts as having written."""
        if self.when == "always":
            return True
        first = result[0] if isinstance(result, (tuple, list)) and result else result
        return bool(first)


@dataclass(frozen=True, slots=True)
class Drop:
    """A key pattern bound to the values of one write, and the write."""

    pattern: KeyPattern
    selection: Selection
    text: str = field(compare=False)  # of the bound pattern, for the log
    by: str

    @property
    def widened(self) -> Drop:
        """The same for any values."""
        return Drop(self.pattern, EVERYTHING, self.pattern.text, self.by)


class Repetition:
    """What is to be dropped once more, when the changes that it stands for can be seen by others."""

    def __init__(self) -> None:
        self._drops: dict[Drop, None] = {}

    def add(self, drops: Iterable[Drop]) -> None:
        """Take drops in; of a great many remember only the patterns, and drop more than needed."""
        self._drops.update(dict.fromkeys(drops))
        if len(self._drops) > _MOST_REPEATED:
            self._drops = dict.fromkeys(drop.widened for drop in self._drops)

    def __iter__(self) -> Iterator[Drop]:
        return iter(list(self._drops))


class OpenWrite:
    """A patched write that a thread is inside of, from `Invalidator.begin` to `Invalidator.end`."""

    def __init__(self, rule: WriteRule) -> None:
        self.rule = rule
        self.keeps_away: list[tuple[Region, Writing]] = []  # readers, until this write is over
        self.within = Repetition()  # what patched writes inside this one have dropped
        self.is_outermost = True
        self.over = False
        self.generation = 0  # of the rules that were in effect when it began


@dataclass(slots=True)
class _PlannedRules:
    """Rules that are to be in effect soon, and what must not be cached then."""

    thread: int = field(default_factory=threading.get_ident)
    rules: dict[str, WriteRule] = field(default_factory=dict)
    suspended: list[tuple[tuple[KeyPattern, ...], str]] = field(default_factory=list)


class _OpenWrites(threading.local):
    def __init__(self) -> None:
        self.stack: list[OpenWrite] = []


class Invalidator:
    """Applies write rules to the caches."""

    def __init__(self, *, caches: CacheRegistry, bus: EventBus) -> None:
        self._caches = caches
        self._bus = bus
        self._rules: dict[str, WriteRule] = {}
        self._planned: _PlannedRules | None = None
        self._lasting: dict[tuple[tuple[KeyPattern, ...], str], None] = {}
        self._generation = 0
        self._open = _OpenWrites()
        self._lock = threading.RLock()  # of what follows
        self._at_commit: weakref.WeakKeyDictionary[Transaction, Repetition] = weakref.WeakKeyDictionary()

        begins_anew_when_forked(self)

    def begin_anew(self) -> None:
        """In a child process: nobody holds the lock any more."""
        self._lock = threading.RLock()

    def add(self, rule: WriteRule) -> None:
        """Take a rule in."""
        (self._rules if self._planned is None else self._planned.rules)[rule.target] = rule

    # -- other rules while the application is at work --------------------------------------------------

    def plan(self) -> None:
        """Have what this thread adds and suspends be planned only, until `take_effect` or `abandon`."""
        self._planned = _PlannedRules()

    def abandon(self) -> None:
        """Forget what was planned."""
        self._planned = None

    def redone(self) -> set[str]:
        """The targets of regions whose entries are dropped by other writes in the plan than now."""
        planned = {} if self._planned is None else self._planned.rules
        return {
            region.rules.target
            for region in self._caches.planned
            if _drops(region, self._rules.values()) != _drops(region, planned.values())
        }

    def take_effect(self) -> None:
        """Put the planned rules into effect; hold the caches' lock, and put their plan into effect first.

        A write whose wrapper was made from an earlier rule drops what the rules in effect say as well.
        """
        planned, self._planned = self._planned, None
        if planned is None:
            return
        self._generation += 1
        self._rules = planned.rules
        for patterns, why in [*planned.suspended, *self._lasting]:
            self.suspend(patterns, why)

    def begin_again(self, patterns: Iterable[KeyPattern], settling: Settling) -> None:
        """Have what these patterns name begin from empty, and keep nothing until `settling` is over."""
        for pattern in patterns:
            begin_again(self._of(pattern), settling, lambda _: True)

    def _added_since(self, write: OpenWrite) -> tuple[KeyPattern, ...]:
        """What the rule in effect drops, if it is not the one that a write's wrapper was made from."""
        rule = self._rules.get(write.rule.target)
        return () if rule is None or rule is write.rule or rule == write.rule else rule.patterns

    def __iter__(self) -> Iterator[WriteRule]:
        return iter(list(self._rules.values()))

    def of_target(self, target: str) -> WriteRule | None:
        """The rule of a write, if it has one."""
        return self._rules.get(target)

    def dropping(self, region: Region) -> list[tuple[WriteRule, KeyPattern]]:
        """The writes, each with the pattern, that drop entries of this region."""
        rules = region.rules
        return [
            (rule, pattern)
            for rule in self
            for pattern in rule.patterns
            if pattern.names(rules.namespace, rules.method)
        ]

    # -- a write ---------------------------------------------------------------------------------------

    def begin(self, write: OpenWrite, values: Mapping[str, object]) -> None:
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
        for region in self._named_by(write.rule.patterns):
            try:
                self._keep_away(write, region, Writing(EVERYTHING))
            except Exception as error:  # noqa: BLE001 - then nobody is answered
                region.suspend(f"a write could not be followed: {type(error).__name__}")
        if write not in self._open.stack:
            write.is_outermost = not self._open.stack
            self._open.stack.append(write)

    def _begin(self, write: OpenWrite, values: Mapping[str, object]) -> None:
        # A hit would leave the write out. The one exception is a method that reads and writes at once.
        spoil_loads("wrote", spare=_own_load(write.rule.target))
        write.generation = self._generation
        self._keep_readers_away(write, (*write.rule.patterns, *self._added_since(write)), values)
        enter_write(write)
        write.is_outermost = not self._open.stack
        self._open.stack.append(write)

    def _keep_readers_away(
        self, write: OpenWrite, patterns: Iterable[KeyPattern], values: Mapping[str, object]
    ) -> None:
        for pattern in patterns:
            for region in self._of(pattern):
                self._keep_away(write, region, Writing(select(pattern, values)))

    @staticmethod
    def _keep_away(write: OpenWrite, region: Region, writing: Writing) -> None:
        write.keeps_away.append((region, writing))
        region.writers.enter(writing)

    def end(self, write: OpenWrite, values: Mapping[str, object], *, concerns: bool = True) -> None:
        """Drop what a write that has just ended concerns. Raises nothing of its own.

        It may not be over yet. What it did may be part of another patched write, or of a transaction that
        its caller commits; until then others may load the old state again. So all of it is dropped once
        more when the outer write ends, and when the transaction commits.

        What has interrupted it can be made good by calling it once more.

        Args:
            write: what `begin` was given.
            values: what `rule.paths` gave in its call; what is missing matches anything.
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
        patterns = (*write.rule.patterns, *self._added_since(write))
        drops = [*write.within, *(Drop(p, EVERYTHING, p.text, write.rule.target) for p in patterns)]
        regions = self._named_by(drop.pattern for drop in drops)
        why = f"invalidating it failed: {type(error).__name__}"
        try:
            self._await_commits(write, drops)
        except Exception:  # noqa: BLE001 - nobody would drop at the commit what is loaded before it
            for region in regions:
                region.suspend(why)
        for region in regions:
            region.quarantine(why)
        try:
            self._leave(write, drops)
        except Exception:  # noqa: BLE001 - then an outer write drops nothing of it
            for region in regions:
                region.suspend(why)
        write.over = True

    def _end(self, write: OpenWrite, values: Mapping[str, object], *, concerns: bool) -> None:
        # The result may be none to a rule that is in effect no longer: those that are drop in any case.
        patterns = (*(write.rule.patterns if concerns else ()), *self._added_since(write))
        if write.generation != self._generation:
            write.generation = self._generation
            self._keep_readers_away(write, patterns, values)
        own = [self._bound(known, values, write.rule.target) for known in patterns]
        repeated = list(write.within)
        with ExitStack() as steps:  # from the last: whatever interrupts one of them, the others are done
            steps.callback(self._leave, write, [*own, *repeated])
            steps.callback(self._drop_again, repeated)
            steps.callback(self._drop, own)
            self._await_commits(write, [*own, *repeated])
            with suppress(Exception):
                self._bus.checkpoint()
        write.over = True

    def _await_commits(self, write: OpenWrite, drops: list[Drop]) -> None:
        # Before anything is dropped: another thread may commit at any time, and a load that began after
        # the drop and before the commit would be kept.
        for transaction in open_transactions() if drops and write.is_outermost else ():
            self._repeat_at_commit(transaction, drops)
            for region, writing in write.keeps_away:
                region.writers.enter(Writing(writing.selection, transaction))

    def _leave(self, write: OpenWrite, drops: list[Drop]) -> None:
        stack = self._open.stack
        if write in stack:
            del stack[stack.index(write) :]
        leave_write(write)
        if stack:
            stack[-1].within.add(drops)
            self._pass_on(write, stack[-1])
        else:
            for region, writing in write.keeps_away:
                region.writers.leave(writing)

    def _pass_on(self, write: OpenWrite, outer: OpenWrite) -> None:
        """Have readers kept away until the outer write is over; of a great many writes, from everything."""
        outer.keeps_away += write.keeps_away
        if len(outer.keeps_away) <= _MOST_REPEATED:
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

    def _drop_again(self, drops: Iterable[Drop]) -> None:
        try:
            self._drop(drops, quietly=True)
        except Exception as error:  # noqa: BLE001 - whoever commits must not be told
            self._quarantine(drops, error)

    def _quarantine(self, drops: Iterable[Drop], error: Exception) -> None:
        for region in self._named_by(drop.pattern for drop in drops):
            region.quarantine(f"invalidating it failed: {type(error).__name__}")

    # -- dropping --------------------------------------------------------------------------------------

    def drop(self, pattern: KeyPattern, values: Mapping[str, object], *, by: str) -> int:
        """Drop the entries that a bound pattern matches; gives how many there were.

        Raises nothing of its own: a region where it fails is off until it could be emptied.
        """
        try:
            return self._drop([self._bound(pattern, values, by)])
        except Exception as error:  # noqa: BLE001 - as it says
            self._quarantine([Drop(pattern, EVERYTHING, pattern.text, by)], error)
            return 0

    def _bound(self, pattern: KeyPattern, values: Mapping[str, object], by: str) -> Drop:
        heard = self._bus.channel(Invalidated).listeners
        text = bound_text(pattern, values, self._is_secret_in(pattern)) if heard else ""
        return Drop(pattern, select(pattern, values), text, by)

    def _is_secret_in(self, pattern: KeyPattern) -> IsSecret:
        """Which arguments of a pattern are secrets of a method that it names, by position or by name."""
        regions = [region for region in self._of(pattern) if region.rules.key.secret]

        def is_secret(position: int, part: ArgumentPart) -> bool:
            name = part.path if isinstance(part, Placeholder) else ""
            return any(region.is_secret(position) or region.rules.key.hides(name) for region in regions)

        return is_secret

    def _drop(self, drops: Iterable[Drop], *, quietly: bool = False) -> int:
        total = 0
        interrupt: BaseException | None = None
        with ExitStack() as fences:  # none is lifted before everything is dropped
            for drop in drops:
                count = 0
                for region in self._of(drop.pattern):
                    try:
                        count += _drop_from(region, drop, fences)
                    except BaseException as error:  # noqa: BLE001 - what was not dropped must not be served
                        interrupt = interrupt if isinstance(error, Exception) else error
                        with suppress(BaseException):  # one interrupt is enough
                            region.quarantine(f"invalidating it failed: {type(error).__name__}")
                total += count
                if count or not quietly:
                    self._tell(drop, count)
        if interrupt is not None:
            raise interrupt  # Ctrl+C and the like are the application's own
        return total

    def _tell(self, drop: Drop, count: int) -> None:
        with suppress(Exception):  # what is left has to be dropped
            if self._bus.channel(Invalidated).listeners:
                self._bus.emit(Invalidated(drop.text, count, drop.by))

    def _named_by(self, patterns: Iterable[KeyPattern]) -> list[Region]:
        """The regions that any of these patterns can mean. Raises nothing: in doubt, a region is meant."""
        known = list(patterns)
        return [region for region in self._caches if any(_may_name(pattern, region) for pattern in known)]

    def _of(self, pattern: KeyPattern) -> list[Region]:
        return self._caches.matching(pattern)

    def suspend(self, patterns: Iterable[KeyPattern], why: str) -> None:
        """Stop caching what these patterns would drop: nobody will drop it. Never raises.

        A reload looks anew whether that is so; while it plans, this is planned, too.
        """
        planned = self._planned
        if planned is not None and planned.thread == threading.get_ident():
            planned.suspended.append((tuple(patterns), why))
            return
        for region in self._named_by(patterns):
            region.suspend(why)

    def suspend_for_good(self, patterns: tuple[KeyPattern, ...], why: str) -> None:
        """The same, whatever other rules may come: something may write later that nobody can see."""
        self._lasting[patterns, why] = None
        for region in self._named_by(patterns):
            region.suspend(why)


def _may_name(pattern: KeyPattern, region: Region) -> bool:
    try:
        return pattern.names(region.rules.namespace, region.rules.method)
    except Exception:  # noqa: BLE001 - what cannot be told must not be kept
        return True


def _drops(region: Region, rules: Iterable[WriteRule]) -> set[tuple[str, KeyPattern, When]]:
    """The writes, each with the pattern and when it applies, that drop a region's entries."""
    namespace, method = region.rules.namespace, region.rules.method
    return {
        (rule.target, pattern, rule.when)
        for rule in rules
        for pattern in rule.patterns
        if pattern.names(namespace, method)
    }


def _drop_from(region: Region, drop: Drop, fences: ExitStack) -> int:
    fences.enter_context(region.fenced(drop.selection))  # point: fenced
    spare = _own_load(drop.by) if drop.by == region.rules.target else None
    return region.invalidate(drop.selection, spare=spare)


def _own_load(write: str) -> Load | None:
    # A method that reads and writes at once (get-or-create) ends its load and its write together: what
    # it read is as new as what it wrote. Any other load of this thread began before the write ended.
    load = innermost_load()
    return load if load is not None and load.target == write else None
