"""One call of a cached method, turned into one use of its region.

The rule of this file: the method itself runs exactly once or not at all, its exceptions pass
untouched, and whatever goes wrong around it leads to the plain call.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any

from wats_accel.cache.entries import Key
from wats_accel.cache.freezing import Unfreezable, is_immutable
from wats_accel.cache.keys import KeyMaker, NoScopeError
from wats_accel.cache.loads import Load
from wats_accel.cache.region import Region
from wats_accel.events import Hit, Miss

Call = Callable[..., Any]
_ABSENT = object()


def cached(call: Call, region: Region, keys: KeyMaker) -> Call:
    """The function that stands in for `call`: answers from the region, or runs it and stores."""

    def cached_call(*args: Any, **kwargs: Any) -> Any:
        if not region.active:
            return call(*args, **kwargs)
        if region.writers.count and region.writers.here:
            region.note_bypass("inside_a_write")
            return call(*args, **kwargs)
        key = _key_or_none(region, keys, args, kwargs)
        if key is None:
            return call(*args, **kwargs)
        answer = _lookup(region, keys, key, args, kwargs)
        if answer is not _ABSENT:
            return answer
        return _load(call, region, keys, key, args, kwargs)

    return cached_call


def _key_or_none(region: Region, keys: KeyMaker, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Key | None:
    try:
        return keys.key(args, kwargs)
    except Unfreezable:
        region.note_bypass("argument_without_value_identity")
    except NoScopeError:
        region.note_bypass("instance_without_identity")
    except Exception:  # noqa: BLE001 - a call that does not fit gets the method's own TypeError
        region.note_bypass("no_key")
    return None


def _lookup(region: Region, keys: KeyMaker, key: Key, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    try:
        entry = region.lookup(key)
        if entry is None:
            return _ABSENT
        answer = entry.snapshot.give()
    except Exception:  # noqa: BLE001 - an answer that cannot be given is a miss
        region.note_bypass("lookup_failed")
        return _ABSENT
    region.counters.hits += 1
    if region.on_hit.listeners:
        region.on_hit.send(Hit(keys.label(region.prefix, args, kwargs), region.rules.target))
    return answer


def _load(
    call: Call, region: Region, keys: KeyMaker, key: Key, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    load = _begin(region, keys, key, args, kwargs)
    if load is None:
        return call(*args, **kwargs)
    try:
        if region.on_miss.listeners:
            region.on_miss.send(Miss(load.label(), region.rules.target))
        result = call(*args, **kwargs)
    except BaseException as error:
        region.fail(load, _cause(error))
        raise
    region.finish(load, result, objection=_objection(keys, key, result, args, kwargs))
    return result


def _begin(
    region: Region, keys: KeyMaker, key: Key, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Load | None:
    label = functools.partial(keys.label, region.prefix, args, kwargs)
    try:
        return region.begin(key, keys.texts(args, kwargs), label)
    except Exception:  # noqa: BLE001 - without a registered load nothing may be stored
        region.note_bypass("load_not_registered")
        return None


def _objection(
    keys: KeyMaker, key: Key, result: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> str | None:
    """Why this answer must not be kept, as far as the arguments tell.

    A hit can neither change the caller's arguments as the method did, nor give one of them back.
    """
    try:
        if keys.key(args, kwargs) != key:
            return "arguments_changed"
    except Exception:  # noqa: BLE001 - what cannot be told any more is taken as changed
        return "arguments_changed"
    returned = any(result is known for known in (*args, *kwargs.values()))
    if not returned or (is_immutable(result) and not (keys.has_instance and args and result is args[0])):
        return None
    return "returned_an_argument"


# -- generator functions ---------------------------------------------------------------------------


class _RunFailedError(Exception):
    """A run of a generator function that raised: the items that it had given, and what it raised."""

    def __init__(self, items: list[Any], error: Exception) -> None:
        self.items = items
        self.error = error


def _cause(error: BaseException) -> BaseException:
    return error.error if isinstance(error, _RunFailedError) else error


def materialized(call: Call, region: Region, keys: KeyMaker) -> Call:
    """The generator function that stands in for the generator function `call`.

    The first use runs the generator to its end and keeps the items; later ones replay them. As with
    any generator nothing runs before the first `next`. A run that raises gives the items it had, then
    its exception, and is not kept.
    """

    @functools.wraps(call)
    def collect(*args: Any, **kwargs: Any) -> list[Any]:
        items: list[Any] = []
        try:
            for item in call(*args, **kwargs):
                items.append(item)  # noqa: PERF402 - `list` would lose those that came before an error
        except Exception as error:  # noqa: BLE001 - it is raised where the caller iterates
            raise _RunFailedError(items, error) from None
        return items

    collected = cached(collect, region, keys)

    def materialized_call(*args: Any, **kwargs: Any) -> Iterator[Any]:
        error = None
        try:
            items = collected(*args, **kwargs)
        except _RunFailedError as failed:
            items, error = failed.items, failed.error
        yield from items
        if error is not None:
            try:
                raise error
            finally:
                del error  # its traceback holds this frame: together they would wait for the collector

    return materialized_call
