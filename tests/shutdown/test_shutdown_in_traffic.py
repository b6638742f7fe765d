"""Uninstalled while the application is at work: no call is lost, none is wrong, and nothing is left."""

from __future__ import annotations

import gc
import json
import logging
import sys
import threading
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from accel_shop import ORIGINAL, Database, UserRepository, config, is_patched
from threads_in_step import PATIENCE, HeldCall, in_thread, midway

import wats_accel
from wats_accel import changing, life
from wats_accel.events import Unpatched
from wats_accel.patching import making, standing
from wats_accel.runtime import Accelerator

THREADS = 16


@pytest.fixture(autouse=True)
def _nothing_stays(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv("WATS_ACCEL_CONFIG", raising=False)
    monkeypatch.delenv("WATS_ACCEL_DISABLE", raising=False)
    yield
    assert all(vars(UserRepository)[name] is member for name, member in ORIGINAL.items())
    _await_our_threads()


def _await_our_threads() -> None:
    for thread in threading.enumerate():
        if thread.name.startswith("wats-accel"):
            thread.join(PATIENCE)
            assert not thread.is_alive()


def installed(source: Any = None) -> Accelerator:
    accelerator = Accelerator(source or config(), environ={}, strict=True)
    accelerator.install()
    return accelerator


# -- sixteen threads -----------------------------------------------------------------------------------------


class Traffic:
    """Threads that each write a user of their own, and read it back at once."""

    def __init__(self) -> None:
        self.calls = [0] * THREADS
        self._over = threading.Event()
        database = Database()
        self._ends = [
            in_thread(lambda number=number: self._work(number, database)) for number in range(THREADS)
        ]

    def _work(self, number: int, database: Database) -> None:
        repository, name = UserRepository(database), f"user{number}"
        while not self._over.wait(0.001):  # or the thread that uninstalls would hardly ever have its turn
            role = str(self.calls[number])
            assert repository.set_user(name, role) is True
            assert [repository.get_user(name), repository.get_user(name)] == [role, role]
            assert name in repository.list_users()
            self.calls[number] += 1

    def go_on(self, rounds: int = 3) -> None:
        """Wait until each thread has made so many more rounds."""
        wanted = [count + rounds for count in self.calls]
        while any(count < least for count, least in zip(self.calls, wanted, strict=True)):
            assert not any(end.done() for end in self._ends), [
                end.exception() for end in self._ends if end.done()
            ]
            threading.Event().wait(0.001)

    def end(self) -> None:
        """Have them end; raises what any of them has raised."""
        self._over.set()
        for end in self._ends:
            end.result(PATIENCE)


def test_no_call_of_sixteen_threads_is_lost_or_wrong_while_all_comes_and_goes() -> None:
    traffic = Traffic()
    for _ in range(3):
        accelerator = installed()
        traffic.go_on()
        accelerator.uninstall()
        assert not is_patched()
        traffic.go_on(1)
    traffic.end()


def test_sixteen_threads_may_uninstall_at_once(caplog: pytest.LogCaptureFixture) -> None:
    accelerator, together = installed(), threading.Barrier(THREADS)

    def uninstall() -> bool:
        together.wait(PATIENCE)
        accelerator.uninstall()
        return is_patched()

    with caplog.at_level(logging.INFO, "wats_accel"):
        calls = [in_thread(uninstall) for _ in range(THREADS)]
        assert not any(call.result(PATIENCE) for call in calls)
    assert len([line for line in caplog.messages if line.startswith("Cache stats")]) == 1


def test_who_uninstalls_second_returns_when_all_is_put_back() -> None:
    accelerator, begun, go_on = installed(), threading.Event(), threading.Event()

    def wait(event: Unpatched) -> None:
        begun.set()
        assert go_on.wait(PATIENCE)

    accelerator._bus.subscribe(Unpatched, wait)
    first = in_thread(accelerator.uninstall)
    assert begun.wait(PATIENCE)
    second: Future[bool] = in_thread(lambda: bool(accelerator.uninstall() or is_patched()))
    assert not second.done()
    go_on.set()
    assert second.result(PATIENCE) is False
    first.result(PATIENCE)


# -- in the middle of something else -------------------------------------------------------------------------


def test_during_an_install_it_waits_for_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    real = life.assemble
    monkeypatch.setattr(life, "assemble", lambda *args, **kwargs: (midway(), real(*args, **kwargs))[1])
    accelerator = Accelerator(config(), environ={})
    install = HeldCall(accelerator.install)
    uninstall = in_thread(accelerator.uninstall)
    install.end()
    uninstall.result(PATIENCE)
    accelerator.uninstall()  # it may have come first
    assert not is_patched()


@pytest.fixture
def late_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], Any]]:
    """Gives the class of a module that is imported by the call, and stops `midway` while it is."""
    (tmp_path / "late_shop.py").write_text(
        "from threads_in_step import midway\nmidway()\n"
        "class UserRepository:\n    def get_user(self, name): return name\nmidway()\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    yield lambda: __import__("late_shop").UserRepository
    sys.modules.pop("late_shop", None)


LATE = config(target="late_shop:UserRepository", scope=[], cached={"get_user": "users"}, invalidates={})


def test_during_an_import_what_would_have_been_patched_is_not(late_module: Callable[[], Any]) -> None:
    accelerator = installed(LATE)
    importing = HeldCall(late_module)
    accelerator.uninstall()
    repository = importing.end()
    assert not hasattr(repository.get_user, "__wrapped__")
    assert repository().get_user("ada") == "ada"


def test_while_what_is_imported_is_being_patched(
    late_module: Callable[[], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    real = making.stand_in
    monkeypatch.setattr(making, "stand_in", lambda *args: (midway(), real(*args))[1])
    monkeypatch.setattr("threads_in_step.midway", lambda: None)
    accelerator = installed(LATE)
    importing = HeldCall(late_module)
    accelerator.uninstall()
    repository = importing.end()
    assert not hasattr(repository.get_user, "__wrapped__")


def test_during_a_reload_what_is_uninstalled_stays_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "accel.yaml"
    path.write_text(json.dumps(config()))
    accelerator = installed(path)
    path.write_text(json.dumps(config(cached={"get_user": "users"}, invalidates={})))
    real = changing.read_config
    monkeypatch.setattr(changing, "read_config", lambda *args: (midway(), real(*args))[1])
    reload = HeldCall(accelerator.reload)
    accelerator.uninstall()
    assert not is_patched()
    assert reload.end() is False
    assert not accelerator.installed
    assert not is_patched()


def test_a_load_that_ends_later_has_its_answer_and_so_has_who_joined_it(app: Any, joins: Any) -> None:
    class Repository:
        def get(self, key: int) -> int:
            midway()
            return key

    original = app.add(Repository).get
    with app.accelerated({"get": "rows"}) as accelerator:
        (region,) = accelerator._assembly.context.caches
        repository = Repository()
        load = HeldCall(lambda: repository.get(1))
        joined = in_thread(lambda: repository.get(1))
        joins.await_waiting()
        accelerator.uninstall()
        assert load.end() == 1
        assert joined.result(PATIENCE) == 1
        assert len(region) == 0
        assert Repository.get is original


def test_a_write_that_ends_later_has_its_result(app: Any) -> None:
    class Repository:
        def __init__(self) -> None:
            self.rows: dict[int, str] = {}

        def get(self, key: int) -> str | None:
            return self.rows.get(key)

        def put(self, key: int, value: str) -> bool:
            midway()
            self.rows[key] = value
            return True

    original = app.add(Repository).put
    with app.accelerated({"get": "rows"}, {"put": "rows:get:{key}"}) as accelerator:
        repository = Repository()
        assert repository.get(1) is None
        write = HeldCall(lambda: repository.put(1, "new"))
        accelerator.uninstall()
        assert write.end() is True
        assert repository.get(1) == "new"
        assert Repository.put is original


def test_an_answer_that_is_being_renewed_is_given_to_nobody(app: Any) -> None:
    class Repository:
        runs = 0

        def get(self) -> int:
            Repository.runs += 1
            if Repository.runs == 2:
                begun.set()
                assert go_on.wait(PATIENCE)
            return Repository.runs

    begun, go_on = threading.Event(), threading.Event()
    app.add(Repository)
    with app.accelerated({"get": {"namespace": "rows", "ttl": 100, "refresh_ahead": "50%"}}) as accelerator:
        (region,) = accelerator._assembly.context.caches
        repository = Repository()
        assert repository.get() == 1
        app.clock.advance(60)
        assert repository.get() == 1
        assert begun.wait(PATIENCE)
        accelerator.uninstall()
        go_on.set()
        assert repository.get() == 3
        assert len(region) == 0


def test_from_a_daemon_thread_of_the_applications(app: Any) -> None:
    accelerator = installed()
    in_thread(accelerator.uninstall).result(PATIENCE)
    assert not is_patched()


# -- afterwards ----------------------------------------------------------------------------------------------


def test_nothing_is_left_that_costs_anything() -> None:
    logger = logging.getLogger("wats_accel")
    before = list(logger.handlers), logger.level, logger.propagate, list(logger.filters)
    before_us = dict(standing._installed)  # what other tests have left behind stays theirs
    accelerator = installed(config(logging={"level": "debug", "summary_every": "1h"}))
    channels = accelerator._bus._channels
    UserRepository().get_user("ada")
    accelerator.uninstall()
    assert (list(logger.handlers), logger.level, logger.propagate, list(logger.filters)) == before
    assert not any(channel.listeners for channel in channels.values())
    assert standing._installed == before_us
    forgotten = weakref.ref(accelerator)
    del accelerator, channels
    _await_our_threads()
    gc.collect()
    assert forgotten() is None, "something keeps it: a thread, an import hook, or a function to run at exit"


def test_a_module_that_is_imported_afterwards_is_as_if_nothing_had_been(
    late_module: Callable[[], Any],
) -> None:
    installed(LATE).uninstall()
    repository = late_module()
    module: ModuleType = sys.modules["late_shop"]
    assert not hasattr(repository.get_user, "__wrapped__")
    assert type(module.__loader__).__module__ == "_frozen_importlib_external"


def test_methods_that_somebody_holds_from_before_are_the_methods_themselves() -> None:
    accelerator, repository = installed(), UserRepository()
    read, write, function = repository.get_user, repository.set_user, UserRepository.get_user
    assert (write("ada", "admin"), read("ada"), read("ada")) == (True, "admin", "admin")
    accelerator.uninstall()
    queries = repository.db.queries
    repository.db.users["ada"] = "guest"
    assert [read("ada"), function(repository, "ada"), read(name="ada")] == ["guest"] * 3
    assert repository.db.queries == queries + 3
    assert write("ada", "root") is True
    assert read("ada") == "root"
    with wats_accel.installed(config()):
        assert [repository.get_user("ada"), read("ada"), repository.get_user("ada")] == ["root"] * 3
        assert write("ada", "user") is True  # by a function of an accelerator that is gone
        assert read("ada") == "user"
