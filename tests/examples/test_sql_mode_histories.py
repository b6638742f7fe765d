"""Without any rule of invalidation, what 16 threads read of the example is what registers would have given.

As in `test_histories`, on the same databases; but here the SQL alone says what a write drops.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml
from histories import History, JumpingClock, Recorder
from history_check import check
from versioned_company import Company

from wats_accel.runtime import Accelerator
from wats_accel.testing import accelerated

CONFIG = Path(__file__).resolve().parents[2] / "config"
WHOLE, SHARE = 200_000, 3_000


def in_mode(mode: str) -> dict[str, Any]:
    """The application's configuration, with rules in mode both only; schema and both drivers are known."""
    document: dict[str, Any] = yaml.safe_load((CONFIG / "wats.yaml").read_text(encoding="utf-8"))
    document["invalidation"] = mode
    document["sql"]["schema"] = str(CONFIG / "wats-schema.yaml")
    document["pool"].append({"connect": "sqlite3:connect"})
    for repository in document["repositories"]:
        if mode != "both":
            repository.pop("invalidates", None)
    return document


def recorded(company: Company, mode: str, database_type: str, operations: int) -> tuple[History, Accelerator]:
    """The history of an accelerated run, and the accelerator, whose figures stay."""
    clock = JumpingClock()
    # One connection for all transactions of a service: see `test_histories`.
    recorder = Recorder(company, clock, one_writer=database_type == "sqlite")
    with accelerated(in_mode(mode), clock=clock) as accelerator:
        history = recorder.record(operations, seed=1)
        assert accelerator.problems == ()
    return history, accelerator


@pytest.mark.soak
@pytest.mark.usefixtures("_quick_switches")
def test_without_a_rule_no_thread_reads_what_was_there_before_a_write(
    company: Company, database_type: str, soak: bool
) -> None:
    history, accelerator = recorded(company, "sql", database_type, WHOLE if soak else SHARE)
    total = accelerator.stats().total
    violations = check(history.operations)
    print(
        f"\n{len(history.operations)} operations in {history.seconds:.0f} s, {len(violations)} wrong; {total}"
    )
    assert [str(found) for found in violations] == []
    assert +history.failures == {}
    assert total.hits > len(history.operations) // 10
    assert total.invalidated > 0
    assert not {"unknown_reads", "no_statement_seen", "wrote", "failure_within"} & set(total.not_stored)


@pytest.mark.usefixtures("_quick_switches")
@pytest.mark.parametrize("database_type", ["sqlite"], indirect=True)
def test_beside_rules_no_thread_reads_what_was_there_before_a_write_either(
    company: Company, database_type: str
) -> None:
    history, accelerator = recorded(company, "both", database_type, SHARE)
    assert [str(found) for found in check(history.operations)] == []
    assert +history.failures == {}
    assert accelerator.stats().total.hits > len(history.operations) // 10


@pytest.mark.usefixtures("_quick_switches")
@pytest.mark.parametrize("database_type", ["sqlite"], indirect=True)
def test_with_neither_rules_nor_sql_the_same_run_is_found_out(company: Company, database_type: str) -> None:
    history, _ = recorded(company, "rules", database_type, SHARE)
    assert Counter(found.kind for found in check(history.operations))["stale"] > 100


def test_a_heartbeat_drops_nothing_and_a_new_session_what_shows_it(
    services: list[Any], database_type: str
) -> None:
    service = services[0]
    name = next(row[1] for row in service.users.admin_get_all_users() if row[4])
    with accelerated(in_mode("sql")) as accelerator:
        assert service.connections.select_all(name)
        service.connections.admin_get_all_connections()
        service.users.admin_get_all_users()
        size = accelerator.stats().total.size
        assert size >= 3
        assert service.logs.update_heartbeat(1, name)
        assert accelerator.stats().total.invalidated == 0
        assert accelerator.stats().total.size == size
        assert service.logs.insert_connection_log(1, name, "10.0.0.1", "pc", "somebody")
        assert accelerator.stats().total.invalidated == 1
        assert accelerator.problems == ()
