"""The rules in effect, and others that are to take their place while the application is at work."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import field

from wats_accel.cache.region import Region
from wats_accel.cache.registry import CacheRegistry
from wats_accel.cache.succession import begin_again
from wats_accel.event_bus import EventBus
from wats_accel.invalidation.dropping import Dropper
from wats_accel.invalidation.rules import Method, OpenWrite, WriteRule, drops_of, widened
from wats_accel.patterns import Glob, KeyPattern
from wats_accel.records import record
from wats_accel.settling import Settling


@record(slots=True)
class _PlannedRules:
    """Rules that are to be in effect soon, and what must not be cached then."""

    thread: int = field(default_factory=threading.get_ident)
    rules: dict[str, WriteRule] = field(default_factory=dict)
    suspended: list[tuple[tuple[KeyPattern, ...], str]] = field(default_factory=list)
    unwatched: set[Method] = field(default_factory=set)


class RuleBook(Dropper):
    """Knows the write rules, and what must not be cached for want of one."""

    def __init__(self, *, caches: CacheRegistry, bus: EventBus) -> None:
        super().__init__(caches=caches, bus=bus)
        self._rules: dict[str, WriteRule] = {}
        self._planned: _PlannedRules | None = None
        self._unwatched: set[Method] = set()
        self._given_up: dict[tuple[KeyPattern, ...], str] = {}
        self._lasting: dict[tuple[tuple[KeyPattern, ...], str], None] = {}
        self._generation = object()  # another one whenever the rules are others; compared by identity

    def add(self, rule: WriteRule) -> None:
        """Take a rule in."""
        (self._rules if self._planned is None else self._planned.rules)[rule.target] = rule
        self._generation = object()

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

    def expect(self, rule: WriteRule) -> None:
        """Be ready for a write: where it drops by an argument, entries are found by that from now on.

        Otherwise they would be from its first call on, and that one would have to visit all there are.
        """
        for pattern in rule.patterns:
            position = _first_argument(pattern)
            if position is not None:
                self._expect(pattern, position)

    def _expect(self, pattern: KeyPattern, position: int) -> None:
        for region in self._of(pattern):
            with suppress(Exception):  # a store that cannot tell what it has; then the first call asks it
                region.expect_by_argument(position)

    def suspend(self, patterns: Iterable[KeyPattern], why: str) -> None:
        """Stop caching what these patterns would drop: nobody will drop it. Never raises.

        A reload looks anew whether that is so; while it plans, this is planned, too.
        """
        planned = self._planned
        if planned is not None and planned.thread == threading.get_ident():
            planned.suspended.append((tuple(patterns), why))
            return
        known = tuple(patterns)
        self._given_up[known] = why
        for region in self._named_by(self._widened(known)):
            region.suspend(why)

    @contextmanager
    def nothing_kept_without(self, why: str) -> Iterator[None]:
        """If what is begun here fails, nobody hears of changes: nothing is cached. The error goes on."""
        try:
            yield
        except Exception as error:
            self.suspend([KeyPattern.parse("*")], f"{why}: {type(error).__name__}")
            raise

    def suspend_for_good(self, patterns: tuple[KeyPattern, ...], why: str) -> None:
        """The same, whatever other rules may come: something may write later that nobody can see."""
        self._lasting[patterns, why] = None
        self._given_up[patterns] = why
        for region in self._named_by(self._widened(patterns)):
            region.suspend(why)

    # -- other rules while the application is at work --------------------------------------------------

    def plan(self) -> None:
        """Have what this thread adds and suspends be planned only, until `take_effect` or `abandon`."""
        self._planned = _PlannedRules()

    def abandon(self) -> None:
        """Forget what was planned."""
        self._planned = None

    def redone(self, anew: Collection[str] = ()) -> set[str]:
        """The targets of regions whose entries are dropped by other writes in the plan than now.

        Args:
            anew: targets of writes that are to be patched once more: until then nobody has seen them.
        """
        planned = self._planned or _PlannedRules()
        now = [(rule, self._widened(rule.patterns)) for rule in self._rules.values()]
        then = [(rule, widened(rule.patterns, planned.unwatched)) for rule in planned.rules.values()]
        return {
            region.rules.target
            for region in self._caches.planned
            if drops_of(region, now) != drops_of(region, then)
            or not {write for write, _, _ in drops_of(region, then)}.isdisjoint(anew)
        }

    def take_effect(self) -> None:
        """Put the planned rules into effect; hold the caches' lock, and put their plan into effect first.

        A write whose wrapper was made from an earlier rule drops what the rules in effect say as well.
        """
        planned, self._planned = self._planned, None
        if planned is None:
            return
        self._rules, self._unwatched, self._given_up = planned.rules, planned.unwatched, {}
        self._generation = object()
        for patterns, why in [*planned.suspended, *self._lasting]:
            self.suspend(patterns, why)

    def begin_again(self, patterns: Iterable[KeyPattern], settling: Settling) -> None:
        """Have what these patterns name begin from empty, and keep nothing until `settling` is over."""
        for pattern in self._widened(tuple(patterns)):
            begin_again(self._of(pattern), settling, lambda _: True)

    def _added_since(self, write: OpenWrite) -> tuple[KeyPattern, ...]:
        """What the rule in effect drops, if it is not the one that a write's wrapper was made from."""
        rule = self._rules.get(write.rule.target)
        if rule is None or rule is write.rule or rule == write.rule:
            return ()
        return self._widened(rule.patterns)

    # -- methods that nobody sees called ---------------------------------------------------------------

    def unwatched(self, namespace: str, method: str) -> None:
        """Note that a method has a rule, and yet nobody sees its calls: it is off, or could not be patched.

        What others make from its answers is then not known to rest on them. So a write that names it drops
        everything.
        """
        planned = self._planned
        if planned is not None and planned.thread == threading.get_ident():
            planned.unwatched.add((namespace, method))
            return
        self._unwatched.add((namespace, method))
        self._generation = object()
        for patterns, why in list(self._given_up.items()):
            self.suspend(patterns, why)  # now that names more

    def _widened(self, patterns: tuple[KeyPattern, ...]) -> tuple[KeyPattern, ...]:
        return widened(patterns, self._unwatched) if self._unwatched else patterns


def _first_argument(pattern: KeyPattern) -> int | None:
    """The position of the first argument that a pattern names; None if it names none."""
    return next((at for at, part in enumerate(pattern.arguments) if not isinstance(part, Glob)), None)
