"""The threads that renew answers: few, bounded, and gone when nobody needs them."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest
from threads_in_step import PATIENCE

from wats_accel.cache import background as background_module
from wats_accel.cache.background import Background


class Blocking:
    """A job that stands still until it may end."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.may_end = threading.Event()
        self.ended = threading.Event()

    def __call__(self) -> None:
        self.begun.set()
        assert self.may_end.wait(PATIENCE)
        self.ended.set()


@pytest.fixture
def background() -> Iterator[Background]:
    """Two threads, with room for two jobs that wait."""
    made = Background(most_threads=2, most_waiting=2)
    yield made
    made.close()


def begun(background: Background, jobs: int) -> list[Blocking]:
    """So many jobs, all of them running."""
    running = [Blocking() for _ in range(jobs)]
    for job in running:
        assert background.submit(job)
        assert job.begun.wait(PATIENCE)
    return running


def let_end(jobs: list[Blocking]) -> None:
    for job in jobs:
        job.may_end.set()
        assert job.ended.wait(PATIENCE)


def refreshing_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "wats-accel-refresh"]


def test_no_thread_is_there_before_the_first_job(background: Background) -> None:
    before = len(refreshing_threads())
    Background()
    assert len(refreshing_threads()) == before


def test_jobs_run_at_the_same_time_up_to_the_bound(background: Background) -> None:
    running = begun(background, 2)
    third = Blocking()
    assert background.submit(third)
    assert not third.begun.is_set()
    let_end(running[:1])
    assert third.begun.wait(PATIENCE)
    let_end([running[1], third])


def test_what_comes_when_too_many_wait_is_refused(background: Background) -> None:
    running = begun(background, 2)
    waiting = [Blocking(), Blocking()]
    assert [background.submit(job) for job in waiting] == [True, True]
    refused = Blocking()
    assert not background.submit(refused)
    let_end(running)
    let_end(waiting)
    assert not refused.begun.is_set()


@pytest.mark.parametrize("error", [ValueError, SystemExit, KeyboardInterrupt], ids=lambda kind: kind.__name__)
def test_a_job_that_raises_does_not_end_the_thread(error: type[BaseException]) -> None:
    one = Background(most_threads=1)
    raised = threading.Event()

    def failing() -> None:
        raised.set()
        raise error

    assert one.submit(failing)
    assert raised.wait(PATIENCE)
    let_end(begun(one, 1))
    one.close()


def test_jobs_run_in_daemon_threads_of_a_name_that_says_what_they_do(background: Background) -> None:
    found: list[threading.Thread] = []
    done = threading.Event()

    def note() -> None:
        found.append(threading.current_thread())
        done.set()

    assert background.submit(note)
    assert done.wait(PATIENCE)
    assert [(thread.name, thread.daemon) for thread in found] == [("wats-accel-refresh", True)]


def test_after_the_close_nothing_begins(background: Background) -> None:
    running = begun(background, 2)
    waiting = Blocking()
    assert background.submit(waiting)
    background.close()
    background.close()
    assert not background.submit(Blocking())
    let_end(running)
    assert not waiting.begun.is_set()


def test_threads_end_after_the_close(background: Background) -> None:
    before = set(refreshing_threads())
    running = begun(background, 2)
    mine = set(refreshing_threads()) - before
    assert len(mine) == 2
    background.close()
    let_end(running)
    for thread in mine:
        thread.join(PATIENCE)
    assert not any(thread.is_alive() for thread in mine)


def test_threads_end_when_there_is_nothing_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background_module, "_IDLE_SECONDS", 0.0)
    before = set(refreshing_threads())
    made = Background()
    (job,) = begun(made, 1)
    (thread,) = set(refreshing_threads()) - before
    let_end([job])
    thread.join(PATIENCE)
    assert not thread.is_alive()
    let_end(begun(made, 1))
    made.close()


def test_a_system_without_threads_refuses_jobs_and_raises_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_more(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    made = Background()
    job = Blocking()
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", no_more)
        assert not made.submit(job)
    let_end(begun(made, 1))
    assert not job.begun.is_set()
    made.close()


_PROGRAM = """
import threading
from wats_accel.cache.background import Background

background, begun = Background(), threading.Event()

def forever():
    begun.set()
    threading.Event().wait()

background.submit(forever)
assert begun.wait(30)
"""


def test_a_job_that_never_ends_keeps_no_process_alive() -> None:
    run = subprocess.run(
        [sys.executable, "-c", _PROGRAM], capture_output=True, text=True, timeout=60, check=False
    )
    assert (run.returncode, run.stderr) == (0, "")
