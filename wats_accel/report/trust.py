"""Trust in words: what the method's own answers have told of the cache's."""

from __future__ import annotations

from wats_accel.cache.region_rules import RegionRules
from wats_accel.counters import Counters


def trust_facts(rules: RegionRules, counters: Counters) -> dict[str, str]:
    """What was found of a cached method that is verified, or in the shadow, by name; else empty."""
    return {
        "shadow": _shadow(counters) if rules.shadow else "",
        "verify": _sample(rules) if rules.verify_share and not rules.shadow else "",
        "verified": _verified(counters) if rules.verify_share or rules.shadow else "",
    }


def _shadow(counters: Counters) -> str:
    hits, calls = counters.shadow_hits, counters.shadow_hits + counters.misses
    share = f" ({100 * hits / calls:.0f} %)" if calls else ""
    saved = f"saved {counters.shadow_saved_seconds:.1f} s"
    return f"would have answered {hits} of {calls} calls{share}, {saved}, {counters.shadow_stale} stale"


def _sample(rules: RegionRules) -> str:
    then = "switches it off" if rules.disable_on_difference else "is reported"
    return f"{rules.verify_share * 100:.10g}% of hits; a difference {then}"


def _verified(counters: Counters) -> str:
    silent = f", {counters.inconclusive} more said nothing" if counters.inconclusive else ""
    return f"{_many(counters.verified, 'hit')}: {_many(counters.differences, 'difference')}{silent}"


def _many(count: int, word: str) -> str:
    return f"{count} {word}" if count == 1 else f"{count} {word}s"
