"""One call of a cached method, turned into one use of its region.

The rule of this file and of the two below it: the method itself runs exactly once or not at all, its
exceptions pass untouched, and whatever goes wrong around it leads to the plain call.
"""

from __future__ import annotations

from typing import Any

from wats_accel.cache.background import Background
from wats_accel.cache.keys import KeyMaker
from wats_accel.cache.loads import doubt_loads, stacks
from wats_accel.cache.region import Region
from wats_accel.wrappers.bypassing import Call, NextChange
from wats_accel.wrappers.cached_method import CachedMethod
from wats_accel.wrappers.hit_path import quick

_ABSENT, _FAILED, _TOO_DEEP = object(), object(), object()


def cached(
    call: Call,
    region: Region,
    keys: KeyMaker,
    *,
    next_change: NextChange | None = None,
    background: Background | None = None,
) -> Call:
    """The function that stands in for `call`: answers from the region, or runs it and stores.

    Args:
        call: the method itself.
        region: its cache.
        keys: makes its keys.
        next_change: tells, once for each load, when time alone changes the answer.
        background: where answers are renewed before they expire, if the rules ask for that.
    """
    method = CachedMethod(call, region, keys, next_change, background)

    def cached_call(*args: Any, **kwargs: Any) -> Any:
        if not region.active and not region.try_again():
            if stacks or region.is_broken:
                return method.past_the_cache("switched_off", args, kwargs)
            return call(*args, **kwargs)
        if region.writers.under_way:
            why = method.why_keep_away(args, kwargs)
            if why is not None:
                return method.past_the_cache(why, args, kwargs)
        key = entry = failure = None
        try:
            key = keys.key(args, kwargs)
            entry = region.lookup(key)
            answer = _ABSENT if entry is None else entry.snapshot.give()
        except RecursionError:  # nothing may be called from here: it would get this as context
            answer = _TOO_DEEP
        except Exception as error:  # noqa: BLE001 - as above
            answer, failure = _FAILED, type(error).__name__
        if answer is _TOO_DEEP:
            doubt_loads()
            return call(*args, **kwargs)
        if answer is _FAILED or key is None:
            return method.after_failed_lookup(key, entry, failure, args, kwargs)
        if answer is _ABSENT:
            return method.load(key, args, kwargs)  # point: missed
        region.counters.hits += 1  # point: answer-given
        if stacks or region.on_hit.listeners:
            method.note_hit(entry, args, kwargs)
        return answer

    return quick(call, cached_call, region, keys, method.note_hit)
