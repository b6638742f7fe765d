"""Explanations: what is cached, what drops it, and how connections are pooled; for one target or for all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from wats_accel.cache.region import Region
from wats_accel.durations import format_duration
from wats_accel.errors import TargetError
from wats_accel.invalidation import Invalidator, WriteRule
from wats_accel.patching.plan import Layer, PatchPlan
from wats_accel.pool.pooled_connect import PooledConnect
from wats_accel.pool.rules import NEVER, PoolRules
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
    """

    target: str
    cached: dict[str, str]
    dropped_by: tuple[tuple[str, str], ...] = ()
    drops: tuple[str, ...] = ()
    when: str = ""
    pooled: dict[str, str] = field(default_factory=dict)

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


def explain(
    target: str,
    caches: Iterable[Region],
    invalidator: Invalidator | None,
    pools: Iterable[PooledConnect] = (),
    plan: PatchPlan | None = None,
) -> Explanation:
    """Explain one method, named by its target or by the end of it (``UserRepository.get_user_role``).

    Args:
        target: the method, or a pooled `connect`.
        caches: the cached methods.
        invalidator: knows the writes.
        pools: the pooled `connect` callables.
        plan: tells which methods open a connection for each thread.

    Raises:
        TargetError: no rule names it, or several do.
    """
    regions = {region.rules.target: region for region in caches}
    rules = {rule.target: rule for rule in invalidator or ()}
    pooled = {known.rules.target: known for known in pools}
    sharing = sharing_methods(plan or PatchPlan(), pooled)
    found = _find(target, [*regions, *rules, *pooled, *sharing])
    region, rule = regions.get(found), rules.get(found)
    return Explanation(
        found,
        cached=_facts(region) if region is not None else {},
        dropped_by=_droppers(region, invalidator) if region is not None and invalidator is not None else (),
        drops=tuple(str(pattern) for pattern in rule.patterns) if rule is not None else (),
        when=_when(rule) if rule is not None else "",
        pooled=_pool_facts_of(found, pooled, sharing),
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


def _facts(region: Region) -> dict[str, str]:
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
        "not kept": ", ".join(map(repr, rules.unless_results)),
        "not cached": region.suspended or ("" if region.active else "switched off"),
    }
    return facts | {name: fact for name, fact in optional.items() if fact}


def ttl_text(ttl_seconds: float) -> str:
    """A TTL as people write it."""
    return format_duration(ttl_seconds) if ttl_seconds else "until invalidated"


def _droppers(region: Region, invalidator: Invalidator) -> tuple[tuple[str, str], ...]:
    return tuple((rule.target, str(pattern)) for rule, pattern in invalidator.dropping(region))


def _when(rule: WriteRule) -> str:
    return "whatever it returns" if rule.when == "always" else "unless it returns something falsy"


# -- pools -------------------------------------------------------------------------------------------


def sharing_methods(plan: PatchPlan, pooled: Iterable[str]) -> dict[str, str]:
    """The methods whose connection each thread has for itself, with the `connect` that opens it.

    They are what a pool's entry of the configuration has patched besides its `connect`.
    """
    known = set(pooled)
    connecting = [spec for patch in plan for spec in patch.specs if spec.layer is Layer.CONNECT]
    entries = {spec.key_path[:2]: str(spec.target) for spec in connecting if str(spec.target) in known}
    return {
        str(spec.target): entries[spec.key_path[:2]]
        for spec in connecting
        if str(spec.target) not in known and spec.key_path[:2] in entries
    }


def _pool_facts_of(
    target: str, pooled: Mapping[str, PooledConnect], sharing: Mapping[str, str]
) -> dict[str, str]:
    facts = {}
    if target in sharing:
        facts["per thread"] = "each thread has its own connection, until it commits or rolls back"
        facts["pool of"] = sharing[target]
    if target in pooled:
        facts |= _pool_facts(pooled[target].rules)
        facts["per thread"] = ", ".join(method for method, connect in sharing.items() if connect == target)
        facts |= _pool_figures(pooled[target])
    return {name: fact for name, fact in facts.items() if fact}


def _pool_facts(rules: PoolRules) -> dict[str, str]:
    return {
        "pooled": f"{_size(rules)}, for each set of connect arguments",
        "linger": _linger(rules),
        "timeout": f"{_duration(rules.timeout_seconds)}, then {_then(rules)}",
        "recycle": _recycle(rules),
        "pre-ping": _pre_ping(rules),
        "taken first": "" if rules.lifo else "the one that has waited longest",
        "min idle": str(rules.min_idle or ""),
        "reset": rules.reset,
        "leak after": _leak_after(rules),
        "long-lived": ", ".join(rules.long_lived),
    }


def _pool_figures(pooled: PooledConnect) -> dict[str, str]:
    """What the pools of a running process have done; nothing before the first connection."""
    counters = pooled.counters
    figures = {"not pooled": "" if pooled.active else "switched off"}
    if not pooled.pools and not counters.bare:
        return figures
    discarded = sorted(counters.discarded.items())
    return figures | {
        "now": f"{pooled.checked_out} in use, {pooled.idle} idle, in {len(pooled.pools)} pools",
        "so far": (
            f"{counters.opened} opened, {counters.reused} reused, {counters.direct} direct, "
            f"{counters.bare} bare"
        ),
        "discarded": ", ".join(f"{count} ({why})" for why, count in discarded),
        "suspected": f"{counters.leaks} leaks" if counters.leaks else "",
    }


def _size(rules: PoolRules) -> str:
    return f"{rules.size} kept, {rules.max_overflow} overflow"


def _linger(rules: PoolRules) -> str:
    if not rules.max_overflow:
        return ""
    return f"overflow stays for {format_duration(rules.linger_seconds)}" if rules.linger_seconds else "none"


def _duration(seconds: float) -> str:
    return format_duration(seconds) if seconds else "0s"


def _then(rules: PoolRules) -> str:
    return "an unpooled connection" if rules.on_exhausted == "direct" else "a longer wait"


def _recycle(rules: PoolRules) -> str:
    return f"after {format_duration(rules.recycle_seconds)}" if rules.recycle_seconds else "never"


def _pre_ping(rules: PoolRules) -> str:
    if rules.ping_after_seconds == NEVER:
        return "never"
    idle = rules.ping_after_seconds
    return f"after {format_duration(idle)} idle" if idle else "always"


def _leak_after(rules: PoolRules) -> str:
    return format_duration(rules.leak_after_seconds) if rules.leak_after_seconds else "never"


# -- the whole, as a page ----------------------------------------------------------------------------


def markdown_report(
    caches: Iterable[Region],
    invalidator: Invalidator,
    pools: Iterable[PooledConnect] = (),
    plan: PatchPlan | None = None,
) -> str:
    """All rules as Markdown tables: what is cached for how long, what drops it, what is pooled."""
    regions = sorted(caches, key=lambda region: region.rules.target)
    rules = sorted(invalidator, key=lambda rule: rule.target)
    pooled = sorted(pools, key=lambda known: known.rules.target)
    lines = [
        f"{len(regions)} cached reads, {len(rules)} invalidating writes"
        + (f", {len(pooled)} connection pools." if pooled else "."),
        "",
        "## Cached reads",
        "",
        "| Repository | Method | Namespace | TTL | Dropped by |",
        "|---|---|---|---|---|",
        *(_read_row(region, invalidator) for region in regions),
        "",
        "## Invalidating writes",
        "",
        "| Repository | Method | Drops | When |",
        "|---|---|---|---|",
        *(_write_row(rule) for rule in rules),
        *_pool_table(pooled, plan or PatchPlan()),
    ]
    return "\n".join(lines) + "\n"


_POOL_COLUMNS = ("Connections", "Timeout", "Recycle", "Pre-ping", "Reset", "Leak after")


def _pool_table(pools: list[PooledConnect], plan: PatchPlan) -> Iterator[str]:
    if not pools:
        return
    yield from ("", "## Connection pools", "")
    yield f"| Connect | {' | '.join(_POOL_COLUMNS)} | Long-lived | Per thread |"
    yield "|---|" + "---|" * len(_POOL_COLUMNS) + "---|---|"
    sharing = sharing_methods(plan, [known.rules.target for known in pools])
    for known in pools:
        yield _pool_row(known.rules, [method for method, of in sharing.items() if of == known.rules.target])


def _pool_row(rules: PoolRules, per_thread: list[str]) -> str:
    facts = _pool_facts(rules) | {"connections": _size(rules)}
    cells = [facts[column.lower()] for column in _POOL_COLUMNS]
    methods = (rules.long_lived, per_thread)
    cells += ["<br>".join(f"`{_path(name)}`" for name in names) or "none" for names in methods]
    return f"| `{rules.target}` | {' | '.join(cells)} |"


def _path(target: str) -> str:
    return target.partition(":")[2] or target


def _read_row(region: Region, invalidator: Invalidator) -> str:
    owner, method = _split(region.rules.target)
    writes = dict.fromkeys(Target.parse(rule.target).path for rule, _ in invalidator.dropping(region))
    droppers = "<br>".join(f"`{write}`" for write in writes) or "its TTL only"
    ttl = ttl_text(region.rules.ttl_seconds)
    return f"| `{owner}` | `{method}` | `{region.rules.namespace}` | {ttl} | {droppers} |"


def _write_row(rule: WriteRule) -> str:
    owner, method = _split(rule.target)
    patterns = "<br>".join(f"`{pattern}`" for pattern in rule.patterns)
    return f"| `{owner}` | `{method}` | {patterns} | {_when(rule)} |"


def _split(target: str) -> tuple[str, str]:
    parsed = Target.parse(target)
    owner, _, method = parsed.path.rpartition(".")
    return owner or parsed.module, method
