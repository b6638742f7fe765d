"""A forked child has no thread of its parent's: nothing that one of them held keeps the child waiting."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

FORKING = """
import os, sys, threading
from types import ModuleType
from wats_accel.testing import accelerated

module = sys.modules["legacy_app"] = ModuleType("legacy_app")
reached, go_on = threading.Event(), threading.Event()

class Repository:
    database, parent, rows = "one", os.getpid(), {1: "old", 2: "old"}

    def get(self, key):
        if key == 2 and os.getpid() == self.parent:
            reached.set(), go_on.wait(30)
        return self.rows[key]

    def put(self, key, value):
        self.rows[key] = value

module.Repository = Repository
config = {
    "version": 1,
    "cache": {"namespaces": {"rows": {}}},
    "repositories": [{
        "target": "legacy_app:Repository", "scope": "self.database",
        "cached": {"get": "rows"}, "invalidates": {"put": "rows:get:{key}"},
    }],
}

def hold_the_lock(region):
    with region.lock:
        held.set(), go_on.wait(30)

with accelerated(config) as accelerator:
    known, held = Repository(), threading.Event()
    known.get(1)
    (region,) = accelerator._assembly.context.caches
    threading.Thread(target=known.get, args=(2,)).start()
    reached.wait(30)
    threading.Thread(target=hold_the_lock, args=(region,)).start()
    held.wait(30)
    child = os.fork()
    if not child:
        told = [len(region), known.get(2), known.get(1), known.get(1), len(region)]
        known.put(1, "new")
        told += [known.get(1), known.get(2)]
        print(told, flush=True)
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    go_on.set()
    print(status, known.get(1), len(region) > 0)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_a_child_begins_with_an_empty_cache_and_waits_for_no_thread_of_its_parent() -> None:
    done = subprocess.run(
        [sys.executable, "-c", FORKING], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.splitlines() == ["[0, 'old', 'old', 'old', 2, 'new', 'old']", "0 old True"]
