"""The built wheel: what it installs, and that it works without the source tree."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def python(installed: Path, *arguments: str) -> str:
    # -S and an own path would hide the dependencies too: the editable finder comes after PYTHONPATH.
    done = subprocess.run(
        [sys.executable, *arguments],
        env={"PYTHONPATH": str(installed)},
        cwd=installed,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_wheel_has_no_top_level_package_but_its_own_two(wheel):
    with zipfile.ZipFile(wheel) as archive:
        tops = {name.split("/")[0] for name in archive.namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"wats_accel", "wats_accel_plugins"}


def test_the_wheel_is_typed_and_carries_the_presets_and_the_schema(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    assert {
        "wats_accel/py.typed",
        "wats_accel/presets/wats.yaml",
        "wats_accel/presets/wats.toml",
        "wats_accel/presets/minimal.yaml",
        "wats_accel/presets/wats-accel.schema.json",
    } <= names


def test_every_package_of_the_source_is_in_the_wheel(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    folders = {"wats_accel": ROOT / "wats_accel", "wats_accel_plugins": ROOT / "plugins"}
    assert names >= {
        f"{package}/{path.relative_to(folder).as_posix()}"
        for package, folder in folders.items()
        for path in folder.rglob("*.py")
    }


def test_presets_are_read_from_the_installed_wheel(installed):
    program = (
        "import wats_accel; from importlib.resources import files\n"
        "print(wats_accel.__file__)\n"
        "print(files('wats_accel.presets').joinpath('wats.yaml').read_text(encoding='utf-8'))"
    )
    printed = python(installed, "-c", program)
    assert printed.startswith(str(installed))
    assert (ROOT / "config" / "wats.yaml").read_text(encoding="utf-8") in printed


def test_the_command_line_works_from_the_installed_wheel(installed):
    assert "repository_cache  (built in)" in python(installed, "-m", "wats_accel", "plugins")
