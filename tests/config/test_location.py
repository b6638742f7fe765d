"""The file is found by the environment, by what the application said, or in the usual places."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import pytest

from wats_accel.config.location import disabled_patterns, locate_config


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the program; the current folder is another, empty one."""
    folder, current = tmp_path / "program", tmp_path / "current"
    folder.mkdir()
    current.mkdir()
    monkeypatch.chdir(current)
    main = ModuleType("__main__")
    main.__file__ = str(folder / "run.py")
    monkeypatch.setitem(sys.modules, "__main__", main)
    return folder


def test_the_environment_beats_what_the_application_says() -> None:
    assert locate_config("given.yaml", {"WATS_ACCEL_CONFIG": "/else/where.toml"}) == Path("/else/where.toml")


def test_an_empty_variable_says_nothing() -> None:
    assert locate_config("given.yaml", {"WATS_ACCEL_CONFIG": ""}) == Path("given.yaml")


def test_a_file_that_is_not_there_is_still_the_one_that_was_named(program: Path) -> None:
    assert locate_config(Path("missing.yaml"), {}) == Path("missing.yaml")


def test_a_relative_name_is_looked_for_here_and_then_beside_the_program(program: Path) -> None:
    (program / "accel.yaml").touch()
    assert locate_config("accel.yaml", {}) == program / "accel.yaml"
    Path("accel.yaml").touch()
    assert locate_config("accel.yaml", {}) == Path("accel.yaml")


def test_beside_a_frozen_program_too(program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    frozen = program / "dist"
    frozen.mkdir()
    (frozen / "accel.yaml").touch()
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(sys, "executable", str(frozen / "app.exe"))
    assert locate_config("accel.yaml", {}) == frozen / "accel.yaml"


@pytest.mark.parametrize(
    "name",
    [
        "wats-accel.yaml",
        "wats-accel.yml",
        "wats-accel.toml",
        "config/wats-accel.yaml",
        "config/wats-accel.toml",
    ],
)
def test_the_usual_places_are_looked_at_when_nobody_named_a_file(program: Path, name: str) -> None:
    path = program / name
    path.parent.mkdir(exist_ok=True)
    path.touch()
    assert locate_config(None, {}) == path


def test_without_a_file_anywhere_there_is_none(program: Path) -> None:
    assert locate_config(None, {}) is None


def test_an_interactive_program_has_no_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: Path
) -> None:
    monkeypatch.setitem(sys.modules, "__main__", ModuleType("__main__"))
    assert locate_config(None, {}) is None
    assert locate_config("x.yaml", {}) == Path("x.yaml")


@pytest.mark.parametrize(
    ("said", "patterns"),
    [
        (None, []),
        ("", []),
        (" , ", []),
        ("all", ["all"]),
        ("users:*, pkg.mod:Repo.*", ["users:*", "pkg.mod:Repo.*"]),
    ],
    ids=repr,
)
def test_what_is_switched_off_is_a_list_with_commas(said: str | None, patterns: list[str]) -> None:
    assert disabled_patterns({} if said is None else {"WATS_ACCEL_DISABLE": said}) == patterns
