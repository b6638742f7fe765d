"""A thread may open the connection that all threads share while another pool takes the place of its own."""

from __future__ import annotations

import threading
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from wats_accel.pool.per_thread import SharedProxy
from wats_accel.testing import accelerated


@pytest.fixture
def manager(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """An application's class that opens one connection for all threads, and can be held in the middle."""
    module: Any = ModuleType("app_that_shares")

    class Manager:
        def __init__(self) -> None:
            self.inside, self.go_on = threading.Event(), threading.Event()

        def connection(self) -> Any:
            import sqlite3

            self.inside.set()
            assert self.go_on.wait(30)
            return sqlite3.connect(str(tmp_path / "shared.db"), check_same_thread=False)

    Manager.__module__ = module.__name__
    module.Manager = Manager
    monkeypatch.setitem(__import__("sys").modules, module.__name__, module)
    return Manager()


def config() -> dict[str, Any]:
    pool = {"connect": "sqlite3:connect", "size": 2, "per_thread": ["app_that_shares:Manager.connection"]}
    return {"version": 1, "pool": [pool]}


def is_shared(connection: Any) -> bool:
    return issubclass(type(connection), SharedProxy)


def test_who_is_opening_it_when_another_pool_comes_gets_one_for_each_thread(manager: Any) -> None:
    document = config()
    with accelerated(document) as accelerator:
        given: list[bool] = []
        thread = threading.Thread(target=lambda: given.append(is_shared(manager.connection())))
        thread.start()
        assert manager.inside.wait(30)
        document["pool"][0]["size"] = 3
        assert accelerator.reload()
        manager.go_on.set()
        thread.join()
    assert given == [True]


def test_who_opens_it_when_another_pool_has_come_does_so_too(manager: Any) -> None:
    document = config()
    manager.go_on.set()
    with accelerated(document) as accelerator:
        assert is_shared(manager.connection())
        for size in (3, 4):
            document["pool"][0]["size"] = size
            assert accelerator.reload()
            assert is_shared(manager.connection())
