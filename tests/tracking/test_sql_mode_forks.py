"""Mode sql in a child process: whatever the parent's threads were doing, it caches and drops as ever."""

from __future__ import annotations

import os
import threading
from typing import Any

import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no forks here")

RENAME = "UPDATE item SET name = ? WHERE id = 1"


def in_a_child(work: Any) -> int:
    """The exit status of a child process that does the work."""
    child = os.fork()
    if not child:
        try:
            work()
        except BaseException:
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_child_goes_on_though_a_thread_of_its_parent_was_in_the_middle_of_it(
    accelerate: Any, shop: Any
) -> None:
    with accelerate() as accelerator:
        shop.names()
        context = accelerator._assembly.context
        taken, go_on = threading.Event(), threading.Event()

        def hold() -> None:
            with context.caches.lock, context.pools.observer._footprints._lock:
                taken.set()
                go_on.wait(30)

        thread = threading.Thread(target=hold)
        thread.start()
        taken.wait(30)

        def work() -> None:
            before = shop.runs["names"]
            assert [shop.names(), shop.names()][0] == [("bolt",), ("nut",)]
            assert shop.runs["names"] == before + 1, "a child begins with an empty cache"
            shop.write(RENAME, "screw")
            assert shop.names()[0] == ("screw",)
            connection = shop.connect(isolation_level="DEFERRED")
            connection.execute(RENAME, ("nail",))
            connection.commit()
            connection.close()
            assert shop.names()[0] == ("nail",)

        try:
            assert in_a_child(work) == 0
        finally:
            go_on.set()
            thread.join()
