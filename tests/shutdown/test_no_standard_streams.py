"""A windowed program (pythonw, a frozen window) has no standard streams: they are None, or closed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from accel_shop import config

HERE = Path(__file__).resolve().parents[1]
NONE = """
import sys
for name in ("stdin", "stdout", "stderr"):
    setattr(sys, name, None)
    setattr(sys, f"__{name}__", None)
"""
COMMAND = "from wats_accel.cli import main\n"

# What is done, and the exit status. Each leaves a file behind to show that it came to its end.
DOINGS = {
    "install, read, uninstall": (
        "import wats_accel\naccelerator = wats_accel.install('accel.yaml')\n"
        "from accel_shop import UserRepository\nrepository = UserRepository()\n"
        "assert repository.get_user('ada') == repository.get_user('ada') is None\n"
        "assert repository.db.queries == 1\naccelerator.uninstall()\nopen('done', 'w').close()",
        0,
    ),
    "install what is wrong": (
        "import wats_accel\naccelerator = wats_accel.install({'version': 2})\n"
        "assert accelerator.problems\nopen('done', 'w').close()",
        0,
    ),
    "a program with the package": (
        COMMAND + "main(['run', '--config', 'accel.yaml', 'program.py'])",
        3,
    ),
    "a program that fails, with the package": (
        COMMAND + "main(['run', '--config', 'accel.yaml', 'failing.py'])",
        1,
    ),
    "a program that is not there": (COMMAND + "main(['run', 'missing.py'])", 2),
    "a check that finds nothing": (
        COMMAND + "main(['check', '--config', 'accel.yaml'])",
        0,
    ),
    "a check of what is wrong": (
        COMMAND + "main(['check', '--config', 'wrong.yaml'])",
        2,
    ),
    "a command that prints": (COMMAND + "main(['schema'])", 0),
    "help": (COMMAND + "main(['--help'])", 0),
    "a wrong option": (COMMAND + "main(['check', '--colour'])", 2),
}
LEAVES_NOTHING = {name for name in DOINGS if name.startswith(("a check", "a command", "help", "a wrong"))}


@pytest.mark.soak
@pytest.mark.parametrize("doing", list(DOINGS)[:: 1 if os.environ.get("WATS_ACCEL_SOAK") == "1" else 3])
def test_nothing_needs_them(tmp_path: Path, doing: str) -> None:
    program, status = DOINGS[doing]
    (tmp_path / "accel.yaml").write_text(
        json.dumps(config(logging={"summary_every": "1h"})), encoding="utf-8"
    )
    (tmp_path / "wrong.yaml").write_text("version: 2", encoding="utf-8")
    mark = "open('done', 'w').close()\n"
    (tmp_path / "program.py").write_text(f"import sys\n{mark}sys.exit(3)", encoding="utf-8")
    (tmp_path / "failing.py").write_text(f"{mark}raise LookupError", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", NONE + program],
        env={**os.environ, "PYTHONPATH": str(HERE)},
        cwd=tmp_path,
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stdout, done.stderr) == (status, b"", b"")
    assert (tmp_path / "done").exists() is (doing not in LEAVES_NOTHING and "not there" not in doing)


@pytest.mark.skipif(sys.platform == "win32", reason="closes descriptors as only POSIX can")
def test_nothing_needs_their_descriptors(tmp_path: Path) -> None:
    program, _ = DOINGS["install, read, uninstall"]
    (tmp_path / "accel.yaml").write_text(json.dumps(config()), encoding="utf-8")
    done = subprocess.run(
        ["sh", "-c", 'exec "$0" -W error -c "$1" <&- >&- 2>&-', sys.executable, program],
        env={**os.environ, "PYTHONPATH": str(HERE)},
        cwd=tmp_path,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0
    assert (tmp_path / "done").exists()
