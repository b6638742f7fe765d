"""Which function stands in for a cached method: what its rules say of trust in it."""

from __future__ import annotations

from typing import Any

from wats_accel.cache.keys import KeyMaker
from wats_accel.cache.region import Region
from wats_accel.frames import forgetful
from wats_accel.wrappers.bypassing import Call
from wats_accel.wrappers.cached import cached
from wats_accel.wrappers.shadowing import shadowed
from wats_accel.wrappers.verifying import verifying


def answering(call: Call, region: Region, keys: KeyMaker, **options: Any) -> Call:
    """What stands in for `call`: in the shadow, verified, or just cached. Options are those of `cached`."""
    make = shadowed if region.rules.shadow else verifying if region.rules.verify_share else cached
    made = make(call, region, keys, **options)
    return forgetful(made) if keys.has_secrets else made
