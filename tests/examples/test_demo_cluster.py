"""The demo of several PCs: its configuration, its table, and in a soak the whole of it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from wats_accel.telemetry.stats import SharedStats
from wats_accel.testing import accelerated

Load = Callable[[str], Any]
EXAMPLE = Path(__file__).resolve().parents[2] / "docs" / "examples" / "legacy_wats"


def test_of_its_configuration_nothing_is_left_out(
    load: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".demo").mkdir()
    path = load("demo_cluster").written_config("redis://127.0.0.1:1/0")
    with accelerated(yaml.safe_load(path.read_text(encoding="utf-8"))) as accelerator:
        assert accelerator.problems == ()
        assert accelerator.stats().shared.mode == "isolated"  # nobody is there


def test_each_figure_stands_below_its_name(load: Load) -> None:
    demo = load("demo_cluster")
    shared = SharedStats("connected", members=5, sent=1, received=2, delay_seconds=0.0034, silent_seconds=6.7)
    pc = object.__new__(demo.Pc)
    pc.number, pc.figures = 8, {"shared": shared.as_dict(), "hits": 9_001, "loads": 10, "found": 11}
    names, lines, row = *demo.HEAD.split("\n"), pc.row()
    columns = [line for line in lines.split("  ") if line]
    ends = [sum(len(line) + 2 for line in columns[: number + 1]) - 2 for number in range(len(columns))]
    cells = [row[max(0, end - len(line)) : end].strip() for line, end in zip(columns, ends, strict=True)]
    assert cells == ["8", "connected", "5", "1", "2", "3.4", "6.7", "9,001", "10", "11"]
    assert (len(row), len(lines)) == (len(names), len(names))


@pytest.mark.soak
@pytest.mark.usefixtures("postgresql")
def test_five_pcs_are_connected_isolated_and_connected_again(tmp_path: Path, soak: bool) -> None:
    if not soak:
        pytest.skip("it takes half a minute: see `make soak`")
    done = subprocess.run(
        [sys.executable, str(EXAMPLE / "demo_cluster.py"), "--processes", "3"],
        cwd=tmp_path,
        capture_output=True,
        encoding="utf-8",
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Left out" not in done.stdout
    assert done.stdout.count("connected") >= 3
    assert done.stdout.count("isolated") >= 3
