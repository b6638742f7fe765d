"""Plugins are found, ordered and guarded: what is wrong with one is said by name, and the rest goes on."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from wats_accel.errors import PluginError
from wats_accel.extension import hookimpl
from wats_accel.plugin_manager import PluginInfo, PluginManager

BUILT_IN = [
    "connection_pool",
    "repository_cache",
    "write_invalidation",
    "sql_invalidation",
    "redis_tier",
    "table_versions",
]
HOOK = "from wats_accel.extension import hookimpl\n\n@hookimpl\n"
COMMANDS = HOOK + "def accel_cli_commands():\n    return ['a command of {name}']\n"


class Failures:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str, str]] = []

    def __call__(self, plugin: str, during: str, error: BaseException | str) -> None:
        text = error if isinstance(error, str) else f"{type(error).__name__}: {error}"
        self.told.append((plugin, during, text))


@pytest.fixture
def failures() -> Failures:
    return Failures()


@pytest.fixture
def manager(failures: Failures) -> PluginManager:
    return PluginManager(failed=failures)


@pytest.fixture(autouse=True)
def _no_module_stays() -> Iterator[None]:
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        if name.startswith(("wats_accel_plugin_", "fake_")):
            del sys.modules[name]


@pytest.fixture
def distribution(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Install a distribution that does nothing but name entry points."""
    folder = tmp_path / "site-packages"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))

    def install(entry_points: str, **modules: str) -> None:
        info = folder / "fake_features-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: fake-features\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[wats_accel]\n{entry_points}\n")
        for name, source in modules.items():
            (folder / f"{name}.py").write_text(source)

    return install


def names(manager: PluginManager) -> list[str]:
    return [plugin.name for plugin in manager.plugins()]


def commands() -> SimpleNamespace:
    @hookimpl
    def accel_cli_commands() -> list[str]:
        return ["a command"]

    return SimpleNamespace(accel_cli_commands=accel_cli_commands)


# -- finding ---------------------------------------------------------------------------------------------


def test_the_built_in_features_are_plugins_like_all_others(
    manager: PluginManager, failures: Failures, tmp_path: Path
) -> None:
    manager.load_all(files=[], folder=tmp_path)
    assert names(manager) == BUILT_IN
    assert manager.plugins()[1] == PluginInfo(
        "repository_cache",
        "built in",
        (
            "accel_config_sections",
            "accel_event_subscriptions",
            "accel_patch_specs",
            "accel_reload",
            "accel_startup",
        ),
    )
    assert failures.told == []


def test_plugins_of_installed_packages_are_found_by_their_entry_points(
    manager: PluginManager, failures: Failures, distribution: Any, tmp_path: Path
) -> None:
    distribution("audit = fake_audit", fake_audit=COMMANDS)
    manager.load_all(files=[], folder=tmp_path)
    assert names(manager) == [*BUILT_IN, "audit"]
    assert manager.plugins()[-1].origin == "entry point fake_audit"
    assert failures.told == []


def test_files_and_folders_are_found_relative_to_the_config_file(
    manager: PluginManager, failures: Failures, tmp_path: Path
) -> None:
    folder = tmp_path / "features"
    folder.mkdir()
    for path in (tmp_path / "one.py", folder / "two.py", folder / "three.py", folder / "_part.py"):
        path.write_text(COMMANDS)
    (folder / "notes.txt").write_text("not a plugin")
    manager.load_all(files=["one.py", "features"], folder=tmp_path)
    assert names(manager) == [*BUILT_IN, "one", "three", "two"]
    assert manager.plugins()[len(BUILT_IN)].origin == "file one.py"
    assert failures.told == []


def test_files_of_one_name_in_different_folders_do_not_share_a_module(
    manager: PluginManager, failures: Failures, tmp_path: Path
) -> None:
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "same.py").write_text(COMMANDS.replace("{name}", folder))
    manager.load_all(files=["one", "two"], folder=tmp_path)
    assert manager.collect("accel_cli_commands") == ["a command of one"]
    assert failures.told == [
        ("same", "loading", "PluginError: the name is taken by the plugin from file same.py")
    ]


def test_a_plugin_may_look_at_its_own_module_while_it_is_loaded(
    manager: PluginManager, failures: Failures, tmp_path: Path
) -> None:
    source = "import sys\nfrom dataclasses import dataclass\n@dataclass\nclass Mine:\n    x: 'int' = 1\n"
    (tmp_path / "mine.py").write_text(source + "assert sys.modules[__name__].Mine\n" + COMMANDS)
    manager.load_all(files=["mine.py"], folder=tmp_path)
    assert names(manager)[-1] == "mine"


def test_disabled_plugins_are_not_even_imported(
    failures: Failures, distribution: Any, tmp_path: Path
) -> None:
    distribution("audit = fake_audit", fake_audit="raise SystemError")
    (tmp_path / "mine.py").write_text("raise SystemError")
    manager = PluginManager(failed=failures, disabled=["audit", "mine", "write_invalidation"])
    manager.load_all(files=["mine.py"], folder=tmp_path)
    assert names(manager) == [
        "connection_pool",
        "repository_cache",
        "sql_invalidation",
        "redis_tier",
        "table_versions",
    ]
    assert failures.told == []


def test_disabling_what_is_not_there_is_reported_with_the_nearest_name(
    failures: Failures, tmp_path: Path
) -> None:
    PluginManager(failed=failures, disabled=["repositry_cache"]).load_all(files=[], folder=tmp_path)
    assert failures.told == [
        ("repositry_cache", "disabling", "there is no such plugin; did you mean 'repository_cache'?")
    ]


BROKEN = [
    pytest.param("def f(:\n", "SyntaxError: invalid syntax (broken.py, line 1)", id="syntax error"),
    pytest.param("raise ValueError('x')\n", "ValueError: x", id="raises"),
    pytest.param("import sys\nsys.exit(3)\n", "SystemExit: 3", id="exits"),
    pytest.param("import no_such_module\n", "No module named 'no_such_module'", id="import"),
    pytest.param("x = 1\n", "it implements no hook; are its functions marked with hookimpl?", id="no hook"),
    pytest.param("def accel_startup(context): ...\n", "it implements no hook", id="not marked"),
    pytest.param(
        HOOK + "def accel_startpu(context): ...\n",
        "there is no hook 'accel_startpu'; did you mean 'accel_startup'?",
        id="misspelt hook",
    ),
    pytest.param(HOOK + "def on_start(): ...\n", "there is no hook 'on_start'; known: ", id="unknown hook"),
    pytest.param(
        HOOK + "def accel_startup(contxt): ...\n",
        "Plugin 'broken' for hook 'accel_startup': Argument(s) {'contxt'} are declared in the hookimpl",
        id="wrong signature",
    ),
    pytest.param(
        HOOK.replace("@hookimpl", "@hookimpl(hookwrapper=True)") + "def accel_startup(context): yield\n",
        "PluginError: hook wrappers are not supported",
        id="old wrapper",
    ),
    pytest.param(
        HOOK.replace("@hookimpl", "@hookimpl(wrapper=True)") + "def accel_startup(context): yield\n",
        "PluginError: hook wrappers are not supported",
        id="new wrapper",
    ),
    pytest.param(
        HOOK.replace("@hookimpl", "@hookimpl(wrapper=True)") + "def accel_startup(context): ...\n",
        "but function is not a generator function",
        id="wrapper that does not yield",
    ),
    pytest.param("import sys\ndel sys.modules[__name__]\n1 / 0\n", "ZeroDivisionError", id="hides"),
]


@pytest.mark.parametrize(("source", "told"), BROKEN)
def test_a_broken_plugin_is_reported_by_name_and_the_rest_is_loaded(
    manager: PluginManager, failures: Failures, tmp_path: Path, source: str, told: str
) -> None:
    (tmp_path / "broken.py").write_text(source)
    (tmp_path / "sound.py").write_text(COMMANDS)
    manager.load_all(files=["broken.py", "sound.py"], folder=tmp_path)
    ((name, during, text),) = failures.told
    assert (name, during) == ("broken", "loading")
    assert told in text
    assert "\n" not in text
    assert str(tmp_path) not in text
    assert names(manager) == [*BUILT_IN, "sound"]
    assert manager.collect("accel_cli_commands") == ["a command of {name}"]


def test_a_file_that_raises_leaves_no_half_made_module(manager: PluginManager, tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("1 / 0\n")
    manager.load_all(files=["broken.py"], folder=tmp_path)
    assert not [module for module in sys.modules if module.startswith("wats_accel_plugin_broken")]


@pytest.mark.parametrize(
    ("named", "told"),
    [
        ("nowhere.py", ("nowhere", "loading", "there is no file or folder 'nowhere.py'")),
        ("notes.txt", ("notes", "loading", "PluginError: notes.txt is no Python file")),
    ],
)
def test_a_plugin_that_cannot_be_found_is_reported(
    manager: PluginManager, failures: Failures, tmp_path: Path, named: str, told: tuple[str, str, str]
) -> None:
    (tmp_path / "notes.txt").write_text("not a plugin")
    manager.load_all(files=[named], folder=tmp_path)
    assert failures.told == [told]
    assert names(manager) == BUILT_IN


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        pytest.param("audit = fake_nowhere", "ModuleNotFoundError", id="no module"),
        pytest.param("audit = fake_audit:nothing", "AttributeError", id="no such object"),
        pytest.param(
            "repository_cache = fake_audit", "the name is taken by the plugin from built in", id="taken"
        ),
        pytest.param("audit = fake_audit:NONE", "PluginError", id="None"),
    ],
)
def test_a_broken_entry_point_is_reported_and_the_rest_is_loaded(
    manager: PluginManager, failures: Failures, distribution: Any, tmp_path: Path, entry: str, told: str
) -> None:
    distribution(entry, fake_audit=COMMANDS + "NONE = None\n")
    manager.load_all(files=[], folder=tmp_path)
    ((name, during, text),) = failures.told
    assert (name, during) == (entry.partition(" ")[0], "loading")
    assert told in text
    assert names(manager) == BUILT_IN


def test_a_built_in_feature_that_a_package_names_once_more_stays_in_effect(
    manager: PluginManager, failures: Failures, distribution: Any, tmp_path: Path
) -> None:
    distribution("mine = wats_accel_plugins.write_invalidation")
    manager.load_all(files=[], folder=tmp_path)
    assert failures.told == [("mine", "loading", "PluginError: it is loaded already as 'write_invalidation'")]
    assert names(manager) == BUILT_IN
    assert len(list(manager.each("accel_config_sections"))) == len(BUILT_IN)


def test_entry_points_that_cannot_be_listed_do_not_keep_the_rest_from_loading(
    manager: PluginManager, failures: Failures, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class BrokenFinder:
        @staticmethod
        def find_spec(*_: object) -> None: ...

        @staticmethod
        def find_distributions(*_: object) -> Iterator[Any]:
            raise OSError("an unreadable folder")

    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path, BrokenFinder])
    (tmp_path / "sound.py").write_text(COMMANDS)
    manager.load_all(files=["sound.py"], folder=tmp_path)
    assert failures.told == [("wats_accel", "looking for entry points", "OSError: an unreadable folder")]
    assert names(manager) == [*BUILT_IN, "sound"]


# -- taking in --------------------------------------------------------------------------------------------


def test_a_plugin_may_be_any_object_with_hooks(manager: PluginManager) -> None:
    class Feature:
        @hookimpl
        def accel_cli_commands(self) -> list[str]:
            return ["mine"]

        @property
        def never_looked_at(self) -> None:
            raise AssertionError

    manager.register(Feature(), "feature", "a test")
    assert manager.plugins() == [PluginInfo("feature", "a test", ("accel_cli_commands",))]
    assert manager.collect("accel_cli_commands") == ["mine"]


def test_a_refused_plugin_leaves_nothing_behind(manager: PluginManager) -> None:
    plugin = commands()
    plugin.accel_startpu = hookimpl(lambda: None)
    with pytest.raises(PluginError):
        manager.register(plugin, "mine", "a test")
    assert manager.collect("accel_cli_commands") == []
    manager.register(commands(), "mine", "a test")
    assert manager.collect("accel_cli_commands") == ["a command"]


def test_a_disabled_name_is_not_taken_in(failures: Failures) -> None:
    manager = PluginManager(failed=failures, disabled=["mine"])
    manager.register(commands(), "mine", "a test")
    assert manager.plugins() == []


# -- calling ----------------------------------------------------------------------------------------------


def implementing(hook: str, function: Callable[..., Any], **options: bool) -> SimpleNamespace:
    return SimpleNamespace(**{hook: hookimpl(**options)(function)})


def answers(manager: PluginManager, **plugins: Callable[..., Any]) -> None:
    for name, function in plugins.items():
        manager.register(implementing("accel_create_store", function), name, "a test")


def asked(manager: PluginManager, *, reverse: bool = False) -> list[Any]:
    return list(manager.each("accel_create_store", reverse=reverse, namespace="n", target="t"))


def test_plugins_are_called_in_the_order_of_loading_or_in_reverse(manager: PluginManager) -> None:
    answers(manager, one=lambda namespace: 1, two=lambda target: 2, three=lambda: 3)
    assert asked(manager) == [1, 2, 3]
    assert asked(manager, reverse=True) == [3, 2, 1]


def test_first_and_last_are_as_asked_for(manager: PluginManager) -> None:
    for name, options in {"last": {"trylast": True}, "middle": {}, "first": {"tryfirst": True}}.items():
        plugin = implementing("accel_create_store", lambda name=name: name, **options)
        manager.register(plugin, name, "a test")
    assert asked(manager) == ["first", "middle", "last"]


def test_the_plugin_that_was_loaded_last_answers_first(manager: PluginManager) -> None:
    answers(manager, one=lambda: 1, two=lambda: 2, none=lambda: None)
    assert manager.first("accel_create_store", namespace="n", target="t") == 2


def test_without_an_answer_there_is_none(manager: PluginManager) -> None:
    assert manager.first("accel_create_store", namespace="n", target="t") is None


def _raise(error: BaseException) -> Any:
    raise error


@pytest.mark.parametrize("error", [ValueError("x"), SystemExit(1)], ids=repr)
def test_a_plugin_that_raises_is_reported_and_the_others_are_called(
    manager: PluginManager, failures: Failures, error: BaseException
) -> None:
    answers(manager, one=lambda: 1, two=lambda: _raise(error), three=lambda: 3)
    assert asked(manager) == [1, 3]
    assert failures.told == [("two", "accel_create_store", f"{type(error).__name__}: {error}")]


def test_ctrl_c_is_the_applications_own(manager: PluginManager) -> None:
    answers(manager, one=lambda: _raise(KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt):
        asked(manager)


def test_lists_are_chained_and_nothing_is_an_empty_list(manager: PluginManager) -> None:
    for name, given in {"one": ["a", "b"], "two": None, "three": ("c",)}.items():
        plugin = implementing("accel_cli_commands", lambda given=given: given)
        manager.register(plugin, name, "a test")
    assert manager.collect("accel_cli_commands") == ["a", "b", "c"]


def test_a_generator_that_raises_on_the_way_contributes_nothing(
    manager: PluginManager, failures: Failures
) -> None:
    def commands() -> Iterator[str]:
        yield "one"
        raise ValueError("half way")

    manager.register(implementing("accel_cli_commands", commands), "half", "a test")
    answers(manager)
    assert manager.collect("accel_cli_commands") == []
    assert failures.told == [("half", "accel_cli_commands", "ValueError: half way")]


def test_what_is_no_list_at_all_is_reported(manager: PluginManager, failures: Failures) -> None:
    manager.register(implementing("accel_cli_commands", lambda: 3), "odd", "a test")
    assert manager.collect("accel_cli_commands") == []
    assert failures.told[0][:2] == ("odd", "accel_cli_commands")


def test_a_plugin_that_gives_one_refused_item_contributes_none(
    manager: PluginManager, failures: Failures
) -> None:
    def accept(item: str) -> None:
        if item == "bad":
            raise PluginError("refused")

    manager.register(implementing("accel_cli_commands", lambda: ["good", "bad"]), "one", "a test")
    manager.register(implementing("accel_cli_commands", lambda: ["fine"]), "two", "a test")
    assert manager.collect("accel_cli_commands", accept) == ["fine"]
    assert failures.told == [("one", "accel_cli_commands", "PluginError: refused")]
