"""The accelerator: installs what can be applied, leaves out what cannot, and always stays fresh."""

from __future__ import annotations

import io
import json
import logging
import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from accel_shop import URL, Database, UserRepository, config, is_patched

from wats_accel.config_source import read_config
from wats_accel.errors import ConfigError, PatternError, TargetError
from wats_accel.runtime import Accelerator
from wats_accel.testing import FakeClock, accelerated

GET, LIST = "accel_shop:UserRepository.get_user", "accel_shop:UserRepository.list_users"
SET = "accel_shop:UserRepository.set_user"

TWELVE_MISTAKES = """\
version: one
loggin: {level: debug}
logging: {format: xml}
cache:
  default_ttl: 5 minutes
  max_entries: -1
  namespaces: {users: {ttl: 5m}}
repositories:
  - target: accel_shop.UserRepository()
    enabled: sometimes
    cached:
      get_user: user
      list_users: {ttl: 5m}
    invalidates:
      set_user: ["users:"]
      rename_user:
        patterns:
        - groups:*
        when: often
"""
LINES = [1, 2, 3, 5, 6, 9, 10, 12, 13, 15, 18, 19]


@pytest.fixture(autouse=True)
def _nothing_stays_patched() -> Iterator[None]:
    yield
    assert not is_patched()
    assert [thread for thread in threading.enumerate() if thread.name == "wats-accel-summary"] == []


@pytest.fixture
def repository() -> UserRepository:
    return UserRepository()


@pytest.fixture
def accelerator() -> Iterator[Callable[..., Accelerator]]:
    """Make and install an accelerator; taken down after the test."""
    made: list[Accelerator] = []

    def install(source: Any = None, **options: Any) -> Accelerator:
        made.append(Accelerator(source, **{"environ": {}, **options}))
        made[-1].install()
        return made[-1]

    yield install
    for known in made:
        known.uninstall()


def queries(repository: UserRepository, read: Callable[[], object]) -> int:
    """How many queries two equal calls of a read make."""
    before = repository.db.queries
    read()
    read()
    return repository.db.queries - before


def is_cached(repository: UserRepository) -> bool:
    return queries(repository, lambda: repository.get_user("ada")) < 2


def lists_are_cached(repository: UserRepository) -> bool:
    return queries(repository, repository.list_users) < 2


def messages(accelerator: Accelerator) -> list[str]:
    return [problem.message for problem in accelerator.problems]


# -- the file --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["accel.yaml", "accel.toml"])
def test_a_file_is_put_into_effect_and_taken_back(
    tmp_path: Path, accelerator: Any, repository: UserRepository, name: str
) -> None:
    path = tmp_path / name
    if name.endswith("yaml"):
        path.write_text(json.dumps(config()))  # JSON is YAML
    else:
        path.write_text(
            'version = 1\ncache.namespaces.users = {}\n[[repositories]]\nscope = "self.db.url"\n'
            'target = "accel_shop:UserRepository"\ncached.get_user = "users"\n'
            'invalidates.set_user = "users:get_user:{name}"\n'
        )
    known = accelerator(path)
    assert known.problems == ()
    assert is_cached(repository)
    repository.set_user("ada", "admin")
    assert repository.get_user("ada") == "admin"
    known.uninstall()
    assert not is_cached(repository)


def test_a_file_with_twelve_mistakes_patches_nothing_and_reports_each_once(
    tmp_path: Path, accelerator: Any, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "accel.yaml"
    path.write_text(TWELVE_MISTAKES)
    with caplog.at_level(logging.DEBUG, "wats_accel"):
        known = accelerator(path)
    assert [problem.line for problem in known.problems] == LINES
    assert not is_patched()
    assert not known.installed
    assert caplog.messages == [f"Configuration not used: {problem}" for problem in known.problems]
    assert {record.levelname for record in caplog.records} == {"WARNING"}


def test_strict_raises_all_twelve_at_once(tmp_path: Path, accelerator: Any) -> None:
    path = tmp_path / "accel.yaml"
    path.write_text(TWELVE_MISTAKES)
    with pytest.raises(ConfigError) as caught:
        accelerator(path, strict=True)
    assert [problem.line for problem in caught.value.problems] == LINES
    assert len(str(caught.value).splitlines()) == 12
    assert not is_patched()


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("missing.yaml", None, "there is no such file"),
        ("accel.ini", "", "the file type '.ini' is not known"),
        ("accel.yaml", "a: [", "not valid YAML"),
        ("accel.yaml", "a: 1\na: 2\nb: !!python/x 1", "duplicate key"),
        ("accel.toml", "a = ", "not valid TOML"),
    ],
)
def test_a_file_that_cannot_be_read_is_a_problem(
    tmp_path: Path, accelerator: Any, name: str, content: str | None, message: str
) -> None:
    if content is not None:
        (tmp_path / name).write_text(content)
    known = accelerator(tmp_path / name)
    assert known.problems[0].message.startswith(message)
    assert known.problems[0].file == str(tmp_path / name)
    with pytest.raises(ConfigError, match=message):
        accelerator(tmp_path / name, strict=True)


def test_without_any_file_there_is_one_problem(
    tmp_path: Path, accelerator: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert messages(accelerator()) == ["no configuration file was named, and there is no wats-accel.yaml"]


def test_the_file_may_ask_for_strictness_itself(tmp_path: Path, accelerator: Any) -> None:
    wrong = config(strict=True, cached={"no_such": "users"}, invalidates={})
    with pytest.raises(ConfigError, match="no_such"):
        accelerator(wrong)
    assert len(accelerator(wrong, strict=False).problems) == 1


def test_a_strict_file_that_is_not_valid_is_strict_all_the_same(accelerator: Any) -> None:
    with pytest.raises(ConfigError, match="unknown key"):
        accelerator({"version": 1, "strict": True, "colour": "blue"})


@pytest.mark.parametrize("mapping", [{1: 2}, {"version": 1, "cache": {(): 1}}], ids=repr)
def test_a_mapping_that_is_no_configuration_is_a_problem(accelerator: Any, mapping: Any) -> None:
    assert "keys must be text" in messages(accelerator(mapping))[0]


def test_what_nobody_has_foreseen_is_a_problem_without_its_text(accelerator: Any) -> None:
    class Odd(dict[str, Any]):
        def items(self) -> Any:
            raise LookupError("PWD=hunter2")

    known = accelerator(Odd(version=1))
    assert messages(known) == ["cannot be installed: LookupError"]
    with pytest.raises(LookupError):
        accelerator(Odd(version=1), strict=True)


# -- the environment ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("source", ["given.yaml", {"version": 1}, None], ids=repr)
def test_the_environments_file_beats_the_argument(tmp_path: Path, source: Any) -> None:
    path = tmp_path / "accel.yaml"
    path.write_text("version: 7")
    assert read_config(source, {"WATS_ACCEL_CONFIG": str(path)}).data == {"version": 7}


def test_all_off_is_as_if_the_package_were_not_there(
    accelerator: Any, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        known = accelerator(config(), environ={"WATS_ACCEL_DISABLE": "all"}, strict=True)
    assert not is_patched()
    assert (known.installed, known.problems, caplog.records) == (False, (), [])
    assert known.stats().total.hits == 0


@pytest.mark.parametrize(
    "pattern",
    ["users:*", "users", "users:get_user", "users:get_*", "accel_shop:*.get_user", "*.get_user", GET],
)
def test_the_environment_switches_methods_off_while_writes_go_on_invalidating(
    accelerator: Any, repository: UserRepository, pattern: str
) -> None:
    known = accelerator(config(), environ={"WATS_ACCEL_DISABLE": f" {pattern} ,"})
    assert not is_cached(repository)
    assert lists_are_cached(repository)
    repository.set_user("ada", "admin")
    assert repository.list_users() == ["ada"]
    assert known.problems == ()


def test_a_pattern_of_the_environment_that_names_nothing_is_a_problem(accelerator: Any) -> None:
    known = accelerator(config(), environ={"WATS_ACCEL_DISABLE": "user,lists"})
    assert messages(known) == ["WATS_ACCEL_DISABLE: nothing is named by 'user'; did you mean 'users'?"]


# -- enabled: false ------------------------------------------------------------------------------------------


def test_switched_off_as_a_whole_nothing_is_patched(
    accelerator: Any, caplog: pytest.LogCaptureFixture
) -> None:
    logger = logging.getLogger("wats_accel")
    with caplog.at_level(logging.INFO):
        known = accelerator(config(enabled=False, logging={"level": "debug"}))
        assert not is_patched()
        assert logger.level == logging.NOTSET
        known.uninstall()
    assert caplog.messages == []


def test_with_the_cache_switched_off_writes_are_still_patched(
    accelerator: Any, repository: UserRepository
) -> None:
    rules = config()
    rules["cache"]["enabled"] = False
    known = accelerator(rules)
    assert not is_cached(repository)
    assert known.explain(SET).drops == ("users:get_user:{name}", "lists:*")
    assert known.problems == ()


def test_a_repository_that_is_switched_off_goes_on_invalidating_others(
    accelerator: Any, repository: UserRepository
) -> None:
    rules = config(invalidates={})
    rules["repositories"].append(
        {
            "target": "accel_shop:UserRepository",
            "enabled": False,
            "cached": {},
            "invalidates": {"set_user": ["users:*", "lists:*"]},
        }
    )
    accelerator(rules)
    assert is_cached(repository)
    repository.set_user("ada", "admin")
    assert repository.get_user("ada") == "admin"
    rules["repositories"][0]["enabled"] = False
    accelerator(rules)


def test_the_reads_of_a_repository_that_is_switched_off_are_not_cached(
    accelerator: Any, repository: UserRepository
) -> None:
    rules = config()
    rules["repositories"][0]["enabled"] = False
    accelerator(rules)
    assert not is_cached(repository)


def test_one_rule_can_be_switched_off(accelerator: Any, repository: UserRepository) -> None:
    accelerator(config(cached={"get_user": {"namespace": "users", "enabled": False}, "list_users": "lists"}))
    assert not is_cached(repository)
    assert lists_are_cached(repository)


def test_what_a_write_would_drop_whose_rule_is_switched_off_is_not_cached(
    accelerator: Any, repository: UserRepository
) -> None:
    off = {"patterns": ["users:get_user:{name}"], "enabled": False}
    known = accelerator(config(invalidates={"set_user": off, "rename_user": "lists:*"}))
    assert not is_cached(repository)
    assert lists_are_cached(repository)
    assert messages(known) == ["the write's rule is switched off: what it would drop is not cached"]


# -- degrading toward freshness ------------------------------------------------------------------------------


def test_what_a_write_would_drop_that_is_not_there_is_not_cached(
    tmp_path: Path, accelerator: Any, repository: UserRepository
) -> None:
    path = tmp_path / "accel.yaml"
    path.write_text(
        "version: 1\ncache: {namespaces: {users: {}, lists: {}}}\nrepositories:\n"
        "  - target: accel_shop:UserRepository\n"
        "    cached: {get_user: users, list_users: lists}\n"
        "    invalidates:\n      set_usr: users:get_user:{name}\n"
    )
    known = accelerator(path)
    assert not is_cached(repository)
    assert lists_are_cached(repository)
    (problem,) = known.problems
    assert str(problem) == (
        f"{path}:7:7: repositories[0].invalidates.set_usr: accel_shop:UserRepository.set_usr: "
        "accel_shop.UserRepository has no 'set_usr'; did you mean 'set_user'?"
    )
    assert known.explain("get_user").cached["not cached"].startswith("accel_shop:UserRepository.set_usr")


def test_a_class_that_is_not_there_takes_the_cache_of_what_its_writes_would_drop_along(
    accelerator: Any, repository: UserRepository
) -> None:
    rules = config(invalidates={})
    rules["repositories"].append(
        {"target": "accel_shop:GroupRepository", "invalidates": {"add_group": "users:*"}}
    )
    known = accelerator(rules)
    assert not is_cached(repository)
    assert lists_are_cached(repository)
    assert "has no 'GroupRepository'" in messages(known)[0]


def test_a_read_that_is_not_there_is_skipped_and_the_rest_is_applied(
    accelerator: Any, repository: UserRepository
) -> None:
    known = accelerator(config(cached={"get_user": "users", "no_such": "users"}))
    assert is_cached(repository)
    assert [problem.target for problem in known.problems] == ["accel_shop:UserRepository.no_such"]


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ({"fold": "nme"}, "there is no parameter 'nme'; did you mean 'name'?"),
        ({"key": {"exclude": ["nam"]}}, "there is no parameter 'nam'; did you mean 'name'?"),
        ({"key": {"include": "slf.db.url"}}, "there is no parameter 'slf'; did you mean 'self'?"),
    ],
    ids=["fold", "exclude", "include"],
)
def test_an_unknown_parameter_of_a_read_is_a_problem_and_the_read_is_not_cached(
    accelerator: Any, repository: UserRepository, rule: dict[str, Any], message: str
) -> None:
    known = accelerator(config(cached={"get_user": {"namespace": "users", **rule}, "list_users": "lists"}))
    assert messages(known) == [message]
    assert not is_cached(repository)
    assert lists_are_cached(repository)


def test_an_unknown_parameter_of_the_scope_is_a_problem_of_each_read(
    accelerator: Any, repository: UserRepository
) -> None:
    known = accelerator(config(scope="sefl.db.url"))
    assert set(messages(known)) == {"there is no parameter 'sefl'; did you mean 'self'?"}
    assert not is_cached(repository)


def test_an_unknown_placeholder_of_a_write_suspends_what_it_would_drop(
    accelerator: Any, repository: UserRepository
) -> None:
    known = accelerator(config(invalidates={"set_user": "users:get_user:{user_name}"}))
    assert "there is no parameter 'user_name'" in messages(known)[0]
    assert not is_cached(repository)
    assert lists_are_cached(repository)


# -- life --------------------------------------------------------------------------------------------------


def test_installing_twice_patches_once(accelerator: Any, repository: UserRepository) -> None:
    known = accelerator(config())
    once = UserRepository.get_user
    known.install()
    assert UserRepository.get_user is once
    assert once.__wrapped__ is not None  # type: ignore[attr-defined]  # a stand-in has it
    assert not hasattr(once.__wrapped__, "__wrapped__")  # type: ignore[attr-defined]


def test_a_second_accelerator_does_not_wrap_what_the_first_has_wrapped(
    accelerator: Any, repository: UserRepository
) -> None:
    accelerator(config())
    second = accelerator(config())
    assert len(second.problems) == 4
    repository.set_user("ada", "admin")
    repository.get_user("ada")
    repository.set_user("ada", "guest")
    assert repository.get_user("ada") == "guest"


def test_uninstalling_twice_is_safe_and_keeps_the_last_figures(
    accelerator: Any, repository: UserRepository
) -> None:
    known = accelerator(config())
    is_cached(repository)
    known.uninstall()
    known.uninstall()
    assert (known.stats().total.hits, known.stats().total.misses) == (1, 1)
    assert known.stats().total.size == 1


def test_two_threads_may_uninstall_at_once(accelerator: Any, caplog: pytest.LogCaptureFixture) -> None:
    known = accelerator(config())
    barrier = threading.Barrier(2)

    def uninstall() -> None:
        barrier.wait(timeout=10)
        known.uninstall()

    with caplog.at_level(logging.INFO, "wats_accel"), ThreadPoolExecutor() as pool:
        for done in [pool.submit(uninstall) for _ in range(2)]:
            done.result(timeout=10)
    assert not known.installed
    assert len([line for line in caplog.messages if line.startswith("Cache stats")]) == 1


def test_installed_once_more_it_starts_afresh(
    tmp_path: Path, accelerator: Any, repository: UserRepository, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "accel.yaml"
    path.write_text("version: 2")
    known = accelerator(path, strict=None)
    assert len(known.problems) == 1
    path.write_text(json.dumps(config()))
    with caplog.at_level(logging.INFO, "wats_accel"):
        for _ in range(2):
            known.install()
            assert known.problems == ()
            assert is_cached(repository)
            known.uninstall()
    once = ["Cache", "Performance", "Cache"]
    assert [line.partition(" ")[0] for line in caplog.messages] == ["Configuration", *once, *once]


# -- the pool --------------------------------------------------------------------------------------------

POOL = {"version": 1, "pool": [{"connect": "sqlite3:connect", "size": 2, "max_overflow": 1}]}


def opened_by_the_pool(path: Path) -> bool:
    connection = sqlite3.connect(path)
    connection.close()
    return type(connection) is not sqlite3.Connection


def test_connections_come_from_a_pool_until_it_is_uninstalled(tmp_path: Path, accelerator: Any) -> None:
    bare = sqlite3.connect
    known = accelerator(POOL)
    assert [opened_by_the_pool(tmp_path / "a.db") for _ in range(3)] == [True] * 3
    held = sqlite3.connect(tmp_path / "a.db")
    known.uninstall()
    assert sqlite3.connect is bare
    figures = known.stats().pools["sqlite3:connect"]
    assert (figures.opened, figures.reused, figures.checked_out, figures.idle) == (1, 3, 1, 0)
    assert held.execute("SELECT 1").fetchone() == (1,), "who has one keeps it"
    held.close()


@pytest.mark.parametrize("pattern", ["sqlite3:connect", "sqlite3:*", "all"])
def test_a_pool_is_switched_off_and_on_at_run_time(tmp_path: Path, accelerator: Any, pattern: str) -> None:
    known = accelerator(POOL)
    assert known.disable(pattern) == 1
    assert not opened_by_the_pool(tmp_path / "a.db")
    assert known.enable(pattern) == 1
    assert opened_by_the_pool(tmp_path / "a.db")


def test_the_environment_switches_a_pool_off(tmp_path: Path, accelerator: Any) -> None:
    known = accelerator(POOL, environ={"WATS_ACCEL_DISABLE": "sqlite3:connect"})
    assert not opened_by_the_pool(tmp_path / "a.db")
    assert known.problems == ()
    assert known.explain("sqlite3:connect").pooled["not pooled"] == "switched off"


def test_an_entry_that_is_switched_off_leaves_the_driver_alone(tmp_path: Path, accelerator: Any) -> None:
    bare = sqlite3.connect
    known = accelerator({"version": 1, "pool": [{"connect": "sqlite3:connect", "enabled": False}]})
    assert sqlite3.connect is bare
    assert known.stats().pools == {}


def test_a_pool_says_that_it_is_ready_in_the_words_that_maintainers_look_for(
    accelerator: Any, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "wats_accel"):
        accelerator(POOL)
    assert caplog.messages[0] == "Connection Pool initialized (size=2, overflow=1)"


# -- what a maintainer asks ----------------------------------------------------------------------------------


def test_methods_are_disabled_and_enabled_at_run_time(accelerator: Any, repository: UserRepository) -> None:
    known = accelerator(config())
    assert is_cached(repository)
    assert known.disable("users:*") == 1
    assert not is_cached(repository)
    repository.set_user("ada", "admin")
    assert known.enable("users") == 1
    assert repository.get_user("ada") == "admin"
    assert is_cached(repository)
    assert (known.disable("all"), known.enable("UserRepository.*"), known.disable("nothing")) == (2, 2, 0)


def test_entries_are_dropped_on_demand(accelerator: Any, repository: UserRepository) -> None:
    known = accelerator(config())
    for name in ("ada", "bob"):
        repository.get_user(name)
    assert known.invalidate("users:get_user:ada") == 1
    assert known.invalidate("users:*") == 1
    assert known.invalidate("users:*") == 0
    with pytest.raises(PatternError):
        known.invalidate("users")


def test_a_method_is_explained(accelerator: Any) -> None:
    known = accelerator(config())
    explanation = known.explain("UserRepository.get_user")
    assert explanation.target == GET
    assert explanation.cached["TTL"] == "5m"
    assert explanation.dropped_by == (
        (SET, "users:get_user:{name}"),
        ("accel_shop:UserRepository.rename_user", "*"),
    )


def test_before_and_after_there_is_nothing_to_ask_for(accelerator: Any) -> None:
    known = Accelerator(config(), environ={})
    assert (known.disable("all"), known.enable("all"), known.invalidate("users:*")) == (0, 0, 0)
    assert known.stats().as_dict()["methods"] == {}
    known.uninstall()
    with pytest.raises(TargetError):
        known.explain(GET)
    with pytest.raises(PatternError):
        known.invalidate("users")


def test_figures_are_given_by_method_namespace_and_in_total(
    accelerator: Any, repository: UserRepository
) -> None:
    known = accelerator(config())
    is_cached(repository)
    repository.list_users()
    read = json.loads(json.dumps(known.stats().as_dict()))
    assert (read["total"]["hits"], read["total"]["misses"], read["total"]["size"]) == (1, 2, 2)
    assert (read["namespaces"]["users"]["hits"], read["namespaces"]["lists"]["hits"]) == (1, 0)
    assert set(read["methods"]) == {GET, LIST}
    method = known.stats().methods[GET]
    assert method.saved_seconds == method.hits * method.load_seconds / method.loads


# -- the log -----------------------------------------------------------------------------------------------


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[logging.Logger, io.StringIO]]:
    """A root logger of the test's own, set up as the application does, and what was written to it."""
    logger = logging.getLogger("wats_accel")
    root, stream = logging.RootLogger(logging.DEBUG), io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        logging.Formatter("%(asctime)s [%(levelname)s] %(filename)s:%(lineno)d - %(message)s")
    )
    root.addHandler(handler)
    monkeypatch.setattr(logger, "parent", root)
    before = logger.level
    logger.setLevel(logging.NOTSET)
    yield root, stream
    monkeypatch.undo()
    logger.setLevel(before)


def work(repository: UserRepository) -> None:
    for name in ("jefferson", "jefferson", "ada"):
        repository.get_user(name)
    repository.rename_user("x", "y")


def test_the_lines_that_maintainers_look_for_come_in_this_order_in_the_hosts_format(
    host: Any, accelerator: Any, repository: UserRepository
) -> None:
    known = accelerator(config())
    repository.db.users["x"] = "guest"
    work(repository)
    known.uninstall()
    shown = ("Cache system", "Performance", "Cache MISS", "Cache HIT", "Invalidated", "Cache stats")
    lines = [line.split(" ", 2)[2] for line in host[1].getvalue().splitlines()]
    wanted = [line for line in lines if line.split(" - ")[1].startswith(shown)]
    assert [line.replace(line[line.index("logs.py:") : line.index(" - ")], "logs.py") for line in wanted] == [
        "[INFO] logs.py - Cache system initialized (default TTL=300s)",
        "[INFO] logs.py - Performance optimizations initialized successfully",
        "[DEBUG] logs.py - Cache MISS: users:get_user:jefferson",
        "[DEBUG] logs.py - Cache HIT: users:get_user:jefferson",
        "[DEBUG] logs.py - Cache MISS: users:get_user:ada",
        "[INFO] logs.py - Invalidated 2 cache entries matching '*'",
        "[INFO] logs.py - Cache stats: {'size': 0, 'hits': 1, 'misses': 2, 'hit_rate': 33.33}",
    ]


def test_at_info_neither_hits_nor_misses_are_logged_or_even_built(
    host: Any, accelerator: Any, repository: UserRepository
) -> None:
    host[0].setLevel(logging.INFO)
    accelerator(config())

    class Name(str):
        def __format__(self, spec: str) -> str:
            raise AssertionError("a readable key was made")

        __str__ = __repr__ = lambda self: self.__format__("")

    repository.get_user(Name("ada"))
    repository.get_user(Name("ada"))
    assert "Cache HIT" not in host[1].getvalue()
    assert "Cache MISS" not in host[1].getvalue()


def test_the_files_level_is_taken_back_with_the_rest(host: Any, accelerator: Any) -> None:
    logger = logging.getLogger("wats_accel")
    logger.setLevel(logging.WARNING)
    known = accelerator(config(logging={"level": "debug", "format": "json"}))
    assert logger.level == logging.DEBUG
    known.uninstall()
    assert logger.level == logging.WARNING
    objects = [json.loads(line.split(" - ")[1]) for line in host[1].getvalue().splitlines()]
    assert {"accel.feature_initialized", "accel.initialized", "accel.stats_summary"} <= {
        known["event"] for known in objects
    }


def test_a_summary_thread_runs_while_installed(accelerator: Any) -> None:
    known = accelerator(config(logging={"summary_every": "1h"}))
    (thread,) = [known for known in threading.enumerate() if known.name == "wats-accel-summary"]
    assert thread.daemon
    known.uninstall()
    thread.join(timeout=10)
    assert not thread.is_alive()


def test_the_summary_has_the_figures_of_the_accelerator(
    host: Any, accelerator: Any, repository: UserRepository
) -> None:
    known = accelerator(config(logging={"summary_every": "1h"}))
    is_cached(repository)
    known._companions._summary.send_if_used()
    assert "Cache stats: {'size': 1, 'hits': 1, 'misses': 1, 'hit_rate': 50.0}" in host[1].getvalue()
    known.uninstall()
    for thread in threading.enumerate():
        if thread.name == "wats-accel-summary":
            thread.join(timeout=10)


def test_arguments_cannot_forge_a_line(host: Any, accelerator: Any, repository: UserRepository) -> None:
    accelerator(config())
    for name in ("ada\n2026-01-01 [INFO] app.py:1 - forged", "a\r\x1b[2J", "\u2028x"):
        repository.get_user(name)
        repository.set_user(name, "guest")
    lines = host[1].getvalue().splitlines()
    assert all(line.isprintable() and " logs.py:" in line for line in lines)


def test_no_connection_string_appears_anywhere(
    host: Any, accelerator: Any, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    repository = UserRepository(Database(URL))
    rules = config(logging={"level": "debug", "format": "json"})
    rules["repositories"][0]["cached"]["no_such"] = "users"
    known = accelerator(rules)
    repository.db.users["x"] = "guest"
    work(repository)
    repository.list_users()
    known.disable("lists")
    context = known._assembly.context
    everything = [
        *(repr(region) + repr(vars(region)) + repr(region.scopes) for region in context.caches),
        repr(context),
        repr(known.problems),
        *map(str, known.problems),
        *(str(known.explain(name)) + repr(known.explain(name)) for name in (GET, LIST, SET)),
        json.dumps(known.stats().as_dict()),
        repr(known),
    ]
    known.uninstall()
    everything += [host[1].getvalue(), *capfd.readouterr()]
    assert len(host[1].getvalue().splitlines()) > 10
    assert "hunter2" not in "".join(everything)


def test_time_passes_by_the_clock_that_was_given(accelerator: Any, repository: UserRepository) -> None:
    clock = FakeClock()
    accelerator(config(), clock=clock)
    repository.list_users()
    clock.advance(60)
    assert queries(repository, repository.list_users) == 1


def test_instances_with_an_equal_scope_share_their_answers_and_others_do_not() -> None:
    one, same, other = (UserRepository(Database(url)) for url in ("a", "a", "b"))
    with accelerated(config()):
        one.get_user("ada")
        assert queries(same, lambda: same.get_user("ada")) == 0
        assert queries(other, lambda: other.get_user("ada")) == 1
