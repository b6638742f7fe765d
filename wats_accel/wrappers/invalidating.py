"""One call of a write, followed by the invalidation that its rule asks for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from wats_accel.cache.keys import ArgumentReader
from wats_accel.invalidation import Invalidator, WriteRule

Call = Callable[..., Any]


def invalidating(call: Call, rule: WriteRule, arguments: ArgumentReader, invalidator: Invalidator) -> Call:
    """The function that stands in for the write `call`.

    The entries are gone before the write's caller gets control back, whether it returned or raised:
    a write that failed may have committed half. `when: truthy` spares them only when the write
    returned something falsy.
    """

    def invalidating_call(*args: Any, **kwargs: Any) -> Any:
        values = arguments.read(args, kwargs)  # before the call, which may change its own arguments
        try:
            result = call(*args, **kwargs)
        except BaseException:
            invalidator.apply(rule, values)
            raise
        if _concerns(rule, result):
            invalidator.apply(rule, values)
        return result

    return invalidating_call


def _concerns(rule: WriteRule, result: object) -> bool:
    try:
        return rule.concerns(result)
    except Exception:  # noqa: BLE001 - a result that cannot be judged counts as a write
        return True
