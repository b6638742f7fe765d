"""Pools in words: their rules, and what they have done."""

from __future__ import annotations

from wats_accel.durations import format_duration
from wats_accel.pool.pooled_connect import PooledConnect
from wats_accel.pool.rules import NEVER, PoolRules


def pool_facts(rules: PoolRules) -> dict[str, str]:
    """The rules of a pool, by name; one that says nothing is empty."""
    return {
        "pooled": f"{size_of(rules)}, for each set of connect arguments",
        "linger": _linger(rules),
        "timeout": f"{_duration(rules.timeout_seconds)}, then {_then(rules)}",
        "recycle": _recycle(rules),
        "pre-ping": _pre_ping(rules),
        "taken first": "" if rules.lifo else "the one that has waited longest",
        "min idle": str(rules.min_idle or ""),
        "reset": rules.reset,
        "leak after": _leak_after(rules),
        "long-lived": ", ".join(rules.long_lived),
        "per thread": ", ".join(rules.per_thread),
    }


def pool_figures(pooled: PooledConnect) -> dict[str, str]:
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


def size_of(rules: PoolRules) -> str:
    """How many connections there may be."""
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
