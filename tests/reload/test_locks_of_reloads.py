"""A reload holds no lock while it tells of what it does: whoever listens may need that very lock."""

from __future__ import annotations

import threading
from typing import Any

from accel_shop import UserRepository, config
from threads_in_step import in_thread

from wats_accel.events import CacheSuspended, Event
from wats_accel.testing import accelerated


def test_a_listener_waits_for_a_thread_that_reads_and_writes() -> None:
    rules: dict[str, Any] = config()
    with accelerated(rules, strict=False) as accelerator:
        repository, told = UserRepository(), []

        def listener(event: Event) -> None:  # as a log handler that writes into the database under a lock
            thread = threading.Thread(target=repository.set_user, args=("ada", "admin"), daemon=True)
            thread.start()
            thread.join(10)
            told.append(thread.is_alive())

        accelerator._bus.subscribe(CacheSuspended, listener)
        off = {"patterns": ["lists:*"], "enabled": False}
        rules["repositories"][0]["invalidates"]["rename_user"] = off
        assert in_thread(accelerator.reload).result(30)
        assert told == [False]
