"""One call of a cached method that is not answered from its region: a load, from its begin to its end."""

from __future__ import annotations

import contextlib
import functools
from typing import Any

from wats_accel.cache.entries import Entry, Key
from wats_accel.cache.freezing import is_immutable
from wats_accel.cache.loading import begin, begin_renewal, end, fail, finish
from wats_accel.cache.loads import (
    NOT_FOUND,
    Load,
    doubt_loads,
    forget_load,
    innermost_load,
    runs_here,
    stacks,
)
from wats_accel.events import Hit, Miss, RefreshFailed
from wats_accel.wrappers.bypassing import Args, BypassedMethod, Kwargs

_ABSENT = object()


class CachedMethod(BypassedMethod):
    """What the calls of one cached method share."""

    __slots__ = ()

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
                result = self._found_elsewhere(load, args, kwargs)
                if result is NOT_FOUND:
                    result = self._call(*args, **kwargs)
        except BaseException as error:
            answer = self._after_failure(load, error)
            if answer is _ABSENT:
                raise
            return answer
        if entry is not None:
            return self._answer_of_another(load, entry, args, kwargs)
        return self._after_success(load, result, args, kwargs)

    def _found_elsewhere(self, load: Load, args: Args, kwargs: Kwargs) -> Any:
        """The answer that other processes have, too, if there is one. Raises nothing of its own."""
        tier = self._region.tier
        if tier is None or load.objection is not None:  # what this thread has changed others do not see
            return NOT_FOUND
        try:
            is_found = tier.find(load, self._keys, args, kwargs)
        except Exception:  # noqa: BLE001 - the method answers as well
            is_found = False
        if is_found is not True:
            load.found = NOT_FOUND  # the method is going to run
        return load.found

    def _runs_here(self, key: Key) -> bool:
        try:
            return runs_here(self._region.rules.target, key)
        except Exception:  # noqa: BLE001 - then the plain call is as good
            return True

    def _new_load(self, key: Key, args: Args, kwargs: Kwargs) -> Load | None:
        try:
            # Of what has no sound key nothing is stored, and so nothing is found.
            region, keys = self._region, self._keys
            if type(key) is not tuple or len(key) <= len(keys.names) or type(key[0]) is not int:
                region.broke("a key that is none")
                return None
            label = functools.partial(keys.label, region.prefix, args, kwargs)
            return Load(region.rules.target, key, keys.texts_beyond(key, args, kwargs), label)
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
            if self._next_change is not None:
                self._rest_on_time(load, args, kwargs)
        except RecursionError:  # no room is left, and nothing is wrong
            load.objection = "load_not_registered"
        except Exception as error:
            if load.waits:
                raise
            load.objection = "load_not_registered"  # without a registered load nothing may be stored
            self._region.broke(error)
        return None

    def _after_success(self, load: Load, result: Any, args: Args, kwargs: Kwargs) -> Any:
        """What the caller of a method that has returned gets: mostly just that. Raises nothing of its own."""
        answer = _ABSENT
        try:
            objection = self._objection(load, result, args, kwargs)
            stand_in = finish(self._region, load, result, objection=objection, never=self._receiver(args))
            if stand_in is not None:
                answer = _given(stand_in)
            if load.ticket is not None:
                load.ticket.keep(load, result)
        except Exception as error:  # noqa: BLE001 - the method has run, and its caller gets its answer
            self._give_up(load, error)
        return result if answer is _ABSENT else answer

    def _after_failure(self, load: Load, error: BaseException) -> Any:
        """What stands in for a method that has raised, if anything does. Raises nothing of its own."""
        try:
            if load.ticket is not None:
                load.ticket.give_up()
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
        if load.ticket is not None:
            with contextlib.suppress(Exception):  # the lease ends by itself
                load.ticket.give_up()
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

    def _objection(self, load: Load, result: Any, args: Args, kwargs: Kwargs) -> str | None:
        """Why this answer must not be kept, as far as the arguments tell.

        A hit can neither change the caller's arguments as the method did, nor give one of them back.
        """
        if self._may_have_changed(load, args, kwargs):
            return "arguments_changed"
        for known in args if not kwargs else (*args, *kwargs.values()):
            if result is known:
                break
        else:
            return None
        instance = args[0] if self._keys.has_instance and args else _ABSENT
        return None if is_immutable(result) and result is not instance else "returned_an_argument"

    def _may_have_changed(self, load: Load, args: Args, kwargs: Kwargs) -> bool:
        """Whether the key of a call is another one after the method has run."""
        if load.known_texts is None and self._keys.of_arguments_only:
            return False  # they are such as nobody can change
        try:
            return self._keys.key(args, kwargs) != load.key
        except Exception:  # noqa: BLE001 - what cannot be told any more is taken as changed
            return True

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
        objection = self._objection(load, result, args, kwargs)
        finish(self._region, load, result, objection=objection, never=self._receiver(args))
        if load.entry is None and not load.overtaken:
            self._report_failed_renewal(load, "not_stored")

    def _report_failed_renewal(self, load: Load, why: str) -> None:
        self._region.counters.refresh_failures += 1
        self._region.bus.emit(RefreshFailed(load.label(), load.target, why))


def _rest_on(entry: Entry | None) -> None:
    outer = innermost_load()
    if outer is not None and entry is not None:
        outer.rest_on(entry)


def _given(entry: Entry) -> Any:
    try:
        return entry.snapshot.give()
    except Exception:  # noqa: BLE001 - copying a foreign object may raise anything
        return _ABSENT


class RunFailedError(Exception):
    """A run of a generator function that raised: the items that it had given, and what it raised."""

    def __init__(self, items: list[Any], error: Exception) -> None:
        self.items = items
        self.error = error


def cause_of(error: BaseException) -> BaseException:
    """What the method itself raised."""
    return error.error if isinstance(error, RunFailedError) else error
