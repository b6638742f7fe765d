"""One call of a cached method, turned into one use of its region.

The rule of this file: the method itself runs exactly once or not at all, its exceptions pass
untouched, and whatever goes wrong around it leads to the plain call.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
from collections.abc import Callable
from typing import Any

from wats_accel.cache.background import Background
from wats_accel.cache.entries import Entry, Key
from wats_accel.cache.freezing import TooLarge, Unfreezable, is_immutable
from wats_accel.cache.keys import KeyMaker, NoScopeError
from wats_accel.cache.loading import begin, begin_renewal, end, fail, finish, is_failure, rest_on_version
from wats_accel.cache.loads import (
    Load,
    doubt_loads,
    forget_load,
    innermost_load,
    runs_here,
    spoil_loads,
    stacks,
)
from wats_accel.cache.premises import ValidUntil
from wats_accel.cache.region import Region
from wats_accel.cache.texts import Texts
from wats_accel.events import Hit, Miss, RefreshFailed, ValidUntilFailed
from wats_accel.failures import note_failure

Call = Callable[..., Any]
Args = tuple[Any, ...]
Kwargs = dict[str, Any]
NextChange = Callable[[Args, Kwargs], float | None]
"""When time alone changes the answer of a call, in seconds since the epoch; None: never."""

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
        if answer is _FAILED or key is None:
            return method.after_failed_lookup(key, entry, failure, args, kwargs)
        if answer is _ABSENT:
            return method.load(key, args, kwargs)  # point: missed
        if answer is _TOO_DEEP:
            doubt_loads()
            return call(*args, **kwargs)
        region.counters.hits += 1  # point: answer-given
        if stacks or region.on_hit.listeners:
            method.note_hit(entry, args, kwargs)
        return answer

    return cached_call


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
        try:
            why = self._region.writers.why_keep_away(lambda: self._texts(args, kwargs))
        except Exception as error:  # noqa: BLE001 - what cannot be told may be any write
            self._region.broke(error)
            return "broken"
        return why if why is None or why in _DURING_A_WRITE else "broken"

    def _texts(self, args: Args, kwargs: Kwargs) -> Texts | None:
        try:
            return self._keys.texts(args, kwargs)
        except Exception:  # noqa: BLE001 - what cannot be told matches anything
            return None

    def why_no_key(self, args: Args, kwargs: Kwargs) -> str:
        """Why a call has no key."""
        try:
            self._keys.key(args, kwargs)
        except TooLarge:
            return "argument_too_large"
        except Unfreezable:
            return "argument_without_value_identity"
        except NoScopeError:
            return "instance_without_identity"
        except Exception as error:  # noqa: BLE001 - as above
            if not self._is_application_s_own(error, args, kwargs):
                self._region.broke(error)
        return "no_key"

    def _is_application_s_own(self, error: Exception, args: Args, kwargs: Kwargs) -> bool:
        """Whether a key cannot be made because the call does not fit, or a scope's path leads nowhere."""
        if not isinstance(error, TypeError):
            return isinstance(error, AttributeError)
        try:
            inspect.signature(self._call).bind(*args, **kwargs)
        except (TypeError, ValueError):
            return True
        return False

    def _is_sound(self, key: Key) -> bool:
        """Whether a key is one at all: of what has none nothing is stored, and so nothing is found."""
        return type(key) is tuple and len(key) > len(self._keys.names) and type(key[0]) is int

    # -- hits ----------------------------------------------------------------------------------------

    def note_hit(self, entry: Entry | None, args: Args, kwargs: Kwargs) -> None:
        """Tell the load around a call, and whoever listens, that it has been answered. Raises nothing."""
        region = self._region
        try:
            _rest_on(entry)
            if region.on_hit.listeners:
                region.on_hit.send(Hit(self._keys.label(region.prefix, args, kwargs), region.rules.target))
        except Exception:  # noqa: BLE001 - the call has its answer
            doubt_loads()

    # -- misses --------------------------------------------------------------------------------------

    def after_failed_lookup(
        self, key: Key | None, entry: Entry | None, failure: str | None, args: Args, kwargs: Kwargs
    ) -> Any:
        """What a call gets that has no key, or whose entry cannot be read or given."""
        why = "lookup_failed" if key is not None else self.why_no_key(args, kwargs)
        if key is None:
            return self.past_the_cache(why, args, kwargs)
        try:
            self._region.broke(failure or why)
            self._region.note_bypass(why)
            self._region.discard(entry)
        except Exception:  # noqa: BLE001 - what cannot be discarded fails the next call, too
            doubt_loads()
        return self.load(key, args, kwargs)

    def load(self, key: Key, args: Args, kwargs: Kwargs) -> Any:
        """Run the method and store its answer, or get that of another call which does so already."""
        load = self._new_load(key, args, kwargs)
        if load is None:
            return self.past_the_cache("load_not_registered", args, kwargs)
        if stacks and self._runs_here(key):
            return self.past_the_cache("own_load", args, kwargs)
        try:
            return self._answer_of(load, args, kwargs)
        except BaseException:
            # It has ended, unless a Control-C came before it could: then nobody must wait for it.
            self._end(load)
            raise

    def _answer_of(self, load: Load, args: Args, kwargs: Kwargs) -> Any:
        try:
            entry = self._begin(load, args, kwargs)
            if entry is None:
                result = self._call(*args, **kwargs)
        except BaseException as error:
            answer = self._after_failure(load, error)
            if answer is _ABSENT:
                raise
            return answer
        if entry is not None:
            return self._answer_of_another(load, entry, args, kwargs)
        return self._after_success(load, result, args, kwargs)

    def _runs_here(self, key: Key) -> bool:
        try:
            return runs_here(self._region.rules.target, key)
        except Exception:  # noqa: BLE001 - then the plain call is as good
            return True

    def _new_load(self, key: Key, args: Args, kwargs: Kwargs) -> Load | None:
        try:
            if not self._is_sound(key):
                self._region.broke("a key that is none")
                return None
            label = functools.partial(self._keys.label, self._region.prefix, args, kwargs)
            return Load(self._region.rules.target, key, self._keys.texts(args, kwargs), label)
        except Exception:  # noqa: BLE001 - without a registered load nothing may be stored
            return None

    def _begin(self, load: Load, args: Args, kwargs: Kwargs) -> Entry | None:
        """Begin a load; gives the entry that answers instead.

        Raises nothing of its own. What comes from outside, as a time limit raises it, passes while it waits.
        """
        try:
            entry = begin(self._region, load)
            if isinstance(entry, Entry):
                return entry
            on_miss = self._region.on_miss
            if on_miss.listeners:
                on_miss.send(Miss(load.label(), load.target))
            self._rest_on_time(load, args, kwargs)
        except RecursionError:  # no room is left, and nothing is wrong
            load.objection = "load_not_registered"
        except Exception as error:
            if load.waits:
                raise
            load.objection = "load_not_registered"  # without a registered load nothing may be stored
            self._region.broke(error)
        return None

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

    def _after_success(self, load: Load, result: Any, args: Args, kwargs: Kwargs) -> Any:
        """What the caller of a method that has returned gets: mostly just that. Raises nothing of its own."""
        answer = _ABSENT
        try:
            objection = self._objection(load.key, result, args, kwargs)
            stand_in = finish(self._region, load, result, objection=objection, never=self._receiver(args))
            if stand_in is not None:
                answer = _given(stand_in)
        except Exception as error:  # noqa: BLE001 - the method has run, and its caller gets its answer
            self._give_up(load, error)
        return result if answer is _ABSENT else answer

    def _after_failure(self, load: Load, error: BaseException) -> Any:
        """What stands in for a method that has raised, if anything does. Raises nothing of its own."""
        try:
            stand_in = fail(self._region, load, cause_of(error))
            return _ABSENT if stand_in is None else _given(stand_in)
        except Exception as own:  # noqa: BLE001 - the caller gets what the method raised
            self._give_up(load, own)
            return _ABSENT

    def _give_up(self, load: Load, error: Exception) -> None:
        """End a load after something of ours has failed. Raises nothing."""
        doubt_loads()
        if not isinstance(error, RecursionError):
            self._region.broke(error)
        self._end(load)

    def _end(self, load: Load) -> None:
        try:
            end(self._region, load)
        except Exception:  # noqa: BLE001 - by another way, and else whoever waits for it does so in vain
            forget_load(load)
            with contextlib.suppress(Exception), self._region.lock:
                self._region.flights.land(load)

    def _answer_of_another(self, load: Load, entry: Entry, args: Args, kwargs: Kwargs) -> Any:
        answer = _given(entry)
        if answer is _ABSENT:
            return self.past_the_cache("lookup_failed", args, kwargs)
        try:
            _rest_on(entry)
            if load.renews:
                self._renew(load.key, args, kwargs)
        except Exception:  # noqa: BLE001 - the call has its answer
            doubt_loads()
        return answer

    def _receiver(self, args: Args) -> Any:
        """The instance that the method was called on; None if there is none."""
        return args[0] if self._keys.has_instance and args and not isinstance(args[0], type) else None

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
        before = self._before_bypass(why, args, kwargs)
        if before is None:
            return self._call(*args, **kwargs)
        try:
            result = self._call(*args, **kwargs)
        except BaseException:
            self._after_bypass(before, failed=True)  # its caller may swallow it
            raise
        self._after_bypass(before, failed=_counts_as_failure(self._region, result))
        return result

    def _before_bypass(self, why: str, args: Args, kwargs: Kwargs) -> _Before | None:
        """Count it; gives the load around it that must know the answer, if there is one. Raises nothing."""
        region = self._region
        try:
            if region.active or region.is_broken:
                region.note_bypass(why if region.active else "broken")
            outer = innermost_load() if stacks else None
            if outer is None:
                return None
            if why in _DURING_A_WRITE or why == "broken" or region.suspended:
                spoil_loads("inner_suspended" if region.suspended else why)
                return None
            before = outer, region.version, region.clock()
            self._rest_on_time(outer, args, kwargs)
        except Exception:  # noqa: BLE001 - the method is called all the same
            doubt_loads()
            return None
        return before

    def _after_bypass(self, before: _Before, *, failed: bool) -> None:
        try:
            if failed:
                note_failure()
            rest_on_version(self._region, *before)
        except Exception:  # noqa: BLE001 - the method has run
            doubt_loads()

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
        try:
            if begin_renewal(self._region, load):
                self._renewed(load, args, kwargs)
        finally:
            self._end(load)

    def _renewed(self, load: Load, args: Args, kwargs: Kwargs) -> None:
        on_miss = self._region.on_miss
        if on_miss.listeners:
            on_miss.send(Miss(load.label(), load.target))
        self._rest_on_time(load, args, kwargs)
        try:
            result = self._call(*args, **kwargs)
        except BaseException as error:  # noqa: BLE001 - nobody waits for it; the next miss will show
            fail(self._region, load, cause_of(error))
            self._report_failed_renewal(load, type(cause_of(error)).__name__)
            return
        objection = self._objection(load.key, result, args, kwargs)
        finish(self._region, load, result, objection=objection, never=self._receiver(args))
        if load.entry is None and not load.overtaken:
            self._report_failed_renewal(load, "not_stored")

    def _report_failed_renewal(self, load: Load, why: str) -> None:
        self._region.counters.refresh_failures += 1
        self._region.bus.emit(RefreshFailed(load.label(), load.target, why))


_Before = tuple[Load, int, float]
"""What is known before a method runs past its cache: the load around it, the region's version, the time."""
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
