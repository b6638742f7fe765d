"""Invalidation: which entries a write drops, and the dropping itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from wats_accel.cache.loads import Load, innermost_load
from wats_accel.cache.region import Region
from wats_accel.cache.registry import CacheRegistry
from wats_accel.cache.selection import bound_text, select
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
        interrupt: BaseException | None = None
        for pattern in rule.patterns:
            try:
                self.drop(pattern, values, by=rule.target)
            except BaseException as error:  # noqa: BLE001 - what was not dropped must not be served
                self.suspend([pattern], f"invalidating it failed: {type(error).__name__}")
                interrupt = interrupt if isinstance(error, Exception) else error
        if interrupt is not None:
            raise interrupt  # Ctrl+C and the like are the application's own

    def drop(self, pattern: KeyPattern, values: Mapping[str, object], *, by: str) -> int:
        """Drop the entries that a bound pattern matches; gives how many there were."""
        count = 0
        for region in self._caches.matching(pattern):
            selection = select(pattern, values, region.folds)
            count += region.invalidate(selection, spare=_own_load(region, by))
        if self._bus.channel(Invalidated).listeners:
            self._bus.emit(Invalidated(bound_text(pattern, values), count, by))
        return count

    def suspend(self, patterns: Iterable[KeyPattern], why: str) -> None:
        """Stop caching what these patterns would drop: nobody will drop it. Never raises."""
        for pattern in patterns:
            for region in self._caches.matching(pattern):
                region.suspend(why)


def _own_load(region: Region, write: str) -> Load | None:
    # A method that reads and writes at once (get-or-create) ends its load and its write together: what
    # it read is as new as what it wrote. Any other load of this thread began before the write ended.
    load = innermost_load()
    return load if load is not None and load.target == write == region.rules.target else None
