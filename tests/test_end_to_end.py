"""The legacy example, run in every way there is: same answers, same statistics, not one line edited."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
EXAMPLE = ROOT / "docs" / "examples" / "legacy_wats"
CONFIGS = ["wats.yaml", "wats.toml"]


@dataclass(frozen=True)
class Run:
    answers: list[tuple[str, str, str]]
    log: str

    @property
    def stats(self) -> str | None:
        found = re.search(r"Cache stats: (\{.*\})", self.log)
        return found[1] if found else None


@pytest.fixture(scope="module")
def database(tmp_path_factory) -> Path:
    """A filled database, copied for each run."""
    path = tmp_path_factory.mktemp("database") / "wats.db"
    started = [sys.executable, str(EXAMPLE / "run.py"), "--generate", "--hours", "0"]
    folder = path.parent
    subprocess.run(
        [*started, "--log-file", str(folder / "app.log")],
        env={**os.environ, "DB_DATABASE": str(path)},
        cwd=folder,
        check=True,
        capture_output=True,
    )
    return path


@pytest.fixture
def run(tmp_path, database):
    def started(*command: str, **environment: str) -> Run:
        shutil.copy(database, tmp_path / "wats.db")
        answers, log = tmp_path / "answers.jsonl", tmp_path / "app.log"
        log.unlink(missing_ok=True)
        arguments = ["--seed", "5", "--hours", "0.4", "--answers", str(answers), "--log-file", str(log)]
        done = subprocess.run(
            [sys.executable, *command, *arguments],
            env={**os.environ, "DB_DATABASE": str(tmp_path / "wats.db"), **environment},
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        calls = [json.loads(line) for line in answers.read_text(encoding="utf-8").splitlines()]
        return Run(
            [(call["target"], call["arguments"], call["answer"]) for call in calls],
            log.read_text(encoding="utf-8"),
        )

    return started


@pytest.fixture
def plain(run) -> Run:
    return run(str(EXAMPLE / "run.py"))


@pytest.fixture
def two_lines(tmp_path) -> str:
    """The example's run.py with the two lines that load the accelerator, in a copy of the example."""
    copy = tmp_path / "edited"
    shutil.copytree(EXAMPLE, copy, ignore=shutil.ignore_patterns("data", "__pycache__", ".*_cache"))
    script = copy / "run.py"
    source = script.read_text(encoding="utf-8")
    head, future, rest = source.partition("from __future__ import annotations\n")
    lines = f"\nimport wats_accel\nwats_accel.install({str(ROOT / 'config' / 'wats.yaml')!r})\n"
    script.write_text(head + future + lines + rest if future else lines + source, encoding="utf-8")
    return str(script)


@pytest.fixture
def with_block(tmp_path) -> str:
    """A program that runs the example inside ``with wats_accel.installed(...)``."""
    script = tmp_path / "with_block.py"
    script.write_text(
        "import sys, runpy, wats_accel\n"
        f"sys.path.insert(0, {str(EXAMPLE)!r})\n"
        f"with wats_accel.installed({str(ROOT / 'config' / 'wats.yaml')!r}):\n"
        f"    runpy.run_path({str(EXAMPLE / 'run.py')!r}, run_name='__main__')\n"
    )
    return str(script)


def test_unedited_with_two_lines_and_in_a_with_block_all_is_the_same(run, plain, two_lines, with_block):
    command = ("-m", "wats_accel", "run", "--config")
    unedited = [run(*command, f"config/{name}", str(EXAMPLE / "run.py")) for name in CONFIGS]
    runs = [*unedited, run(two_lines), run(with_block)]
    assert [known.answers == plain.answers for known in runs] == [True] * 4
    assert len({known.stats for known in runs}) == 1
    assert runs[0].stats is not None
    assert "'hits': 0," not in runs[0].stats


def test_the_lines_that_the_maintainers_look_for_are_in_the_applications_own_log(run):
    accelerated = run("-m", "wats_accel", "run", "--config", "config/wats.yaml", str(EXAMPLE / "run.py"))
    for line in (
        r"\[INFO\] \S+ - Cache system initialized \(default TTL=300s\)$",
        r"\[INFO\] \S+ - Performance optimizations initialized successfully$",
        r"\[INFO\] \S+ - Invalidated \d+ cache entries matching 'connections:select_all:\*'$",
        r"\[INFO\] \S+ - Cache stats: \{'size': \d+, 'hits': \d+, 'misses': \d+, 'hit_rate': [\d.]+\}$",
    ):
        assert re.search(line, accelerated.log, re.MULTILINE), line


def test_switched_off_by_the_environment_the_application_behaves_as_if_the_package_were_not_there(run, plain):
    command = ["-m", "wats_accel", "run", "--config", "config/wats.yaml", str(EXAMPLE / "run.py")]
    disabled = run(*command, WATS_ACCEL_DISABLE="all")
    assert disabled.answers == plain.answers
    assert "wats_accel" not in disabled.log
    assert disabled.stats is None
    assert len(disabled.log.splitlines()) == len(plain.log.splitlines())
