"""One call of a cached method that is on trial: the method answers it, and its cache runs beside it.

The rule of this file: the caller gets what the method gave, whatever goes wrong around it; and the method
runs exactly once.
"""

from __future__ import annotations

import time
import weakref
from typing import Any

from wats_accel.cache.background import Background
from wats_accel.cache.checking import Inconclusive, begin_beside, compare, end_beside, would_answer
from wats_accel.cache.entries import Entry
from wats_accel.cache.keys import KeyMaker
from wats_accel.cache.loading import fail, finish
from wats_accel.cache.loads import Load, doubt_loads, innermost_load, stacks
from wats_accel.cache.region import Region
from wats_accel.events import Miss
from wats_accel.wrappers.bypassing import Args, Call, Kwargs, NextChange
from wats_accel.wrappers.cached_method import cause_of
from wats_accel.wrappers.compared import ComparedMethod


def shadowed(
    call: Call,
    region: Region,
    keys: KeyMaker,
    *,
    next_change: NextChange | None = None,
    background: Background | None = None,
) -> Call:
    """The function that stands in for `call` in the shadow: its own answer, and figures of what would be.

    Nothing is answered from the cache, nobody waits for another call, and no failure is stood in for.
    Arguments are those of `cached`.
    """
    method = _ShadowedMethod(call, region, keys, next_change, background)

    def shadowed_call(*args: Any, **kwargs: Any) -> Any:
        if not region.active and not region.try_again():
            if stacks or region.is_broken:
                return method.past_the_cache("switched_off", args, kwargs)
            return call(*args, **kwargs)
        key = why = None
        try:
            if region.writers.under_way:
                why = method.why_keep_away(args, kwargs)
            if why is None:
                key = keys.key(args, kwargs)
        except RecursionError:  # nothing may be called from here: it would get this as context
            why = _TOO_DEEP
        except Exception:  # noqa: BLE001 - as above
            why = _NO_KEY
        if why is _TOO_DEEP:
            doubt_loads()
            return call(*args, **kwargs)
        if key is None:
            return method.past_the_cache(why or _NO_KEY, args, kwargs)
        return method.load(key, args, kwargs)

    return shadowed_call


_TOO_DEEP, _NO_KEY = "too_deep", "no_key"


class _ShadowedMethod(ComparedMethod):
    """What the calls of one method in the shadow share."""

    __slots__ = ("_told",)

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._told: weakref.WeakSet[Entry] = weakref.WeakSet()

    def past_the_cache(self, why: str, args: Args, kwargs: Kwargs) -> Any:
        """What the method gives, or raises, of a call that its cache has no part in."""
        return super().past_the_cache(self.why_no_key(args, kwargs) if why == _NO_KEY else why, args, kwargs)

    def _answer_of(self, load: Load, args: Args, kwargs: Kwargs) -> Any:
        entry = self._begin(load, args, kwargs)
        try:
            result = self._call(*args, **kwargs)
        except BaseException as error:
            self._after_error(load, entry, error)
            raise
        self._after_answer(load, entry, result, args, kwargs)
        return result

    def _begin(self, load: Load, args: Args, kwargs: Kwargs) -> Entry | None:
        region = self._region
        try:
            entry = would_answer(region, load)
            outer = innermost_load()
            begin_beside(region, load)
            if entry is None:
                region.counters.misses += 1
                region.bus.checkpoint()
                if region.on_miss.listeners:
                    region.on_miss.send(Miss(load.label(), load.target))
            if entry is None or load.renews or outer is not None:
                self._rest_on_time(load, args, kwargs)
        except RecursionError:  # no room is left, and nothing is wrong
            load.objection = "load_not_registered"
            return None
        except Exception as error:  # noqa: BLE001 - without a registered load nothing is stored or compared
            load.objection = "load_not_registered"
            self._region.broke(error)
            return None
        return entry

    # -- afterwards ------------------------------------------------------------------------------------

    def _after_error(self, load: Load, entry: Entry | None, error: BaseException) -> None:
        try:
            if entry is not None:
                self._count_hit(load)
                self._region.counters.inconclusive += 1
            fail(self._region, load, cause_of(error))
        except Exception as own:  # noqa: BLE001 - the caller gets what the method raised
            self._give_up(load, own)

    def _after_answer(self, load: Load, entry: Entry | None, result: Any, args: Args, kwargs: Kwargs) -> None:
        try:
            if entry is not None:
                self._count_hit(load)
                self._judge(load, entry, result)
            if entry is None or load.renews:  # in the background it would have been renewed by now
                objection = self._objection(load, result, args, kwargs)
                finish(self._region, load, result, objection=objection, never=self._receiver(args))
            else:
                end_beside(self._region, load, result)
        except Exception as own:  # noqa: BLE001 - the caller gets what the method gave
            self._give_up(load, own)

    def _count_hit(self, load: Load) -> None:
        self._region.counters.shadow_hits += 1
        self._region.counters.shadow_saved_seconds += time.perf_counter() - load.started

    def _judge(self, load: Load, entry: Entry, result: Any) -> None:
        """Before the caller gets the result: he may change it."""
        counters = self._region.counters
        try:
            how = compare(self._region, load, entry, result)
        except Inconclusive:
            counters.inconclusive += 1
            return
        counters.verified += 1
        if how is None:
            return
        counters.differences += 1
        counters.shadow_stale += 1
        # The entry stays, as it would have: each call that it would have answered counts. One line is enough.
        if entry not in self._told:
            self._told.add(entry)
            self._tell_of_difference(load, how, "shadow")
