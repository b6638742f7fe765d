"""A small application with one cached read over ODBC, accelerated in mode sql."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest

from wats_accel.testing import accelerated

CONFIG = {
    "version": 1,
    "pool": [{"connect": "pyodbc:connect"}],
    "invalidation": "sql",
    "sql": {"assume_plain_tables": True},
    "cache": {"namespaces": {"things": {}}},
    "repositories": [{"target": "legacy_app:Names", "scope": "self.database", "cached": {"names": "things"}}],
}


class Names:
    """One cached read."""

    def __init__(self, driver: Any, text: str) -> None:
        self.driver = driver
        self.database = text
        self.runs = 0

    def names(self) -> list[Any]:
        self.runs += 1
        with contextlib.closing(self.driver.connect(self.database, autocommit=True)) as connection:
            return [tuple(row) for row in connection.execute("SELECT name FROM thing").fetchall()]


@contextlib.contextmanager
def accelerated_names(driver: Any, text: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The application on a database whose one thing is called "old"; that answer is stored."""
    module = ModuleType("legacy_app")
    module.Names = type("Names", (Names,), {})  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "legacy_app", module)
    with accelerated(CONFIG, strict=True):
        application = module.Names(driver, text)
        assert application.names() == application.names() == [("old",)]
        assert application.runs == 1
        yield application
