"""What tests of several folders use: a legacy application made inside a test, and parts of databases.

The parts of databases are real ones, or the test is skipped by name.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import os
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

import pytest
from private_redis import PrivateRedis, RedisMissingError
from threads_in_step import Joins

from wats_accel.cache import flights
from wats_accel.extension import Event, Store
from wats_accel.runtime import Accelerator
from wats_accel.testing import FakeClock, accelerated

_PRIVATE_POSTGRESQL = Path(__file__).parents[1] / "docs/examples/legacy_wats/simulation/private_postgresql.py"


def not_here(missing: str) -> NoReturn:
    """Skip the test for want of something; in CI that is a failure."""
    if os.environ.get("CI") == "true":
        pytest.fail(missing)
    pytest.skip(missing)


@pytest.fixture(scope="session")
def missing() -> Callable[[str], NoReturn]:
    """Skips the test for want of what is named; in CI that is a failure."""
    return not_here


@pytest.fixture(scope="session", autouse=True)
def no_state_of_tests_beside_that_of_programs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What tests install is not shown by ``wats-accel status``, child processes included."""
    folder = str(tmp_path_factory.mktemp("state"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WATS_ACCEL_STATE_DIR", folder)
        patch.setenv("XDG_STATE_HOME", folder)  # for those who clear all of our own variables
        yield


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


@contextlib.contextmanager
def _running_redis() -> Iterator[PrivateRedis]:
    try:
        server = PrivateRedis()
        server.start()
    except RedisMissingError as error:
        not_here(str(error))
    yield server
    server.kill()


@pytest.fixture(scope="session")
def _redis() -> Iterator[PrivateRedis]:
    with _running_redis() as server:
        yield server


@pytest.fixture
def own_redis() -> Iterator[PrivateRedis]:
    """A running server of one test, which may leave it as it likes."""
    with _running_redis() as server:
        yield server


@pytest.fixture
def redis_server(_redis: PrivateRedis) -> Iterator[PrivateRedis]:
    """A server with nothing in it, which may be stopped, paused and started again."""
    _redis.begin_empty()
    yield _redis
    _redis.resume()


# -- a legacy application ---------------------------------------------------------------------------------

_PLUGIN = """
from legacy_app import listen, store
from wats_accel.extension import EventSubscription, hookimpl

@hookimpl
def accel_event_subscriptions(context):
    return [EventSubscription(event_type, listener) for event_type, listener in listen]

@hookimpl
def accel_create_store(namespace, target):
    return store(namespace, target)
"""


class Application:
    """The module ``legacy_app``. A test adds its classes and functions, and accelerates them."""

    def __init__(self, module: ModuleType, folder: Path) -> None:
        self.module: Any = module
        self.clock = FakeClock()
        self._plugin = folder / "watching.py"
        self._plugin.write_text(_PLUGIN, encoding="utf-8")

    def add(self, member: Any) -> Any:
        """Put a class or function into the module; a decorator."""
        setattr(self.module, member.__name__, member)
        return member

    @contextlib.contextmanager
    def accelerated(
        self,
        cached: Mapping[str, Any],
        invalidates: Mapping[str, Any] | None = None,
        *,
        target: str = "Repository",
        scope: str | Sequence[str] = (),
        max_entries: int = 0,
        listen: Sequence[tuple[type[Event], Callable[[Any], None]]] = (),
        store: Callable[[str, str], Store | None] = lambda namespace, target: None,
        pool: Sequence[Mapping[str, Any]] = (),
    ) -> Iterator[Accelerator]:
        """Accelerate a class, or with an empty `target` the module's functions; namespaces are declared."""
        self.module.listen, self.module.store = listen, store
        namespaces = {_namespace(rule): {"max_entries": max_entries} for rule in cached.values()}
        repository = {
            "target": f"legacy_app:{target}" if target else "legacy_app",
            "scope": list([scope] if isinstance(scope, str) else scope),
            "cached": dict(cached),
            "invalidates": dict(invalidates or {}),
        }
        config = {
            "version": 1,
            "pool": list(pool),
            "plugins": {"load": [str(self._plugin)]},
            "cache": {"default_ttl": 60, "namespaces": namespaces},
            "repositories": [repository],
        }
        with accelerated(config, clock=self.clock) as accelerator:
            yield accelerator


def _namespace(rule: Any) -> str:
    return rule if isinstance(rule, str) else rule["namespace"]


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Application:
    """An application without anything in it yet."""
    module = ModuleType("legacy_app")
    monkeypatch.setitem(sys.modules, "legacy_app", module)
    return Application(module, tmp_path)


@pytest.fixture
def joins(monkeypatch: pytest.MonkeyPatch) -> Joins:
    """Tells who waits for whom."""
    made = Joins()

    class NotedEvent(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            made.note()
            return super().wait(timeout)

    monkeypatch.setattr(flights, "Event", NotedEvent)
    return made
