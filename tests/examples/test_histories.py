"""What 16 threads read of the example, on real databases, is what registers would have given them.

The promise: a read that begins after a patched write has returned never gets the state from before it.
`history_check` says what is checked, and why that is all; `versioned_company` what the registers are.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from histories import History, JumpingClock, Recorder
from history_check import Read, Violation, check
from versioned_company import Company

from wats_accel.telemetry.stats import CacheStats
from wats_accel.testing import accelerated

PRESET = Path(__file__).resolve().parents[2] / "config" / "wats.yaml"
WHOLE, SHARE = 200_000, 3_000


def configuration() -> dict[str, Any]:
    """The application's own."""
    document: dict[str, Any] = yaml.safe_load(PRESET.read_text(encoding="utf-8"))
    return document


def recorded(
    document: dict[str, Any], company: Company, database_type: str, operations: int
) -> tuple[History, CacheStats]:
    """The history of an accelerated run, and the caches' figures."""
    clock = JumpingClock()
    # Each service has one connection for all its transactions. On SQLite no rule puts one for each thread
    # below it, and threads that write at the same time undo each other's work, patched or not.
    recorder = Recorder(company, clock, one_writer=database_type == "sqlite")
    with accelerated(document, clock=clock) as accelerator:
        return recorder.record(operations, seed=1), accelerator.stats().total


@pytest.mark.soak
@pytest.mark.usefixtures("_quick_switches")
@pytest.mark.parametrize("max_entries", [10_000, 2], ids=["preset", "evicting"])
def test_no_thread_reads_what_was_there_before_a_write_that_had_returned(
    company: Company, database_type: str, max_entries: int, soak: bool
) -> None:
    document = configuration()
    document["cache"]["max_entries"] = max_entries
    history, total = recorded(document, company, database_type, WHOLE if soak else SHARE)
    violations = check(history.operations)
    print(figures(history, total, violations))
    assert [str(found) for found in violations] == []
    assert [str(found) for found in across_methods(history)] == []
    assert +history.failures == {}
    assert total.hits > len(history.operations) // 10
    assert total.expired > 0
    assert (total.evicted > 0) == (max_entries == 2)


@pytest.mark.usefixtures("_quick_switches")
@pytest.mark.parametrize("database_type", ["sqlite"], indirect=True)
def test_a_write_without_its_rule_is_found_out(company: Company, database_type: str) -> None:
    document = configuration()
    (users,) = (each for each in document["repositories"] if "admin_update_user" in each["invalidates"])
    users["invalidates"]["admin_update_user"].remove("users:*")
    history, _ = recorded(document, company, database_type, SHARE)
    violations = check(history.operations)
    e_mail_addresses = {key for key in company.registers() if key[0] == "user"}
    assert {found.key for found in violations if found.kind == "stale"} == e_mail_addresses


def across_methods(history: History) -> list[Violation]:
    """What is wrong if all methods together are to show one state, and not each its own."""
    return check(
        replace(each, source=None) if isinstance(each, Read) else each for each in history.operations
    )


def figures(history: History, total: CacheStats, violations: list[Violation]) -> str:
    """A few lines for those who look: ``pytest -s``."""
    count, across = len(history.operations), len(across_methods(history))
    return (
        f"\n{count} operations, {count / history.seconds:.0f} a second; failures: {dict(+history.failures)}"
        f"\n{total.hits} hits, {total.misses} misses, {total.evicted} evicted, {total.expired} expired"
        f"\nwrong: {len(violations)} within one method's answers, {across} across methods"
    )
