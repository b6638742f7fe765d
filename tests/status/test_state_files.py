"""A state file is private, written in one step, and known as stale once its process is gone."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from wats_accel.status.folder import make_private, state_folder
from wats_accel.status.holds import Hold
from wats_accel.status.state_file import StateFile, running_states

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no forks")
not_on_windows = pytest.mark.skipif(os.name == "nt", reason="Windows has other permissions and variables")


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_what_is_written_is_read(states: Path) -> None:
    file = StateFile(states)
    file.write({"pid": 1, "odd": "\ud800"})
    file.write({"pid": 2})

    assert list(running_states(states)) == [{"format": 1, "pid": 2}]
    assert names(states) == [f"{os.getpid()}-1.json", f"{os.getpid()}-1.lock"]

    file.remove()
    file.remove()
    assert names(states) == []


def test_two_accelerators_of_a_process_have_a_file_each(states: Path) -> None:
    files = [StateFile(states) for _ in range(3)]
    for number, file in enumerate(files):
        file.write({"number": number})

    assert [state["number"] for state in running_states(states)] == [0, 1, 2]
    files[0].remove()
    assert [state["number"] for state in running_states(states)] == [1, 2]
    for file in files:
        file.remove()


@not_on_windows
def test_folder_and_files_are_for_their_owner_only(states: Path) -> None:
    states.mkdir(mode=0o755)
    file = StateFile(states)
    file.write({})

    assert stat.S_IMODE(states.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in states.iterdir()} == {0o600}
    file.remove()


@not_on_windows
def test_a_folder_of_another_user_is_not_used(states: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    states.mkdir()
    own = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: own + 1)

    with pytest.raises(PermissionError, match="belongs to another user"):
        make_private(states)


def test_what_nobody_holds_is_stale_and_is_taken_away(states: Path) -> None:
    states.mkdir()
    for name in ("1-1.json", "1-1.lock", "2-1.lock", "3-1.json", ".1-1.json.x.new"):
        (states / name).write_text('{"format": 1}', encoding="utf-8")
    (states / "note.txt").write_text("not ours", encoding="utf-8")

    assert list(running_states(states)) == []
    assert names(states) == ["note.txt"]


@pytest.mark.parametrize("content", ["", "[]", '{"format": 2}', "{", '{"format": 1', "[" * 100_000, "\0"])
def test_a_file_that_cannot_be_read_is_skipped(states: Path, content: str) -> None:
    states.mkdir()
    hold = Hold.take(states / "1-1.lock")
    assert hold is not None
    (states / "1-1.json").write_text(content, encoding="utf-8")

    assert list(running_states(states)) == []
    assert "1-1.json" in names(states)
    hold.give_up()


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="Windows ends processes in another way")
def test_the_file_of_a_killed_process_is_stale(
    states: Path, program: Callable[[str], subprocess.Popen[str]]
) -> None:
    with program(_HOLDS) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "written\n"
        [state] = running_states(states)
        assert state["pid"] == process.pid

        process.kill()
        process.wait(timeout=20)

    assert list(running_states(states)) == []
    assert names(states) == []


_HOLDS = """\
import os, sys
from pathlib import Path
from wats_accel.status.state_file import StateFile

file = StateFile(Path(os.environ["WATS_ACCEL_STATE_DIR"]))
file.write({"pid": os.getpid()})
print("written", flush=True)
sys.stdin.read()
"""


def test_a_process_number_that_is_used_again_gets_the_file(states: Path) -> None:
    states.mkdir()
    for suffix in ("json", "lock"):
        (states / f"{os.getpid()}-1.{suffix}").write_text('{"format": 1, "old": true}', encoding="utf-8")
    file = StateFile(states)
    file.write({"old": False})

    assert [state["old"] for state in running_states(states)] == [False]
    file.remove()


# -- forks -------------------------------------------------------------------------------------------------


def in_child(child: Callable[[], object]) -> int:
    """Run this in a forked child; gives its exit status."""
    process = os.fork()
    if process == 0:
        status = 1
        try:
            child()
            status = 0
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


@needs_fork
def test_a_forked_child_leaves_the_parents_file_held(states: Path) -> None:
    file = StateFile(states)
    file.write({"who": "parent"})

    assert in_child(file.begin_anew) == 0

    assert [state["who"] for state in running_states(states)] == ["parent"]
    file.remove()


@needs_fork
def test_a_forked_child_does_not_keep_the_parents_file_alive(
    states: Path, program: Callable[[str], subprocess.Popen[str]]
) -> None:
    with program(_LEAVES_A_CHILD) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        assert process.stdout.readline() == "child\n"
        process.kill()  # the parent only
        process.wait(timeout=20)

        assert [state["who"] for state in running_states(states)] == ["child"]
        process.stdin.close()
        assert process.stdout.read() == "end of child\n"

    end = time.monotonic() + 20
    while states_left := list(running_states(states)):  # its last words come before its end
        assert time.monotonic() < end, states_left


_LEAVES_A_CHILD = """\
import os
from pathlib import Path
from wats_accel.status.state_file import StateFile

file = StateFile(Path(os.environ["WATS_ACCEL_STATE_DIR"]))
file.write({"who": "parent"})
child = os.fork()
if child:
    os.waitpid(child, 0)
file.begin_anew()
file.write({"who": "child"})
os.write(1, b"child\\n")
while os.read(0, 1):
    pass
os.write(1, b"end of child\\n")
os._exit(0)
"""


def test_a_lock_file_that_was_tidied_away_is_made_anew(states: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    states.mkdir()
    path = states / "1-1.lock"
    real_open, opened = os.open, []

    def open_and_lose(*args: object, **kwargs: object) -> int:
        descriptor = real_open(*args, **kwargs)  # type: ignore[arg-type]  # as it is called
        if not opened:
            path.unlink()
        opened.append(descriptor)
        return descriptor

    if os.name == "nt":
        pytest.skip("Windows removes no open file")
    monkeypatch.setattr(os, "open", open_and_lose)
    hold = Hold.take(path)

    assert hold is not None
    assert len(opened) == 2
    assert Hold.take(path) is None
    hold.give_up()


def test_many_writers_and_readers_at_a_time_never_see_a_part(states: Path) -> None:
    files = [StateFile(states) for _ in range(4)]
    for file in files:
        file.write({"text": "x" * 10_000, "number": 0})
    failures: list[BaseException] = []

    def write(file: StateFile) -> None:
        try:
            for number in range(25):
                file.write({"text": "x" * 10_000, "number": number})
        except BaseException as error:
            failures.append(error)

    writers = [threading.Thread(target=write, args=(file,)) for file in files]
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        assert [len(state["text"]) for state in running_states(states)] == [10_000] * 4
    for writer in writers:
        writer.join()
    assert failures == []
    for file in files:
        file.remove()
    assert names(states) == []


# -- where -------------------------------------------------------------------------------------------------


@not_on_windows
@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"WATS_ACCEL_STATE_DIR": "/x", "XDG_STATE_HOME": "/y", "HOME": "/h"}, "/x"),
        ({"XDG_STATE_HOME": "/y", "HOME": "/h"}, "/y/wats-accel"),
        ({"XDG_STATE_HOME": "relative", "HOME": "/h"}, "/h/.local/state/wats-accel"),
        ({"HOME": "/h"}, "/h/.local/state/wats-accel"),
        ({}, None),
    ],
)
def test_the_folder_follows_the_environment(environ: dict[str, str], expected: str | None) -> None:
    assert state_folder(environ) == (Path(expected) if expected else None)


@not_on_windows
@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"LOCALAPPDATA": "/local", "USERPROFILE": "/u"}, "/local/wats-accel/state"),
        ({"USERPROFILE": "/u"}, "/u/AppData/Local/wats-accel/state"),
        ({"HOME": "/h"}, None),
    ],
)
def test_the_folder_follows_the_environment_of_windows(environ: dict[str, str], expected: str | None) -> None:
    from wats_accel.status.folder import _of_windows

    assert _of_windows(environ) == (Path(expected) if expected else None)


def test_a_state_is_json(states: Path) -> None:
    file = StateFile(states)
    file.write({"path": Path("x"), "number": 1.5})
    [path] = states.glob("*.json")

    assert json.loads(path.read_text(encoding="utf-8")) == {"format": 1, "path": "x", "number": 1.5}
    file.remove()
