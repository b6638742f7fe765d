"""A method whose cache is switched off while the program runs: the patch stands, and nothing is cached."""

from __future__ import annotations

from typing import Any

import pytest
from interleaved import loop, side_by_side
from measured_application import Repository, SwitchedOff

PLAIN, OFF = "plain call", "wats_accel, switched off"
CALLS = {
    "get": "repository.get(name)",
    "find, keywords": "repository.find(name=name, active=True, limit=100)",
}
CASES = tuple(f"{who}: {how}" for how in CALLS for who in (PLAIN, OFF))


@pytest.fixture(scope="module")
def measured(accelerator: Any) -> dict[str, list[float]]:
    """The methods return what they are given: a method that does more hides what the switch costs."""
    assert accelerator.disable("SwitchedOff:*") == 2
    classes = {PLAIN: Repository, OFF: SwitchedOff}
    runs = {}
    for how, statement in CALLS.items():
        for who, repository in classes.items():
            runs[f"{who}: {how}"] = loop(statement, repository=repository(str), name="ann")
    return side_by_side(runs)


@pytest.mark.parametrize("case", CASES)
def bench_switched_off(report: Any, measured: Any, case: str) -> None:
    report("switched off", case, measured[case])
