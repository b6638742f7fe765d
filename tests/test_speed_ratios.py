"""No path has become much dearer: instructions are counted, which no other program disturbs.

These are no times. Each kind of call is counted by callgrind, and compared with a hit of
`functools.lru_cache` that is counted in the same way; so the machine does not matter, and of Python only the
minor version. How long things take is measured by `make bench`.
"""

from __future__ import annotations

import itertools
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest

TESTS = Path(__file__).parent
PROGRAM = TESTS / "speed_ratios" / "counted_calls.py"
MARGIN = 1.5
MEASURED = {
    # minor version: what was counted, in hits of lru_cache. Measured anew when a path has become cheaper.
    (3, 11): {
        "hit, a text": 2.88,
        "hit, a list of 200": 6.34,
        "hit, keywords": 5.51,
        "switched off": 1.32,
        "miss and store": 147.1,
        "pooled checkout": 156.0,
    },
}
PATIENCE = 250


@pytest.fixture
def measured() -> dict[str, float]:
    """The ratios for this Python."""
    version = sys.version_info[:2]
    if version not in MEASURED:
        pytest.skip(f"nobody has counted instructions on Python {version[0]}.{version[1]} yet")
    return MEASURED[version]


@pytest.fixture
def callgrind(tmp_path: Path, missing: Callable[[str], NoReturn]) -> list[str]:
    """The command that counts instructions, once it is told to begin."""
    for program in ("valgrind", "vgdb"):
        if shutil.which(program) is None:
            missing(f"{program} (valgrind) is not installed: nobody can count instructions")
    output = tmp_path / "counted"
    options = ["--instr-atstart=no", "--dump-before=getppid", f"--callgrind-out-file={output}"]
    return ["valgrind", "--tool=callgrind", *options]


def environment() -> dict[str, str]:
    """What the counted program sees: nothing that would measure it, too, or change what it does."""
    disturbing = ("COVERAGE", "COV_", "PYTHON", "WATS_ACCEL_DISABLE", "WATS_ACCEL_CONFIG")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(disturbing)}
    return kept | {"PYTHONHASHSEED": "0", "PYTHONPATH": str(TESTS / "benchmarks" / "micro")}


def count(callgrind: list[str], folder: Path) -> dict[str, float]:
    """Instructions of one call, by its name."""
    with (folder / "told").open("w+", encoding="utf-8") as told:
        counting = subprocess.Popen(
            [*callgrind, sys.executable, str(PROGRAM), str(folder)],
            stdout=subprocess.PIPE,
            stderr=told,
            text=True,
            env=environment(),
        )
        assert counting.stdout is not None
        with counting:
            try:
                first = counting.stdout.readline()
                if first == "ready\n":
                    switch = ["vgdb", f"--pid={counting.pid}", "instrumentation", "on"]
                    subprocess.run(switch, check=True, capture_output=True, timeout=PATIENCE)
                    (folder / "go").touch()
                output, _ = counting.communicate(timeout=PATIENCE)
            finally:
                counting.kill()
        told.seek(0)
        assert counting.returncode == 0, told.read()
    return _by_name(output.splitlines(), folder)


def _by_name(lines: list[str], folder: Path) -> dict[str, float]:
    """Twice as many calls less once as many: what stands around them is in both. The least of all turns."""
    totals = (_total(folder / f"counted.{number}") for number in itertools.count(2))
    found: dict[str, list[float]] = {}
    for line in lines:
        calls, _, name = line.partition(" ")
        once, twice = next(totals), next(totals)
        found.setdefault(name, []).append((twice - once) / int(calls))
    return {name: min(turns) for name, turns in found.items()}


def _total(path: Path) -> int:
    total = re.search(r"^totals: (\d+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    assert total is not None, path
    return int(total[1])


def test_no_path_takes_half_as_many_instructions_again_as_when_it_was_measured(
    callgrind: list[str], measured: dict[str, float], tmp_path: Path
) -> None:
    counted = count(callgrind, tmp_path)
    unit = counted.pop("lru_cache")
    ratios = {name: round(instructions / unit, 2) for name, instructions in counted.items()}
    print(f"{unit:.0f} instructions: a hit of lru_cache; in such hits:", ratios)
    assert ratios.keys() == measured.keys()
    dearer = {
        name: (ratio, measured[name]) for name, ratio in ratios.items() if ratio > MARGIN * measured[name]
    }
    assert not dearer, f"(now, measured) in hits of lru_cache: {dearer}"
