"""Run a program in this process as `python SCRIPT` or `python -m MODULE` would run it in its own."""

import builtins
import io
import marshal
import os
import pkgutil
import runpy
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib.machinery import BuiltinImporter, ModuleSpec, SourceFileLoader, SourcelessFileLoader
from importlib.util import MAGIC_NUMBER
from types import CodeType, ModuleType
from typing import Any, Final, NoReturn

__all__ = ["INTERRUPTED", "InterruptStatus", "exit_with", "run_module", "run_script"]

_PYC_HEADER_BYTES: Final = 16  # PEP 552: magic number, flags, and eight bytes on the source


class InterruptStatus(int):
    """A status of its own type, so that an interrupt differs from a program's `sys.exit(130)`."""

    __slots__ = ()


INTERRUPTED: Final = InterruptStatus(130)
"""What run_script() and run_module() return when Ctrl-C ended the program; for exit_with()."""


class _CannotRunError(Exception):
    """There is no program to run; the text is what python itself says, without its name in front."""

    status = 1


class _CannotOpenError(_CannotRunError):
    status = 2


def run_script(path: str, argv: Sequence[str]) -> int:
    """Run a script, or a folder or zip file with a `__main__.py`, as `python PATH ARGV...` does.

    `sys.argv`, `sys.path[0]` and `sys.modules["__main__"]` are the program's from here on: they are not
    put back, because its threads, its atexit functions and pickle go on using them.

    Args:
        path: the script, as the user wrote it.
        argv: the arguments after the script.

    Returns:
        The status for exit_with(); whatever python prints about it is already on stderr. 2 if the script
        cannot be opened, INTERRUPTED after an uncaught KeyboardInterrupt.
    """
    main = _install_main([path, *argv])
    file = _absolute(path)
    if pkgutil.get_importer(file) is None:
        _set_first_path(_folder_of(path))
        return _status_of(lambda: _run_file(main, file))
    _set_first_path(file, even_if_safe=True)
    return _status_of(lambda: _run_folder(main))


def run_module(name: str, argv: Sequence[str]) -> int:
    """Run a module, or a package's `__main__`, as `python -m NAME ARGV...` does.

    Leaves `sys.argv`, `sys.path[0]` and `sys.modules["__main__"]` to the program, as run_script() does.

    Args:
        name: the module's absolute name.
        argv: the arguments after the module.

    Returns:
        The status for exit_with(), as from run_script(). 1 if there is no such module.
    """
    main = _install_main(["-m", *argv])
    with suppress(OSError):  # python starts in a deleted folder too
        _set_first_path(os.getcwd())
    return _status_of(lambda: _run_named(main, name))


def exit_with(status: int) -> NoReturn:
    """End the process with a status of run_script() or run_module().

    After an interrupt the process ends as python ends one: atexit functions first, then death by SIGINT
    (130 to a shell), or status 0xC000013A on Windows. The interpreter does that itself for an uncaught
    KeyboardInterrupt, so call this from the main thread where nothing above catches one.

    Raises:
        SystemExit: with the status.
        KeyboardInterrupt: instead, if the status is an InterruptStatus.
    """
    if isinstance(status, InterruptStatus):
        sys.excepthook = _print_nothing  # the traceback has been printed, through the program's own hook
        raise KeyboardInterrupt
    sys.exit(status)


def _print_nothing(*_: object) -> None:
    pass


# --- what the program finds when it starts ---


def _install_main(argv: list[str]) -> ModuleType:
    """Give the program its sys.argv and the `__main__` that python has before it looks for any code."""
    main = ModuleType("__main__")
    vars(main).update(__loader__=BuiltinImporter, __annotations__={}, __builtins__=builtins)
    sys.modules["__main__"] = main
    if "__mp_main__" in sys.modules:  # multiprocessing is already imported and holds the old one
        sys.modules["__mp_main__"] = main
    sys.argv = argv
    return main


def _set_first_path(entry: str, *, even_if_safe: bool = False) -> None:
    """Put the program's entry where python put ours, unless -P or -I kept it from putting any."""
    is_safe = getattr(sys.flags, "safe_path", sys.flags.isolated)  # 3.10 has only -I
    if not is_safe:
        sys.path[:1] = [entry]
    elif even_if_safe:
        sys.path.insert(0, entry)


def _absolute(path: str) -> str:
    """Return the path as python puts it into `__file__`: on POSIX a leading `./` stays in it."""
    if sys.platform == "win32":
        return os.path.abspath(path)
    with suppress(OSError):  # the current folder may be gone: python keeps the relative path
        return os.path.join(os.getcwd(), path)
    return path


def _folder_of(path: str) -> str:
    """Return the folder that python puts first on sys.path; only on POSIX it looks behind links."""
    resolved = os.path.abspath(path) if sys.platform == "win32" else os.path.realpath(path)
    return os.path.dirname(resolved)


# --- the ways to find code and run it ---


def _run_file(main: ModuleType, file: str) -> None:
    data = _read(file)
    is_compiled = data.startswith(MAGIC_NUMBER)
    loader = (SourcelessFileLoader if is_compiled else SourceFileLoader)("__main__", file)
    vars(main).update(__file__=file, __cached__=None, __loader__=loader)
    try:
        exec(_code_of(data, file, is_compiled=is_compiled), vars(main))
    finally:
        _flush_output()  # python does so for a script, not for -m: the traceback comes after the output


def _read(file: str) -> bytes:
    try:
        with io.open_code(file) as stream:
            return stream.read()
    except OSError as error:
        reason = f"[Errno {error.errno}] {error.strerror}"
        raise _CannotOpenError(f"can't open file {file!r}: {reason}") from error


def _code_of(data: bytes, file: str, *, is_compiled: bool) -> CodeType:
    if is_compiled:
        code: CodeType = marshal.loads(data[_PYC_HEADER_BYTES:])
        return code
    return compile(data, file, "exec", dont_inherit=True)


# runpy's public functions put the old __main__ back when the program ends, and its threads, atexit
# functions and pickles then find the wrong module. Its two finders below are private, but trace.py and
# pdb.py lean on them too, and they keep python's own wording of every way not to find a module.


def _run_folder(main: ModuleType) -> None:
    find: Callable[..., Any] = runpy._get_main_module_details  # type: ignore[attr-defined]  # see above
    _, spec, code = find(_CannotRunError)
    _run_code(main, spec, code)


def _run_named(main: ModuleType, name: str) -> None:
    find: Callable[..., Any] = runpy._get_module_details  # type: ignore[attr-defined]  # see above
    _, spec, code = find(name, _CannotRunError)
    sys.argv[0] = spec.origin
    _run_code(main, spec, code)


def _run_code(main: ModuleType, spec: ModuleSpec, code: CodeType) -> None:
    vars(main).update(
        __file__=spec.origin,
        __cached__=spec.cached,
        __doc__=None,
        __loader__=spec.loader,
        __package__=spec.parent,
        __spec__=spec,
    )
    exec(code, vars(main))


# --- how the program ended ---


def _status_of(program: Callable[[], None]) -> int:
    """Run the program to its end, print what python would print about that end, return the status."""
    try:
        program()
    except _CannotRunError as refusal:
        _write_error(f"{sys.executable}: {refusal}")
        return refusal.status
    except SystemExit as stop:
        return _exit_status(stop)
    except BaseException as error:  # noqa: BLE001 - python, too, ends on every exception there is
        failure = error
    else:
        return 0
    # Outside of the except block: the program's excepthook must find sys.exc_info() empty.
    return _report(failure)


def _exit_status(stop: SystemExit) -> int:
    if stop.code is None:
        return 0
    if isinstance(stop.code, int):
        return int(stop.code)
    _write_error(stop.code)
    return 1


def _report(failure: BaseException) -> int:
    """Show an uncaught exception through the program's excepthook, as the interpreter does."""
    _strip_launcher_frames(failure)
    try:
        sys.excepthook(type(failure), failure, failure.__traceback__)
    except SystemExit as stop:
        return _exit_status(stop)
    except BaseException as error:  # noqa: BLE001 - a broken hook must not hide the program's exception
        _strip_launcher_frames(error)
        _report_broken_hook(error, failure)
    # Not isinstance: python ends by SIGINT for the exact type alone.
    return INTERRUPTED if type(failure) is KeyboardInterrupt else 1


def _report_broken_hook(error: BaseException, failure: BaseException) -> None:
    _write_error("Error in sys.excepthook:")
    sys.__excepthook__(type(error), error, error.__traceback__)
    _write_error("\nOriginal exception was:")
    sys.__excepthook__(type(failure), failure, failure.__traceback__)


def _strip_launcher_frames(error: BaseException) -> None:
    """Take our frames and runpy's off the front; those that it is chained to never passed through them."""
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename in _LAUNCHER_FILES:
        trace = trace.tb_next
    error.__traceback__ = trace


# Taken from code objects: where runpy is frozen, its frames do not bear the name of its file.
_LAUNCHER_FILES: Final = {run.__code__.co_filename for run in (run_script, runpy.run_path)}


def _write_error(message: object) -> None:
    """Print to stderr, or nowhere in a windowed executable; a failure here must not change the status."""
    with suppress(Exception):
        stream = sys.stderr if sys.stderr is not None else sys.__stderr__
        if stream is not None:  # print() would take None for stdout
            print(message, file=stream)


def _flush_output() -> None:
    for name in ("stderr", "stdout"):
        with suppress(Exception):  # None, deleted, or a closed pipe: python ignores all three here
            getattr(sys, name).flush()
