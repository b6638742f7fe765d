"""What lies outside of the application is told without importing it, and touched only by permission."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from wats_accel.patching.ownership import is_allowed, is_missing, origin_of, refusal
from wats_accel.targets import Target
from wats_accel.testing import accelerated


@pytest.fixture
def laid_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Write files below a folder that modules are imported from."""

    def lay_out(folder: str, *files: str) -> Path:
        place = tmp_path / folder
        for file in files:
            (place / file).parent.mkdir(parents=True, exist_ok=True)
            (place / file).write_text("raise SystemError('imported')\n")
        monkeypatch.syspath_prepend(str(place))
        return place

    return lay_out


# -- where a module lies ------------------------------------------------------------------------------------

STDLIB = ["os", "os.path", "json.decoder", "sys", "builtins", "_thread", "sqlite3", "xml.etree.ElementTree"]
INSTALLED = ["wrapt", "pydantic.main", "yaml", "pytest", "_pytest.nodes"]


@pytest.mark.parametrize("module", STDLIB)
def test_the_standard_library_is_known(module: str) -> None:
    assert origin_of(module) == "stdlib"


@pytest.mark.parametrize("module", INSTALLED)
def test_installed_packages_are_known(module: str) -> None:
    assert origin_of(module) == "installed"


@pytest.mark.parametrize(
    "module", ["wats_accel", "wats_accel.cache.region", "wats_accel_plugins.connection_pool"]
)
def test_ours_are_known(module: str) -> None:
    assert origin_of(module) == "wats_accel"


@pytest.mark.parametrize("folder", ["site-packages", "dist-packages", "Lib/site-packages/vendored"])
def test_a_package_in_any_such_folder_is_installed(laid_out: Any, folder: str) -> None:
    laid_out(folder, "accel_lib/__init__.py", "accel_lib/part.py", "accel_single.py")
    for module in ("accel_lib", "accel_lib.part", "accel_lib.nowhere", "accel_single"):
        assert origin_of(module) == "installed"
    assert not {"accel_lib", "accel_single"} & sys.modules.keys()


def test_the_applications_own_is_found_without_importing_it(laid_out: Any) -> None:
    laid_out("application", "accel_own/__init__.py", "accel_own/db/repo.py", "accel_own_script.py")
    for module in ("accel_own", "accel_own.db", "accel_own.db.repo", "accel_own_script"):
        assert (origin_of(module), is_missing(module)) == ("own", False)
    assert is_missing("accel_own.db.gone")
    assert is_missing("accel_own_script.part")
    assert not {"accel_own", "accel_own_script"} & sys.modules.keys()


def test_a_package_without_an_init_file_is_where_its_parts_are(laid_out: Any) -> None:
    laid_out("site-packages", "accel_shared/library.py")
    laid_out("application", "accel_shared/own.py")
    assert origin_of("accel_shared.library") == "installed"
    assert origin_of("accel_shared.own") == "own"


def test_what_is_linked_into_site_packages_is_an_editable_install(laid_out: Any, tmp_path: Path) -> None:
    laid_out("site-packages", "other.py")
    laid_out("src", "accel_linked/__init__.py")
    sys.path.remove(str(tmp_path / "src"))
    try:
        (tmp_path / "site-packages" / "accel_linked").symlink_to(tmp_path / "src" / "accel_linked")
    except OSError:  # pragma: no cover - Windows asks for a privilege
        pytest.skip("no links here")
    assert origin_of("accel_linked") == "own"


def test_an_own_module_that_takes_the_name_of_a_standard_one_is_own(
    laid_out: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    laid_out("application", "antigravity.py")
    assert "antigravity" not in sys.modules
    assert origin_of("antigravity") == "own"


def test_a_module_made_by_the_program_is_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "accel_made", ModuleType("accel_made"))
    assert origin_of("accel_made") == "own"
    assert origin_of("__main__") == "own"


def test_what_is_nowhere_may_come_yet() -> None:
    assert origin_of("accel_nowhere.part") == "unknown"
    assert is_missing("accel_nowhere.part")


def test_a_finder_that_fails_leaves_it_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken:
        def find_spec(self, name: str, path: Any = None, target: Any = None) -> None:
            raise OSError("a drive is gone")

    monkeypatch.setattr(sys, "meta_path", [Broken()])
    assert origin_of("accel_nowhere") == "unknown"
    assert not is_missing("accel_nowhere")


def test_in_a_frozen_program_all_but_the_standard_library_is_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    assert [origin_of(name) for name in ("json", "os.path", "yaml", "anything")] == [
        *("stdlib", "stdlib"),
        *("own", "own"),
    ]
    assert origin_of("wats_accel.runtime") == "wats_accel"


# -- permission ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "pattern", ["json", "json.*", "json.decoder:*", "json.decoder:JSONDecoder.decode", "*"]
)
def test_a_pattern_allows_what_it_names(pattern: str) -> None:
    assert refusal(Target.parse("json.decoder:JSONDecoder.decode"), [pattern]) is None or pattern == "json"


def test_a_package_and_all_in_it_have_one_pattern() -> None:
    for target in ("json:loads", "json.decoder:JSONDecoder.decode"):
        assert is_allowed(Target.parse(target), ["json.*"])
    assert not is_allowed(Target.parse("jsonschema:validate"), ["json.*"])


@pytest.mark.parametrize("pattern", ["JSONDecoder.*", "decoder.*", "json", ""])
def test_what_does_not_begin_with_the_package_allows_nothing(pattern: str) -> None:
    # It would allow every library's.
    assert refusal(Target.parse("json.decoder:JSONDecoder.decode"), [pattern]) is not None


def test_a_refusal_says_where_it_lies_and_what_to_write() -> None:
    why = refusal(Target.parse("os:system"), [])
    assert why is not None
    assert "in the standard library" in why
    assert "'allow_targets'" in why
    assert "in an installed package" in str(refusal(Target.parse("yaml:load"), []))


@pytest.mark.parametrize("target", ["wats_accel.runtime:Accelerator.install", "wats_accel_plugins:x"])
def test_ours_are_never_allowed(target: str) -> None:
    assert refusal(Target.parse(target), ["*", target]) == "wats_accel itself is never a target"


# -- drivers ------------------------------------------------------------------------------------------------


def test_the_connect_of_a_driver_needs_no_permission() -> None:
    import sqlite3  # so that it is known as a driver

    assert sqlite3.apilevel
    for target in ("sqlite3:connect", "sqlite3.dbapi2:connect"):
        assert refusal(Target.parse(target), [], of_driver=True) is None


def test_what_else_a_driver_has_is_refused_by_those_who_look_it_up() -> None:
    import sqlite3

    assert sqlite3.apilevel
    assert refusal(Target.parse("sqlite3:conect"), [], of_driver=True) is None
    config = {"version": 1, "pool": [{"connect": "sqlite3:Connection"}]}
    with accelerated(config, strict=False) as accelerator:
        (problem,) = accelerator.problems
    assert "a class (name one of its methods) is not supported, left alone" in str(problem)


@pytest.mark.parametrize("target", ["os:system", "socket:connect", "json:connect"])
def test_what_is_no_drivers_connect_does(target: str) -> None:
    import json
    import socket

    assert json
    assert socket
    assert "it is no driver's 'connect'" in str(refusal(Target.parse(target), [], of_driver=True))


def test_of_a_driver_that_is_not_imported_nobody_knows_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "antigravity", raising=False)
    assert refusal(Target.parse("antigravity:connect"), [], of_driver=True) is None
    assert refusal(Target.parse("antigravity:open"), [], of_driver=True) is not None


def test_a_driver_may_say_what_it_is_in_its_package(laid_out: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    laid_out("site-packages", "accel_driver/__init__.py", "accel_driver/extensions.py")
    package, module = ModuleType("accel_driver"), ModuleType("accel_driver.extensions")
    package.__file__ = module.__file__ = str(Path(sys.path[0], "accel_driver", "x.py"))
    monkeypatch.setitem(sys.modules, "accel_driver", package)
    monkeypatch.setitem(sys.modules, "accel_driver.extensions", module)
    target = Target.parse("accel_driver.extensions:connect")
    assert refusal(target, [], of_driver=True) is not None
    vars(package).update(apilevel="2.0", paramstyle="qmark", threadsafety=1)
    assert refusal(target, [], of_driver=True) is None
