"""Each hook does what its page says, and a plugin that raises in it harms nobody.

Every hook must have a docstring, a section in docs/reference/hooks.md and tests `test_<hook>_…`.
"""

from __future__ import annotations

import inspect
import logging
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import accel_shop
import pytest
from accel_shop import UserRepository, config, is_patched

from wats_accel import hookspecs
from wats_accel.cli.environment import known_plugins
from wats_accel.cli.group import dispatch
from wats_accel.errors import ConfigError
from wats_accel.hookspecs import hookimpl
from wats_accel.plugin_manager import PluginManager
from wats_accel.runtime import Accelerator
from wats_accel.testing import accelerated

HOOKS = sorted(name for name in vars(hookspecs) if name.startswith("accel_"))
PAGE = Path(__file__).resolve().parents[1] / "docs" / "reference" / "hooks.md"


@pytest.fixture(autouse=True)
def _nothing_stays_patched() -> Iterator[None]:
    yield
    assert not is_patched()


@pytest.fixture
def journal(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What the plugins of a test write down: they find it as `accel_shop.journal`."""
    kept: list[Any] = []
    monkeypatch.setattr(accel_shop, "journal", kept, raising=False)
    return kept


@pytest.fixture
def plugin(tmp_path: Path, journal: list[Any]) -> Callable[..., dict[str, Any]]:
    """Write plugins to files and give the configuration that loads them, with what else it is to hold."""

    def write(*sources: str, **changes: Any) -> dict[str, Any]:
        files = []
        for number, source in enumerate(sources, 1):
            path = tmp_path / f"plugin_{number}.py"
            path.write_text("import accel_shop\nfrom wats_accel.extension import *\n" + source)
            files.append(str(path))
        return config(plugins={"load": files}, **changes)

    return write


def installed(rules: dict[str, Any]) -> Any:
    return accelerated(rules, strict=False)


def messages(accelerator: Accelerator) -> list[str]:
    return [problem.message for problem in accelerator.problems]


def is_cached(repository: UserRepository) -> bool:
    before = repository.db.queries
    repository.get_user("ada")
    repository.get_user("ada")
    return repository.db.queries < before + 2


def is_fresh(repository: UserRepository) -> bool:
    return all(repository.set_user("ada", role) and repository.get_user("ada") == role for role in "ab")


# -- the hooks as a whole ------------------------------------------------------------------------------


@pytest.mark.parametrize("hook", HOOKS)
def test_every_hook_has_a_docstring(hook: str) -> None:
    assert inspect.getdoc(getattr(hookspecs, hook))


@pytest.mark.parametrize("hook", HOOKS)
def test_every_hook_has_a_section_in_the_reference_with_its_own_signature(hook: str) -> None:
    sections = re.split(r"^### ", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    (section,) = [known for known in sections if known.startswith(f"`{hook}`\n")]
    for parameter in inspect.signature(getattr(hookspecs, hook)).parameters:
        assert parameter in section


@pytest.mark.parametrize("hook", HOOKS)
def test_every_hook_has_tests_that_are_named_after_it(hook: str) -> None:
    assert [name for name in globals() if name.startswith(f"test_{hook}_")]


def test_the_reference_has_no_section_for_a_hook_that_is_not_there() -> None:
    named = re.findall(r"^### `(accel_\w+)`", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert sorted(named) == HOOKS


RAISES = "\n@hookimpl\ndef {hook}():\n    raise OSError('PWD=hunter2')\n"
AT_RUN_TIME = [hook for hook in HOOKS if hook not in ("accel_cli_commands", "accel_reload")]


@pytest.mark.parametrize("hook", AT_RUN_TIME)
def test_a_plugin_that_raises_is_named_and_the_application_gets_fresh_answers(
    plugin: Any, hook: str, caplog: pytest.LogCaptureFixture
) -> None:
    repository = UserRepository()
    with caplog.at_level(logging.DEBUG, "wats_accel"), installed(plugin(RAISES.format(hook=hook))) as known:
        assert is_fresh(repository)
    told = set(messages(known))
    assert told == {f"plugin 'plugin_1' failed in {hook}: OSError"}
    assert "hunter2" not in caplog.text + str(known.problems)


@pytest.mark.parametrize("hook", AT_RUN_TIME)
def test_strict_refuses_a_plugin_that_raises_before_anything_is_patched(plugin: Any, hook: str) -> None:
    rules = plugin(RAISES.format(hook=hook))
    if hook == "accel_shutdown":  # by then it is too late
        with accelerated(rules):
            assert is_patched()
        return
    with pytest.raises(ConfigError, match=f"plugin 'plugin_1' failed in {hook}"), accelerated(rules):
        pass


def test_plugins_are_found_beside_the_configuration_file_and_those_that_are_not_have_its_line(
    tmp_path: Path, journal: list[Any]
) -> None:
    (tmp_path / "features").mkdir()
    (tmp_path / "features" / "mine.py").write_text(
        "import accel_shop\nfrom wats_accel.extension import *\n" + LIFE.format(name="mine", then="")
    )
    path = tmp_path / "accel.yaml"
    path.write_text("version: 1\nplugins:\n  load: [features, nowhere.py]\n  disable: [no_such]\n")
    with accelerated(path, strict=False) as accelerator:
        assert journal == [("startup", "mine", False)]
    assert [str(problem) for problem in accelerator.problems] == [
        f"{path}:2:1: plugins: plugin 'nowhere' failed in loading: there is no file or folder 'nowhere.py'",
        f"{path}:2:1: plugins: plugin 'no_such' failed in disabling: there is no such plugin; "
        "known: connection_pool, redis_tier, repository_cache, sql_invalidation, table_versions, "
        "write_invalidation",
    ]


def test_without_its_plugin_there_is_no_pool() -> None:
    rules = config(plugins={"disable": ["connection_pool"]}, pool=[{"connect": "sqlite3:connect"}])
    with accelerated(rules, strict=False) as accelerator:
        assert messages(accelerator) == [
            "unknown key; known: allow_targets, cache, enabled, freshness, invalidation, lock, logging, "
            "plugins, repositories, shared, sql, status and 3 more"
        ]
        assert accelerator.stats().pools == {}


def test_a_disabled_feature_takes_its_keys_along() -> None:
    rules = config(plugins={"disable": ["write_invalidation"]})
    with accelerated(rules, strict=False) as accelerator:
        assert messages(accelerator) == ["unknown key; known: cached, cursor, enabled, scope, target"]
        assert not is_patched()
    del rules["repositories"][0]["invalidates"]
    with accelerated(rules):
        assert is_cached(UserRepository())


# -- accel_config_sections ---------------------------------------------------------------------------------

AUDIT = """
class AuditSection(Section):
    path: str
    every: Duration = 60.0

def _check(raw):
    if raw.get("audit", {}).get("path") == "/":
        yield Finding(("audit", "path"), "a file is needed, not the root folder")

@hookimpl
def accel_config_sections():
    return [
        ConfigSection("audit", AuditSection | None, None, check=_check, description="An audit trail."),
        ConfigSection("audited", bool, False, within="repositories"),
    ]

@hookimpl
def accel_startup(context):
    section = context.section("audit")
    accel_shop.journal += [section, [repository.audited for repository in context.repositories]]
"""


def test_accel_config_sections_gives_a_plugin_keys_of_its_own(plugin: Any, journal: list[Any]) -> None:
    rules = plugin(AUDIT, audit={"path": "/var/log/audit", "every": "5m"})
    rules["repositories"][0]["audited"] = True
    with accelerated(rules):
        section, audited = journal
    assert (section.path, section.every, audited) == ("/var/log/audit", 300.0, [True])


def test_accel_config_sections_has_defaults(plugin: Any, journal: list[Any]) -> None:
    with accelerated(plugin(AUDIT)):
        assert journal == [None, [False]]


@pytest.mark.parametrize(
    ("audit", "message"),
    [
        pytest.param({"pth": "x"}, "unknown key; did you mean 'path'?", id="unknown key"),
        pytest.param({"path": 3}, "expected text", id="wrong type"),
        pytest.param({"path": "/"}, "a file is needed, not the root folder", id="its own check"),
    ],
)
def test_accel_config_sections_are_validated(plugin: Any, audit: object, message: str) -> None:
    with installed(plugin(AUDIT, audit=audit)) as accelerator:
        assert message in messages(accelerator)
        assert not is_patched()


SECTION = "@hookimpl\ndef accel_config_sections():\n    return [ConfigSection({}, dict, {{}})]\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("'logging'", "PluginError: the section 'logging' is there already"),
        ("'repositories'", "PluginError: the section 'repositories' is there already"),
        ("'cache'", "PluginError: the section 'cache' is there already"),
        ("'model_x'", "PluginError: a section's name is lower-case words joined by '_', got 'model_x'"),
        ("'_mine'", "PluginError: a section's name is lower-case words joined by '_', got '_mine'"),
    ],
)
def test_accel_config_sections_that_take_a_key_which_is_taken_are_left_out(
    plugin: Any, arguments: str, message: str
) -> None:
    with installed(plugin(SECTION.format(arguments))) as accelerator:
        assert messages(accelerator) == [f"plugin 'plugin_1' failed in accel_config_sections: {message}"]
        assert is_cached(UserRepository())


def test_accel_config_sections_of_repositories_do_not_clash_with_those_of_the_file(plugin: Any) -> None:
    source = SECTION.replace("dict, {{}})", "str, '', within='repositories')").format("'logging'")
    with installed(plugin(source)) as accelerator:
        assert messages(accelerator) == []
    with installed(plugin(source.replace("logging", "target"))) as accelerator:
        assert "the section 'target' is there already" in messages(accelerator)[0]


@pytest.mark.parametrize("given", ["['audit']", "[ConfigSection]", "3"])
def test_accel_config_sections_of_the_wrong_type_are_reported(plugin: Any, given: str) -> None:
    source = f"@hookimpl\ndef accel_config_sections():\n    return {given}\n"
    with installed(plugin(source)) as accelerator:
        assert "plugin 'plugin_1' failed in accel_config_sections" in messages(accelerator)[0]
        assert is_cached(UserRepository())


# -- accel_patch_specs -------------------------------------------------------------------------------------

COUNT_CALLS = """
def _counted(call, info):
    def counted_call(*args, **kwargs):
        accel_shop.journal.append(str(info.target))
        return call(*args, **kwargs)
    return counted_call

@hookimpl
def accel_patch_specs(context):
    for repository in context.repositories:
        target = Target.parse(repository.target).child("set_user")
        yield PatchSpec(target, Layer.CACHE, _counted, key_path=("repositories", 0))
"""


def test_accel_patch_specs_wrap_methods_together_with_the_built_in_features(
    plugin: Any, journal: list[Any]
) -> None:
    with accelerated(plugin(COUNT_CALLS)):
        assert is_fresh(UserRepository())
    assert journal == ["accel_shop:UserRepository.set_user"] * 2


@pytest.mark.parametrize("given", ["[3]", "3", "None + 1"])
def test_accel_patch_specs_that_fail_leave_nothing_cached(plugin: Any, given: str) -> None:
    source = f"@hookimpl\ndef accel_patch_specs(context):\n    return {given}\n"
    repository = UserRepository()
    with installed(plugin(source)) as accelerator:
        assert "plugin 'plugin_1' failed in accel_patch_specs" in messages(accelerator)[0]
        assert not is_cached(repository)
        assert is_fresh(repository)
        explanation = accelerator.explain("UserRepository.get_user")
        assert explanation.cached["not cached"] == "plugin 'plugin_1' failed while planning"


def test_accel_patch_specs_that_fail_half_way_leave_nothing_cached(plugin: Any) -> None:
    with installed(plugin(COUNT_CALLS + "        raise OSError\n")):
        assert not is_cached(UserRepository())


def test_accel_patch_specs_for_a_method_that_is_not_there_are_left_out(plugin: Any) -> None:
    rules = plugin(COUNT_CALLS.replace('"set_user"', '"set_usr"'))
    with installed(rules) as accelerator:
        (problem,) = accelerator.problems
        assert "did you mean 'set_user'?" in problem.message
        assert is_cached(UserRepository())


# -- accel_event_subscriptions -------------------------------------------------------------------------------

LISTEN = """
@hookimpl
def accel_event_subscriptions(context):
    return [EventSubscription(Hit, accel_shop.journal.append), EventSubscription(Miss, {})]
"""


def test_accel_event_subscriptions_hear_what_happens_while_installed(plugin: Any, journal: list[Any]) -> None:
    repository = UserRepository()
    with accelerated(plugin(LISTEN.format("accel_shop.journal.append"))) as accelerator:
        is_cached(repository)
        assert [(event.name, event.key) for event in journal] == [
            ("accel.miss", "users:get_user:ada"),
            ("accel.hit", "users:get_user:ada"),
        ]
        accelerator.uninstall()
        accelerator.install()
        is_cached(repository)
    assert len(journal) == 4


@pytest.mark.parametrize("level", [logging.DEBUG, logging.WARNING])
def test_accel_event_subscriptions_that_raise_do_not_reach_the_application(
    plugin: Any, level: int, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(level, "wats_accel"), accelerated(plugin(LISTEN.format("lambda event: 1 / 0"))):
        assert is_cached(UserRepository())


def test_accel_event_subscriptions_of_the_wrong_type_are_reported(plugin: Any) -> None:
    source = "@hookimpl\ndef accel_event_subscriptions(context):\n    return [print]\n"
    with installed(plugin(source)) as accelerator:
        assert messages(accelerator) == [
            "plugin 'plugin_1' failed in accel_event_subscriptions: "
            "PluginError: expected items of type EventSubscription, got builtin_function_or_method"
        ]
        assert is_cached(UserRepository())


# -- accel_create_store ------------------------------------------------------------------------------------

STORE = """
class Counting(MemoryStore):
    def put(self, entry):
        accel_shop.journal.append("put")
        return super().put(entry)

@hookimpl
def accel_create_store(namespace, target):
    accel_shop.journal.append((namespace, target))
    return Counting() if namespace == "users" else None
"""


def test_accel_create_store_gives_the_store_of_a_method(plugin: Any, journal: list[Any]) -> None:
    repository = UserRepository()
    with accelerated(plugin(STORE)):
        assert is_cached(repository)
        repository.list_users()
        assert is_fresh(repository)
    assert journal[:3] == [
        ("users", "accel_shop:UserRepository.get_user"),
        ("lists", "accel_shop:UserRepository.list_users"),
        "put",
    ]


def test_accel_create_store_leaves_the_choice_to_others_with_none(plugin: Any, journal: list[Any]) -> None:
    none = "@hookimpl\ndef accel_create_store():\n    return None\n"
    with accelerated(plugin(STORE, none)):
        assert is_cached(UserRepository())
    assert "put" in journal


def test_accel_create_store_that_gives_something_else_is_reported_and_not_used(plugin: Any) -> None:
    source = "@hookimpl\ndef accel_create_store():\n    return 'redis://'\n"
    repository = UserRepository()
    with installed(plugin(source)) as accelerator:
        assert set(messages(accelerator)) == {
            "plugin 'plugin_1' failed in accel_create_store: "
            "PluginError: expected a store, got str, which has no 'get'"
        }
        assert is_cached(repository)
        assert is_fresh(repository)


# -- accel_startup and accel_shutdown ------------------------------------------------------------------------

LIFE = """
@hookimpl
def accel_startup(context):
    accel_shop.journal.append(("startup", "{name}", accel_shop.is_patched()))
    {then}

@hookimpl
def accel_shutdown(context):
    accel_shop.journal.append(("shutdown", "{name}", accel_shop.is_patched()))
    {then}
"""


def test_accel_startup_is_called_once_before_anything_is_patched(plugin: Any, journal: list[Any]) -> None:
    with accelerated(plugin(*(LIFE.format(name=name, then="") for name in ("a", "b")))) as accelerator:
        accelerator.install()
        assert journal == [("startup", "a", False), ("startup", "b", False)]


def test_accel_shutdown_is_called_once_after_everything_is_unpatched_in_reverse_order(
    plugin: Any, journal: list[Any]
) -> None:
    with accelerated(plugin(*(LIFE.format(name=name, then="") for name in ("a", "b")))) as accelerator:
        journal.clear()
        accelerator.uninstall()
    assert journal == [("shutdown", "b", False), ("shutdown", "a", False)]


@pytest.mark.parametrize("then", ["raise OSError", "raise SystemExit(1)"])
def test_accel_shutdown_reaches_every_plugin_even_if_some_raise(
    plugin: Any, journal: list[Any], then: str
) -> None:
    sources = (LIFE.format(name=name, then=then) for name in ("a", "b", "c"))
    with installed(plugin(*sources)) as accelerator:
        assert is_cached(UserRepository())
    assert [entry[:2] for entry in journal] == [
        *(("startup", name) for name in "abc"),
        *(("shutdown", name) for name in "cba"),
    ]
    assert len(messages(accelerator)) == 6


def test_accel_shutdown_is_not_called_without_a_startup(plugin: Any, journal: list[Any]) -> None:
    with accelerated(plugin(LIFE.format(name="a", then=""), enabled=False)):
        pass
    assert journal == []


def test_accel_shutdown_follows_a_startup_even_if_strictness_ends_it_all(
    plugin: Any, journal: list[Any]
) -> None:
    rules = plugin(LIFE.format(name="a", then=""), cached={"no_such": "users"}, invalidates={})
    with pytest.raises(ConfigError), accelerated(rules):
        pass
    assert [entry[0] for entry in journal] == ["startup", "shutdown"]


def test_accel_startup_gets_a_context_that_can_announce_and_report(
    plugin: Any, caplog: pytest.LogCaptureFixture
) -> None:
    source = (
        "@hookimpl\ndef accel_startup(context):\n"
        "    context.announce('audit', f'Audit ready ({context.root.version})')\n"
        "    context.problem('cannot be watched', ('repositories', 0, 'target'), target='a:B.c')\n"
    )
    with caplog.at_level(logging.INFO, "wats_accel"), installed(plugin(source)) as accelerator:
        assert "Audit ready (1)" in caplog.messages
        (problem,) = accelerator.problems
        assert str(problem) == "<mapping>: repositories[0].target: a:B.c: cannot be watched"


# -- accel_cli_commands --------------------------------------------------------------------------------------

COMMAND = """
import click
from wats_accel.extension import hookimpl

@click.command("greet")
def greet():
    \"\"\"Greet.\"\"\"
    click.echo("hello from a plugin")

@hookimpl
def accel_cli_commands():
    {}
    return [greet]
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Install a package with an entry point: only those are known without a configuration."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def install(source: str) -> None:
        info = tmp_path / "fake_greeter-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: fake-greeter\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text("[wats_accel]\ngreeter = fake_greeter\n")
        (tmp_path / "fake_greeter.py").write_text(source)

    yield install
    sys.modules.pop("fake_greeter", None)


def test_accel_cli_commands_are_commands_like_the_built_in_ones(
    package: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    package(COMMAND.format("pass"))
    assert dispatch(["greet"]) == 0
    assert capsys.readouterr().out == "hello from a plugin\n"
    assert dispatch(["--help"]) == 0
    assert "  greet " in capsys.readouterr().out


def test_accel_cli_commands_of_a_plugin_that_raises_are_not_there_and_the_rest_is(
    package: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    package(COMMAND.format("raise OSError"))
    assert dispatch(["--help"]) == 0
    printed = capsys.readouterr().out
    assert "greet" not in printed
    assert "  check " in printed


def test_accel_cli_commands_are_not_called_by_an_application(package: Any) -> None:
    package(COMMAND.format("raise OSError"))
    with accelerated(config()) as accelerator:
        assert accelerator.problems == ()


# -- a plugin's own schema -----------------------------------------------------------------------------------


def test_the_hook_markers_are_those_of_the_project() -> None:
    manager = PluginManager(failed=lambda *told: pytest.fail(str(told)))

    class Feature:
        @hookimpl
        def accel_cli_commands(self) -> list[str]:
            return []

    manager.register(Feature(), "feature", "a test")
    assert [known.hooks for known in manager.plugins()] == [("accel_cli_commands",)]
    assert {hook for known in known_plugins().plugins() for hook in known.hooks} <= set(HOOKS)


# -- accel_reload --------------------------------------------------------------------------------------


def test_accel_reload_is_called_instead_of_startup_and_shutdown(plugin: Any, journal: list[Any]) -> None:
    told = "\n@hookimpl\ndef accel_{0}(context):\n    accel_shop.journal.append('{0}')\n"
    adapts = (
        "\n@hookimpl\ndef accel_reload(context, previous):\n"
        "    ttls = [it.section('cache').default_ttl for it in (previous, context)]\n"
        "    accel_shop.journal.append(('reload', *ttls, len(context.caches)))\n"
    )
    both = told.format("startup") + told.format("shutdown")
    rules = plugin(both + adapts, both)
    with installed(rules) as known:
        rules["cache"]["default_ttl"] = "1m"
        assert known.reload()
        during = list(journal)
    assert during == ["startup", "startup", ("reload", 300.0, 60.0, 2), "startup", "shutdown"]
    assert known.problems == ()


def test_accel_reload_that_raises_is_a_problem_and_the_new_configuration_is_in_effect(plugin: Any) -> None:
    rules = plugin("\n@hookimpl\ndef accel_reload(context, previous):\n    raise OSError('PWD=hunter2')\n")
    with installed(rules) as known:
        rules["cache"]["default_ttl"] = "1m"
        assert known.reload()
        assert messages(known) == ["plugin 'plugin_1' failed in accel_reload: OSError"]
        assert is_fresh(UserRepository())
