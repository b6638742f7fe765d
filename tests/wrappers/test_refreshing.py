"""Answers that are renewed in the background, before they end."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from threads_in_step import PATIENCE, in_thread

from wats_accel.cache.background import Background
from wats_accel.extension import RefreshFailed


class Gate:
    """Where the loads that are to be held stand still."""

    def __init__(self) -> None:
        self.held = False
        self.arrivals = threading.Semaphore(0)
        self.opened = threading.Event()

    def pass_through(self) -> None:
        if self.held:
            self.arrivals.release()
            assert self.opened.wait(PATIENCE)

    def await_arrival(self) -> None:
        assert self.arrivals.acquire(timeout=PATIENCE)

    def open(self) -> None:
        self.held = False
        self.opened.set()


@pytest.fixture
def gate() -> Iterator[Gate]:
    made = Gate()
    yield made
    made.open()


@pytest.fixture
def repository(app: Any, gate: Gate) -> Any:
    """A class whose answer is the number of its load; the loads of other threads pass a gate."""
    tests = threading.get_ident()

    @app.add
    class Repository:
        def __init__(self) -> None:
            self.loads = 0
            self.loaded_in: list[str] = []
            self.failure: BaseException | None = None

        def get(self, name: Any = "ada") -> int:
            self.loads += 1
            number = self.loads
            self.loaded_in.append(threading.current_thread().name)
            if threading.get_ident() != tests:
                gate.pass_through()
            if self.failure is not None:
                raise self.failure
            return number

        def report(self) -> list[int]:
            return [self.get()]

        def set(self, name: str = "ada") -> bool:
            return True

    return Repository()


@pytest.fixture
def jobs(monkeypatch: pytest.MonkeyPatch) -> list[Callable[[], None]]:
    """The renewals that are asked for; they run only when the test runs them."""
    asked: list[Callable[[], None]] = []
    monkeypatch.setattr(Background, "submit", lambda background, job: not asked.append(job))
    return asked


@pytest.fixture
def renewals(monkeypatch: pytest.MonkeyPatch) -> Renewals:
    return Renewals(monkeypatch)


class Renewals:
    """The jobs that the background is given: how many, whether it took them, and when each has ended."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.taken: list[bool] = []
        self._ended = threading.Semaphore(0)
        submit = Background.submit

        def noted(background: Background, job: Callable[[], None]) -> bool:
            def noting_the_end() -> None:
                try:
                    job()
                finally:
                    self._ended.release()

            self.taken.append(submit(background, noting_the_end))
            return self.taken[-1]

        monkeypatch.setattr(Background, "submit", noted)

    def await_end(self) -> None:
        """Wait until one more has ended."""
        assert self._ended.acquire(timeout=PATIENCE)


RULES = {"get": {"namespace": "n", "ttl": 100, "refresh_ahead": "80%"}}
DROPS = {"set": "n:get:{name}"}


def test_a_hit_that_comes_late_has_the_answer_renewed(app: Any, repository: Any, renewals: Renewals) -> None:
    with app.accelerated(RULES) as accelerator:
        repository.get()
        app.clock.advance(79)
        assert (repository.get(), renewals.taken) == (1, [])
        app.clock.advance(1)
        assert (repository.get(), renewals.taken) == (1, [True])
        renewals.await_end()
        assert (repository.get(), repository.loads) == (2, 2)
        total = accelerator.stats().total
        assert (total.hits, total.misses, total.refreshed) == (3, 1, 1)
    assert repository.loaded_in[1] == "wats-accel-refresh"


def test_the_new_answer_is_as_good_as_one_that_was_loaded_then(
    app: Any, repository: Any, renewals: Renewals
) -> None:
    with app.accelerated(RULES):
        repository.get()
        app.clock.advance(90)
        repository.get()
        renewals.await_end()
        app.clock.advance(79)
        assert (repository.get(), len(renewals.taken)) == (2, 1)
        app.clock.advance(1)
        assert (repository.get(), len(renewals.taken)) == (2, 2)
        renewals.await_end()


def test_an_answer_that_nobody_asks_for_is_not_renewed(app: Any, repository: Any, renewals: Renewals) -> None:
    with app.accelerated(RULES):
        repository.get()
        app.clock.advance(100)
        assert repository.get() == 2
    assert renewals.taken == []


def test_meanwhile_all_others_are_answered_and_one_renewal_runs(
    app: Any, repository: Any, renewals: Renewals, gate: Gate
) -> None:
    with app.accelerated(RULES):
        repository.get()
        app.clock.advance(80)
        gate.held = True
        together = threading.Barrier(4)

        def hit() -> list[int]:
            together.wait(PATIENCE)
            return [repository.get() for _ in range(50)]

        calls = [in_thread(hit) for _ in range(4)]
        gate.await_arrival()
        assert [call.result(PATIENCE) for call in calls] == [[1] * 50] * 4
        assert (renewals.taken, repository.loads) == ([True], 2)
        gate.open()
        renewals.await_end()
        assert repository.get() == 2


def test_an_answer_that_ends_meanwhile_is_loaded_by_its_caller(
    app: Any, repository: Any, renewals: Renewals, gate: Gate
) -> None:
    with app.accelerated({"get": RULES["get"] | {"wait_timeout": 0}}):
        repository.get()
        app.clock.advance(80)
        gate.held = True
        repository.get()
        gate.await_arrival()
        app.clock.advance(20)
        assert repository.get() == 3
        gate.open()
        renewals.await_end()
        assert repository.get() == 3  # what began earlier does not replace what began later


def test_a_caller_may_also_wait_for_the_renewal(
    app: Any, repository: Any, renewals: Renewals, gate: Gate
) -> None:
    with app.accelerated(RULES) as accelerator:
        repository.get()
        app.clock.advance(80)
        gate.held = True
        repository.get()
        gate.await_arrival()
        app.clock.advance(20)
        waiting = in_thread(repository.get)
        gate.open()
        assert waiting.result(PATIENCE) == 2
        assert accelerator.stats().total.loads == 2


def test_a_write_during_the_renewal_wins(app: Any, repository: Any, renewals: Renewals, gate: Gate) -> None:
    heard: list[RefreshFailed] = []
    with app.accelerated(RULES, DROPS, listen=[(RefreshFailed, heard.append)]) as accelerator:
        repository.get()
        app.clock.advance(80)
        gate.held = True
        repository.get()
        gate.await_arrival()
        repository.set("ada")
        gate.open()
        renewals.await_end()
        assert (repository.get(), repository.loads) == (3, 3)
        assert accelerator.stats().total.not_stored == {"overtaken": 1}
    assert heard == []  # a write is no failure


def test_a_renewal_that_begins_after_a_write_is_as_good_as_any_load(
    app: Any, repository: Any, jobs: list[Callable[[], None]]
) -> None:
    with app.accelerated(RULES, DROPS):
        repository.get()
        app.clock.advance(80)
        repository.get()
        repository.set("ada")
        jobs[0]()
        assert (repository.get(), repository.loads) == (2, 2)


@pytest.mark.parametrize("failure", [OSError("PWD=secret"), SystemExit(1)], ids=["error", "exit"])
def test_a_renewal_that_fails_is_counted_told_and_harmless(
    app: Any, repository: Any, renewals: Renewals, failure: BaseException
) -> None:
    heard: list[RefreshFailed] = []
    with app.accelerated(RULES, listen=[(RefreshFailed, heard.append)]) as accelerator:
        repository.get()
        app.clock.advance(80)
        repository.failure = failure
        repository.get()
        renewals.await_end()
        app.clock.advance(19)
        assert repository.get() == 1  # good until its end, and tried once only
        assert (accelerator.stats().total.refresh_failures, len(renewals.taken)) == (1, 1)
        repository.failure = None
        app.clock.advance(1)
        assert repository.get() == 3
    assert heard == [RefreshFailed("n:get:ada", "legacy_app:Repository.get", type(failure).__name__)]


def test_a_renewal_whose_answer_must_not_be_kept_is_told(
    app: Any, repository: Any, renewals: Renewals
) -> None:
    heard: list[RefreshFailed] = []
    rules = {"get": RULES["get"] | {"unless_result": [2]}}
    with app.accelerated(rules, listen=[(RefreshFailed, heard.append)]):
        repository.get()
        app.clock.advance(80)
        repository.get()
        renewals.await_end()
        assert repository.get() == 1
    assert [event.why for event in heard] == ["not_stored"]


def test_a_queue_that_is_full_costs_the_renewal_only(
    app: Any, repository: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused: list[object] = []
    monkeypatch.setattr(Background, "submit", lambda background, job: bool(refused.append(job)))
    with app.accelerated(RULES):
        repository.get()
        app.clock.advance(80)
        assert [repository.get() for _ in range(3)] == [1, 1, 1]
        assert len(refused) == 1
        app.clock.advance(20)
        assert repository.get() == 2


def test_an_uninstall_during_the_renewal_is_harmless(
    app: Any, repository: Any, renewals: Renewals, gate: Gate
) -> None:
    with app.accelerated(RULES):
        repository.get()
        app.clock.advance(80)
        gate.held = True
        repository.get()
        gate.await_arrival()
    gate.open()
    renewals.await_end()
    assert (repository.get(), repository.loads) == (3, 3)


def test_a_method_that_is_switched_off_is_not_renewed(
    app: Any, repository: Any, jobs: list[Callable[[], None]]
) -> None:
    with app.accelerated(RULES) as accelerator:
        repository.get()
        app.clock.advance(80)
        repository.get()
        accelerator.disable("n")
        jobs[0]()
    assert repository.loads == 1


def test_a_renewal_that_comes_when_another_load_runs_does_nothing(
    app: Any, repository: Any, gate: Gate, jobs: list[Callable[[], None]]
) -> None:
    with app.accelerated(RULES):
        repository.get()
        app.clock.advance(80)
        repository.get()
        app.clock.advance(20)
        gate.held = True
        loading = in_thread(repository.get)
        gate.await_arrival()
        jobs[0]()
        assert repository.loads == 2
        gate.open()
        assert loading.result(PATIENCE) == 2


@pytest.mark.parametrize(
    "argument",
    [["ada"], {"name": "ada"}, {"ada"}, ("ada", ["bob"])],
    ids=["list", "mapping", "set", "list within"],
)
def test_with_an_argument_that_may_change_meanwhile_nothing_is_renewed(
    app: Any, repository: Any, renewals: Renewals, argument: Any
) -> None:
    with app.accelerated(RULES):
        repository.get(argument)
        app.clock.advance(80)
        assert [repository.get(argument) for _ in range(3)] == [1, 1, 1]
        app.clock.advance(20)
        assert repository.get(argument) == 2
    assert renewals.taken == []


def test_an_outer_load_that_hits_late_has_the_inner_answer_renewed(
    app: Any, repository: Any, renewals: Renewals
) -> None:
    rules = RULES | {"report": {"namespace": "n", "ttl": "1h"}}
    with app.accelerated(rules):
        repository.get()
        app.clock.advance(80)
        assert repository.report() == [1]
        renewals.await_end()
        assert repository.report() == [2]  # what it was made from has been replaced


def test_a_renewed_answer_has_a_moment_of_its_own(app: Any, repository: Any, renewals: Renewals) -> None:
    app.module.next_change = lambda *args: app.clock.wall_time() + 90
    rules = {"get": RULES["get"] | {"valid_until": "legacy_app:next_change"}}
    with app.accelerated(rules):
        repository.get()
        app.clock.advance(80)
        repository.get()
        renewals.await_end()
        app.clock.advance(79)
        assert repository.get() == 2


_PROGRAM = """
import sys, threading
from wats_accel import install

class Repository:
    loads = 0
    begun = threading.Event()

    def get(self):
        self.loads += 1
        if self.loads > 1:
            self.begun.set()
            threading.Event().wait()  # a database that never answers
        return self.loads

clock = [0.0]
sys.modules["legacy_program"] = sys.modules["__main__"]
rule = {"namespace": "n", "ttl": 100, "refresh_ahead": 0.5}
install(
    {
        "version": 1,
        "cache": {"namespaces": {"n": {}}},
        "repositories": [{"target": "legacy_program:Repository", "cached": {"get": rule}}],
    },
    clock=lambda: clock[0],
    strict=True,
)
repository = Repository()
repository.get()
clock[0] = 60.0
assert repository.get() == 1
assert repository.begun.wait(30)
print("done")
"""


def test_a_renewal_that_never_ends_keeps_no_process_alive(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(_PROGRAM, encoding="utf-8")
    run = subprocess.run(
        [sys.executable, str(program)], capture_output=True, text=True, timeout=60, check=False
    )
    assert (run.returncode, run.stdout) == (0, "done\n"), run.stderr
