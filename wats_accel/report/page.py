"""The page: all rules as Markdown tables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from wats_accel.cache.region import Region
from wats_accel.invalidation import Invalidator, WriteRule
from wats_accel.pool.pooled_connect import PooledConnect
from wats_accel.pool.rules import PoolRules
from wats_accel.report.ages import age_facts, ttl_text
from wats_accel.report.explanation import when_text
from wats_accel.report.pools import pool_facts, size_of
from wats_accel.targets import Target


def markdown_report(
    caches: Iterable[Region],
    invalidator: Invalidator,
    pools: Iterable[PooledConnect] = (),
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
        *_pool_table(pooled),
    ]
    return "\n".join(lines) + "\n"


_POOL_COLUMNS = ("Connections", "Timeout", "Recycle", "Pre-ping", "Reset", "Leak after")


def _pool_table(pools: list[PooledConnect]) -> Iterator[str]:
    if not pools:
        return
    yield from ("", "## Connection pools", "")
    yield f"| Connect | {' | '.join(_POOL_COLUMNS)} | Long-lived | Per thread |"
    yield "|---|" + "---|" * len(_POOL_COLUMNS) + "---|---|"
    for known in pools:
        yield _pool_row(known.rules)


def _pool_row(rules: PoolRules) -> str:
    facts = pool_facts(rules) | {"connections": size_of(rules)}
    cells = [facts[column.lower()] for column in _POOL_COLUMNS]
    methods = (rules.long_lived, rules.per_thread)
    cells += ["<br>".join(f"`{_path(name)}`" for name in names) or "none" for names in methods]
    return f"| `{rules.target}` | {' | '.join(cells)} |"


def _path(target: str) -> str:
    return target.partition(":")[2] or target


def _read_row(region: Region, invalidator: Invalidator) -> str:
    owner, method = _split(region.rules.target)
    writes = dict.fromkeys(Target.parse(rule.target).path for rule, _ in invalidator.dropping(region))
    droppers = "<br>".join(f"`{write}`" for write in writes) or "its TTL only"
    policies = [f"{name}: {fact}" for name, fact in age_facts(region.rules).items() if fact]
    ttl = "<br>".join([ttl_text(region.rules.ttl_seconds), *policies])
    return f"| `{owner}` | `{method}` | `{region.rules.namespace}` | {ttl} | {droppers} |"


def _write_row(rule: WriteRule) -> str:
    owner, method = _split(rule.target)
    patterns = "<br>".join(f"`{pattern}`" for pattern in rule.patterns)
    return f"| `{owner}` | `{method}` | {patterns} | {when_text(rule)} |"


def _split(target: str) -> tuple[str, str]:
    parsed = Target.parse(target)
    owner, _, method = parsed.path.rpartition(".")
    return owner or parsed.module, method
