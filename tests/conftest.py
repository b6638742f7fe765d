"""Database parts that tests of several folders use: real ones, or the test is skipped by name."""

from __future__ import annotations

import importlib
import importlib.util
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest

_PRIVATE_POSTGRESQL = Path(__file__).parents[1] / "docs/examples/legacy_wats/simulation/private_postgresql.py"


def not_here(missing: str) -> NoReturn:
    """Skip the test for want of something; in CI that is a failure."""
    if os.environ.get("CI") == "true":
        pytest.fail(missing)
    pytest.skip(missing)


@pytest.fixture(scope="session")
def soak() -> bool:
    """Whether this is ``make soak``: whole sizes instead of a seeded share."""
    return os.environ.get("WATS_ACCEL_SOAK") == "1"


@pytest.fixture(scope="session")
def odbc() -> Any:
    """The module pyodbc, with the driver manager's own pooling off."""
    try:
        module = importlib.import_module("pyodbc")
    except ImportError:
        not_here("pyodbc (unixodbc) is not installed")
    module.pooling = False
    return module


@pytest.fixture(scope="session")
def sqlite_odbc(odbc: Any) -> Callable[[str | Path], str]:
    """Gives the ODBC string of an SQLite file, or of ``:memory:``."""
    driver = next((name for name in odbc.drivers() if name.startswith("SQLite3")), None)
    if driver is None:
        not_here("the ODBC driver SQLite3 (libsqliteodbc) is not installed")
    return lambda database: f"Driver={{{driver}}};Database={database}"


@pytest.fixture(scope="session")
def private_postgresql() -> Any:
    """The module that starts servers; the example's demo uses it, too."""
    spec = importlib.util.spec_from_file_location(_PRIVATE_POSTGRESQL.stem, _PRIVATE_POSTGRESQL)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def postgresql(odbc: Any, private_postgresql: Any) -> Iterator[Any]:
    """A running server that nobody stops in the middle."""
    with _started(odbc, private_postgresql) as server:
        yield server


@pytest.fixture
def restartable_postgresql(odbc: Any, private_postgresql: Any) -> Iterator[Any]:
    """A running server of the test's own, to be stopped and started at will."""
    with _started(odbc, private_postgresql) as server:
        yield server


def _started(odbc: Any, private_postgresql: Any) -> Any:
    if private_postgresql.DRIVER not in odbc.drivers():
        not_here(f"the ODBC driver {private_postgresql.DRIVER} (odbc-postgresql) is not installed")
    try:
        private_postgresql.programs()
    except private_postgresql.ServerMissingError as error:
        not_here(str(error))
    return private_postgresql.private_postgresql()
