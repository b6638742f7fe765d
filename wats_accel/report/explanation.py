"""Explanations: what is cached of a method, what drops it, and how a `connect` is pooled."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from wats_accel.cache.region import Region
from wats_accel.counters import SharedCounters
from wats_accel.errors import TargetError
from wats_accel.invalidation import Invalidator, WriteRule
from wats_accel.pool.pooled_connect import PooledConnect
from wats_accel.report.ages import age_facts, ttl_text
from wats_accel.report.pools import pool_facts, pool_figures
from wats_accel.report.sharing import sharing_facts
from wats_accel.report.source_explanation import SourceExplainer, SourceExplanation
from wats_accel.report.trust import trust_facts
from wats_accel.suggestions import nearest
from wats_accel.targets import Target


@dataclass(frozen=True, slots=True)
class Explanation:
    """What is done with one method, or with a `connect`. `str()` of it is for people.

    Attributes:
        target: the method.
        cached: facts about its cache, by name; empty when it is not cached.
        dropped_by: the writes that drop its entries, each with the pattern.
        drops: the patterns that it drops as a write.
        when: on which results of the write, if it is one.
        pooled: facts about the pool that its connections come from, by name; empty when there is none.
        source: what the source says of it, if that was asked for.
    """

    target: str
    cached: dict[str, str]
    dropped_by: tuple[tuple[str, str], ...] = ()
    drops: tuple[str, ...] = ()
    when: str = ""
    pooled: dict[str, str] = field(default_factory=dict)
    source: SourceExplanation | None = None

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        yield self.target
        for name, fact in self.cached.items():
            yield f"  {name + ':':<14} {fact}"
        if self.cached:
            yield "  dropped by:" if self.dropped_by else "  dropped by:    nothing but its TTL"
        for write, pattern in self.dropped_by:
            yield f"    {write}  ({pattern})"
        if self.drops:
            yield f"  drops ({self.when}):"
        for pattern in self.drops:
            yield f"    {pattern}"
        for name, fact in self.pooled.items():
            yield f"  {name + ':':<14} {fact}"
        if self.source is not None:
            yield str(self.source)


def explain(
    target: str,
    caches: Iterable[Region],
    invalidator: Invalidator | None,
    pools: Iterable[PooledConnect] = (),
    source: SourceExplainer | None = None,
    others: SharedCounters | None = None,
) -> Explanation:
    """Explain one method, named by its target or by the end of it (``UserRepository.get_user_role``).

    Args:
        target: the method, or a pooled `connect`.
        caches: the cached methods.
        invalidator: knows the writes.
        pools: the pooled `connect` callables.
        source: explains methods by the source tree; its methods need no rule.
        others: what has happened between this process and others, if there are any.

    Raises:
        TargetError: no rule names it, or several do.
    """
    regions = {region.rules.target: region for region in caches}
    rules = {rule.target: rule for rule in invalidator or ()}
    pooled = {known.rules.target: known for known in pools}
    sharing = {method: name for name, known in pooled.items() for method in known.rules.per_thread}
    in_source = source.targets() if source is not None else []
    found = _find(target, [*regions, *rules, *pooled, *sharing, *in_source])
    region, rule = regions.get(found), rules.get(found)
    return Explanation(
        found,
        cached=_facts(region, others) if region is not None else {},
        dropped_by=_droppers(region, invalidator) if region is not None and invalidator is not None else (),
        drops=tuple(str(pattern) for pattern in rule.patterns) if rule is not None else (),
        when=when_text(rule) if rule is not None else "",
        pooled=_pool_facts_of(found, pooled, sharing),
        source=source.explain(found) if source is not None else None,
    )


def _find(target: str, known: list[str]) -> str:
    if target in known:
        return target
    ends = sorted({name for name in known if f".{Target.parse(name).path}".endswith(f".{target}")})
    if len(ends) == 1:
        return ends[0]
    if ends:
        raise TargetError(f"{target!r} names several methods: {', '.join(ends)}")
    raise TargetError(f"no rule names {target!r}{nearest(target, _spelled_alike(target, known))}")


def _spelled_alike(target: str, known: list[str]) -> list[str]:
    """The known targets, whole or from the end, with as many parts as `target` has."""
    if ":" in target:
        return known
    parts = target.count(".") + 1
    return [".".join(Target.parse(name).path.split(".")[-parts:]) for name in known]


def _facts(region: Region, others: SharedCounters | None) -> dict[str, str]:
    rules = region.rules
    facts = {
        "cached in": rules.namespace,
        "TTL": ttl_text(rules.ttl_seconds),
        "shared by": ", ".join(rules.key.scope) or "nobody: each instance has its own",
        "isolation": rules.copy_mode,
    }
    optional = {
        "fold": ", ".join(sorted(rules.key.fold)),
        "exclude": ", ".join(sorted(rules.key.exclude)),
        "include": ", ".join(rules.key.include),
        "secret": ", ".join(sorted(rules.key.secret)),
        "not kept": ", ".join(map(repr, rules.unless_results)),
        **age_facts(rules),
        **trust_facts(rules, region.counters),
        **({} if region.watch is None else region.watch.told_of(region)),
        **sharing_facts(region, others),
        "not cached": region.why_off or "",
    }
    return facts | {name: fact for name, fact in optional.items() if fact}


def _droppers(region: Region, invalidator: Invalidator) -> tuple[tuple[str, str], ...]:
    by_rule = ((rule.target, str(pattern)) for rule, pattern in invalidator.dropping(region))
    by_sql = () if region.watch is None else (_BY_SQL,)
    return (*by_rule, *by_sql)


_BY_SQL = ("any statement that changes what it reads", "sql")


def when_text(rule: WriteRule) -> str:
    """On which results a write drops entries."""
    return "whatever it returns" if rule.when == "always" else "unless it returns something falsy"


def _pool_facts_of(
    target: str, pooled: Mapping[str, PooledConnect], sharing: Mapping[str, str]
) -> dict[str, str]:
    facts = {}
    if target in sharing:
        facts["per thread"] = "each thread has its own connection, until it commits or rolls back"
        facts["pool of"] = sharing[target]
    if target in pooled:
        facts |= pool_facts(pooled[target].rules) | pool_figures(pooled[target])
    return {name: fact for name, fact in facts.items() if fact}
