"""A frozen program runs as the unfrozen one does, and is accelerated by the file beside its executable."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from wats_accel.pyinstaller import hook_dirs
from wats_accel.pyinstaller.contents import hidden_imports

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "docs" / "examples" / "legacy_wats"
SOURCES = Path(__file__).parent / "frozen_program"
SUFFIX = ".exe" if sys.platform == "win32" else ""

NOTES = """
from wats_accel.extension import Hit, EventSubscription, hookimpl
NOTES = []

@hookimpl
def accel_event_subscriptions(context):
    return [EventSubscription(Hit, lambda event: NOTES.append(event.key))]
"""


def environment(**more: str) -> dict[str, str]:
    """That of the tests, but for what would have parts of them run in the processes that they start."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("COV", "WATS_ACCEL"))}
    return {**kept, "PYTHONDONTWRITEBYTECODE": "1", **more}


def add_plugin_distribution(site: Path) -> None:
    """A plugin of another distribution, installed beside the package."""
    (site / "stock_notes.py").write_text(NOTES, encoding="utf-8")
    metadata = site / "stock_notes-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: stock-notes\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[wats_accel]\nstock_notes = stock_notes\n")
    (metadata / "RECORD").write_text("stock_notes.py,,\nstock_notes-1.0.dist-info/METADATA,,\n")


@pytest.fixture(scope="session")
def programs(
    installed: Path, missing: Callable[[str], Any], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The folder with both executables, and their configurations beside them; frozen once for all workers."""
    if importlib.util.find_spec("PyInstaller") is None:
        missing("PyInstaller is not installed")
    if sys.platform == "linux" and shutil.which("objdump") is None:
        missing("objdump (binutils), which PyInstaller needs, is not installed")
    workers = "PYTEST_XDIST_WORKER" in os.environ and sys.platform != "win32"
    folder = (tmp_path_factory.getbasetemp().parent if workers else tmp_path_factory.mktemp("of")) / "frozen"
    with alone_in(folder):
        made = folder / "source" / "dist" / "programs"
        told = folder / "frozen.log"
        if not told.exists():
            told.write_text(freeze(installed, folder), encoding="utf-8")
        why = told.read_text(encoding="utf-8")
    if "Python library not found" in why or "Python shared library" in why:
        missing("PyInstaller needs a Python with a shared library")
    assert made.is_dir(), why
    return made


@contextlib.contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Keep other workers out for a while; on Windows each has a folder of its own."""
    folder.mkdir(exist_ok=True)
    if sys.platform == "win32":
        yield
        return
    import fcntl

    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def freeze(installed: Path, folder: Path) -> str:
    """Freeze both programs; gives what PyInstaller has to say of it."""
    site = shutil.copytree(installed, folder / "site")
    add_plugin_distribution(site)
    source = shutil.copytree(SOURCES, folder / "source")
    done = subprocess.run(
        [sys.executable, "-m", "PyInstaller", "--log-level", "WARN", "both.spec"],
        cwd=source,
        env=environment(
            PYTHONPATH=str(site), FROZEN_EXAMPLE=str(EXAMPLE), PYINSTALLER_CONFIG_DIR=str(folder)
        ),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode == 0:
        made = source / "dist" / "programs"
        shutil.copy(source / "stock.yaml", made)
        shutil.copytree(source / "accel_plugins", made / "accel_plugins")
        for name in ("wats.yaml", "wats-schema.yaml"):
            shutil.copy(ROOT / "config" / name, made)
    return done.stderr


def run(program: list[Any], folder: Path, **more: str) -> subprocess.CompletedProcess[str]:
    """Run a program far from its folder."""
    folder.mkdir(exist_ok=True)
    done = subprocess.run(
        [str(part) for part in program],
        cwd=folder,
        env=environment(**more),
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done


# -- the hook ----------------------------------------------------------------------------------------------


def test_pyinstaller_is_told_where_the_hooks_are(installed: Path) -> None:
    (folder,) = hook_dirs()
    assert (Path(folder) / "hook-wats_accel.py").is_file()
    (metadata,) = installed.glob("*.dist-info")
    assert "[pyinstaller40]\nhook-dirs = wats_accel.pyinstaller:hook_dirs" in (
        metadata / "entry_points.txt"
    ).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", hidden_imports())
def test_what_is_imported_by_a_computed_name_is_there(name: str) -> None:
    assert importlib.util.find_spec(name) is not None


# -- the program with the two lines --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def report(programs: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the program says of itself."""
    folder = tmp_path_factory.mktemp("stock")
    run([programs / f"stock{SUFFIX}", folder / "stock.db", "log"], folder)
    return {
        **json.loads((folder / "stock.db.json").read_text(encoding="utf-8")),
        "log": (folder / "stock.db.log").read_text(encoding="utf-8"),
    }


def test_the_file_beside_the_executable_is_in_effect_whole(report: dict[str, Any]) -> None:
    assert report["problems"] == []
    assert "Performance optimizations initialized successfully" in report["log"]
    assert "Cache HIT: stock:amounts" in report["log"]


def test_the_answers_are_right_and_come_from_the_cache(report: dict[str, Any]) -> None:
    ten, fifteen = [["bolt", 10]], [["bolt", 15]]
    assert report["seen"] == [ten, ten, ten, fifteen]
    assert (report["queries_before_write"], report["queries"]) == (1, 2)


def test_what_only_computed_names_lead_to_is_frozen_in(report: dict[str, Any]) -> None:
    assert report["parsed"], "the SQL library's dialect is imported by name"
    assert report["reused"] > 0, "the pool's library is imported late"
    assert report["preset"].startswith("# ")


def test_plugins_of_files_and_of_other_distributions_are_found(report: dict[str, Any]) -> None:
    assert {"stored_keys", "stock_notes", "connection_pool", "repository_cache"} <= set(report["plugins"])
    assert report["notes"] == ["stock:amounts"] * 2


def test_the_fast_parts_of_libraries_are_there_and_the_command_line_is_not(
    report: dict[str, Any],
) -> None:
    assert (report["c_wrapt"], report["c_yaml"]) == ("wrapper_descriptor", True)
    assert report["command_line"] == []


def test_a_child_process_of_the_program_works(report: dict[str, Any]) -> None:
    assert report["child"] == [[["bolt", 15]], 3]  # it does not run the two lines: it is not accelerated


@pytest.mark.skipif(sys.platform == "win32", reason="closes descriptors as only POSIX can")
def test_without_standard_streams_it_runs_as_with_them(programs: Path, tmp_path: Path) -> None:
    command = 'exec "$0" "$1" <&- >&- 2>&-'
    run(["sh", "-c", command, programs / "stock", tmp_path / "stock.db"], tmp_path)
    found = json.loads((tmp_path / "stock.db.json").read_text(encoding="utf-8"))
    assert (found["streams"], found["queries"]) == ([True, True], 2)


# -- the example, which is not edited ------------------------------------------------------------------


def test_the_example_frozen_and_accelerated_gives_the_answers_of_the_plain_one(
    programs: Path, tmp_path: Path, soak: bool
) -> None:
    options = ["--hours", "8" if soak else "0.5", "--generate", "--answers"]
    plain = answers([sys.executable, EXAMPLE / "run.py", *options], tmp_path / "plain")
    fast = answers([programs / f"wats{SUFFIX}", *options], tmp_path / "fast")
    assert len(plain[0]) > 100
    assert fast[0] == plain[0]
    for line in (
        "Connection Pool initialized (size=5, overflow=10)",
        "Cache system initialized (default TTL=300s)",
        "Performance optimizations initialized successfully",
    ):
        assert line in fast[1]
    (hits,) = re.findall(r"Cache stats: .*'hits': (\d+)", fast[1])
    assert int(hits) > 50


def answers(program: list[Any], folder: Path) -> tuple[list[Any], str]:
    """The answers of all methods on a day in the example, and its log."""
    done = run([*program, folder / "answers.jsonl"], folder, DB_DATABASE=str(folder / "wats.db"))
    lines = (folder / "answers.jsonl").read_text(encoding="utf-8").splitlines()
    return [{**json.loads(line), "seconds": None} for line in lines], done.stderr
