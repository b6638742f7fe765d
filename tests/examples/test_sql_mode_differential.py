"""Without a rule, after every write of the example every cached read gives what the database has.

More reads are cached here than in the application's configuration: no rule has to be written for them.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from differential import MORE_READS, Differential

from wats_accel.testing import accelerated

CONFIG = Path(__file__).resolve().parents[2] / "config"
WHOLE, SHARE = 1_500, 40


@pytest.fixture(params=["sqlite", "postgresql"])
def service(
    load: Callable[[str], Any], request: pytest.FixtureRequest, make_settings: Callable[..., Any]
) -> Any:
    """The application on a filled database of the test's own."""
    if request.param == "sqlite":
        settings = request.getfixturevalue("settings")
    else:
        server = request.getfixturevalue("postgresql")
        settings = make_settings(DB_TYPE="postgresql", DB_ODBC=server.odbc())
        load("simulation.generator").create_database(settings, seed=1)
    return load("src.wats.db.db_service").DBService(settings)


def by_sql_alone() -> dict[str, Any]:
    """The application's configuration, with more reads and without a rule."""
    document: dict[str, Any] = yaml.safe_load((CONFIG / "wats.yaml").read_text(encoding="utf-8"))
    document["invalidation"] = "sql"
    document["sql"]["schema"] = str(CONFIG / "wats-schema.yaml")
    document["pool"].append({"connect": "sqlite3:connect"})
    document["cache"]["namespaces"]["more"] = {"ttl": 0}
    for repository in document["repositories"]:
        repository.pop("invalidates", None)
        for method in MORE_READS.get(repository["target"], []):
            repository["cached"][method] = "more"
    return document


@pytest.mark.soak
def test_no_answer_is_stale_after_any_write_and_few_are_dropped_needlessly(service: Any, soak: bool) -> None:
    with accelerated(by_sql_alone()) as accelerator:
        figures = Differential(service, accelerator, seed=1).run(WHOLE if soak else SHARE)
        print(f"\n{figures}")
        assert figures.stale == []
        assert figures.dropped["heartbeat"] == figures.dropped["log_end"] == 0
        assert figures.dropped.total() > 0
        assert accelerator.problems == ()
