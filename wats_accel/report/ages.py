"""Ages in words: how long an answer is good, what may shorten that, and what may stretch it."""

from __future__ import annotations

from wats_accel.cache.region_rules import RegionRules
from wats_accel.durations import format_duration

_USUAL_WAIT = RegionRules("", "", "", 0.0).wait_seconds


def ttl_text(ttl_seconds: float) -> str:
    """A TTL as people write it."""
    return format_duration(ttl_seconds) if ttl_seconds else "until invalidated"


def age_facts(rules: RegionRules) -> dict[str, str]:
    """The policies of a cached method that are on, by name; one that is off is empty."""
    ages = rules.ages
    return {
        "valid until": f"the moment that {ages.valid_until} tells" if ages.valid_until else "",
        "max age": format_duration(ages.max_age_seconds) if ages.max_age_seconds else "",
        "jitter": f"up to {_percent(ages.jitter)} shorter" if ages.jitter else "",
        "refresh ahead": f"after {_percent(ages.refresh_after)} of its life" if ages.refresh_after else "",
        "stale answers": _grace(rules),
        "wait": _wait(rules.wait_seconds) if rules.wait_seconds != _USUAL_WAIT else "",
    }


def _grace(rules: RegionRules) -> str:
    if not rules.ages.grace_seconds:
        return ""
    failures = list(rules.ages.grace_errors)
    failures += ["answers that are not kept"] if rules.unless_results else []
    return f"for {format_duration(rules.ages.grace_seconds)}, on {', '.join(failures) or 'no failure'}"


def _wait(seconds: float) -> str:
    return f"{format_duration(seconds)} for another load" if seconds else "for no other load"


def _percent(share: float) -> str:
    return f"{share * 100:.10g}%"
