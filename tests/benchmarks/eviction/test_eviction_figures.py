from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
EXPLANATION = HERE.parents[2] / "docs/explanation/eviction.md"
TRACE = "as WATS asks"


@pytest.fixture
def simulate(monkeypatch):
    """The script as a module; what it imports is found beside it."""
    monkeypatch.syspath_prepend(str(HERE))
    yield importlib.import_module("simulate")
    for name in ("simulate", "policies", "traces"):
        del sys.modules[name]


def test_the_figures_that_are_written_down_are_those_that_come_out(simulate):
    rows = simulate.hit_rates(TRACE)
    written = (HERE / "README.md").read_text(encoding="utf-8").splitlines()
    for share, rates in zip(simulate.SHARES, rows, strict=True):
        assert simulate.row(f"{TRACE}, {share:.0%}", rates) in written
    means = simulate.row(TRACE, simulate.means(rows))
    assert means in written
    assert means in EXPLANATION.read_text(encoding="utf-8").splitlines()
