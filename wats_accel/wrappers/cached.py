"""One call of a cached method, turned into one use of its region.

The rule of this file: the method itself runs exactly once or not at all, its exceptions pass
untouched, and whatever goes wrong around it leads to the plain call.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from wats_accel.cache.background import Background
from wats_accel.cache.entries import Entry, Key
from wats_accel.cache.freezing import Unfreezable, is_immutable
from wats_accel.cache.keys import KeyMaker, NoScopeError
from wats_accel.cache.loading import begin, begin_renewal, end, fail, finish, is_failure, rest_on_version
from wats_accel.cache.loads import Load, innermost_load, runs_here, spoil_loads, stacks
from wats_accel.cache.premises import ValidUntil
from wats_accel.cache.region import Region
from wats_accel.cache.texts import Texts
from wats_accel.events import Hit, Miss, RefreshFailed, ValidUntilFailed
from wats_accel.failures import note_failure
from wats_accel.frames import forgetful

Call = Callable[..., Any]
Args = tuple[Any, ...]
Kwargs = dict[str, Any]
NextChange = Callable[[Args, Kwargs], float | None]
"""When time alone changes the answer of a call, in seconds since the epoch; None: never."""

_ABSENT, _FAILED = object(), object()


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
        if not region.active:
            return method.past_the_cache("switched_off", args, kwargs) if stacks else call(*args, **kwargs)
        if region.writers.under_way:
            why = method.why_keep_away(args, kwargs)
            if why is not None:
                return method.past_the_cache(why, args, kwargs)
        key = entry = None
        try:
            key = keys.key(args, kwargs)
            entry = region.lookup(key)
            answer = _ABSENT if entry is None else entry.snapshot.give()
        except Exception:  # noqa: BLE001 - nothing may be called from here: it would get this as context
            answer = _FAILED
        if answer is _FAILED or key is None:
            return method.after_failed_lookup(key, entry, args, kwargs)
        if answer is _ABSENT:
            return method.load(key, args, kwargs)  # point: missed
        region.counters.hits += 1  # point: answer-given
        if stacks:
            _rest_on(entry)
        if region.on_hit.listeners:
            region.on_hit.send(Hit(keys.label(region.prefix, args, kwargs), region.rules.target))
        return answer

    return forgetful(cached_call) if keys.has_secrets else cached_call


class CachedMethod:
    """What the calls of one cached method share."""

    __slots__ = ("_background", "_call", "_keys", "_next_change", "_region", "_time_is_unknown")

    def __init__(
        self,
        call: Call,
        region: Region,
        keys: KeyMaker,
        next_change: NextChange | None,
        background: Background | None,
    ) -> None:
        self._call = call
        self._region = region
        self._keys = keys
        self._next_change = next_change
        self._background = background
        self._time_is_unknown = False

    # -- keys ----------------------------------------------------------------------------------------

    def why_keep_away(self, args: Args, kwargs: Kwargs) -> str | None:
        """Why a call must neither be answered from the cache nor be stored: a write that is under way."""
        return self._region.writers.why_keep_away(lambda: self._texts(args, kwargs))

    def _texts(self, args: Args, kwargs: Kwargs) -> Texts | None:
        try:
            return self._keys.texts(args, kwargs)
        except Exception:  # noqa: BLE001 - what cannot be told matches anything
            return None

    def why_no_key(self, args: Args, kwargs: Kwargs) -> str:
        """Why a call has no key."""
        try:
            self._keys.key(args, kwargs)
        except Unfreezable:
            return "argument_without_value_identity"
        except NoScopeError:
            return "instance_without_identity"
        except Exception:  # noqa: BLE001 - as above
            return "no_key"
        return "no_key"

    # -- misses --------------------------------------------------------------------------------------

    def after_failed_lookup(self, key: Key | None, entry: Entry | None, args: Args, kwargs: Kwargs) -> Any:
        """What a call gets that has no key, or whose entry cannot be read or given."""
        if key is None:
            return self.past_the_cache(self.why_no_key(args, kwargs), args, kwargs)
        self._region.note_bypass("lookup_failed")
        self._region.discard(entry)
        return self.load(key, args, kwargs)

    def load(self, key: Key, args: Args, kwargs: Kwargs) -> Any:
        """Run the method and store its answer, or get that of another call which does so already."""
        if stacks and runs_here(self._region.rules.target, key):
            return self.past_the_cache("own_load", args, kwargs)
        load = self._new_load(key, args, kwargs)
        if load is None:
            return self.past_the_cache("load_not_registered", args, kwargs)
        try:
            return self._answer_of(load, args, kwargs)
        except BaseException:
            # It has ended, unless a Control-C came before it could: then nobody must wait for it.
            end(self._region, load)
            raise

    def _answer_of(self, load: Load, args: Args, kwargs: Kwargs) -> Any:
        try:
            entry = begin(self._region, load)
            if entry is None:
                result = self._run(load, args, kwargs)
        except BaseException as error:
            answer = self._after_failure(load, error)
            if answer is _ABSENT:
                raise
            return answer
        if entry is not None:
            return self._answer_of_another(load, entry, args, kwargs)
        objection = self._objection(load.key, result, args, kwargs)
        stand_in = finish(self._region, load, result, objection=objection)
        answer = _ABSENT if stand_in is None else _given(stand_in)
        return result if answer is _ABSENT else answer

    def _new_load(self, key: Key, args: Args, kwargs: Kwargs) -> Load | None:
        label = functools.partial(self._keys.label, self._region.prefix, args, kwargs)
        try:
            return Load(self._region.rules.target, key, self._keys.texts(args, kwargs), label)
        except Exception:  # noqa: BLE001 - without a registered load nothing may be stored
            return None

    def _run(self, load: Load, args: Args, kwargs: Kwargs) -> Any:
        on_miss = self._region.on_miss
        if on_miss.listeners:
            on_miss.send(Miss(load.label(), load.target))
        self._rest_on_time(load, args, kwargs)
        return self._call(*args, **kwargs)

    def _rest_on_time(self, load: Load, args: Args, kwargs: Kwargs) -> None:
        """Have a load, this call's or one around it, rest on when time alone changes the answer.

        Before the method runs: what changes while it does must not be taken for the state after it.
        """
        if self._next_change is None:
            return
        try:
            moment = self._next_change(args, kwargs)
        except Exception as error:  # noqa: BLE001 - a query of the maintainer's, on a foreign driver
            spoil_loads("valid_until_failed")
            if not self._time_is_unknown:  # once, until it works again: no flood of warnings
                self._time_is_unknown = True
                self._region.bus.emit(ValidUntilFailed(self._region.rules.target, type(error).__name__))
            return
        self._time_is_unknown = False
        if moment is not None:
            load.rest_on_moment(ValidUntil(moment, self._region.wall_clock))

    def _after_failure(self, load: Load, error: BaseException) -> Any:
        stand_in = fail(self._region, load, cause_of(error))
        return _ABSENT if stand_in is None else _given(stand_in)

    def _answer_of_another(self, load: Load, entry: Entry, args: Args, kwargs: Kwargs) -> Any:
        answer = _given(entry)
        if answer is _ABSENT:
            return self.past_the_cache("lookup_failed", args, kwargs)
        _rest_on(entry)
        if load.renews:
            self._renew(load.key, args, kwargs)
        return answer

    def _objection(self, key: Key, result: Any, args: Args, kwargs: Kwargs) -> str | None:
        """Why this answer must not be kept, as far as the arguments tell.

        A hit can neither change the caller's arguments as the method did, nor give one of them back.
        """
        try:
            if self._keys.key(args, kwargs) != key:
                return "arguments_changed"
        except Exception:  # noqa: BLE001 - what cannot be told any more is taken as changed
            return "arguments_changed"
        returned = any(result is known for known in (*args, *kwargs.values()))
        instance = args[0] if self._keys.has_instance and args else _ABSENT
        if not returned or (is_immutable(result) and result is not instance):
            return None
        return "returned_an_argument"

    # -- past the cache ------------------------------------------------------------------------------

    def past_the_cache(self, why: str, args: Args, kwargs: Kwargs) -> Any:
        """Run the method as if there were no cache; a load around it must know what it has got."""
        region = self._region
        if region.active:
            region.note_bypass(why)
        outer = innermost_load()
        if outer is None:
            return self._call(*args, **kwargs)
        if why in _DURING_A_WRITE or region.suspended:
            spoil_loads("inner_suspended" if region.suspended else why)
            return self._call(*args, **kwargs)
        version, began_at = region.version, region.clock()
        self._rest_on_time(outer, args, kwargs)
        try:
            result = self._call(*args, **kwargs)
        except BaseException:
            note_failure()  # its caller may swallow it
            raise
        if _counts_as_failure(region, result):
            note_failure()
        rest_on_version(region, outer, version, began_at)
        return result

    # -- ahead of time -------------------------------------------------------------------------------

    def _renew(self, key: Key, args: Args, kwargs: Kwargs) -> None:
        """Have the answer loaded anew in the background, if nobody can change the arguments meanwhile."""
        own = args[1:] if self._keys.has_instance else args
        if self._background is not None and all(map(is_immutable, (*own, *kwargs.values()))):
            self._background.submit(functools.partial(self._load_in_background, key, args, kwargs))

    def _load_in_background(self, key: Key, args: Args, kwargs: Kwargs) -> None:
        load = self._new_load(key, args, kwargs)
        if load is None or not self._region.active or self.why_keep_away(args, kwargs):
            return
        if not begin_renewal(self._region, load):
            return
        try:
            result = self._run(load, args, kwargs)
        except BaseException as error:  # noqa: BLE001 - nobody waits for it; the next miss will show
            fail(self._region, load, cause_of(error))
            self._report_failed_renewal(load, type(cause_of(error)).__name__)
            return
        finish(self._region, load, result, objection=self._objection(key, result, args, kwargs))
        if load.entry is None and not load.overtaken:
            self._report_failed_renewal(load, "not_stored")

    def _report_failed_renewal(self, load: Load, why: str) -> None:
        self._region.counters.refresh_failures += 1
        self._region.bus.emit(RefreshFailed(load.label(), load.target, why))


_DURING_A_WRITE = ("inside_a_write", "uncommitted_changes", "being_written")
"""Reasons to keep away from the cache that a load around the call has as well."""


def _rest_on(entry: Entry | None) -> None:
    outer = innermost_load()
    if outer is not None and entry is not None:
        outer.rest_on(entry)


def _given(entry: Entry) -> Any:
    try:
        return entry.snapshot.give()
    except Exception:  # noqa: BLE001 - copying a foreign object may raise anything
        return _ABSENT


def _counts_as_failure(region: Region, result: object) -> bool:
    try:
        return is_failure(region, result)
    except Exception:  # noqa: BLE001 - a result that cannot be compared may well be one
        return True


class RunFailedError(Exception):
    """A run of a generator function that raised: the items that it had given, and what it raised."""

    def __init__(self, items: list[Any], error: Exception) -> None:
        self.items = items
        self.error = error


def cause_of(error: BaseException) -> BaseException:
    """What the method itself raised."""
    return error.error if isinstance(error, RunFailedError) else error
