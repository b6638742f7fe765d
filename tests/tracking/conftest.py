"""A small application on an SQLite file, for tests of what its SQL drops."""

from __future__ import annotations

import contextlib
import sqlite3
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from small_shop import SCHEMA, Shop

from wats_accel.runtime import Accelerator
from wats_accel.testing import accelerated

POOLED: list[dict[str, Any]] = [{"connect": "sqlite3:connect"}]
CACHED = dict.fromkeys(("names", "prices", "total", "listing", "notes", "found_or_made", "fixed"), "shop")


@pytest.fixture
def database(tmp_path: Path) -> str:
    """The file."""
    path = str(tmp_path / "shop.db")
    connection = sqlite3.connect(path)
    connection.executescript(SCHEMA)
    connection.close()
    return path


@pytest.fixture
def shop_class(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A class of the test's own, to be patched."""
    module = ModuleType("legacy_app")
    module.Shop = type("Shop", (), dict(vars(Shop)))  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "legacy_app", module)
    return module.Shop


Accelerate = Callable[..., contextlib.AbstractContextManager[Accelerator]]


@pytest.fixture
def accelerate(shop_class: Any) -> Accelerate:
    """Accelerate the shop; by default in mode sql, from a pool, with plain tables."""

    @contextlib.contextmanager
    def run(
        invalidation: str = "sql",
        *,
        cached: dict[str, Any] | None = None,
        invalidates: dict[str, Any] | None = None,
        pool: list[dict[str, Any]] | None = None,
        sql: dict[str, Any] | None = None,
        strict: bool = True,
    ) -> Iterator[Accelerator]:
        config = {
            "version": 1,
            "pool": POOLED if pool is None else pool,
            "invalidation": invalidation,
            "sql": {"assume_plain_tables": True} if sql is None else sql,
            "cache": {"namespaces": {"shop": {}}},
            "repositories": [
                {
                    "target": "legacy_app:Shop",
                    "scope": "self.database",
                    "cached": CACHED if cached is None else cached,
                    "invalidates": invalidates or {},
                }
            ],
        }
        with accelerated(config, strict=strict) as accelerator:
            yield accelerator

    return run


@pytest.fixture
def shop(shop_class: Any, database: str) -> Any:
    """The application on the file."""
    return shop_class(database)
