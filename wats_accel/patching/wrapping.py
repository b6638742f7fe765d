"""Wrapping: the wrappers of one target around what was found there, from the innermost outwards."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from wats_accel.errors import TargetError
from wats_accel.patching.plan import PatchSpec
from wats_accel.patching.resolver import Found

LeaveOut = Callable[[Iterable[PatchSpec], str], None]


def wrapped(found: Found, specs: Sequence[PatchSpec], leave_out: LeaveOut) -> Callable[..., Any] | None:
    """Apply every spec that fits; `leave_out` is told of the others. None when none fits."""
    call = found.function
    for spec in specs:
        if found.info.is_generator and not spec.accepts_generators:
            leave_out([spec], "a generator function is left alone unless its rule says 'materialize: true'")
            continue
        try:
            call = spec.wrap(call, found.info)
        except TargetError as error:
            leave_out([spec], str(error))
        except Exception as error:  # noqa: BLE001 - the other rules of this method must not suffer
            leave_out([spec], while_patching(error))
    return None if call is found.function else call


def while_patching(error: Exception) -> str:
    """What is said of a failure that nobody foresaw; its text may hold anything, so it stays out."""
    return f"{type(error).__name__} while patching"
