"""Verification: on a share of the hits the method itself runs, too, in the background, and is compared."""

from __future__ import annotations

from functools import partial
from random import Random
from typing import Any

from wats_accel.cache.background import Background
from wats_accel.cache.checking import Inconclusive, begin_beside, compare
from wats_accel.cache.entries import Entry, Key
from wats_accel.cache.freezing import is_immutable
from wats_accel.cache.keys import KeyMaker
from wats_accel.cache.loads import Load
from wats_accel.cache.region import Region
from wats_accel.events import CacheSuspended
from wats_accel.forks import begins_anew_when_forked
from wats_accel.wrappers.bypassing import Args, Call, Kwargs, NextChange
from wats_accel.wrappers.cached import cached
from wats_accel.wrappers.compared import ComparedMethod

_MOST_PENDING = 10
WHY_OFF = "an answer was not the method's own"


def verifying(
    call: Call,
    region: Region,
    keys: KeyMaker,
    *,
    next_change: NextChange | None = None,
    background: Background | None = None,
) -> Call:
    """The function that stands in for `call`: what `cached` gives, and a sample of its hits is verified.

    Arguments are those of `cached`.
    """
    answer = cached(call, region, keys, next_change=next_change, background=background)
    method = _VerifiedMethod(call, region, keys, next_change, background)
    share = region.rules.verify_share
    draw = Random().random  # not every hundredth call: callers have their own rhythms

    def verifying_call(*args: Any, **kwargs: Any) -> Any:
        if draw() >= share or not region.active:
            return answer(*args, **kwargs)
        entry = method.entry_of(args, kwargs)
        given = answer(*args, **kwargs)
        if entry is not None:
            method.verify(entry, args, kwargs)
        return given

    return verifying_call


class _VerifiedMethod(ComparedMethod):
    """What the verified calls of one method share."""

    __slots__ = ("__weakref__", "_pending")

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.begin_anew()
        begins_anew_when_forked(self)

    def begin_anew(self) -> None:
        """Have nothing to verify: so at first, and in a child process."""
        self._pending: dict[Key, None] = {}  # for its single, indivisible steps

    def entry_of(self, args: Args, kwargs: Kwargs) -> Entry | None:
        """The entry that will answer a call, if one will. Raises nothing."""
        try:
            if self._region.writers.under_way and self.why_keep_away(args, kwargs) is not None:
                return None
            entry = self._region.lookup(self._keys.key(args, kwargs))
        except Exception:  # noqa: BLE001 - the call itself finds out what becomes of it
            return None
        return entry if isinstance(entry, Entry) else None

    def verify(self, entry: Entry, args: Args, kwargs: Kwargs) -> None:
        """Have an entry compared with the method's own answer; not if too many wait. Raises nothing."""
        try:
            own = args[1:] if self._keys.has_instance else args
            if not all(map(is_immutable, (*own, *kwargs.values()))):
                self._region.counters.inconclusive += 1  # somebody may change them meanwhile
            elif self._background is not None and self._has_room_for(entry.key):
                self._pending[entry.key] = None
                if not self._background.submit(partial(self._in_background, entry, args, kwargs)):
                    self._pending.pop(entry.key, None)
        except Exception:  # noqa: BLE001 - the call has its answer
            self._pending.pop(entry.key, None)

    def _has_room_for(self, key: Key) -> bool:
        return key not in self._pending and len(self._pending) < _MOST_PENDING

    # -- in the background -----------------------------------------------------------------------------

    def _in_background(self, entry: Entry, args: Args, kwargs: Kwargs) -> None:
        try:
            load = self._new_load(entry.key, args, kwargs)
            how = None if load is None else self._compared(load, entry, args, kwargs)
        except BaseException:  # noqa: BLE001 - nobody waits for it; the method failed, or nobody can tell
            self._region.counters.inconclusive += 1
            return
        finally:
            self._pending.pop(entry.key, None)
        self._region.counters.verified += 1
        if load is not None and how is not None:
            self._report(load, entry, how)

    def _compared(self, load: Load, entry: Entry, args: Args, kwargs: Kwargs) -> str | None:
        try:
            begin_beside(self._region, load)
            if not self._region.vouches_for(entry) or self.why_keep_away(args, kwargs):
                raise Inconclusive("overtaken")  # then the method need not even run
            result = self._call(*args, **kwargs)
            objection = self._objection(load, result, args, kwargs)
            if objection is not None:
                raise Inconclusive(objection)
            return compare(self._region, load, entry, result)
        finally:
            self._end(load)

    def _report(self, load: Load, entry: Entry, how: str) -> None:
        region = self._region
        region.counters.differences += 1
        region.discard(entry)  # it is wrong now, however that came; the next call loads
        disables = region.rules.disable_on_difference and region.active
        if disables:
            region.switch(enabled=False, why=WHY_OFF)
            try:
                region.invalidate()  # what else it has, and what was made from that
            except Exception as error:  # noqa: BLE001 - nothing is answered from it, nor when it is enabled
                region.quarantine(f"emptying it failed: {type(error).__name__}")
        self._tell_of_difference(load, how, "verify")
        if disables:
            region.bus.emit(CacheSuspended(load.target, WHY_OFF))
