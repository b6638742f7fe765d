"""A rule is applied only if its target may be touched, is the one that was looked at, and is there at all."""

from __future__ import annotations

import json
import logging
import sqlite3
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from accel_shop import UserRepository, config, is_patched

from wats_accel.errors import ConfigError
from wats_accel.runtime import Accelerator
from wats_accel.testing import FakeClock

APPLICATION = """
SQL = "SELECT role FROM users"


class Repo:
    def __init__(self):
        self.loads = 0

    def read(self, name):
        self.loads += 1
        return (name, SQL)

    def write(self, name):
        return True
"""


@pytest.fixture
def install() -> Iterator[Callable[..., Accelerator]]:
    """Make and install an accelerator; taken down after the test."""
    made: list[Accelerator] = []

    def installed(source: Any, **options: Any) -> Accelerator:
        made.append(Accelerator(source, clock=FakeClock(), environ={}, **options))
        made[-1].install()
        return made[-1]

    yield installed
    for known in made:
        known.uninstall()
    assert not is_patched()


@pytest.fixture
def application(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The application above in a folder; call it with another text to change it, and get it imported anew."""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)

    def write(text: str = APPLICATION, *, imported: bool = True) -> Any:
        (tmp_path / "locked_app.py").write_text(text, encoding="utf-8")
        sys.modules.pop("locked_app", None)
        return __import__("locked_app") if imported else None

    yield write
    sys.modules.pop("locked_app", None)


@pytest.fixture
def rules(tmp_path: Path) -> Callable[..., Path]:
    """A configuration file for the application."""

    def write(**changes: Any) -> Path:
        repository = {
            "target": "locked_app:Repo",
            "cached": {"read": "users"},
            "invalidates": {"write": "users:*"},
        }
        data = {"version": 1, "cache": {"namespaces": {"users": {}}}, "repositories": [repository], **changes}
        path = tmp_path / "accel.yaml"
        path.write_text(json.dumps(data))  # JSON is YAML
        return path

    return write


def is_cached(module: Any) -> bool:
    repo = module.Repo()
    for _ in range(2):
        repo.read("ada")
    return bool(repo.loads == 1)


def messages(accelerator: Accelerator) -> list[str]:
    return [problem.message for problem in accelerator.problems]


def lock(path: Path) -> int:
    """Run ``wats-accel lock``."""
    from wats_accel.cli.group import dispatch

    return int(dispatch(["lock", "--config", str(path), "--path", str(path.parent)]))


# -- targets outside of the application ------------------------------------------------------------------

OUTSIDE = {
    "cached": {"target": "json.decoder:JSONDecoder", "cached": {"decode": "users"}},
    "a write": {"target": "json.decoder:JSONDecoder", "invalidates": {"decode": "users:*"}},
    "of an installed package": {"target": "pluggy:PluginManager", "cached": {"list_name_plugin": "users"}},
}


def beside_the_shop(repository: dict[str, Any], **changes: Any) -> dict[str, Any]:
    whole = config(**changes)
    whole["repositories"].append(repository)
    return whole


@pytest.mark.parametrize("repository", OUTSIDE.values(), ids=OUTSIDE)
def test_a_target_outside_of_the_application_is_left_alone_and_told(install: Any, repository: Any) -> None:
    before = json.JSONDecoder.decode
    known = install(beside_the_shop(repository))
    (problem,) = known.problems
    assert "outside of the application" in problem.message
    assert problem.key_path[:2] == ("repositories", 1)
    assert problem.target is not None
    assert json.JSONDecoder.decode is before


def test_what_a_refused_write_would_drop_is_not_cached(install: Any) -> None:
    install(beside_the_shop(OUTSIDE["a write"]))
    repository = UserRepository()
    for _ in range(2):
        repository.get_user("ada")
    assert repository.db.queries == 2


def test_strict_refuses_it(install: Any) -> None:
    with pytest.raises(ConfigError, match="outside of the application"):
        install(beside_the_shop(OUTSIDE["cached"]), strict=True)


def test_it_is_patched_if_it_is_allowed(install: Any) -> None:
    before = json.JSONDecoder.decode
    known = install(beside_the_shop(OUTSIDE["cached"], allow_targets="json.*"), strict=True)
    assert json.JSONDecoder.decode is not before
    known.uninstall()
    assert json.JSONDecoder.decode is before


def test_ours_are_refused_even_if_they_are_allowed(install: Any) -> None:
    repository = {"target": "wats_accel.runtime:Accelerator", "cached": {"stats": "users"}}
    known = install(beside_the_shop(repository, allow_targets="*"))
    assert messages(known) == ["wats_accel itself is never a target"]


def test_a_valid_until_function_outside_is_refused_with_its_rule(install: Any) -> None:
    rule = {"namespace": "users", "valid_until": "os:system"}
    known = install(config(cached={"get_user": rule}))
    (problem,) = known.problems
    assert problem.message.startswith("os:system may not be called: it lies in the standard library")
    assert known.problems[0].target == "accel_shop:UserRepository.get_user"


def test_a_valid_until_function_of_the_application_is_not(install: Any) -> None:
    rule = {"namespace": "users", "valid_until": "accel_shop:is_patched"}
    assert install(config(cached={"get_user": rule})).problems == ()


def test_the_connect_of_a_driver_needs_no_permission(install: Any) -> None:
    before = sqlite3.connect
    known = install(config(pool=[{"connect": "sqlite3:connect"}]), strict=True)
    assert sqlite3.connect is not before
    known.uninstall()


@pytest.mark.parametrize("connect", ["os:system", "subprocess:call", "socket:create_connection"])
def test_a_connect_that_is_no_drivers_does(install: Any, connect: str) -> None:
    known = install(config(pool=[{"connect": connect}]))
    assert messages(known)[0].startswith("it is no driver's 'connect'")


def test_a_module_that_turns_out_to_be_no_driver_is_refused_once_it_is_there(
    install: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "site-packages"
    folder.mkdir()
    (folder / "accel_no_driver.py").write_text("def connect(): return 'itself'\n")
    monkeypatch.syspath_prepend(str(folder))
    known = install(config(pool=[{"connect": "accel_no_driver:connect"}]))
    assert known.problems == ()
    module = __import__("accel_no_driver")
    monkeypatch.delitem(sys.modules, "accel_no_driver")
    assert messages(known)[0].startswith("it is no driver's 'connect'")
    assert module.connect() == "itself"


def test_a_method_for_each_thread_that_lies_outside_is_refused(install: Any) -> None:
    known = install(config(pool=[{"connect": "sqlite3:connect", "per_thread": ["os:getcwd"]}]))
    assert "in the standard library" in messages(known)[0]
    assert known.problems[0].key_path == ("pool", 0, "per_thread", 0)


# -- modules that are gone -------------------------------------------------------------------------------


def test_where_a_writes_module_is_gone_what_it_would_drop_is_not_cached(
    install: Any, application: Any, rules: Any
) -> None:
    # Its work is done by a module of another name now, which no rule knows.
    application(imported=False)
    gone = {"target": "locked_app_writes:Repo", "invalidates": {"write": "users:*"}}
    path = rules()
    data = json.loads(path.read_text())
    data["repositories"].append(gone)
    path.write_text(json.dumps(data))
    known = install(path)
    assert known.problems == ()  # nobody knows yet where the application is
    assert not is_cached(application())
    (problem,) = known.problems
    assert problem.message == "there is no module locked_app_writes"
    assert problem.key_path == ("repositories", 1, "invalidates", "write")


def test_a_module_that_is_there_and_not_imported_yet_is_no_problem(
    install: Any, application: Any, rules: Any, tmp_path: Path
) -> None:
    (tmp_path / "locked_app_writes.py").write_text("class Repo:\n    def write(self): pass\n")
    path = rules()
    data = json.loads(path.read_text())
    data["repositories"].append({"target": "locked_app_writes:Repo", "invalidates": {"write": "users:*"}})
    path.write_text(json.dumps(data))
    known = install(path)
    assert is_cached(application())
    assert known.problems == ()


# -- methods that have changed ---------------------------------------------------------------------------

CHANGED = APPLICATION.replace("return (name, SQL)", "return (name, SQL, 1)")
CHANGED_SQL = APPLICATION.replace("FROM users", "FROM people")
CHANGED_WRITE = APPLICATION.replace("return True", "return False")


@pytest.fixture
def locked(application: Any, rules: Any) -> Callable[..., Path]:
    """The application's methods, locked."""

    def make(on_change: str) -> Path:
        application()
        path: Path = rules(lock={"file": "app.lock", "on_change": on_change})
        assert lock(path) == 0
        sys.modules.pop("locked_app")
        return path

    return make


@pytest.mark.parametrize("on_change", ["warn", "bypass"])
def test_methods_that_have_not_changed_are_no_problem(
    install: Any, application: Any, locked: Any, on_change: str, caplog: pytest.LogCaptureFixture
) -> None:
    path = locked(on_change)
    with caplog.at_level(logging.WARNING, "wats_accel"):
        known = install(path, strict=True)
        assert is_cached(application(APPLICATION.replace("SQL = ", "# the query\nSQL = ")))
    assert (known.problems, caplog.messages) == ((), [])


CHANGES = {"source": (CHANGED, "its source"), "SQL": (CHANGED_SQL, "its SQL")}


@pytest.mark.parametrize(("text", "what"), CHANGES.values(), ids=CHANGES)
def test_a_changed_method_is_told_in_one_line_and_patched_all_the_same(
    install: Any, application: Any, locked: Any, text: str, what: str, caplog: pytest.LogCaptureFixture
) -> None:
    known = install(locked("warn"))
    with caplog.at_level(logging.WARNING, "wats_accel"):
        assert is_cached(application(text))
    assert caplog.messages == [
        f"Method changed since it was locked: locked_app:Repo.read ({what}; warn):"
        " look at it, then run 'wats-accel lock'"
    ]
    (problem,) = known.problems
    assert (problem.key_path, problem.target) == (
        ("repositories", 0, "cached", "read"),
        "locked_app:Repo.read",
    )
    assert f"({what})" in problem.message


@pytest.mark.parametrize(("text", "what"), CHANGES.values(), ids=CHANGES)
def test_by_bypass_a_changed_read_is_told_in_one_line_and_left_unpatched(
    install: Any, application: Any, locked: Any, text: str, what: str, caplog: pytest.LogCaptureFixture
) -> None:
    known = install(locked("bypass"))
    with caplog.at_level(logging.WARNING, "wats_accel"):
        module = application(text)
        assert not is_cached(module)
    assert not hasattr(module.Repo.read, "__wrapped__")
    assert hasattr(module.Repo.write, "__wrapped__")
    (line,) = caplog.messages
    assert line.startswith("Rule skipped: ")
    assert f"locked_app:Repo.read: the method has changed since it was locked ({what})" in line
    assert len(known.problems) == 1


def test_what_a_changed_write_would_drop_is_not_cached(install: Any, application: Any, locked: Any) -> None:
    known = install(locked("bypass"))
    module = application(CHANGED_WRITE)
    assert not is_cached(module)
    assert [problem.target for problem in known.problems] == ["locked_app:Repo.write"]


@pytest.mark.parametrize("on_change", ["warn", "bypass"])
def test_strict_refuses_a_changed_method(install: Any, application: Any, locked: Any, on_change: str) -> None:
    path = locked(on_change)
    module = application(CHANGED)
    before = module.Repo.read
    with pytest.raises(ConfigError, match="has changed since it was locked"):
        install(path, strict=True)
    assert module.Repo.read is before


@pytest.mark.parametrize(("on_change", "cached"), [("warn", True), ("bypass", False)])
def test_a_method_that_is_not_locked_is_told(
    install: Any, application: Any, locked: Any, on_change: str, cached: bool
) -> None:
    path = locked(on_change)
    data = json.loads(path.with_name("app.lock").read_text())
    del data["methods"]["locked_app:Repo.read"]
    path.with_name("app.lock").write_text(json.dumps(data))
    known = install(path)
    assert is_cached(application()) is cached
    assert "it is not in the lock file" in messages(known)[0]


def test_once_it_is_locked_anew_it_is_patched(install: Any, application: Any, locked: Any) -> None:
    path = locked("bypass")
    application(CHANGED)
    assert lock(path) == 0
    del sys.modules["locked_app"]
    known = install(path, strict=True)
    assert is_cached(application(CHANGED))
    assert known.problems == ()


def test_a_reload_looks_at_the_lock_anew(install: Any, application: Any, locked: Any) -> None:
    path = locked("bypass")
    known = install(path)
    module = application(CHANGED)
    assert not is_cached(module)
    assert lock(path) == 0
    assert known.reload()
    assert is_cached(module)
    assert known.problems == ()


def test_a_method_that_has_no_source_any_more_is_compared_by_its_code(
    install: Any, application: Any, locked: Any, tmp_path: Path
) -> None:
    import py_compile

    path = locked("bypass")
    for text, cached in ((APPLICATION, True), (CHANGED, False)):
        application(text, imported=False)
        source = tmp_path / "locked_app.py"
        py_compile.compile(str(source), cfile=str(tmp_path / "locked_app.pyc"), doraise=True)
        source.unlink()
        sys.path_importer_cache.clear()
        known = install(path)
        assert is_cached(__import__("locked_app")) is cached
        assert [message.startswith("the method has changed") for message in messages(known)] == [True] * (
            not cached
        )
        known.uninstall()
        sys.modules.pop("locked_app")


def test_an_odd_class_counts_as_changed(
    install: Any, application: Any, locked: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise LookupError("PWD=hunter2")

    known = install(locked("bypass"))
    monkeypatch.setattr("wats_accel.locking.fingerprint_of", fail)
    assert not is_cached(application())
    assert all("it cannot be looked at: LookupError" in message for message in messages(known))
    assert "hunter2" not in "".join(map(str, known.problems))


# -- lock files that are none ----------------------------------------------------------------------------

NO_LOCKS: dict[str, tuple[bytes | None, str]] = {
    "missing": (None, "there is no such file"),
    "empty": (b"", "not a lock file"),
    "merged badly": (b"<<<<<<< HEAD\n{}", "not a lock file"),
    "of another kind": (b"[1]", "of another version"),
    "newer": (b'{"version": 2, "methods": {}}', "of another version"),
    "without methods": (b'{"version": 1}', "not a lock file"),
    "of odd methods": (b'{"version": 1, "methods": {"a": 1}}', "not a lock file"),
    "of odd hashes": (b'{"version": 1, "methods": {"a": {"source": 1, "sql": 1, "code": {}}}}', "not a lock"),
    "with a method twice": (b'{"version": 1, "methods": {"a": {}, "a": {}}}', "not a lock file"),
    "no text": (b"\xff\xfe", "not a lock file"),
    "too deep": (b"[" * 100_000, "not a lock file"),
}


@pytest.mark.parametrize(("content", "message"), NO_LOCKS.values(), ids=NO_LOCKS)
@pytest.mark.parametrize("on_change", ["warn", "bypass"])
def test_a_lock_that_cannot_be_read_is_one_problem_and_by_bypass_nothing_is_patched(
    install: Any,
    application: Any,
    rules: Any,
    content: bytes | None,
    message: str,
    on_change: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    path = rules(lock={"file": "app.lock", "on_change": on_change})
    if content is not None:
        path.with_name("app.lock").write_bytes(content)
    known = install(path)
    module = application()
    assert is_cached(module) is (on_change == "warn")
    (told,) = messages(known)
    assert told.startswith(f"{path.with_name('app.lock')}: {message}")
    assert [line for line in caplog.messages if "app.lock" in line] == [f"Rule skipped: {known.problems[0]}"]
    assert ("until then no method is patched" in told) is (on_change == "bypass")
    assert "app.lock" in told
    with pytest.raises(ConfigError, match=message):
        install(path, strict=True)


def test_a_folder_and_a_pipe_are_no_lock_files(install: Any, rules: Any, tmp_path: Path) -> None:
    path = rules(lock="folder.lock")
    (tmp_path / "folder.lock").mkdir()
    assert f"{tmp_path / 'folder.lock'}: this is not a file" in messages(install(path))[0]


def test_without_a_lock_the_pool_is_there_all_the_same(install: Any, rules: Any) -> None:
    # A driver is not the application's: it changes with every upgrade.
    before = sqlite3.connect
    path = rules(lock={"file": "no.lock", "on_change": "bypass"}, pool=[{"connect": "sqlite3:connect"}])
    known = install(path)
    assert sqlite3.connect is not before
    known.uninstall()


def test_an_accelerator_made_from_a_mapping_finds_its_lock_in_the_current_folder(
    install: Any, application: Any, locked: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = locked("bypass")
    monkeypatch.chdir(path.parent)
    known = install(json.loads(path.read_text()))
    assert not is_cached(application(CHANGED))
    assert len(known.problems) == 1


def test_a_rule_that_fails_while_it_is_given_up_harms_no_other(
    install: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "odd.py").write_text(
        "from wats_accel.extension import Layer, PatchSpec, Target, hookimpl\n"
        "def fail(why): raise OSError\n"
        "@hookimpl\ndef accel_patch_specs(context):\n"
        "    target = Target.parse('os:system')\n"
        "    return [PatchSpec(target, Layer.CACHE, lambda call, info: call, on_left_out=fail)]\n"
    )
    known = install(config(plugins={"load": [str(tmp_path / "odd.py")]}))
    assert len(known.problems) == 2
    assert messages(known)[1] == "OSError while its rule was left out"
    assert is_patched()


def test_modules_made_by_the_program_are_its_own(install: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    made: Any = ModuleType("locked_app")
    exec(APPLICATION, vars(made))
    monkeypatch.setitem(sys.modules, "locked_app", made)
    rules = config(target="locked_app:Repo", scope=[], cached={"read": "users"}, invalidates={})
    known = install(rules, strict=True)
    assert is_cached(made)
    assert known.problems == ()
