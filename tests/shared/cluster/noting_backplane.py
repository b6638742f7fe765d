"""A plugin that notes when a process of a cluster is connected and when it is isolated."""

from __future__ import annotations

import time
from typing import Any

from backplane_log import CONNECTED, EVENTS

from wats_accel.extension import (
    BackplaneConnected,
    BackplaneIsolated,
    EventSubscription,
    FollowingBegun,
    FollowingLost,
    hookimpl,
)

KINDS = (BackplaneConnected, BackplaneIsolated, FollowingBegun, FollowingLost)


def _note(event: Any) -> None:
    EVENTS.append((time.monotonic(), type(event).__name__, getattr(event, "why", "")))
    if type(event) in (BackplaneConnected, FollowingBegun):
        CONNECTED.set()


@hookimpl
def accel_event_subscriptions(context: Any) -> list[EventSubscription]:
    return [EventSubscription(kind, _note) for kind in KINDS]
