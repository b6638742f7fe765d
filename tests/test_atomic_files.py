"""A file is replaced in one step, with its rights, or it stays as it was."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

import pytest

from wats_accel import atomic_files
from wats_accel.atomic_files import USER_ONLY, replace_file

not_on_windows = pytest.mark.skipif(os.name == "nt", reason="Windows has other permissions")


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("durable", [True, False])
def test_content_is_replaced_and_nothing_else_is_left(tmp_path: Path, durable: bool) -> None:
    path = tmp_path / "file"
    for content in (b"one", b"two", b""):
        replace_file(path, content, durable=durable)
        assert path.read_bytes() == content
    assert list(tmp_path.iterdir()) == [path]


@not_on_windows
def test_a_new_file_has_the_usual_rights_or_those_asked_for(tmp_path: Path) -> None:
    (tmp_path / "usual").write_bytes(b"")
    replace_file(tmp_path / "new", b"x")
    replace_file(tmp_path / "private", b"x", mode=USER_ONLY)

    assert mode_of(tmp_path / "new") == mode_of(tmp_path / "usual")
    assert mode_of(tmp_path / "private") == 0o600


@not_on_windows
def test_rights_that_are_there_stay_unless_others_are_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"")
    path.chmod(0o644)
    replace_file(path, b"x")
    assert mode_of(path) == 0o644

    replace_file(path, b"x", mode=USER_ONLY)
    assert mode_of(path) == 0o600


def test_a_reader_keeps_what_it_has_opened(tmp_path: Path) -> None:
    if os.name == "nt":
        pytest.skip("on Windows the writer waits for the reader")
    path = tmp_path / "file"
    path.write_bytes(b"old")
    with path.open("rb") as file:
        replace_file(path, b"newer")
        assert file.read() == b"old"


def test_a_failure_leaves_the_file_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def fail(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="No space left"):
        replace_file(path, b"new")

    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_on_windows_a_reader_in_the_way_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, target = tmp_path / "new", tmp_path / "file"
    source.write_bytes(b"new")
    replace, tries = os.replace, []

    def busy_twice(*arguments: Any) -> None:
        tries.append(arguments)
        if len(tries) < 3:
            raise PermissionError(13, "in use")
        replace(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", busy_twice)
        patch.setattr(os, "name", "nt")
        patch.setattr(atomic_files, "_PAUSE_SECONDS", 0.0)
        atomic_files._move(str(source), target)

    assert len(tries) == 3
    assert target.read_bytes() == b"new"
