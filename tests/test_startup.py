"""Whatever is wrong at the start, the application starts, gets fresh answers, and one line says it."""

from __future__ import annotations

import inspect
import json
import logging
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from accel_shop import UserRepository, config, is_patched

import wats_accel
from wats_accel.errors import ConfigError, Problem, TargetError
from wats_accel.inert import InertAccelerator, instead
from wats_accel.inert import why as said_of
from wats_accel.runtime import Accelerator


@pytest.fixture(autouse=True)
def _nothing_stays_installed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("WATS_ACCEL_CONFIG", "WATS_ACCEL_DISABLE"):
        monkeypatch.delenv(name, raising=False)
    yield
    active = wats_accel.active()
    if active is not None:
        active.uninstall()
    assert not is_patched()


def messages(accelerator: Any) -> list[str]:
    return [problem.message for problem in accelerator.problems]


def is_fresh(repository: Any) -> bool:
    """Whether reads of the shop's application, or of one like it, see each write at once."""
    seen = []
    for role in ("one", "two"):
        repository.set_user("ada", role)
        seen += [repository.get_user("ada"), repository.get_user("ada")]
    return seen == ["one", "one", "two", "two"]


# -- the file --------------------------------------------------------------------------------------------


def _file(content: bytes, name: str = "accel.yaml") -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        (folder / name).write_bytes(content)
        return folder / name

    return make


def _link_to(device: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        if not os.path.exists(device):
            pytest.skip("no such device here")
        (folder / "accel.yaml").symlink_to(device)
        return folder / "accel.yaml"

    return make


def _folder(folder: Path) -> Path:
    (folder / "accel.yaml").mkdir()
    return folder / "accel.yaml"


def _pipe(folder: Path) -> Path:
    if not hasattr(os, "mkfifo"):
        pytest.skip("no pipes with names here")
    os.mkfifo(folder / "accel.yaml")
    return folder / "accel.yaml"


def _below_a_file(folder: Path) -> Path:
    (folder / "file").write_text("")
    return folder / "file" / "accel.yaml"


FILES: dict[str, tuple[Callable[[Path], Path], str]] = {
    "missing": (lambda folder: folder / "accel.yaml", "there is no such file"),
    "a folder": (_folder, "this is a directory, not a file"),
    "a device without an end": (_link_to("/dev/zero"), "this is not a file"),
    "an empty device": (_link_to("/dev/null"), "this is not a file"),
    "a pipe": (_pipe, "this is not a file"),
    "below a file": (_below_a_file, "the"),
    "huge": (_file(b"#" * 10_000_001), "the file is too large"),
    "of another type": (_file(b"", "accel.ini"), "the file type '.ini' is not known"),
    "no text": (_file(b"\xff\xfe\x00"), "the file is not UTF-8"),
    "bad YAML": (_file(b"version: ["), "not valid YAML"),
    "bad TOML": (_file(b"version = ", "accel.toml"), "not valid TOML"),
    "no mapping": (_file(b"- version"), ""),
    "empty": (_file(b""), "this key is required and missing"),
    "of a newer version": (_file(b"version: 2"), "expected 1"),
    "with an unknown key": (_file(b"version: 1\nchache: {}"), "unknown key; did you mean 'cache'?"),
    "with a key of no plugin": (_file(b"version: 1\nmetrics: {}"), "unknown key"),
    "with a value of another type": (_file(b"version: 1\nenabled: sometimes"), "expected true or false"),
}


@pytest.mark.parametrize(("make", "message"), FILES.values(), ids=FILES)
def test_a_file_that_cannot_be_used_is_one_line_and_the_application_runs_without_it(
    tmp_path: Path, make: Any, message: str, caplog: pytest.LogCaptureFixture
) -> None:
    path = make(tmp_path)
    accelerator = wats_accel.install(path)
    assert not is_patched()
    assert is_fresh(UserRepository())
    (told,) = messages(accelerator)
    assert told.startswith(message)
    assert caplog.messages == [f"Configuration not used: {accelerator.problems[0]}"]
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    with pytest.raises(ConfigError):
        wats_accel.install(path, strict=True)


def test_a_file_that_may_not_be_read_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = _file(b"version: 1")(tmp_path)

    def refuse(self: Path) -> bytes:  # the tests may run as root, who may read everything
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "read_bytes", refuse)
    assert messages(wats_accel.install(path)) == ["the file cannot be read: Permission denied"]


@pytest.mark.parametrize("key", ["enabled: sometimes", "chache: {}"])
def test_a_file_that_asks_for_strictness_is_raised(tmp_path: Path, key: str) -> None:
    with pytest.raises(ConfigError):
        wats_accel.install(_file(f"version: 1\nstrict: true\n{key}".encode())(tmp_path))
    assert wats_accel.active() is None


# -- plugins ---------------------------------------------------------------------------------------------

PLUGINS = {
    "unknown": (None, "there is no file or folder 'mine.py'"),
    "that raises": ("raise LookupError('PWD=hunter2')", "LookupError"),
    "that exits": ("import sys; sys.exit(3)", "SystemExit"),
    "without what it needs": ("import accel_nowhere", "No module named 'accel_nowhere'"),
    "for another Python": ("def f(: pass", "SyntaxError"),
    "of nothing": ("", "it implements no hook"),
}


@pytest.mark.parametrize(("text", "message"), PLUGINS.values(), ids=PLUGINS)
def test_a_plugin_that_cannot_be_loaded_is_one_line_and_nothing_is_kept_without_its_rules(
    tmp_path: Path, text: str | None, message: str, caplog: pytest.LogCaptureFixture
) -> None:
    if text is not None:
        (tmp_path / "mine.py").write_text(text)
    rules = config(plugins={"load": [str(tmp_path / "mine.py")]})
    accelerator = wats_accel.install(rules)
    repository = UserRepository()
    assert is_fresh(repository)
    assert repository.db.queries == 4
    (told,) = messages(accelerator)
    assert told.startswith("plugin 'mine' failed in loading: ")
    assert message in told
    assert [line for line in caplog.messages if "mine" in line and "Rule skipped" in line] == [
        f"Rule skipped: {accelerator.problems[0]}"
    ]
    assert "hunter2" not in caplog.text
    accelerator.uninstall()
    with pytest.raises(ConfigError, match="plugin 'mine' failed in loading"):
        wats_accel.install(rules, strict=True)


# -- another version of the application ------------------------------------------------------------------

APPLICATION = """
class Repo:
    def __init__(self):
        self.users = {}

    def get_user(self, name):
        return self.users.get(name)

    def set_user(self, name, role):
        self.users[name] = role
        return True
"""
READ, WRITE = "started_app:Repo.get_user", "started_app:Repo.set_user"
GET, SET = "    def get_user(self, name):", "    def set_user(self, name, role):"


def changed(*replaced: tuple[str, str], more: str = "") -> str:
    """The application's module in another version."""
    text = APPLICATION
    for old, new in replaced:
        assert old in text
        text = text.replace(old, new)
    return text + more


READS, WRITES = "return self.users.get(name)", "self.users[name] = role\n        return True"

VERSIONS: dict[str, tuple[str, str, list[str]]] = {
    "the class has another name": (changed(("Repo", "Users")), "has no 'Repo'", [READ, WRITE]),
    "the read has another name": (changed(("get_user", "read_user")), "has no 'get_user'", [READ]),
    "the read is a property": (
        changed((GET, "    @property\n    def get_user(self):"), (READS, "return self.users.get")),
        "a property is not supported",
        [READ],
    ),
    "the read is a coroutine function": (
        changed((GET, "    async" + GET[3:])),
        "a coroutine function is not supported",
        [READ],
    ),
    "the read is a generator function": (
        changed(("return self.users.get(name)", "yield self.users.get(name)")),
        "a generator function is left alone",
        [READ],
    ),
    "the read is a class": (
        changed((f"{GET[4:]}\n        {READS}", "class get_user: pass")),
        "a class (name one of its methods) is not supported",
        [READ],
    ),
    "the read is no callable": (changed(more="    get_user = None\n"), "which cannot be called", [READ]),
    "the write has another name": (changed(("set_user", "put")), "has no 'set_user'", [WRITE]),
    "the write's argument has another name": (
        changed(("name, role", "user, role"), ("[name]", "[user]")),
        "'name'",
        [WRITE],
    ),
    "the write is a property": (
        changed((SET, "    @property\n    def set_user(self):"), (WRITES, "return self.users.__setitem__")),
        "a property is not supported",
        [WRITE],
    ),
}


@pytest.fixture
def started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Any]]:
    """Write the application's module, install, and import it."""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)

    def start(text: str, **changes: Any) -> tuple[Any, Any]:
        (tmp_path / "started_app.py").write_text(text)
        rules = config(
            target="started_app:Repo",
            scope=[],
            cached={"get_user": "users"},
            invalidates={"set_user": "users:get_user:{name}"},
            **changes,
        )
        accelerator = wats_accel.install(rules)
        return accelerator, __import__("started_app")

    yield start
    sys.modules.pop("started_app", None)


@pytest.mark.parametrize(("text", "message", "targets"), VERSIONS.values(), ids=VERSIONS)
def test_what_is_not_as_the_rules_say_is_one_line_and_answers_are_fresh(
    started: Any, text: str, message: str, targets: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    accelerator, module = started(text)
    assert sorted(str(problem.target) for problem in accelerator.problems) == targets
    assert all(message in told for told in messages(accelerator))
    assert [line for line in caplog.messages if line.startswith("Rule skipped")] == [
        f"Rule skipped: {problem}" for problem in accelerator.problems
    ]
    if targets == [WRITE]:  # what the read gives is kept by nobody then
        assert accelerator.stats().total.stored == 0
        repo = module.Repo()
        write = repo.set_user if hasattr(repo, "set_user") else repo.put
        for role in ("one", "two"):
            write("ada", role)
            assert [repo.get_user("ada"), repo.get_user("ada")] == [role, role]
        assert accelerator.stats().total.stored == 0


@pytest.mark.parametrize("version", VERSIONS)
def test_strict_refuses_another_version_that_is_imported_already(started: Any, version: str) -> None:
    text, message, _ = VERSIONS[version]
    accelerator, module = started(text)
    accelerator.uninstall()
    before = dict(vars(getattr(module, "Repo", object)))
    with pytest.raises(ConfigError, match=re.escape(message)):
        wats_accel.install(accelerator.source, strict=True)
    assert dict(vars(getattr(module, "Repo", object))) == before


def test_a_signature_with_more_arguments_needs_no_other_rule(started: Any) -> None:
    accelerator, module = started(APPLICATION.replace("(self, name):", "(self, name, default=None):"))
    assert accelerator.problems == ()
    assert is_fresh(module.Repo())
    assert accelerator.stats().total.hits == 2


def test_an_application_whose_import_fails_gets_its_own_exception(started: Any) -> None:
    with pytest.raises(LookupError, match="its own"):
        started("raise LookupError('its own')")
    accelerator = wats_accel.active()
    assert accelerator is not None
    assert accelerator.problems == ()


# -- what is not installed -------------------------------------------------------------------------------

PROGRAM = """
import sqlite3, sys
from accel_shop import UserRepository
repository = UserRepository()
for _ in range(2):
    repository.set_user("ada", "admin")
    print(repository.get_user("ada"))
for _ in range(3):
    connection = sqlite3.connect("shop.db")
    connection.execute("CREATE TABLE IF NOT EXISTS users (name)")
    connection.execute("INSERT INTO users VALUES (1)")
    connection.commit()
    print(connection.execute("SELECT count(*) FROM users").fetchone()[0])
    connection.close()
import wats_accel
print([problem.message for problem in wats_accel.install().problems])
"""
PRINTED = ["admin", "admin", "1", "2", "3"]


@pytest.fixture
def run_without(tmp_path: Path) -> Callable[..., Any]:
    """Run the program above by ``python -m wats_accel run``, where some packages are not installed."""
    rules = config(
        pool=[{"connect": "sqlite3:connect"}],
        invalidation="both",
        sql={"dialect": "sqlite", "assume_plain_tables": True},
    )
    missing = tmp_path / "missing"
    missing.mkdir()
    (tmp_path / "program.py").write_text(PROGRAM)

    def run(packages: Sequence[str], *options: str, **changes: Any) -> subprocess.CompletedProcess[str]:
        (tmp_path / "accel.yaml").write_text(json.dumps({**rules, **changes}, indent=0))
        for package in packages:
            text = f"raise ModuleNotFoundError(\"No module named '{package}'\", name={package!r})\n"
            (missing / f"{package}.py").write_text(text)
        return subprocess.run(
            [sys.executable, "-m", "wats_accel", "run", "--config", "accel.yaml", *options, "program.py"],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": os.pathsep.join([str(missing), str(Path(__file__).parent)])},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    return run


NEEDED = {
    "pydantic": "pydantic",
    "yaml": "PyYAML",
    "structlog": "structlog",
    "wrapt": "wrapt",
    "pluggy": "pluggy",
    "wats_accel_plugins": "wats_accel_plugins",
}


@pytest.mark.soak
@pytest.mark.parametrize(("package", "name"), NEEDED.items(), ids=NEEDED)
def test_a_program_runs_without_a_package_that_we_need_and_one_line_names_it(
    run_without: Any, package: str, name: str, soak: bool
) -> None:
    if not soak and package not in ("pydantic", "wrapt"):
        assert name in said_of(ModuleNotFoundError(name=package), (3, 10))
        return
    done = run_without([package])
    message = f"wats_accel needs the package {name}, which is not installed"
    assert done.stdout.splitlines() == [*PRINTED, str([message])]
    assert (done.returncode, done.stderr.splitlines()) == (0, [f"Configuration not used: {message}"] * 2)


def test_a_file_that_asks_for_strictness_is_heard_without_what_reads_it(run_without: Any) -> None:
    done = run_without(["pydantic", "yaml"], strict=True)
    assert done.returncode == 1
    assert "which is not installed" in done.stderr.splitlines()[-1]
    assert done.stdout == ""


def test_without_the_library_of_the_pool_connections_are_the_drivers_own(run_without: Any) -> None:
    done = run_without(["sqlalchemy"])
    assert (done.returncode, done.stdout.splitlines()[:-1]) == (0, PRINTED)
    assert [line for line in done.stderr.splitlines() if "sqlalchemy" in line.lower()] != []
    assert "sqlalchemy" in done.stdout.splitlines()[-1]


def test_without_what_watches_files_and_what_reads_sql_a_second_time_the_rest_is_in_effect(
    run_without: Any,
) -> None:
    done = run_without(["sqlglot", "watchdog"], watch=True)
    assert (done.returncode, done.stdout.splitlines()[:-1]) == (0, PRINTED)
    sql, watch = sorted(line for line in done.stderr.splitlines() if line.startswith("Rule skipped: "))
    assert "plugin 'sql_invalidation' failed in accel_startup: ModuleNotFoundError" in sql
    assert "'sqlglot'" in sql
    assert "needs the library watchdog" in watch
    assert "to stay fresh: accel_shop:UserRepository.get_user" in done.stderr
    assert "Traceback" not in done.stderr


# -- what stands in --------------------------------------------------------------------------------------


def test_the_inert_accelerator_has_every_public_name() -> None:
    def names(of: type) -> set[str]:
        return {name for name in dir(of) if not name.startswith("_")}

    # Attributes of instances are no names of the class; what begins anew in a child has locks.
    assert names(Accelerator) <= names(InertAccelerator) | {"problems", "source", "begin_anew"}
    for name in names(InertAccelerator) & names(Accelerator):
        ours, own = getattr(InertAccelerator, name), getattr(Accelerator, name)
        if inspect.isfunction(own):
            assert list(inspect.signature(ours).parameters) == list(inspect.signature(own).parameters)


def test_the_inert_accelerator_does_nothing() -> None:
    inert = InertAccelerator("accel.yaml", "something is wrong")
    inert.install()
    assert (inert.installed, inert.underway, inert.reload()) == (False, False, False)
    assert (inert.disable("*"), inert.enable("*"), inert.invalidate("*")) == (0, 0, 0)
    assert inert.stats().total.hits == 0
    assert inert.problems == (Problem("something is wrong"),)
    with pytest.raises(TargetError):
        inert.explain("a:b")
    inert.uninstall()


def test_a_python_that_is_too_old_is_one_line(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(wats_accel, "_OLDEST_PYTHON", (9, 1))
    with wats_accel.installed(config()) as accelerator:
        assert is_fresh(UserRepository())
    here = ".".join(map(str, sys.version_info[:2]))
    assert messages(accelerator) == [f"wats_accel needs Python 9.1 or newer, and this is {here}"]
    assert len(caplog.messages) == 1
    assert wats_accel.active() is None
    with pytest.raises(ConfigError, match=r"needs Python 9\.1"):
        wats_accel.install(config(), strict=True)
    with pytest.raises(ConfigError):
        wats_accel.install(config(strict=True))


def test_a_library_of_a_wrong_version_is_one_line_without_its_text(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise AttributeError("PWD=hunter2")

    monkeypatch.setattr("wats_accel.runtime.Accelerator.__init__", fail)
    accelerator = wats_accel.install(config())
    assert messages(accelerator) == ["wats_accel cannot be loaded: AttributeError"]
    assert caplog.messages == ["Configuration not used: wats_accel cannot be loaded: AttributeError"]


def test_all_off_is_all_off_without_a_word(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(wats_accel, "_OLDEST_PYTHON", (9, 1))
    monkeypatch.setenv("WATS_ACCEL_DISABLE", "all")
    assert wats_accel.install(config(), strict=True).problems == ()
    assert caplog.messages == []


STRICT = {
    "YAML": ("accel.yaml", "version: 1\nstrict: true  # yes\n", True),
    "TOML": ("accel.toml", "version = 1\nstrict = true\n", True),
    "JSON in YAML": ("accel.yaml", '{"version": 1,\n"strict": true}', True),
    "not at the top": ("accel.yaml", "version: 1\npart:\n  strict: true\n", False),
    "a comment": ("accel.yaml", "version: 1\n# strict: true\n", False),
    "not": ("accel.yaml", "version: 1\nstrict: false\n", False),
}


@pytest.mark.parametrize(("name", "text", "is_strict"), STRICT.values(), ids=STRICT)
def test_a_file_that_nobody_can_read_properly_is_heard_when_it_asks_for_strictness(
    tmp_path: Path, name: str, text: str, is_strict: bool
) -> None:
    (tmp_path / name).write_text(text)
    options: dict[str, Any] = {"strict": None, "oldest_python": (3, 10), "environ": {}}
    missing = ModuleNotFoundError("No module named 'yaml'", name="yaml")
    if is_strict:
        with pytest.raises(ConfigError):
            instead(missing, tmp_path / name, **options)
    else:
        assert len(instead(missing, tmp_path / name, **options).problems) == 1
    assert len(instead(missing, tmp_path / name, **{**options, "strict": False}).problems) == 1


def test_a_log_that_fails_harms_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken(logging.Handler):
        def handle(self, record: logging.LogRecord) -> bool:
            raise OSError

    handler = Broken()
    logging.getLogger("wats_accel").addHandler(handler)
    try:
        assert instead(None, None, strict=False, oldest_python=(9, 1), environ={}).problems
    finally:
        logging.getLogger("wats_accel").removeHandler(handler)


def test_our_own_types_may_be_what_cannot_be_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "wats_accel.errors", None)
    monkeypatch.delattr(wats_accel, "errors")
    inert = InertAccelerator(None, "something is wrong")
    assert messages(inert) == ["something is wrong"]
    assert str(inert.problems[0]) == "something is wrong"
    with pytest.raises(RuntimeError):
        inert.explain("a:b")


def test_what_is_said_of_a_broken_installation_shows_no_foreign_text() -> None:
    assert said_of(ImportError("cannot import name 'x'"), (3, 10)).endswith(
        "ImportError: cannot import name 'x'"
    )
    assert said_of(ValueError("PWD=hunter2"), (3, 10)) == "wats_accel cannot be loaded: ValueError"
