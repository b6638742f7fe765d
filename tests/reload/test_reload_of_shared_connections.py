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


def test_each_thread_has_one_of_its_own_all_the_same(manager: Any) -> None:
    config: dict[str, Any] = {
        "version": 1,
        "pool": [
            {"connect": "sqlite3:connect", "size": 2, "per_thread": ["app_that_shares:Manager.connection"]}
        ],
    }
    with accelerated(config) as accelerator:
        given: list[Any] = []
        thread = threading.Thread(target=lambda: given.append(type(manager.connection())))
        thread.start()
        assert manager.inside.wait(30)
        config["pool"][0]["size"] = 3
        assert accelerator.reload()
        manager.go_on.set()
        thread.join()
    assert [issubclass(kind, SharedProxy) for kind in given] == [True]
