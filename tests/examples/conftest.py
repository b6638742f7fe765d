"""Puts the example on the import path for the tests of this folder, and gives them a filled database."""

from __future__ import annotations

import importlib
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from versioned_company import Company, prepare

EXAMPLE = Path(__file__).resolve().parents[2] / "docs" / "examples" / "legacy_wats"
_DB_VARIABLES = ("DB_TYPE", "DB_SERVER", "DB_DATABASE", "DB_UID", "DB_PWD", "DB_PORT", "DB_ODBC", "LOG_LEVEL")


def _forget_the_example() -> None:
    for name in list(sys.modules):
        if name.partition(".")[0] in {"src", "simulation", "run", "demo", "demo_cluster"}:
            del sys.modules[name]


@pytest.fixture(scope="module", autouse=True)
def load() -> Iterator[Callable[[str], Any]]:
    """Import a module of the example by name; gone again after the test module."""
    _forget_the_example()
    sys.path.insert(0, str(EXAMPLE))
    try:
        yield importlib.import_module
    finally:
        sys.path.remove(str(EXAMPLE))
        _forget_the_example()


@pytest.fixture(autouse=True)
def _no_database_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in _DB_VARIABLES:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def make_settings(load: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Settings() as the application builds them, with these DB_* variables in the environment."""

    def build(**variables: str) -> Any:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        return load("src.wats.config.settings").Settings()

    return build


@pytest.fixture(scope="module")
def original_database(load: Callable[[str], Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database filled once per test module; nobody writes to it."""
    path = tmp_path_factory.mktemp("original") / "wats.db"
    settings = load("src.wats.config.settings").Settings()
    settings.DB_TYPE, settings.DB_DATABASE = "sqlite", str(path)
    load("simulation.generator").create_database(settings, seed=1)
    return path


@pytest.fixture
def database(original_database: Path, tmp_path: Path) -> Path:
    """A filled database of the test's own."""
    return Path(shutil.copyfile(original_database, tmp_path / "wats.db"))


@pytest.fixture
def settings(make_settings: Callable[..., Any], database: Path) -> Any:
    """Settings that point at the test's own database."""
    return make_settings(DB_DATABASE=str(database))


@pytest.fixture
def service(load: Callable[[str], Any], settings: Any) -> Any:
    """The application's DBService on the test's own database."""
    return load("src.wats.db.db_service").DBService(settings)


@pytest.fixture
def count(service: Any) -> Callable[..., int]:
    """Rows of a table that meet a condition."""

    def rows(table: str, condition: str = "1 = 1", *values: object) -> int:
        cursor = service.db_manager.get_cursor()
        return int(cursor.execute(f"SELECT COUNT(*) FROM {table} WHERE {condition}", values).fetchone()[0])

    return rows


# -- histories -------------------------------------------------------------------------------------------


@pytest.fixture(params=["sqlite", "postgresql"])
def database_type(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def filled(
    load: Callable[[str], Any], database_type: str, request: pytest.FixtureRequest, make_settings: Any
) -> Any:
    """Settings of a filled database of the test's own."""
    if database_type == "sqlite":
        return request.getfixturevalue("settings")
    server = request.getfixturevalue("postgresql")
    settings = make_settings(DB_TYPE="postgresql", DB_ODBC=server.odbc())
    load("simulation.generator").create_database(settings, seed=1)
    return settings


@pytest.fixture
def services(load: Callable[[str], Any], filled: Any) -> list[Any]:
    """Three services of the application on that database."""
    return [load("src.wats.db.db_service").DBService(filled) for _ in range(3)]


@pytest.fixture
def company(load: Callable[[str], Any], services: list[Any]) -> Company:
    """The application as registers, through these services and two more repositories."""
    prepare(services[0])
    repository = load("src.wats.db.repositories.individual_permission_repository")
    more = [repository.IndividualPermissionRepository(service.db_manager) for service in services[:2]]
    return Company(services, more)


@pytest.fixture
def _quick_switches() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-4)
    yield
    sys.setswitchinterval(before)
