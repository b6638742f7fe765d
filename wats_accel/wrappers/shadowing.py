"""One call of a cached method that is on trial: the method answers it, and its cache runs beside it.

The rule of this file: the caller gets what the method gave, whatever goes wrong around it; and the method
runs exactly once.
"""

from __future__ import annotations

import contextlib
import time
import weakref
from typing import Any

from wats_accel.cache.background import Background
from wats_accel.cache.checking import Inconclusive, begin_beside, compare, end_beside, would_answer
from wats_accel.cache.entries import Entry, Key
from wats_accel.cache.keys import KeyMaker
from wats_accel.cache.loading import end, fail, finish
from wats_accel.cache.loads import Load, innermost_load, runs_here, stacks
from wats_accel.cache.region import Region
from wats_accel.events import AnswerDiffers, Miss
from wats_accel.frames import forgetful
from wats_accel.wrappers.cached import Args, CachedMethod, Call, Kwargs, NextChange, cause_of


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
            return method.past_the_cache("switched_off", args, kwargs) if stacks else call(*args, **kwargs)
        return method.answer(args, kwargs)

    return forgetful(shadowed_call) if keys.has_secrets else shadowed_call


class _ShadowedMethod(CachedMethod):
    """What the calls of one method in the shadow share."""

    __slots__ = ("_told",)

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._told: weakref.WeakSet[Entry] = weakref.WeakSet()

    def answer(self, args: Args, kwargs: Kwargs) -> Any:
        """What the method gives, or raises."""
        key, why_not = self._find_key(args, kwargs)
        if key is None:
            return self.past_the_cache(why_not, args, kwargs)
        load = self._new_load(key, args, kwargs)
        if load is None:
            return self.past_the_cache("load_not_registered", args, kwargs)
        try:
            return self._answer_of(load, args, kwargs)
        except BaseException:
            end(self._region, load)  # so it has, unless a Control-C came before it could
            raise

    def _find_key(self, args: Args, kwargs: Kwargs) -> tuple[Key | None, str]:
        try:
            why = self.why_keep_away(args, kwargs) if self._region.writers.under_way else None
            if why is not None:
                return None, why
            key = self._keys.key(args, kwargs)
        except Exception:  # noqa: BLE001 - as without a cache
            return None, self.why_no_key(args, kwargs)
        if stacks and runs_here(self._region.rules.target, key):
            return None, "own_load"
        return key, ""

    def _answer_of(self, load: Load, args: Args, kwargs: Kwargs) -> Any:
        entry = self._begin(load, args, kwargs)
        try:
            result = self._call(*args, **kwargs)
        except BaseException as error:
            with contextlib.suppress(Exception):
                self._after_error(load, entry, error)
            raise
        with contextlib.suppress(Exception):
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
        except Exception:  # noqa: BLE001 - without a registered load nothing is stored or compared
            load.objection = load.objection or "load_not_registered"
            return None
        return entry

    # -- afterwards ------------------------------------------------------------------------------------

    def _after_error(self, load: Load, entry: Entry | None, error: BaseException) -> None:
        if entry is not None:
            self._count_hit(load)
            self._region.counters.inconclusive += 1
        fail(self._region, load, cause_of(error))

    def _after_answer(self, load: Load, entry: Entry | None, result: Any, args: Args, kwargs: Kwargs) -> None:
        if entry is not None:
            self._count_hit(load)
            self._judge(load, entry, result)
        if entry is None or load.renews:  # in the background it would have been renewed by now
            finish(self._region, load, result, objection=self._objection(load.key, result, args, kwargs))
        else:
            end_beside(self._region, load, result)

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
            self._region.bus.emit(AnswerDiffers(load.label(), load.target, how, "shadow"))
