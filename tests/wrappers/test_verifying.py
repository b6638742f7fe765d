"""Verification: on a share of the hits the method itself runs, too, in the background, and is compared."""

from __future__ import annotations

import functools
import os
import threading
from collections.abc import Callable
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest
from threads_in_step import PATIENCE, HeldCall, midway, result_of

from wats_accel.cache.background import Background
from wats_accel.extension import AnswerDiffers, CacheSuspended, LoadFailed, Miss
from wats_accel.failures import note_failure
from wats_accel.testing import FaultyStore, accelerated
from wats_accel.transactions import Transaction
from wats_accel.wrappers import verifying

Jobs = list[Callable[[], None]]


@pytest.fixture
def repository(app: Any) -> Any:
    """A class that answers from a table; what `slip` does, no rule knows of."""

    @app.add
    class Repository:
        def __init__(self) -> None:
            self.rows: dict[Any, Any] = {"ada": [1, "a"], "bob": [2, "b"]}
            self.ran_in: list[str] = []
            self.failure: BaseException | None = None
            self.on_read: Callable[[], None] = lambda: None

        def get(self, name: Any = "ada") -> Any:
            self.ran_in.append(threading.current_thread().name)
            self.on_read()
            midway()
            if self.failure is not None:
                raise self.failure
            return self.rows.get(name if isinstance(name, str) else "ada")

        def report(self) -> Any:
            return [self.get("ada"), self.get("bob")]

        def set(self, name: str, value: Any) -> bool:
            midway()
            self.rows[name] = [1, value]
            return True

        def slip(self, name: str, value: Any) -> None:
            self.rows[name] = [1, value]

    return Repository()


@pytest.fixture
def jobs(monkeypatch: pytest.MonkeyPatch) -> Jobs:
    """The comparisons that are asked for; they run only when the test runs them."""
    asked: Jobs = []
    monkeypatch.setattr(Background, "submit", lambda background, job: not asked.append(job))
    return asked


def run_all(jobs: Jobs) -> int:
    """Run them, in another thread, as the background would; gives how many there were."""
    waiting, jobs[:] = list(jobs), []
    for job in waiting:
        result_of(job)
    return len(waiting)


ALL: dict[str, Any] = {"namespace": "n", "verify": "100%"}
OFF = {"namespace": "n", "verify": {"sample": "100%", "on_difference": "disable"}}
DROPS = {"set": "n:*"}


def told(accelerator: Any, method: str = "get") -> SimpleNamespace:
    (stats,) = (known for name, known in accelerator.stats().methods.items() if name.endswith(f".{method}"))
    return SimpleNamespace(**stats.as_dict())


def figures(accelerator: Any) -> tuple[int, ...]:
    """Comparisons, differences, and those that said nothing."""
    stats = told(accelerator)
    return stats.verified, stats.differences, stats.inconclusive


# -- comparisons -------------------------------------------------------------------------------------------


def test_a_hit_is_compared_in_the_background_and_nobody_waits(
    app: Any, repository: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = threading.Semaphore(0)
    submit = Background.submit

    def noted(background: Background, job: Callable[[], None]) -> bool:
        return submit(background, lambda: (job(), ended.release())[0])

    monkeypatch.setattr(Background, "submit", noted)
    opened = threading.Event()
    here = threading.get_ident()
    with app.accelerated({"get": ALL}) as accelerator:
        repository.get()
        repository.on_read = lambda: threading.get_ident() == here or opened.wait(PATIENCE)
        assert repository.get() == [1, "a"]  # while the comparison stands still
        opened.set()
        assert ended.acquire(timeout=PATIENCE)
        assert repository.ran_in == [threading.current_thread().name, "wats-accel-refresh"]
        assert figures(accelerator) == (1, 0, 0)


def test_the_figures_of_the_cache_are_as_without_it(app: Any, repository: Any, jobs: Jobs) -> None:
    heard: list[Any] = []
    with app.accelerated({"get": ALL}, DROPS, listen=[(Miss, heard.append)]) as accelerator:
        for _ in range(4):
            assert repository.get() == [1, "a"]
            run_all(jobs)
        stats = told(accelerator)
        assert (stats.hits, stats.misses, stats.loads, stats.stored, stats.size) == (3, 1, 1, 1, 1)
        assert (stats.shadow_hits, stats.refreshed, len(heard)) == (0, 0, 1)
        assert figures(accelerator) == (3, 0, 0)


def test_a_wrong_entry_is_told_of_and_dropped(app: Any, repository: Any, jobs: Jobs) -> None:
    heard: list[Any] = []
    with app.accelerated({"get": ALL}, DROPS, listen=[(AnswerDiffers, heard.append)]) as accelerator:
        repository.get()
        repository.slip("ada", "new")
        assert repository.get() == [1, "a"]
        run_all(jobs)
        assert figures(accelerator) == (1, 1, 0)
        assert [(event.key, event.how, event.during) for event in heard] == [
            ("n:get:ada", "item 2: another str", "verify")
        ]
        assert repository.get() == [1, "new"]
        assert told(accelerator).misses == 2
        repository.get()
        run_all(jobs)
        assert figures(accelerator) == (2, 1, 0)


def test_what_was_made_from_a_wrong_entry_goes_with_it(app: Any, repository: Any, jobs: Jobs) -> None:
    with app.accelerated({"get": ALL, "report": "reports"}, DROPS) as accelerator:
        repository.report()
        repository.slip("ada", "new")
        repository.get()
        assert repository.report() == [[1, "a"], [2, "b"]]
        run_all(jobs)
        assert repository.report() == [[1, "new"], [2, "b"]]
        assert told(accelerator, "report").misses == 2


# -- which calls -------------------------------------------------------------------------------------------


def test_a_share_of_the_hits_is_compared(
    app: Any, repository: Any, jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verifying, "Random", functools.partial(Random, 1))
    expected = Random(1)
    with app.accelerated({"get": ALL | {"verify": "10%"}}) as accelerator:
        repository.get()
        expected.random()
        compared = 0
        for _ in range(500):
            repository.get()
            compared += run_all(jobs)
        assert compared == sum(expected.random() < 0.1 for _ in range(500))
        assert figures(accelerator) == (compared, 0, 0)


@pytest.mark.parametrize("verify", [False, 0, None])
def test_without_a_share_nothing_is(app: Any, repository: Any, jobs: Jobs, verify: Any) -> None:
    with app.accelerated({"get": ALL | {"verify": verify}}):
        for _ in range(5):
            repository.get()
        assert jobs == []
        assert type(repository).get.__code__.co_filename.startswith("<wats_accel: ")  # the hit path itself


def test_a_namespace_may_be_verified_but_for_one_method(app: Any, repository: Any, jobs: Jobs) -> None:
    rules = {"get": {"namespace": "n", "verify": False}, "report": "n"}
    config = {
        "version": 1,
        "cache": {"namespaces": {"n": {"verify": 1}}},
        "repositories": [{"target": "legacy_app:Repository", "cached": rules}],
    }
    with accelerated(config) as accelerator:
        for _ in range(2):
            repository.get("ada"), repository.report()
            run_all(jobs)
        assert (told(accelerator, "report").verified, told(accelerator).verified) == (1, 0)


def test_misses_and_calls_past_the_cache_are_not(app: Any, repository: Any, jobs: Jobs) -> None:
    with app.accelerated({"get": ALL}, DROPS) as accelerator:
        repository.get()
        repository.get(lambda: None)
        accelerator.disable("n")
        repository.get()
        accelerator.enable("n")
        writing = HeldCall(lambda: repository.set("ada", "new"))
        repository.get()
        writing.end()
        repository.get()
        assert (jobs, figures(accelerator)) == ([], (0, 0, 0))


def test_a_call_whose_arguments_may_change_says_nothing(app: Any, repository: Any, jobs: Jobs) -> None:
    with app.accelerated({"get": ALL}) as accelerator:
        repository.get(["ada"]), repository.get(["ada"])
        assert (jobs, figures(accelerator)) == ([], (0, 0, 1))


def test_of_one_key_one_comparison_waits_and_of_a_method_few(app: Any, repository: Any, jobs: Jobs) -> None:
    with app.accelerated({"get": ALL}) as accelerator:
        names = [f"name {number}" for number in range(30)]
        for _ in range(3):
            for name in names:
                repository.get(name)
        assert len(jobs) == 10
        run_all(jobs)
        for name in names:
            repository.get(name)
        assert len(jobs) == 10
        assert figures(accelerator) == (10, 0, 0)


def test_a_background_that_is_full_skips_the_sample(
    app: Any, repository: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(background: Background, job: Any) -> bool:
        raise_now = RuntimeError("no more threads")
        if len(repository.ran_in) > 1:
            raise raise_now
        return False

    monkeypatch.setattr(Background, "submit", full)
    with app.accelerated({"get": ALL}) as accelerator:
        assert [repository.get() for _ in range(3)] == [[1, "a"]] * 3
        repository.get("bob"), repository.get("bob")
        assert figures(accelerator) == (0, 0, 0)
        monkeypatch.setattr(Background, "submit", lambda background, job: job() or True)
        repository.get(), repository.get("bob")
        assert figures(accelerator) == (2, 0, 0)


# -- comparisons that say nothing --------------------------------------------------------------------------


def compared_while(repository: Any, jobs: Jobs, meanwhile: Callable[[], Any]) -> None:
    """Verify an entry that is wrong, and do something while the method runs."""
    repository.get()
    repository.slip("ada", "new")
    repository.get()
    (job,) = jobs
    held = HeldCall(job)
    try:
        meanwhile()
    finally:
        held.end()


def test_a_write_that_comes_in_between_says_nothing(app: Any, repository: Any, jobs: Jobs) -> None:
    with app.accelerated({"get": ALL}, DROPS) as accelerator:
        compared_while(repository, jobs, lambda: repository.set("ada", "newer"))
        assert figures(accelerator) == (0, 0, 1)


@pytest.mark.parametrize("begins", ["before it", "during it"])
def test_a_write_that_is_under_way_says_nothing(app: Any, repository: Any, jobs: Jobs, begins: str) -> None:
    with app.accelerated({"get": ALL}, DROPS) as accelerator:
        repository.get(), repository.get()
        writes: list[HeldCall] = []

        def begin_write() -> None:
            repository.on_read = lambda: None
            writes.append(HeldCall(lambda: repository.set("ada", "new")))
            repository.slip("ada", "new")

        if begins == "before it":
            begin_write()
        else:
            repository.on_read = begin_write
        run_all(jobs)
        assert figures(accelerator) == (0, 0, 1)
        assert writes.pop().end()


def test_an_entry_that_has_gone_meanwhile_says_nothing(app: Any, repository: Any, jobs: Jobs) -> None:
    with app.accelerated({"get": ALL}) as accelerator:
        region = accelerator._assembly.context.caches.of_target("legacy_app:Repository.get")
        compared_while(repository, jobs, lambda: region.discard(*region._store.entries()))
        assert figures(accelerator) == (0, 0, 1)


def test_an_entry_that_was_replaced_before_says_nothing(app: Any, repository: Any, jobs: Jobs) -> None:
    with app.accelerated({"get": ALL}, DROPS) as accelerator:
        repository.get(), repository.get()
        repository.set("ada", "new"), repository.get()
        run_all(jobs)
        assert figures(accelerator) == (0, 0, 1)


def test_an_entry_that_has_become_too_old_meanwhile_says_nothing(
    app: Any, repository: Any, jobs: Jobs
) -> None:
    with app.accelerated({"get": ALL | {"ttl": 60}}) as accelerator:
        compared_while(repository, jobs, lambda: app.clock.advance(60))
        assert figures(accelerator) == (0, 0, 1)


def test_an_entry_whose_moment_has_come_meanwhile_says_nothing(app: Any, repository: Any, jobs: Jobs) -> None:
    until = app.clock.wall_time() + 10
    app.module.when = lambda *_: until
    with app.accelerated({"get": ALL | {"valid_until": "legacy_app:when"}}) as accelerator:
        compared_while(repository, jobs, lambda: app.clock.advance(10))
        assert figures(accelerator) == (0, 0, 1)


def test_an_entry_that_was_made_from_another_that_is_gone_says_nothing(
    app: Any, repository: Any, jobs: Jobs
) -> None:
    rules = {"report": ALL, "get": "inner"}
    with app.accelerated(rules, {"set": "inner:*"}) as accelerator:
        repository.report(), repository.report()
        repository.set("ada", "new")
        run_all(jobs)
        stats = told(accelerator, "report")
        assert (stats.verified, stats.differences, stats.inconclusive) == (0, 0, 1)


def test_a_cache_that_is_switched_off_says_nothing(app: Any, repository: Any, jobs: Jobs) -> None:
    with app.accelerated({"get": ALL}) as accelerator:
        compared_while(repository, jobs, lambda: accelerator.disable("n"))
        accelerator.enable("n")
        jobs.clear()
        repository.get(), repository.get()
        accelerator.disable("n")
        run_all(jobs)
        assert figures(accelerator) == (0, 0, 2)


def _fail() -> None:
    raise LookupError("in the background")


def _leave_a_transaction_open() -> None:
    Transaction().changed_here()


@pytest.mark.parametrize(
    "on_read",
    [
        pytest.param(_fail, id="it raised"),
        pytest.param(note_failure, id="something failed inside"),
        pytest.param(_leave_a_transaction_open, id="it left a transaction open"),
    ],
)
def test_a_method_that_does_not_do_as_usual_says_nothing(
    app: Any, repository: Any, jobs: Jobs, on_read: Callable[[], None]
) -> None:
    heard: list[Any] = []
    with app.accelerated({"get": ALL}, listen=[(LoadFailed, heard.append)]) as accelerator:
        repository.get()
        repository.slip("ada", "new")
        repository.get()
        repository.on_read = on_read
        run_all(jobs)
        stats = told(accelerator)
        assert figures(accelerator) == (0, 0, 1)
        assert (stats.load_failures, heard, stats.size) == (0, [], 1)


def test_an_answer_that_stands_for_a_failure_says_nothing(app: Any, repository: Any, jobs: Jobs) -> None:
    with app.accelerated({"get": ALL | {"unless_result": [None]}}) as accelerator:
        repository.get(), repository.get()
        del repository.rows["ada"]
        run_all(jobs)
        assert figures(accelerator) == (0, 0, 1)


def test_answers_that_cannot_be_compared_say_nothing(app: Any, repository: Any, jobs: Jobs) -> None:
    with app.accelerated({"get": ALL}) as accelerator:
        repository.rows["ada"] = [print]
        repository.get(), repository.get()
        repository.rows["ada"] = [len]
        run_all(jobs)
        assert figures(accelerator) == (0, 0, 1)


@pytest.mark.parametrize("failing", ["get", "remove", "clear"])
def test_a_store_that_fails_says_nothing_and_harms_nothing(
    app: Any, repository: Any, jobs: Jobs, failing: str
) -> None:
    store = FaultyStore()
    with app.accelerated({"get": OFF}, store=lambda namespace, target: store) as accelerator:
        repository.get()
        repository.slip("ada", "new")
        repository.get()
        store.failing.add(failing)
        run_all(jobs)
        assert figures(accelerator) == ((0, 0, 1) if failing == "get" else (1, 1, 0))
        assert repository.get() == [1, "new"]


# -- switched off by a difference --------------------------------------------------------------------------


def test_a_difference_may_switch_the_method_off_until_somebody_enables_it(
    app: Any, repository: Any, jobs: Jobs
) -> None:
    heard: list[Any] = []
    listen = [(AnswerDiffers, heard.append), (CacheSuspended, heard.append)]
    with app.accelerated({"get": OFF, "report": "reports"}, listen=listen) as accelerator:
        repository.report(), repository.get("bob")
        run_all(jobs)
        repository.slip("ada", "new")
        repository.get()
        run_all(jobs)
        assert [type(event) for event in heard] == [AnswerDiffers, CacheSuspended]
        assert accelerator.explain("Repository.get").cached["not cached"] == verifying.WHY_OFF
        assert (told(accelerator).size, repository.get()) == (0, [1, "new"])
        # What was made from its answers is not cached either: nobody knows which writes would drop them.
        assert repository.report() == [[1, "new"], [2, "b"]]
        repository.slip("ada", "newer")
        assert repository.report() == [[1, "newer"], [2, "b"]]
        assert told(accelerator, "report").not_stored == {"inner_suspended": 2}
        accelerator.disable("n")
        assert accelerator.explain("Repository.get").cached["not cached"] == verifying.WHY_OFF
        accelerator.enable("n")
        assert "not cached" not in accelerator.explain("Repository.get").cached
        assert [repository.get() for _ in range(2)] == [[1, "newer"]] * 2
        assert told(accelerator).size == 1
        assert len(heard) == 2


def test_two_differences_at_once_switch_it_off_once(app: Any, repository: Any, jobs: Jobs) -> None:
    heard: list[Any] = []
    with app.accelerated({"get": OFF}, listen=[(CacheSuspended, heard.append)]) as accelerator:
        for name in ("ada", "bob"):
            repository.get(name)
            repository.slip(name, "new")
            repository.get(name)
        run_all(jobs)
        assert len(heard) == 1
        assert figures(accelerator) == (1, 1, 1)  # when the second one looks, it is off


# -- the rest ----------------------------------------------------------------------------------------------


def test_a_secret_argument_is_not_in_what_is_told(app: Any, repository: Any, jobs: Jobs) -> None:
    heard: list[Any] = []
    rule = ALL | {"secret": "name"}
    with app.accelerated({"get": rule}, listen=[(AnswerDiffers, heard.append)]):
        repository.get("ada")
        repository.slip("ada", "new")
        repository.get("ada")
        run_all(jobs)
        (event,) = heard
        assert "ada" not in str(event)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no forks on this system")
def test_in_a_child_process_nothing_waits(app: Any, repository: Any, jobs: Jobs) -> None:
    with app.accelerated({"get": ALL}):
        repository.get(), repository.get()
        assert len(jobs) == 1
        child = os.fork()
        if not child:
            repository.get(), repository.get()
            os._exit(len(jobs))
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 2


def test_explain_tells_what_was_found(app: Any, repository: Any, jobs: Jobs) -> None:
    with app.accelerated({"get": ALL | {"verify": "100%"}}) as accelerator:
        repository.get()
        facts = accelerator.explain("Repository.get").cached
        assert facts["verify"] == "100% of hits; a difference is reported"
        assert facts["verified"] == "0 hits: 0 differences"
        for _ in range(2):
            repository.get()
            run_all(jobs)
        repository.slip("ada", "new")
        repository.get()
        run_all(jobs)
        repository.get([]), repository.get([])
        facts = accelerator.explain("Repository.get").cached
        assert facts["verified"] == "3 hits: 1 difference, 1 more said nothing"
    with app.accelerated({"get": OFF | {"verify": {"sample": 0.005, "on_difference": "disable"}}}) as other:
        assert (
            other.explain("Repository.get").cached["verify"] == "0.5% of hits; a difference switches it off"
        )
