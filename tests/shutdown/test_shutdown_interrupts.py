"""Uninstalled at any moment of a call, and interrupted at any moment of an uninstall."""

from __future__ import annotations

import contextlib
import gc
import logging
import sqlite3
import sys
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from accel_shop import ORIGINAL, UserRepository, config, is_patched
from line_interrupts import Interrupter

from wats_accel import event_bus, invalidation, life
from wats_accel.cache import copying, flights, index, keys, loading, loads, namespace, region, registry
from wats_accel.events import Unpatched
from wats_accel.patching import installation, patcher
from wats_accel.pool import connection_pool, connection_queue, pooled_connect
from wats_accel.pool import registry as pool_registry
from wats_accel.runtime import Accelerator
from wats_accel.telemetry import logs
from wats_accel.wrappers import cached, invalidating

STEP = 97  # only each so many lines, unless all of them are asked for
OF_CALLS = (
    *(cached, invalidating, region, loading, loads, keys, flights, copying, namespace, index),
    *(invalidation, event_bus, logs, registry),
)
# Not `places`, where each name of each module is looked at: those are too many lines.
OF_UNINSTALL = (life, patcher, installation, registry, region, pool_registry, pooled_connect)
OF_UNINSTALL += (connection_pool, connection_queue, logs, event_bus)


@pytest.fixture(autouse=True)
def _nothing_stays() -> Iterator[None]:
    connect = sqlite3.connect
    yield
    assert not is_patched()
    assert sqlite3.connect is connect
    assert all(vars(UserRepository)[name] is member for name, member in ORIGINAL.items())
    assert logging.getLogger("wats_accel").level == logging.NOTSET


@pytest.fixture
def lines(soak: bool) -> Iterator[int]:
    """The numbers of the lines to strike at."""
    return iter(range(1, 100_000, 1 if soak else STEP))


def installed(**changes: Any) -> Accelerator:
    accelerator = Accelerator(config(**changes), environ={}, strict=True)
    accelerator.install()
    return accelerator


class Interloper(Interrupter):
    """Makes a call at a line that another call comes to, as a signal handler or a finalizer would."""

    def __init__(self, modules: Any, number: int, act: Callable[[], Any]) -> None:
        super().__init__(modules, number, KeyboardInterrupt())
        self._act = act

    def _count(self) -> None:
        self._left -= 1
        if self._left == 0:
            sys.settrace(None)
            self._act()


def hit(repository: UserRepository) -> None:
    repository.get_user("ada")
    assert repository.get_user("ada") == "admin"


def miss(repository: UserRepository) -> None:
    assert repository.get_user("ada") == "admin"


def write(repository: UserRepository) -> None:
    repository.get_user("ada")
    assert repository.set_user("ada", "guest") is True
    assert repository.get_user("ada") == "guest"


def failing_write(repository: UserRepository) -> None:
    repository.list_users()
    with pytest.raises(KeyError):
        repository.rename_user("bob", "ben")
    assert repository.list_users() == ["ada"]


@pytest.mark.soak
@pytest.mark.parametrize("call", [hit, miss, write, failing_write])
def test_uninstalled_in_the_middle_of_a_call_that_call_and_the_next_are_right(
    call: Callable[[UserRepository], None], lines: Iterator[int]
) -> None:
    for number in lines:
        repository = UserRepository()
        repository.db.users["ada"] = "admin"
        accelerator = installed(logging={"level": "debug"})
        interloper = Interloper(OF_CALLS, number, accelerator.uninstall)
        interloper.call(lambda repository=repository: call(repository))
        if not interloper.has_struck:
            accelerator.uninstall()
            break
        assert not accelerator.installed
        assert not is_patched()
        repository.db.users["ada"] = "root"
        assert repository.get_user("ada") == "root"
    assert number > STEP


@pytest.mark.soak
def test_uninstalled_in_the_middle_of_an_uninstall_all_is_put_back(lines: Iterator[int]) -> None:
    for number in lines:
        accelerator = installed(logging={"level": "debug"})
        interloper = Interloper(OF_UNINSTALL, number, accelerator.uninstall)
        interloper.call(accelerator.uninstall)
        assert not is_patched()
        if not interloper.has_struck:
            break


def _use_pool() -> None:
    sqlite3.connect(":memory:").close()


@pytest.mark.soak
def test_an_interrupt_in_the_middle_of_an_uninstall_puts_all_back_nevertheless(lines: Iterator[int]) -> None:
    for number in lines:
        accelerator = installed(pool=[{"connect": "sqlite3:connect"}])
        _use_pool()
        interrupter = Interrupter(OF_UNINSTALL, number, KeyboardInterrupt())
        with contextlib.suppress(KeyboardInterrupt):
            interrupter.call(accelerator.uninstall)
        if not accelerator.installed:
            assert not is_patched()
        accelerator.uninstall()  # it came before anything had begun, or there is nothing to do
        assert not is_patched()
        if not interrupter.has_struck:
            break
    assert number > STEP


@pytest.mark.soak
def test_an_interrupt_in_the_middle_of_an_install_leaves_nothing_in_place(lines: Iterator[int]) -> None:
    for number in lines:
        accelerator = Accelerator(config(logging={"level": "debug"}), environ={}, strict=True)
        interrupter = Interrupter(OF_UNINSTALL, number, KeyboardInterrupt())
        try:
            interrupter.call(accelerator.install)
        except KeyboardInterrupt:
            assert not accelerator.installed
            assert not is_patched()
        accelerator.uninstall()
        if not interrupter.has_struck:
            break
    assert number > STEP


# -- by whom ---------------------------------------------------------------------------------------------


class Dying:
    """Uninstalls when it is collected."""

    def __init__(self, accelerator: Accelerator) -> None:
        self.accelerator = accelerator
        self.itself = self

    def __del__(self) -> None:
        self.accelerator.uninstall()


def test_a_finalizer_may_uninstall() -> None:
    accelerator = installed()
    Dying(accelerator)
    assert is_patched()
    gc.collect()
    assert not is_patched()


def test_the_callback_of_a_weak_reference_may_uninstall() -> None:
    accelerator, repository = installed(), UserRepository()
    repository.get_user("ada")
    reference = weakref.ref(repository, lambda _: accelerator.uninstall())
    del repository
    gc.collect()
    assert reference() is None
    assert not is_patched()


def test_a_listener_may_uninstall() -> None:
    accelerator = installed()
    accelerator._bus.subscribe(Unpatched, lambda event: accelerator.uninstall())
    accelerator.uninstall()
    assert not is_patched()


def test_a_log_handler_may_uninstall() -> None:
    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            accelerator.uninstall()

    handler, logger = Handler(), logging.getLogger("wats_accel")
    logger.addHandler(handler)
    try:
        accelerator = installed()
        assert UserRepository().set_user("ada", "admin")
        accelerator.uninstall()
    finally:
        logger.removeHandler(handler)


def test_a_method_that_is_cached_may_uninstall(app: Any) -> None:
    class Repository:
        def read(self) -> int:
            accelerator.uninstall()
            return 1

        def write(self) -> int:
            accelerator.uninstall()
            return 2

    app.add(Repository)
    for name, answer in {"read": 1, "write": 2}.items():
        with app.accelerated({"read": "rows"}, {"write": "rows:*"}) as accelerator:
            assert getattr(Repository(), name)() == answer
            assert not hasattr(vars(Repository)[name], "__wrapped__")
