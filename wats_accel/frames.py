"""Frames: what a traceback that shows local variables would tell of ours.

Rich, structlog and error trackers show the variables of each frame that an exception has passed through.
Without wats_accel no frame holds what a driver written in C was called with: a connection string, say. So
ours are emptied.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any, Final

_OURS: Final = ("wats_accel.", "wats_accel_plugins.")


def forget_locals(error: BaseException) -> None:
    """Empty those frames of ours that an exception has passed through and that have ended."""
    trace = error.__traceback__
    while trace is not None:
        frame, trace = trace.tb_frame, trace.tb_next
        if str(frame.f_globals.get("__name__")).startswith(_OURS):
            with contextlib.suppress(RuntimeError):  # it is not over yet: who called this
                frame.clear()


def forgetful(call: Callable[..., Any]) -> Callable[..., Any]:
    """The same function, of which an exception that it raises shows no arguments in any frame of ours.

    Costs one call more, and nothing else unless it raises.
    """

    def forgetful_call(*args: Any, **kwargs: Any) -> Any:
        try:
            return call(*args, **kwargs)
        except BaseException as error:
            del args, kwargs
            forget_locals(error)
            raise

    return forgetful_call
