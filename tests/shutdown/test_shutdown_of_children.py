"""Child processes: each may uninstall, and end in whatever way, and the other one goes on."""

from __future__ import annotations

import os
from collections.abc import Callable
from subprocess import CompletedProcess

import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")

FORK = """
logging.basicConfig(filename="app.log", level=logging.DEBUG)
accelerator = wats_accel.install("accel.yaml")
assert reads() == 1

def ended(child):
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

def child_of(do):
    child = os.fork()
    if child:
        return ended(child)
    do()

def works():
    assert is_patched() and reads() == 1 and reads() == 0
    repository.set_user("ada", "guest")
    assert repository.get_user("ada") == "guest"
    repository.set_user("ada", "admin")

def uninstalls():
    accelerator.uninstall()
    assert not is_patched() and reads() == 2 and not threads_that_stay()
"""

# What the child does, in one way or another, and what the parent does then.
ENDS = {
    "by os._exit": "works(); os._exit(7)",
    "by sys.exit": "works(); sys.exit(7)",
    "by an exception": "works(); sys.stderr = None; raise LookupError",
    "by a signal": "works(); os.kill(os.getpid(), signal.SIGKILL)",
    "uninstalled, by os._exit": "uninstalls(); os._exit(7)",
    "uninstalled, by sys.exit": "uninstalls(); sys.exit(7)",
    "uninstalled and installed again": "uninstalls(); accelerator.install(); works(); sys.exit(7)",
    "uninstalled from a thread of its own, by sys.exit": (
        "thread = threading.Thread(target=uninstalls); thread.start(); thread.join(); sys.exit(7)"
    ),
    "with a child of its own": "works(); sys.exit(child_of(lambda: (works(), os._exit(7))))",
}
STATUS = {"by an exception": 1, "by a signal": -9}


def test_the_parent_goes_on_whatever_the_child_does_and_however_it_ends(
    run: Callable[..., CompletedProcess[str]],
) -> None:
    program = FORK
    for how, does in ENDS.items():
        program += f"\ndef this():\n    {does}\n"
        program += f"assert child_of(this) == {STATUS.get(how, 7)}, {how!r}\n"
        program += "assert is_patched() and reads() == 0\n"
    program += "\nsay(threads())\nuninstalls()\nsay(is_patched())"
    threads, end = run(program).stdout.splitlines()
    assert "wats-accel-summary" in threads
    assert end == "False"


def test_the_child_goes_on_when_the_parent_uninstalls(run: Callable[..., CompletedProcess[str]]) -> None:
    program = FORK + (
        """
go_on, told = os.pipe()
child = os.fork()
if not child:
    os.read(go_on, 1)
    works()
    sys.exit(7)
uninstalls()
os.write(told, b"!")
say(ended(child), is_patched())
"""
    )
    assert run(program).stdout == "7 False\n"


def test_a_child_of_a_thread_that_is_uninstalling_works(run: Callable[..., CompletedProcess[str]]) -> None:
    program = FORK + (
        """
from wats_accel.events import Unpatched
children = []
accelerator._bus.subscribe(Unpatched, lambda event: children or children.append(os.fork()))
accelerator.uninstall()
uninstalls()
if children == [0]:
    sys.exit(7)
say(ended(*children), is_patched())
"""
    )
    assert run(program).stdout == "7 False\n"


WORKER = """
import multiprocessing
def in_worker(patched):
    assert is_patched() is patched, (is_patched(), patched)
    first, second = reads(), reads()
    active = wats_accel.active()
    if active is not None:
        active.uninstall()
    return first, second, is_patched(), reads()

if __name__ == "__main__":
    wats_accel.install("accel.yaml")
    assert reads() == 1
    for method in multiprocessing.get_all_start_methods():
        with multiprocessing.get_context(method).Pool(2) as pool:
            say(method, *pool.apply(in_worker, (method == "fork",)))
    say(is_patched(), reads())
"""


def test_workers_of_every_kind_work_and_the_parent_goes_on(run: Callable[..., CompletedProcess[str]]) -> None:
    lines = run(WORKER).stdout.splitlines()
    # A worker that is forked has what its parent has, with an empty cache; another one has nothing.
    expected = {"fork": "1 0 False 2", "spawn": "2 2 False 2", "forkserver": "2 2 False 2"}
    assert lines[:-1] == [f"{line.split()[0]} {expected[line.split()[0]]}" for line in lines[:-1]]
    assert lines[-1] == "True 0"
    assert len(lines) > 2
