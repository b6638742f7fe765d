"""Which function stands in for a cached method: what its rules say of trust in it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from wats_accel.cache.keys import KeyMaker
from wats_accel.cache.region import Region
from wats_accel.cache.region_rules import RegionRules
from wats_accel.frames import forgetful
from wats_accel.wrappers.bypassing import Call
from wats_accel.wrappers.cached import cached


def answering(call: Call, region: Region, keys: KeyMaker, **options: Any) -> Call:
    """What stands in for `call`: in the shadow, verified, or just cached. Options are those of `cached`."""
    made = _maker(region.rules)(call, region, keys, **options)
    return forgetful(made) if keys.has_secrets else made


def _maker(rules: RegionRules) -> Callable[..., Call]:
    if rules.shadow:
        from wats_accel.wrappers.shadowing import shadowed  # noqa: PLC0415 - few methods are on trial

        return shadowed
    if rules.verify_share:
        from wats_accel.wrappers.verifying import verifying  # noqa: PLC0415 - as above

        return verifying
    return cached
