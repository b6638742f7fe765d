"""One call of a write, followed by the invalidation that its rule asks for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import AsyncGeneratorType, GeneratorType, NoneType
from typing import Any, Final

from wats_accel.cache.keys import ArgumentReader
from wats_accel.cache.selection import loose_texts
from wats_accel.frames import forgetful
from wats_accel.invalidation import NO_VALUES, Invalidator, OpenWrite, WriteRule

Call = Callable[..., Any]
_Before = dict[str, frozenset[str] | None]
"""What values were spelled as, by path."""
_FIXED: Final = frozenset({int, str, bool, float, bytes, NoneType})
"""Types whose values no write can change."""


def invalidating(call: Call, rule: WriteRule, arguments: ArgumentReader, invalidator: Invalidator) -> Call:
    """The function that stands in for the write `call`.

    The entries are gone before the write's caller gets control back, whether it returned or raised:
    a write that failed may have committed half. `when: truthy` spares them only when the write
    returned something falsy.
    """

    invalidator.expect(rule)
    may_change = any("." in path for path in rule.paths)  # an attribute, during the write

    def begin(write: OpenWrite, args: Any, kwargs: Any) -> _Before | None:
        """Begin; gives what is to be compared when it ends, if the values may be others then."""
        try:
            values = arguments.read(args, kwargs)
            before = _spelled(values) if values and (may_change or not _are_fixed(values)) else None
            invalidator.begin(write, values)
        except Exception:  # noqa: BLE001 - what is not known matches anything
            invalidator.begin_blindly(write)
            return {}
        return before

    def end(write: OpenWrite, before: _Before | None, args: Any, kwargs: Any, *, concerns: bool) -> None:
        try:
            values = write.values
            if before is not None:
                values = _unchanged(before, arguments.read(args, kwargs)) if before else NO_VALUES
            invalidator.end(write, values, concerns=concerns)
        except Exception as error:  # noqa: BLE001 - the write has been called, and its caller gets its result
            invalidator.end_blindly(write, error)

    def run(write: OpenWrite, args: Any, kwargs: Any) -> Any:
        before = begin(write, args, kwargs)
        concerns = True
        try:
            result = call(*args, **kwargs)
            concerns = rule.when == "always" or _concerns(rule, result)
        finally:
            end(write, before, args, kwargs, concerns=concerns)
        return result

    def invalidating_call(*args: Any, **kwargs: Any) -> Any:
        write = OpenWrite(rule)
        try:
            result = run(write, args, kwargs)
        except BaseException:
            if not write.over:  # a Control-C came before its end was done: once more, for whatever it wrote
                end(write, {}, args, kwargs, concerns=True)
            raise
        if result is not None and _writes_later(result):
            invalidator.suspend_for_good(rule.patterns, f"{rule.target} returns something that writes later")
        return result

    return forgetful(invalidating_call)


def _writes_later(result: object) -> bool:
    """Whether the write happens when somebody awaits or iterates the result, which nobody can see."""
    # The type alone is asked: what an object says of itself may be anything, and may raise; so may its class.
    kind = type(result)
    if kind is bool or kind is tuple or kind is int:  # as most are
        return False
    if issubclass(kind, (GeneratorType, AsyncGeneratorType)):
        return True
    return any("__await__" in vars(base) for base in type.mro(kind))


def _are_fixed(values: Mapping[str, object]) -> bool:
    for value in values.values():  # noqa: SIM110 - a generator takes longer than what it asks
        if type(value) not in _FIXED:
            return False
    return True


def _spelled(values: Mapping[str, object]) -> _Before:
    return {path: loose_texts(value) for path, value in values.items()}


def _unchanged(before: _Before, after: Mapping[str, object]) -> dict[str, object]:
    # A write may empty the list that it got, or put the new id into the object that it got. Which value
    # it wrote by is then not known, and what is not known matches anything.
    return {
        path: value for path, value in after.items() if path in before and before[path] == loose_texts(value)
    }


def _concerns(rule: WriteRule, result: object) -> bool:
    try:
        return rule.concerns(result) is not False
    except Exception:  # noqa: BLE001 - a result that cannot be judged counts as a write
        return True
