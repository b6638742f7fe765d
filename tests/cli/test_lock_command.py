"""``wats-accel lock``: what is written, what is kept, and what is said to have changed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from wats_accel.cli.group import dispatch
from wats_accel.patching.fingerprint import python_tag

APPLICATION = """\
SQL = "SELECT role FROM users"
class Repo:
    def read(self, name): return SQL
    def write(self, name): return True
"""
RULES = """\
version: 1
cache: {namespaces: {users: {}}}
repositories:
- target: lock_app:Repo
  cached: {read: users}
  invalidates: {write: "users:*"}
"""


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., int]]:
    """Run the command over the application above, or another text of it."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    (tmp_path / "accel.yaml").write_text(RULES + "lock: app.lock\n")

    def lock(*arguments: str, text: str = APPLICATION, command: str = "lock") -> int:
        (tmp_path / "lock_app.py").write_text(text)
        sys.modules.pop("lock_app", None)
        config = str(tmp_path / "accel.yaml")
        return int(dispatch([command, "--config", config, "--path", str(tmp_path), *arguments]))

    yield lock
    sys.modules.pop("lock_app", None)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "app.lock"


def test_the_file_has_a_line_for_each_method_and_nothing_of_the_machine(run: Any, file: Path) -> None:
    assert run() == 0
    lines = file.read_text().splitlines()
    assert lines[:3] == ["{", '  "version": 1,', '  "methods": {']
    assert [line.split('": {')[0] for line in lines[3:5]] == [
        '    "lock_app:Repo.read',
        '    "lock_app:Repo.write',
    ]
    assert lines[5:] == ["  }", "}"]
    assert str(file.parent) not in file.read_text()
    methods = json.loads(file.read_text())["methods"]
    assert {tuple(method) for method in methods.values()} == {("source", "sql", "code")}
    assert {tuple(method["code"]) for method in methods.values()} == {(python_tag(),)}


def test_it_is_the_same_every_time_and_everywhere(run: Any, file: Path) -> None:
    run()
    first = file.read_bytes()
    for seed in ("1", "2"):
        arguments = ["-m", "wats_accel", "lock", "--config", "accel.yaml", "--output", f"{seed}.lock"]
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=file.parent,
            env={**os.environ, "PYTHONHASHSEED": seed},
            check=False,
            capture_output=True,
            text=True,
        )
        assert (done.returncode, done.stdout) == (0, f"2 methods locked in {seed}.lock\n")
        assert (file.parent / f"{seed}.lock").read_bytes() == first


def test_without_a_file_it_is_printed(run: Any, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (file.parent / "accel.yaml").write_text(RULES)
    assert run() == 0
    assert set(json.loads(capsys.readouterr().out)["methods"]) == {
        "lock_app:Repo.read",
        "lock_app:Repo.write",
    }
    assert not file.exists()


def test_check_passes_while_nothing_has_changed(
    run: Any, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run()
    file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))  # as git may check it out
    capsys.readouterr()
    assert run("--check", text="# another layout\n" + APPLICATION) == 0
    assert capsys.readouterr() == ("", "")


CHANGES = {
    "its source": APPLICATION.replace("return True", "return False"),
    "its SQL": APPLICATION.replace("FROM users", "FROM people"),
}


@pytest.mark.parametrize(("what", "text"), CHANGES.items(), ids=CHANGES)
def test_check_tells_what_has_changed_and_writes_nothing(
    run: Any, file: Path, capsys: pytest.CaptureFixture[str], what: str, text: str
) -> None:
    run()
    before = file.read_bytes()
    capsys.readouterr()
    assert run("--check", text=text) == 1
    told = capsys.readouterr().err.splitlines()
    assert told[0] == f"lock_app:Repo.{'write' if what == 'its source' else 'read'}: changed ({what})"
    assert told[1].startswith(f"{file} is stale")
    assert file.read_bytes() == before


def test_check_tells_what_is_new_and_what_is_gone(
    run: Any, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run()
    rules = RULES.replace('invalidates: {write: "users:*"}', 'invalidates: {other: "users:*"}')
    (file.parent / "accel.yaml").write_text(rules + "lock: app.lock\n")
    capsys.readouterr()
    text = APPLICATION.replace("write", "other")
    assert run("--check", text=text) == 1
    assert capsys.readouterr().err.splitlines()[:2] == [
        "lock_app:Repo.other: new",
        "lock_app:Repo.write: gone",
    ]
    assert run(text=text) == 0
    assert run("--check", text=text) == 0


def test_check_without_a_file_to_compare_is_stale_or_a_wrong_command(
    run: Any, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("--check") == 1
    assert capsys.readouterr().err == f"{file}: there is no such file; write it without --check\n"
    (file.parent / "accel.yaml").write_text(RULES)
    assert run("--check") == 2
    assert "--check needs --output" in capsys.readouterr().err


def test_the_code_of_another_python_is_kept_while_the_source_is_the_same(run: Any, file: Path) -> None:
    run()
    data = json.loads(file.read_text())
    for method in data["methods"].values():
        method["code"]["cpython-399"] = "0" * 24
    file.write_text(json.dumps(data))
    run(text=CHANGES["its source"])
    tags = {name: set(method["code"]) for name, method in json.loads(file.read_text())["methods"].items()}
    assert tags == {
        "lock_app:Repo.read": {python_tag(), "cpython-399"},
        "lock_app:Repo.write": {python_tag()},
    }


def test_a_broken_file_is_told_and_written_anew(
    run: Any, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text("<<<<<<< HEAD\n")
    assert run() == 0
    assert f"{file}:1:1: not a lock file" in capsys.readouterr().err
    assert run("--check") == 0


def test_a_method_that_cannot_be_patched_is_told_and_not_locked(
    run: Any, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(text=APPLICATION.replace("def write", "def wrote")) == 1
    assert "lock_app.Repo has no 'write'" in capsys.readouterr().err
    assert set(json.loads(file.read_text())["methods"]) == {"lock_app:Repo.read"}


def test_drivers_are_not_locked(run: Any, file: Path) -> None:
    with (file.parent / "accel.yaml").open("a") as stream:
        stream.write("pool: [{connect: 'sqlite3:connect'}]\n")
    assert run() == 0
    assert set(json.loads(file.read_text())["methods"]) == {"lock_app:Repo.read", "lock_app:Repo.write"}


def test_a_configuration_that_is_not_valid_ends_with_status_2(run: Any, file: Path) -> None:
    (file.parent / "accel.yaml").write_text("version: 7\n")
    assert run() == 2
    assert not file.exists()


# -- check ----------------------------------------------------------------------------------------------


def test_check_of_the_configuration_tells_changed_methods(
    run: Any, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run()
    capsys.readouterr()
    assert run(command="check") == 0
    assert capsys.readouterr().out.endswith(" 0 problems\n")
    assert run(command="check", text=CHANGES["its SQL"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "repositories[0].cached.read: lock_app:Repo.read: the method has changed" in line


@pytest.mark.parametrize("option", [[], ["--no-import"]], ids=["importing", "not importing"])
def test_check_of_the_configuration_tells_targets_outside_of_the_application(
    run: Any, file: Path, capsys: pytest.CaptureFixture[str], option: list[str]
) -> None:
    rules = RULES.replace("lock_app:Repo", "json.decoder:JSONDecoder").replace("write", "scan")
    (file.parent / "accel.yaml").write_text(rules.replace("read:", "decode:"))
    assert run(*option, command="check") == 1
    told = capsys.readouterr()
    assert told.err.count("outside of the application") == 2
    assert told.out.endswith(" 2 problems\n")


def test_check_of_the_configuration_tells_a_module_that_is_gone_once(
    run: Any, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rules = RULES + "- {target: 'lock_app_gone:Repo', invalidates: {write: 'users:*'}}\n"
    (file.parent / "accel.yaml").write_text(rules)
    assert run(command="check") == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "the module lock_app_gone cannot be imported" in line
