"""One call of a cached generator function, turned into one use of its region."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

from wats_accel.cache.keys import KeyMaker
from wats_accel.cache.region import Region
from wats_accel.frames import forget_locals
from wats_accel.wrappers.answering import answering
from wats_accel.wrappers.bypassing import Call
from wats_accel.wrappers.cached_method import RunFailedError


def materialized(call: Call, region: Region, keys: KeyMaker, **options: Any) -> Call:
    """The generator function that stands in for the generator function `call`.

    The first use runs the generator to its end and keeps the items; later ones replay them. As with
    any generator nothing runs before the first `next`. A run that raises gives the items it had, then
    its exception, and is not kept. Options are those of `cached`.
    """

    @functools.wraps(call)
    def collect(*args: Any, **kwargs: Any) -> list[Any]:
        items: list[Any] = []
        try:
            for item in call(*args, **kwargs):
                items.append(item)  # noqa: PERF402 - `list` would lose those that came before an error
        except Exception as error:  # noqa: BLE001 - it is raised where the caller iterates
            raise RunFailedError(items, error) from None
        return items

    collected = answering(collect, region, keys, **options)

    def materialized_call(*args: Any, **kwargs: Any) -> Iterator[Any]:
        error = None
        try:
            items = collected(*args, **kwargs)
        except RunFailedError as failed:
            items, error = failed.items, failed.error
        yield from items
        del args, kwargs, items
        if error is not None:
            forget_locals(error)
            context = error.__context__
            try:
                raise error
            finally:
                # `raise` puts there what the caller is handling just now.
                error.__context__ = context
                # Its traceback holds this frame: together they would wait for the collector.
                del error, context

    return materialized_call
