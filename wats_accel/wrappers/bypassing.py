"""One call of a cached method past its cache, and why it goes there."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from wats_accel.cache.background import Background
from wats_accel.cache.freezing import TooLarge, Unfreezable
from wats_accel.cache.keys import KeyMaker, NoScopeError
from wats_accel.cache.loading import is_failure
from wats_accel.cache.loads import Load, doubt_loads, innermost_load, spoil_loads, stacks
from wats_accel.cache.nesting import rest_on_version
from wats_accel.cache.premises import ValidUntil
from wats_accel.cache.region import Region
from wats_accel.cache.texts import Texts
from wats_accel.events import ValidUntilFailed
from wats_accel.failures import note_failure

Call = Callable[..., Any]
Args = tuple[Any, ...]
Kwargs = dict[str, Any]
NextChange = Callable[[Args, Kwargs], float | None]
"""When time alone changes the answer of a call, in seconds since the epoch; None: never."""

_Before = tuple[Load, int, float]
"""What is known before a method runs past its cache: the load around it, the region's version, the time."""
_DURING_A_WRITE = ("inside_a_write", "uncommitted_changes", "being_written")
"""Reasons to keep away from the cache that a load around the call has as well."""


class BypassedMethod:
    """What the calls of one cached method share, whatever its cache does."""

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
            if region.writers.under_way:  # which may be taken back, with what is read meanwhile
                why = self.why_keep_away(args, kwargs) or why
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


def _counts_as_failure(region: Region, result: object) -> bool:
    try:
        return is_failure(region, result)
    except Exception:  # noqa: BLE001 - a result that cannot be compared may well be one
        return True
