"""What following the SQL costs: calls that the cache does not answer, with and without it.

    python tests/benchmarks/sql_tracking.py

The statements are those of the example application, on its database in a local SQLite file, through the
pool. Each read is a miss of a cached method: its TTL has run out. Both modes are installed at once, on two
copies of the driver, and take turns every few calls; of many rounds the quickest tenth counts, so that what
else the computer does shows little. The texts are known: the first use of each is left out, and
told by itself. Times are in microseconds.
"""

from __future__ import annotations

import contextlib
import importlib
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from wats_accel.pool import dialects, drivers
from wats_accel.sql.statement import facts_of
from wats_accel.testing import FakeClock, accelerated

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "docs" / "examples" / "legacy_wats"
ROUNDS, CALLS = 400, 10
MODES = {"rules": "sqlite3_rules", "sql": "sqlite3_sql"}

ROLE = "SELECT Usu_Id, Usu_Is_Admin FROM Usuario_Sistema_WTS WHERE Usu_Nome = ? AND Usu_Ativo = 1"
GROUPS = "SELECT Gru_Codigo, Gru_Nome, Gru_Descricao FROM Grupo_WTS ORDER BY Gru_Nome"
CONNECTIONS = """
SELECT C.Con_Codigo, C.Con_Nome, IFNULL(G.Gru_Nome, 'Sem Grupo') AS Gru_Nome,
       C.Con_IP, C.Con_Tipo, C.Con_Cliente, C.Con_Ativo
FROM Conexao_WTS C LEFT JOIN Grupo_WTS G ON G.Gru_Codigo = C.Gru_Codigo
ORDER BY C.Con_Nome, C.Con_Codigo
"""
HEARTBEAT = """
UPDATE Usuario_Conexao_WTS SET Usu_Last_Heartbeat = datetime('now', 'localtime')
WHERE Con_Codigo = ? AND Usu_Nome = ?
"""


class Repository:
    """The example's way: a connection for each call."""

    driver: Any

    def __init__(self, database: str) -> None:
        self.database = database

    def _query(self, sql: str, *values: object) -> list[Any]:
        connection = self.driver.connect(self.database, isolation_level=None)
        cursor = connection.cursor()
        rows = cursor.execute(sql, values).fetchall()
        cursor.close()
        connection.close()
        return rows

    def role(self) -> list[Any]:
        """One row."""
        return self._query(ROLE, "nobody")

    def groups(self) -> list[Any]:
        """A few rows."""
        return self._query(GROUPS)

    def connections(self) -> list[Any]:
        """A list that a window shows."""
        return self._query(CONNECTIONS)

    def beat(self) -> list[Any]:
        """A write of a column that no cached method reads."""
        return self._query(HEARTBEAT, 1, "nobody")


METHODS = {"role": "one row", "groups": "a few rows", "connections": "a list", "beat": "a write"}


def configuration(mode: str) -> dict[str, Any]:
    """Pooled and cached; in mode sql the schema is known."""
    return {
        "version": 1,
        "logging": {"level": "error"},
        "pool": [{"connect": f"{MODES[mode]}:connect"}],
        "invalidation": mode,
        "sql": {"schema": str(ROOT / "config" / "wats-schema.yaml")},
        "cache": {"namespaces": {"all": {"ttl": 1}}},
        "repositories": [
            {
                "target": f"benchmarked:{mode}",
                "scope": "self.database",
                "cached": dict.fromkeys(("role", "groups", "connections"), "all"),
            }
        ],
    }


@contextlib.contextmanager
def example_database() -> Iterator[str]:
    """The example's database, filled."""
    sys.path.insert(0, str(EXAMPLE))
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "wats.db")
        settings = importlib.import_module("src.wats.config.settings").Settings()
        settings.DB_TYPE, settings.DB_DATABASE = "sqlite", path
        importlib.import_module("simulation.generator").create_database(settings, seed=1)
        yield path


def seconds_of(call: Callable[[], object], clock: FakeClock) -> float:
    """Seconds of one call, every answer being too old."""
    began = time.perf_counter()
    for _ in range(CALLS):
        clock.now += 2
        call()
    return (time.perf_counter() - began) / CALLS


def copy_of_sqlite3(name: str) -> ModuleType:
    """The driver under another name, with a `connect` of its own to be patched."""
    copy = sys.modules[name] = ModuleType(name)
    vars(copy).update({key: value for key, value in vars(sqlite3).items() if not key.startswith("__")})
    copy.connect = lambda *args, **kwargs: sqlite3.connect(*args, **kwargs)  # type: ignore[attr-defined]
    drivers._KNOWN[name] = drivers.Sqlite3
    dialects._BY_MODULE[name] = dialects.Sqlite
    return copy


def figures(database: str) -> dict[str, dict[str, float]]:
    """Seconds of each method, by mode."""
    clock = FakeClock()
    with contextlib.ExitStack() as stack:
        accelerators = [stack.enter_context(accelerated(configuration(mode), clock=clock)) for mode in MODES]
        repositories = {mode: getattr(sys.modules["benchmarked"], mode)(database) for mode in MODES}
        found: dict[str, dict[str, list[float]]] = {name: {mode: [] for mode in MODES} for name in METHODS}
        for name in METHODS:
            for _ in range(ROUNDS):
                for mode, repository in repositories.items():
                    found[name][mode].append(seconds_of(getattr(repository, name), clock))
        for accelerator in accelerators:
            total = accelerator.stats().total
            assert total.stored == total.misses == 3 * ROUNDS * CALLS, total
    return {
        name: {mode: quickest(rounds) for mode, rounds in by_mode.items()} for name, by_mode in found.items()
    }


def quickest(rounds: list[float]) -> float:
    """The mean of the quickest tenth."""
    best = sorted(rounds)[: len(rounds) // 10]
    return sum(best) / len(best)


def main() -> None:
    """Print the table."""
    module = sys.modules["benchmarked"] = ModuleType("benchmarked")
    for mode, driver in MODES.items():
        setattr(module, mode, type(mode, (Repository,), {"driver": copy_of_sqlite3(driver)}))
    with example_database() as database:
        found = figures(database)
    print(f"{'':14}{'mode rules':>12}{'mode sql':>12}{'more':>8}{'ratio':>8}")
    for name, what in METHODS.items():
        plain, followed = (found[name][mode] * 1e6 for mode in MODES)
        more = followed - plain
        print(f"{what:14}{plain:12.1f}{followed:12.1f}{more:8.1f}{more / plain:8.1%}")
    for what, sql in {"a few rows": GROUPS, "a list": CONNECTIONS}.items():
        began = time.perf_counter()
        facts_of(sql + " ", "sqlite")
        print(f"the text of {what}, when it is first seen: {(time.perf_counter() - began) * 1e6:.0f}")


if __name__ == "__main__":
    main()
