"""The script runner: programs run by it and by python itself must not be told apart."""

import os
import pickle
import py_compile
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent
from typing import NamedTuple

import pytest

from wats_accel.cli.script import INTERRUPTED, InterruptStatus, exit_with, run_module, run_script

SCRIPT_LAUNCHER = (
    "import sys; from wats_accel.cli.script import exit_with, run_script;"
    "exit_with(run_script(sys.argv[1], sys.argv[2:]))"
)
MODULE_LAUNCHER = SCRIPT_LAUNCHER.replace("run_script", "run_module")

# Frames of runpy, each with its source line where runpy is not frozen. We promise a traceback without them.
RUNPY_FRAMES = re.compile(r'  File "[^"]*runpy[^"]*", line \d+, in \w+\r?\n(?:    .*\n)*')

SHOW_STATE = """
    import sys
    shown = {name: type(value).__name__ if "_loader_" in name else value for name, value in globals().items()}
    shown["__spec__"] = __spec__ and (__spec__.name, __spec__.origin, __spec__.parent)
    print(shown)
    print(sys.argv, sys.path, vars(sys.modules["__main__"]) is globals())
"""


class End(NamedTuple):
    stdout: str
    stderr: str
    status: int


def ends(folder: Path, *arguments: str, is_module: bool = False, **variables: str) -> tuple[End, End]:
    """Run a program by python and by us, side by side; return how the two ended."""
    commands = (["-m"], ["-c", MODULE_LAUNCHER]) if is_module else ([], ["-c", SCRIPT_LAUNCHER])
    processes = [
        subprocess.Popen(
            [sys.executable, *command, *arguments],
            cwd=folder,
            env={**os.environ, **variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for command in commands
    ]
    direct, ours = (End(*process.communicate(timeout=60), process.returncode) for process in processes)
    return direct._replace(stderr=RUNPY_FRAMES.sub("", direct.stderr)), ours


def write(path: Path, source: str) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text(dedent(source), encoding="utf-8")
    return path


SCRIPTS = {
    "state": SHOW_STATE,
    "chained exceptions": """
        def fail():
            try:
                {}["key"]
            except KeyError as error:
                raise ValueError from error
        try:
            fail()
        except ValueError:
            1 / 0
    """,
    "syntax error": """
        x = 1
        def f(:
    """,
    "exit with text": """
        import sys
        sys.exit("what went wrong")
    """,
    "exit status 130": "raise SystemExit(130)",
    "interrupt": """
        import atexit
        atexit.register(print, "atexit runs before the signal")
        raise KeyboardInterrupt
    """,
    "excepthook that exits on an interrupt": """
        import sys
        sys.excepthook = lambda *_: sys.exit(3)
        raise KeyboardInterrupt
    """,
    "excepthook that fails": """
        import sys
        def hook(kind, error, trace):
            print(sys.exc_info(), kind, error, trace.tb_frame.f_code.co_name)
            raise LookupError("in the hook")
        sys.excepthook = hook
        raise ValueError("in the program")
    """,
    "threads, atexit and finalizers": """
        import atexit, sys, threading
        class Witness:
            def __del__(self):
                print("finalized in", __name__)
        witness = Witness()
        def outlive():
            threading.main_thread().join()
            print("thread", sys.modules["__main__"].witness is witness)
        threading.Thread(target=outlive).start()
        atexit.register(lambda: print("atexit", sys.modules["__main__"].witness is witness))
        print("main ends")
    """,
    "multiprocessing with spawn": """
        import multiprocessing
        class Message:
            def __init__(self, text):
                self.text = text
        def answer(pipe):
            pipe.send(Message(pipe.recv().text.upper()))
        if __name__ == "__main__":
            context = multiprocessing.get_context("spawn")
            ours, theirs = context.Pipe()
            child = context.Process(target=answer, args=(theirs,))
            child.start()
            ours.send(Message("pickled in main"))
            print(ours.recv().text)
            child.join()
    """,
}


@pytest.mark.parametrize("source", [pytest.param(source, id=name) for name, source in SCRIPTS.items()])
def test_a_script_prints_and_ends_as_under_python(source: str, tmp_path: Path) -> None:
    write(tmp_path / "folder" / "program.py", source)

    direct, ours = ends(tmp_path, "./folder/program.py", "one", "--two")

    assert ours == direct


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has a status for this, compared above")
def test_an_uncaught_interrupt_kills_the_process_by_sigint(tmp_path: Path) -> None:
    write(tmp_path / "program.py", "raise KeyboardInterrupt")

    _, ours = ends(tmp_path, "program.py")

    assert ours.status == -2


MODULES = {
    "state of a module": ("sample.part", SHOW_STATE),
    "state of a package": ("sample", ""),
    "relative import": ("sample.part", "from . import __name__ as parent; print(parent)"),
    "exception": ("sample.part", "1 / 0"),
    "syntax error": ("sample.part", "x ="),
    "interrupt": ("sample.part", "raise KeyboardInterrupt"),
    "no such module": ("sample.absent", ""),
    "file name for a module name": ("sample.part.py", ""),
}


@pytest.mark.parametrize(("name", "source"), [pytest.param(*row, id=key) for key, row in MODULES.items()])
def test_a_module_prints_and_ends_as_under_python(name: str, source: str, tmp_path: Path) -> None:
    write(tmp_path / "sample" / "__init__.py", "import sys, __main__; print(sys.argv, list(vars(__main__)))")
    write(tmp_path / "sample" / "__main__.py", SHOW_STATE)
    write(tmp_path / "sample" / "part.py", source)

    direct, ours = ends(tmp_path, name, "one", is_module=True)

    assert ours == direct


def test_a_traceback_comes_after_the_output_in_a_shared_pipe(tmp_path: Path) -> None:
    write(tmp_path / "program.py", "import os; os.dup2(1, 2); print('first'); 1 / 0")

    direct, ours = ends(tmp_path, "program.py", PYTHONUNBUFFERED="")

    assert ours == direct
    assert ours.stdout.startswith("first\nTraceback")


@pytest.mark.parametrize("program", ["program.py", "folder", "program.zip", "absent.py", "empty"])
@pytest.mark.parametrize("safe_path", ["", "1"], ids=["usual path", "safe path"])
def test_every_kind_of_program_finds_the_same_state(program: str, safe_path: str, tmp_path: Path) -> None:
    script = write(tmp_path / "program.py", SHOW_STATE)
    write(tmp_path / "folder" / "__main__.py", SHOW_STATE)
    (tmp_path / "empty").mkdir()
    with zipfile.ZipFile(tmp_path / "program.zip", "w") as archive:
        archive.write(script, "__main__.py")

    direct, ours = ends(tmp_path, program, "one", PYTHONSAFEPATH=safe_path)

    assert ours == direct


# --- in this process ---


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A current folder for programs that take over sys; all that they take is given back."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", sys.argv)
    monkeypatch.setattr(sys, "path", ["launcher", *sys.path])
    monkeypatch.setattr(sys, "excepthook", sys.__excepthook__)
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])
    monkeypatch.delitem(sys.modules, "__mp_main__", raising=False)
    yield tmp_path
    for name in [name for name in sys.modules if name.partition(".")[0] == "sample"]:
        del sys.modules[name]


ENDINGS = [
    pytest.param("pass", 0, "", id="end"),
    pytest.param("sys.exit()", 0, "", id="exit"),
    pytest.param("sys.exit(True)", 1, "", id="exit with a bool"),
    pytest.param("sys.exit(-1)", -1, "", id="exit with a negative number"),
    pytest.param("sys.exit(300)", 300, "", id="exit with a number over 255"),
    pytest.param("sys.exit('text')", 1, "text\n", id="exit with text"),
    pytest.param("sys.exit(('a', 2))", 1, r"\('a', 2\)\n", id="exit with a tuple"),
    pytest.param("sys.exit(type('Mute', (), {'__str__': None})())", 1, "", id="exit without text"),
    pytest.param("sys.excepthook = lambda *_: sys.exit(7); 1 / 0", 7, "", id="excepthook that exits"),
    pytest.param("raise type('K', (KeyboardInterrupt,), {})", 1, "Traceback.*K\n", id="like an interrupt"),
]


@pytest.mark.parametrize(("ending", "status", "message"), ENDINGS)
def test_a_program_ends_with_its_status_and_its_message(
    ending: str, status: int, message: str, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(place / "program.py", f"import sys; {ending}")

    result = run_script("program.py", [])

    assert result == status
    assert type(result) is int
    assert re.fullmatch(message, capsys.readouterr().err, re.DOTALL)


def test_a_script_keeps_argv_path_and_main_after_its_end(place: Path) -> None:
    write(place / "folder" / "program.py", "class Kept: pass")

    assert run_script("folder/program.py", ["one", "two"]) == 0

    main = sys.modules["__main__"]
    assert sys.argv == ["folder/program.py", "one", "two"]
    assert sys.path[0] == os.path.realpath(place / "folder")
    assert "launcher" not in sys.path
    assert main.__file__ == str(place / "folder" / "program.py")
    assert type(pickle.loads(pickle.dumps(main.Kept()))) is main.Kept


def test_multiprocessing_imported_before_the_program_knows_its_main(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(place / "program.py", "")
    monkeypatch.setitem(sys.modules, "__mp_main__", sys.modules["__main__"])

    run_script("program.py", [])

    assert sys.modules["__mp_main__"] is sys.modules["__main__"]


def test_a_script_needs_no_suffix_and_names_its_own_encoding(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (place / "program").write_bytes("# coding: latin-1\nprint(ascii('ação'))\n".encode("latin-1"))

    assert run_script("program", []) == 0

    assert capsys.readouterr().out == "'a\\xe7\\xe3o'\n"


def test_a_compiled_script_runs(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    py_compile.compile(str(write(place / "program.py", "print(type(__loader__).__name__)")), "program.pyc")

    assert run_script("program.pyc", []) == 0

    assert capsys.readouterr().out == "SourcelessFileLoader\n"


@pytest.mark.skipif(sys.platform == "win32", reason="python does not look behind links there")
def test_modules_next_to_a_linked_script_are_looked_for_behind_the_link(place: Path) -> None:
    (place / "link.py").symlink_to(write(place / "folder" / "program.py", ""))

    run_script("link.py", [])

    assert sys.path[0] == os.path.realpath(place / "folder")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not delete a folder in use")
@pytest.mark.parametrize("run", [run_script, run_module])
def test_a_program_starts_in_a_deleted_folder(
    run: Callable[[str, list[str]], int],
    place: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    program = write(place / "program" / "sample.py", "print('ran')")
    monkeypatch.syspath_prepend(str(program.parent))
    sys.path.insert(0, "launcher")
    (place / "deleted").mkdir()
    monkeypatch.chdir(place / "deleted")
    (place / "deleted").rmdir()

    assert run("sample" if run is run_module else str(program), []) == 0

    assert capsys.readouterr().out == "ran\n"


def test_no_frame_of_the_launcher_is_in_a_traceback(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(place / "sample.py", "1 / 0")

    assert (run_script("sample.py", []), run_module("sample", [])) == (1, 1)

    frames = re.findall(r'File "(.*)", line', capsys.readouterr().err)
    assert frames == [str(place / "sample.py")] * 2


def test_an_interrupt_is_told_apart_from_a_status_of_130(place: Path) -> None:
    write(place / "interrupted.py", "raise KeyboardInterrupt")
    write(place / "exited.py", "raise SystemExit(130)")

    interrupted, exited = run_script("interrupted.py", []), run_script("exited.py", [])

    assert interrupted is INTERRUPTED
    assert interrupted == exited == 130
    assert not isinstance(exited, InterruptStatus)


def test_exit_with_a_status_is_sys_exit() -> None:
    with pytest.raises(SystemExit, match="7"):
        exit_with(7)


@pytest.mark.usefixtures("place")
def test_exit_with_an_interrupt_leaves_nothing_more_to_print(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(KeyboardInterrupt) as interrupt:
        exit_with(INTERRUPTED)

    sys.excepthook(interrupt.type, interrupt.value, interrupt.tb)
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("ending", "status"),
    [("sys.exit('text')", 1), ("1 / 0", 1), ("sys.exit(4)", 4), ("del sys.stdout", 0), ("pass", 0)],
)
def test_a_program_without_standard_streams_ends_with_its_status(
    ending: str, status: int, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(place / "program.py", f"import sys; print('unseen'); {ending}")
    for stream in ("stdout", "stderr", "__stdout__", "__stderr__"):
        monkeypatch.setattr(sys, stream, None)

    assert run_script("program.py", []) == status
