"""Invalidation: which entries a write drops, and the dropping itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import Literal

from wats_accel.cache.loads import Load, innermost_load
from wats_accel.cache.region import Region
from wats_accel.cache.registry import CacheRegistry
from wats_accel.cache.selection import Selection, bound_text, select
from wats_accel.events import EventBus, Invalidated
from wats_accel.patterns import KeyPattern

When = Literal["always", "truthy"]


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


class Invalidator:
    """Applies write rules to the caches."""

    def __init__(self, *, caches: CacheRegistry, bus: EventBus) -> None:
        self._caches = caches
        self._bus = bus
        self._rules: dict[str, WriteRule] = {}

    def add(self, rule: WriteRule) -> None:
        """Take a rule in."""
        self._rules[rule.target] = rule

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

    def apply(self, rule: WriteRule, values: Mapping[str, object]) -> None:
        """Drop what a write that has just ended concerns. Raises nothing of its own.

        Args:
            rule: of the write.
            values: what `rule.paths` gave in its call; what is missing matches anything.
        """
        self._bus.checkpoint()
        self._drop(rule.patterns, values, by=rule.target)

    def begin(self, rule: WriteRule) -> list[Region]:
        """Note that this thread is inside a write; gives the regions to be told when it ends."""
        regions: dict[str, Region] = {}
        for pattern in rule.patterns:
            for region in self._caches.matching(pattern):
                regions[region.rules.target] = region
        for region in regions.values():
            region.writers.enter()
        return list(regions.values())

    def drop(self, pattern: KeyPattern, values: Mapping[str, object], *, by: str) -> int:
        """Drop the entries that a bound pattern matches; gives how many there were.

        Raises nothing of its own: a region where it fails is suspended.
        """
        return self._drop([pattern], values, by=by)

    def _drop(self, patterns: Sequence[KeyPattern], values: Mapping[str, object], *, by: str) -> int:
        total = 0
        interrupt: BaseException | None = None
        with ExitStack() as fences:  # none is lifted before everything is dropped
            for pattern in patterns:
                count = 0
                for region in self._caches.matching(pattern):
                    try:
                        count += _drop_from(region, select(pattern, values), by, fences)
                    except BaseException as error:  # noqa: BLE001 - what was not dropped must not be served
                        interrupt = interrupt if isinstance(error, Exception) else error
                        with suppress(BaseException):  # one interrupt is enough
                            region.suspend(f"invalidating it failed: {type(error).__name__}")
                total += count
                if self._bus.channel(Invalidated).listeners:
                    self._bus.emit(Invalidated(bound_text(pattern, values), count, by))
        if interrupt is not None:
            raise interrupt  # Ctrl+C and the like are the application's own
        return total

    def suspend(self, patterns: Iterable[KeyPattern], why: str) -> None:
        """Stop caching what these patterns would drop: nobody will drop it. Never raises."""
        for pattern in patterns:
            for region in self._caches.matching(pattern):
                region.suspend(why)


def _drop_from(region: Region, selection: Selection, write: str, fences: ExitStack) -> int:
    fences.enter_context(region.fenced(selection))
    return region.invalidate(selection, spare=_own_load(region, write))


def _own_load(region: Region, write: str) -> Load | None:
    # A method that reads and writes at once (get-or-create) ends its load and its write together: what
    # it read is as new as what it wrote. Any other load of this thread began before the write ended.
    load = innermost_load()
    return load if load is not None and load.target == write == region.rules.target else None
