"""The three public functions, and what an application notices of the package: nothing."""

from __future__ import annotations

import importlib.metadata
import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from accel_shop import UserRepository, config, is_patched

import wats_accel
from wats_accel.errors import AlreadyInstalledError, ConfigError
from wats_accel.testing import FakeClock

HERE = Path(__file__).resolve().parent


@pytest.fixture(autouse=True)
def _nothing_stays_installed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv("WATS_ACCEL_CONFIG", raising=False)
    monkeypatch.delenv("WATS_ACCEL_DISABLE", raising=False)
    yield
    active = wats_accel.active()
    if active is not None:
        active.uninstall()
    assert not is_patched()


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run a program in a process of its own, with `accel.json` as its configuration."""
    (tmp_path / "accel.yaml").write_text(json.dumps(config()))

    def python(program: str, **environment: str) -> subprocess.CompletedProcess[str]:
        (tmp_path / "program.py").write_text(textwrap.dedent(program))
        return subprocess.run(
            [sys.executable, "-W", "error", str(tmp_path / "program.py")],
            env={**os.environ, "PYTHONPATH": str(HERE), **environment},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    return python


# -- install ----------------------------------------------------------------------------------------------


def test_a_configuration_is_in_effect_until_it_is_uninstalled() -> None:
    accelerator = wats_accel.install(config())
    assert is_patched()
    assert wats_accel.active() is accelerator
    accelerator.uninstall()
    assert wats_accel.active() is None
    assert not is_patched()


def test_installed_twice_it_is_the_same_accelerator_and_nothing_is_wrapped_twice() -> None:
    first = wats_accel.install(config())
    once = UserRepository.get_user
    assert wats_accel.install(config()) is first
    assert wats_accel.install(strict=True) is first
    assert UserRepository.get_user is once
    assert first.problems == ()


def test_another_configuration_is_a_problem_and_the_first_one_stays() -> None:
    first = wats_accel.install(config())
    assert wats_accel.install(config(cached={})) is first
    (problem,) = first.problems
    assert problem.message == "an accelerator with another configuration is installed; uninstall it first"
    with pytest.raises(AlreadyInstalledError):
        wats_accel.install("other.yaml", strict=True)
    assert first.installed


def test_one_file_under_two_names_is_one_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "accel.yaml").write_text(json.dumps(config()))
    monkeypatch.chdir(tmp_path)
    first = wats_accel.install("accel.yaml")
    assert wats_accel.install(tmp_path / "accel.yaml", strict=True) is first
    monkeypatch.setenv("WATS_ACCEL_CONFIG", str(tmp_path / "accel.yaml"))
    assert wats_accel.install("other.yaml", strict=True) is first


def test_after_uninstall_another_configuration_can_be_installed() -> None:
    first = wats_accel.install(config())
    first.uninstall()
    second = wats_accel.install(config(cached={"get_user": "users"}))
    assert second is not first
    assert second.problems == ()


def test_what_failed_once_can_be_installed_later() -> None:
    with pytest.raises(ConfigError):
        wats_accel.install({"version": 2}, strict=True)
    assert wats_accel.active() is None
    assert wats_accel.install(config()).installed


def test_the_environments_file_beats_the_argument(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "accel.yaml"
    path.write_text(json.dumps(config()))
    monkeypatch.setenv("WATS_ACCEL_CONFIG", str(path))
    assert wats_accel.install({"version": 1}).installed
    assert is_patched()


def test_all_off_in_the_environment_is_all_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATS_ACCEL_DISABLE", "all")
    accelerator = wats_accel.install(config(), strict=True)
    assert not accelerator.installed
    assert wats_accel.active() is None
    assert not is_patched()


def test_a_clock_can_be_given() -> None:
    clock, repository = FakeClock(), UserRepository()
    with wats_accel.installed(config(), clock=clock):
        repository.list_users()
        clock.advance(60)
        repository.list_users()
    assert repository.db.queries == 2


def test_a_plugin_that_imports_an_application_which_installs_gets_the_same_accelerator(
    tmp_path: Path,
) -> None:
    # It would wait for itself for ever, or patch everything twice.
    plugin = tmp_path / "eager.py"
    plugin.write_text(
        "import wats_accel\nfrom wats_accel.extension import hookimpl\n"
        "INSTALLED = wats_accel.install('x.yaml')\n"
        "@hookimpl\ndef accel_startup(context):\n    assert wats_accel.install() is INSTALLED\n"
    )
    accelerator = wats_accel.install(config(plugins={"load": [str(plugin)]}))
    assert [problem.message for problem in accelerator.problems] == [
        "an accelerator with another configuration is installed; uninstall it first"
    ]
    assert is_patched()


# -- installed ---------------------------------------------------------------------------------------------


def test_in_a_with_block_it_is_in_effect_to_the_blocks_end() -> None:
    with wats_accel.installed(config(), strict=True) as accelerator:
        assert wats_accel.active() is accelerator
    assert wats_accel.active() is None


def test_a_block_that_raises_ends_it_too() -> None:
    with pytest.raises(LookupError), wats_accel.installed(config()):
        raise LookupError
    assert wats_accel.active() is None


def test_a_block_inside_another_does_not_end_the_outer_one() -> None:
    with wats_accel.installed(config()) as outer:
        with wats_accel.installed(config()) as inner:
            assert inner is outer
        assert outer.installed


# -- processes ---------------------------------------------------------------------------------------------

HEAVY = [
    "wrapt",
    "pluggy",
    "structlog",
    "pydantic",
    "yaml",
    "click",
    "sqlalchemy",
    "sqlglot",
    "redis",
    "pyodbc",
]


def test_importing_the_package_imports_nothing_else(run: Any) -> None:
    done = run(
        f"""
        import sys
        before = set(sys.modules)
        import wats_accel
        print([name for name in {HEAVY} if name in set(sys.modules) - before])
        print([name for name in sys.modules if name.startswith("wats_accel.")])
        """
    )
    assert (done.stdout, done.stderr) == ("[]\n[]\n", "")


def test_installing_imports_neither_drivers_nor_the_command_line(run: Any) -> None:
    done = run(
        """
        import sys
        import wats_accel
        before = set(sys.modules)
        wats_accel.install("accel.yaml", strict=True)
        heavy = {"sqlalchemy", "sqlglot", "redis", "click", "pyodbc", "sqlite3", "wats_accel.cli"}
        heavy |= {"watchdog", "tomlkit", "wats_accel.locking", "wats_accel.editing"}
        print(heavy & (set(sys.modules) - before), "accel_shop" in sys.modules)
        """
    )
    assert (done.stdout, done.stderr) == ("set() False\n", "")


READ_TWICE = """
        repository = accel_shop.UserRepository()
        repository.get_user("ada")
        repository.get_user("ada")
        print("queries:", repository.db.queries)
"""


@pytest.mark.parametrize("early", [True, False], ids=["before", "after"])
def test_it_can_be_installed_before_or_after_the_application_is_imported(run: Any, early: bool) -> None:
    lines = ["import accel_shop", 'wats_accel.install("accel.yaml", strict=True)']
    body = "\n        ".join(["import wats_accel", *(reversed(lines) if early else lines)])
    done = run(f"\n        {body}{READ_TWICE}")
    assert (done.stdout, done.stderr) == ("queries: 1\n", "")


def test_at_exit_everything_is_put_back_and_the_figures_are_logged_last(run: Any) -> None:
    done = run(
        f"""
        import atexit, logging, sys
        import wats_accel, accel_shop
        atexit.register(lambda: print("patched at exit:", accel_shop.is_patched()))
        logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(message)s")
        wats_accel.install("accel.yaml"){READ_TWICE}
        """
    )
    assert done.stdout.splitlines() == [
        "Cache system initialized (default TTL=300s)",
        "Performance optimizations initialized successfully",
        "queries: 1",
        "Cache stats: {'size': 1, 'hits': 1, 'misses': 1, 'hit_rate': 50.0}",
        "patched at exit: False",
    ]
    assert done.stderr == ""


def test_lines_from_before_the_application_set_up_its_logging_are_not_lost(run: Any) -> None:
    done = run(
        f"""
        import logging, sys
        import wats_accel, accel_shop
        wats_accel.install("accel.yaml")
        shown = "[%(levelname)s] %(message)s"
        logging.basicConfig(level=logging.DEBUG, stream=sys.stdout, format=shown){READ_TWICE}
        """
    )
    assert done.stdout.splitlines() == [
        "[INFO] Cache system initialized (default TTL=300s)",
        "[INFO] Performance optimizations initialized successfully",
        "[DEBUG] Cache MISS: users:get_user:ada",
        *[line for line in done.stdout.splitlines() if "STORED" in line],
        "[DEBUG] Cache HIT: users:get_user:ada",
        "queries: 1",
        "[INFO] Cache stats: {'size': 1, 'hits': 1, 'misses': 1, 'hit_rate': 50.0}",
        *[line for line in done.stdout.splitlines() if "Unpatched" in line],
    ]
    assert done.stderr == ""


def test_without_any_logging_only_warnings_are_seen(run: Any) -> None:
    done = run(
        f"""
        import wats_accel, accel_shop
        wats_accel.install("missing.yaml"){READ_TWICE}
        """
    )
    assert done.stdout == "queries: 2\n"
    assert done.stderr == "Configuration not used: missing.yaml: there is no such file\n"


def test_without_a_console_nothing_is_raised(run: Any) -> None:
    done = run(
        f"""
        import sys
        import wats_accel, accel_shop
        out, sys.stdout, sys.stderr = sys.stdout, None, None
        wats_accel.install("missing.yaml")
        wats_accel.install("accel.yaml")
        sys.stdout = out{READ_TWICE}
        """
    )
    assert (done.returncode, done.stdout) == (0, "queries: 1\n")


def test_all_off_leaves_no_trace_at_exit(run: Any) -> None:
    done = run(
        f"""
        import logging, sys
        logging.basicConfig(level=logging.DEBUG, stream=sys.stdout)
        import wats_accel, accel_shop
        wats_accel.install("accel.yaml", strict=True){READ_TWICE}
        print(accel_shop.is_patched(), logging.getLogger("wats_accel").level)
        """,
        WATS_ACCEL_DISABLE="all",
    )
    assert (done.stdout, done.stderr) == ("queries: 2\nFalse 0\n", "")


def test_a_program_ends_although_summaries_are_sent(run: Any, tmp_path: Path) -> None:
    (tmp_path / "accel.yaml").write_text(json.dumps(config(logging={"summary_every": "1h"})))
    done = run(
        "\n        import wats_accel, accel_shop\n        wats_accel.install('accel.yaml')" + READ_TWICE
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "queries: 1\n", "")


# -- the door ------------------------------------------------------------------------------------------------


def test_the_public_names_are_few() -> None:
    assert wats_accel.__all__ == ["__version__", "active", "install", "installed"]
    assert all(hasattr(wats_accel, name) for name in wats_accel.__all__)


def test_the_version_is_the_distributions() -> None:
    assert importlib.metadata.version("wats-accel") == wats_accel.__version__
