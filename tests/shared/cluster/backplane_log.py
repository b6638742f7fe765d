"""What the backplane of this process has told so far; the plugin `noting_backplane` fills it."""

from __future__ import annotations

import threading

EVENTS: list[tuple[float, str, str]] = []
"""When, in seconds of the monotonic clock; the event's type; and why."""
CONNECTED = threading.Event()
"""Set when the process has been connected for the first time."""
