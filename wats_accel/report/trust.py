"""Trust: what a cached method is verified by, and what that has found."""

from __future__ import annotations

from wats_accel.cache.region_rules import RegionRules
from wats_accel.counters import Counters
from wats_accel.telemetry.trust import shadow_text, verified_text


def trust_facts(rules: RegionRules, counters: Counters) -> dict[str, str]:
    """What was found of a cached method that is verified, or in the shadow, by name; else empty."""
    return {
        "shadow": shadow_text(counters) if rules.shadow else "",
        "verify": _sample(rules) if rules.verify_share and not rules.shadow else "",
        "verified": verified_text(counters) if rules.verify_share or rules.shadow else "",
    }


def _sample(rules: RegionRules) -> str:
    then = "switches it off" if rules.disable_on_difference else "is reported"
    return f"{rules.verify_share * 100:.10g}% of hits; a difference {then}"
