"""Fixtures of the benchmarks. Their figures reach pytest-benchmark as if it had timed them itself.

It times one thing after the other, and a machine that slows down in between favours who came first. So
`interleaved` times them in turn, and pytest-benchmark replays what was measured, by a clock of ours.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import measured_application
import pytest

_PRIVATE_POSTGRESQL = (
    Path(__file__).resolve().parents[3] / "docs/examples/legacy_wats/simulation/private_postgresql.py"
)
Report = Callable[..., None]


class Replay:
    """A clock that moves by what was measured."""

    def __init__(self) -> None:
        self._now = 0.0
        self._samples: Iterator[float] = iter(())

    def now(self) -> float:
        """Seconds."""
        return self._now

    def load(self, samples: Sequence[float]) -> None:
        """Replay these from now on."""
        self._now, self._samples = 0.0, iter(samples)

    def round(self) -> None:
        """One of them passes."""
        self._now = next(self._samples, 0.0)

    def start(self) -> None:
        """The next one begins: a small clock loses no digits of small figures."""
        self._now = 0.0


_REPLAY = Replay()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All benchmarks go by that clock."""
    for item in items:
        item.add_marker(pytest.mark.benchmark(timer=_REPLAY.now))


@pytest.fixture
def report(benchmark: Any) -> Report:
    """Hands figures on: which group, whose, the seconds of each round, and what else is known of them."""

    def hand_on(group: str, peer: str, samples: Sequence[float], **known: Any) -> None:
        benchmark.group = group
        benchmark.extra_info.update(peer=peer, **known)
        _REPLAY.load(samples)
        benchmark.pedantic(_REPLAY.round, setup=_REPLAY.start, rounds=len(samples))

    return hand_on


@pytest.fixture(scope="module")
def accelerator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """wats_accel on the application, as in production."""
    with measured_application.in_production(tmp_path_factory.mktemp("production")) as made:
        yield made


@pytest.fixture(scope="session")
def odbc() -> Any:
    """The module pyodbc, with the driver manager's own pooling off."""
    module = pytest.importorskip("pyodbc", reason="pyodbc (unixodbc) is not installed", exc_type=ImportError)
    module.pooling = False
    return module


@pytest.fixture(scope="session")
def sqlite_odbc(odbc: Any, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The ODBC string of an SQLite file."""
    driver = next((name for name in odbc.drivers() if name.startswith("SQLite3")), None)
    if driver is None:
        pytest.skip("the ODBC driver SQLite3 (libsqliteodbc) is not installed")
    return f"Driver={{{driver}}};Database={tmp_path_factory.mktemp('sqlite') / 'measured.db'}"


def _private_postgresql() -> ModuleType:
    spec = importlib.util.spec_from_file_location(_PRIVATE_POSTGRESQL.stem, _PRIVATE_POSTGRESQL)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def postgresql(odbc: Any) -> Iterator[str]:
    """The ODBC string of a server of one's own."""
    module = _private_postgresql()
    if module.DRIVER not in odbc.drivers():
        pytest.skip(f"the ODBC driver {module.DRIVER} (odbc-postgresql) is not installed")
    try:
        module.programs()
    except module.ServerMissingError as error:
        pytest.skip(str(error))
    with module.private_postgresql() as server:
        yield server.odbc()
