"""The commands of ``wats-accel``, called as the command line calls them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from wats_accel.cli import main
from wats_accel.cli.group import dispatch
from wats_accel.cli.program import Program

ROOT = Path(__file__).resolve().parents[2]
PRESET = str(ROOT / "config" / "wats.yaml")
EXAMPLE = str(ROOT / "docs" / "examples" / "legacy_wats")
SELECT_ALL = "src.wats.db.repositories.connection_repository:ConnectionRepository.select_all"

TWELVE_MISTAKES = """\
version: 2
loging: {level: debug}
cache:
  default_ttl: 5 minutes
  max_entries: -1
  namespaces:
    users: {ttl: 5m}
repositories:
  - target: no colon here
    cached:
      one: user
      two: {namespace: users, ttl: soon}
      three: {namespace: users, copy: shallow}
      four: {ttl: 5m}
    invalidates:
      five: ["users:"]
      six: ["group:*"]
      seven: {patterns: ["users:*"], when: sometimes}
"""


@pytest.fixture
def application(tmp_path, monkeypatch):
    """A module with a class that the configuration below names, importable from its folder."""
    folder = tmp_path / "application"
    folder.mkdir()
    (folder / "cli_app.py").write_text(
        "class Repo:\n    def read(self, key): return key\n    def write(self, key): return True\n"
    )
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield folder
    sys.modules.pop("cli_app", None)


def written(folder: Path, cached: str = "read", write: str = "write") -> str:
    path = folder / "accel.yaml"
    path.write_text(
        "version: 1\ncache: {namespaces: {things: {ttl: 5m}}}\nrepositories:\n"
        f"  - target: cli_app:Repo\n    cached: {{{cached}: things}}\n"
        f'    invalidates: {{{write}: ["things:*"]}}\n'
    )
    return str(path)


def test_help_lists_every_command_with_what_it_does(capsys):
    assert dispatch(["--help"]) == 0
    printed = capsys.readouterr().out
    for name in ("run", "check", "explain", "report", "schema", "plugins"):
        assert f"\n  {name} " in printed


@pytest.mark.parametrize("name", ["run", "check", "explain", "report", "schema", "plugins"])
def test_each_command_has_help_and_ends_with_status_0(name, capsys):
    assert dispatch([name, "--help"]) == 0
    assert "Usage: wats-accel" in capsys.readouterr().out


def test_an_unknown_command_ends_with_status_2(capsys):
    assert dispatch(["chek"]) == 2
    assert "No such command 'chek'" in capsys.readouterr().err


def test_check_passes_when_everything_is_there(application, tmp_path, capsys):
    status = dispatch(["check", "--config", written(tmp_path), "--path", str(application)])
    assert (status, capsys.readouterr().out) == (0, "1 cached reads, 1 invalidating writes, 0 problems\n")


def test_check_counts_the_pools_if_there_are_any(tmp_path, capsys):
    path = tmp_path / "accel.yaml"
    path.write_text("version: 1\npool: [{connect: 'sqlite3:connect'}]\n")
    assert dispatch(["check", "--config", str(path)]) == 0
    assert capsys.readouterr().out == (
        "0 cached reads, 0 invalidating writes, 1 connection pools, 0 problems\n"
    )


def test_check_names_what_is_missing_with_its_place_in_the_file(application, tmp_path, capsys):
    config = written(tmp_path, cached="raed")
    assert dispatch(["check", "--config", config, "--path", str(application)]) == 1
    error = capsys.readouterr().err
    assert f"{config}:5:" in error
    assert "repositories[0].cached.raed" in error
    assert "did you mean 'read'?" in error


def test_check_without_importing_does_not_need_the_application(tmp_path):
    assert dispatch(["check", "--config", written(tmp_path), "--no-import"]) == 0


def test_check_prints_all_of_twelve_mistakes_with_line_numbers_and_ends_with_status_2(tmp_path, capsys):
    path = tmp_path / "bad.yaml"
    path.write_text(TWELVE_MISTAKES)
    assert dispatch(["check", "--config", str(path)]) == 2
    lines = capsys.readouterr().err.splitlines()
    numbers = [int(line.removeprefix(f"{path}:").split(":")[0]) for line in lines]
    assert numbers == [1, 2, 4, 5, 9, 11, 12, 13, 14, 16, 17, 18]


def test_the_application_starts_with_a_configuration_of_twelve_mistakes(tmp_path):
    config = tmp_path / "bad.yaml"
    config.write_text(TWELVE_MISTAKES)
    script = tmp_path / "app.py"
    script.write_text("print('started')\n")
    command = [sys.executable, "-m", "wats_accel", "run", "--config", str(config), str(script)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "started\n")
    assert len(done.stderr.splitlines()) == 12


@pytest.mark.parametrize(
    "arguments", [["check", "--config", "nowhere.yaml"], ["report", "-c", "nowhere.yaml"]]
)
def test_a_missing_file_ends_with_status_2_and_one_line(arguments, capsys):
    assert dispatch(arguments) == 2
    error = capsys.readouterr().err
    assert "nowhere.yaml" in error
    assert len(error.splitlines()) == 1


def test_explain_says_what_drops_a_cached_method(capsys):
    assert dispatch(["explain", "-c", PRESET, "ConnectionRepository.select_all"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith(SELECT_ALL)
    assert "60s" in printed
    assert "LogRepository.insert_connection_log" in printed
    assert "update_heartbeat" not in printed


def test_explain_says_how_a_connect_is_pooled_and_which_method_has_a_connection_for_each_thread(capsys):
    assert dispatch(["explain", "-c", PRESET, "pyodbc:connect"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("pyodbc:connect\n  pooled:        5 kept, 10 overflow")
    assert dispatch(["explain", "-c", PRESET, "DatabaseManager.get_transactional_connection"]) == 0
    assert "each thread has its own connection" in capsys.readouterr().out


def test_explain_of_an_unknown_method_suggests_the_nearest(capsys):
    assert dispatch(["explain", "-c", PRESET, SELECT_ALL.replace("select_all", "selct_all")]) == 1
    assert "select_all" in capsys.readouterr().err


def test_report_prints_a_page_and_check_finds_a_stale_one(tmp_path, capsys):
    assert dispatch(["report", "-c", PRESET]) == 0
    page = capsys.readouterr().out
    assert "6 cached reads, 16 invalidating writes, 1 connection pools." in page
    output = tmp_path / "page.md"
    arguments = ["report", "-c", PRESET, "-o", str(output)]
    assert dispatch([*arguments, "--check"]) == 1
    assert not output.exists()
    assert dispatch(arguments) == 0
    assert output.read_text(encoding="utf-8") == page
    assert dispatch([*arguments, "--check"]) == 0


def test_a_check_without_a_file_and_a_file_that_cannot_be_written_end_with_one_line(tmp_path, capsys):
    assert dispatch(["schema", "--check"]) == 2
    assert "--check needs --output" in capsys.readouterr().err
    assert dispatch(["schema", "-o", str(tmp_path / "missing" / "schema.json")]) == 1
    assert "schema.json" in capsys.readouterr().err


def test_the_program_s_own_log_says_why_it_is_not_accelerated(tmp_path):
    script = tmp_path / "app.py"
    script.write_text("import logging\nlogging.basicConfig(filename='app.log')\nprint('started')\n")
    command = [sys.executable, "-m", "wats_accel", "run", "-c", "nowhere.yaml", str(script)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "started\n")
    assert "nowhere.yaml: there is no such file" in (tmp_path / "app.log").read_text()


def test_the_generated_report_in_the_documentation_is_not_stale(monkeypatch):
    monkeypatch.chdir(ROOT)
    page = str(ROOT / "docs" / "OPTIMIZATIONS_APPLIED.md")
    assert dispatch(["report", "-c", PRESET, "-o", page, "--check"]) == 0


def test_schema_prints_a_json_schema(capsys):
    assert dispatch(["schema"]) == 0
    assert "repositories" in json.loads(capsys.readouterr().out)["properties"]


def test_plugins_lists_the_built_in_features_and_those_of_a_configuration(tmp_path, capsys):
    assert dispatch(["plugins"]) == 0
    assert "repository_cache  (built in)" in capsys.readouterr().out
    (tmp_path / "mine.py").write_text(
        "from wats_accel.extension import hookimpl\n@hookimpl\ndef accel_startup(context): pass\n"
    )
    config = tmp_path / "accel.yaml"
    config.write_text("version: 1\nplugins: {load: [mine.py, gone.py]}\n")
    assert dispatch(["plugins", "-c", str(config)]) == 1
    captured = capsys.readouterr()
    assert "mine  (file mine.py)\n  accel_startup" in captured.out
    assert "gone.py" in captured.err


def test_plugins_reads_the_configuration_that_the_environment_names(tmp_path, monkeypatch, capsys):
    (tmp_path / "mine.py").write_text(
        "from wats_accel.extension import hookimpl\n@hookimpl\ndef accel_startup(context): pass\n"
    )
    config = tmp_path / "accel.yaml"
    config.write_text("version: 1\nplugins: {load: [mine.py]}\n")
    monkeypatch.setenv("WATS_ACCEL_CONFIG", str(config))
    assert dispatch(["plugins"]) == 0
    assert "mine  (file mine.py)" in capsys.readouterr().out
    config.write_text("version: 1\nversion: 1\n")
    assert dispatch(["plugins"]) == 2
    assert "version" in capsys.readouterr().err


@pytest.mark.parametrize("command", [["explain", "Repo.read"], ["report"]], ids=["explain", "report"])
def test_what_a_plugin_could_not_do_is_said_on_standard_error(command, tmp_path, capsys):
    (tmp_path / "broken.py").write_text("raise ImportError('no such driver')\n")
    config = written(tmp_path)
    Path(config).write_text(Path(config).read_text() + "plugins: {load: [broken.py]}\n")
    assert dispatch([*command, "-c", config]) == 0
    assert "'broken' failed in loading" in capsys.readouterr().err


def test_that_a_plugin_cannot_be_loaded_is_said_before_its_keys_are_unknown(tmp_path, capsys):
    (tmp_path / "broken.py").write_text("raise ImportError('no such driver')\n")
    config = written(tmp_path)
    Path(config).write_text(Path(config).read_text() + "plugins: {load: [broken.py]}\nmine: {}\n")
    assert dispatch(["check", "-c", config]) == 2
    first, second = capsys.readouterr().err.splitlines()
    assert "'broken' failed in loading" in first
    assert "mine: unknown key" in second


def test_run_is_handed_out_of_click_with_the_arguments_untouched():
    outcome = dispatch(["run", "--config", "a.yaml", "script.py", "--config", "b.yaml", "-m", "x"])
    assert outcome == Program("script.py", False, ("--config", "b.yaml", "-m", "x"), "a.yaml")
    assert dispatch(["run", "-m", "package.module", "-v"]) == Program("package.module", True, ("-v",), None)


def test_main_ends_the_process_with_the_status_of_the_command(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert (ended.value.code, capsys.readouterr().out) == (0, "wats-accel, version 0.1.0\n")


def test_the_file_named_on_the_command_line_beats_the_one_of_the_environment(application, tmp_path):
    script = application / "program.py"
    script.write_text(
        "import cli_app, wats_accel\n"
        "print(wats_accel.active().problems, hasattr(cli_app.Repo.read, '__wrapped__'))\n"
    )
    command = [sys.executable, "-m", "wats_accel", "run", "-c", written(tmp_path), str(script)]
    environment = {"WATS_ACCEL_CONFIG": "nowhere.yaml", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert (done.stderr, done.stdout) == ("", "() True\n")


def test_check_reads_the_files_of_schema_too(tmp_path, capsys):
    path = tmp_path / "accel.yaml"
    path.write_text("version: 1\nsql: {schema: db.yaml}\n")
    assert dispatch(["check", "--config", str(path)]) == 2
    assert "there is no such file (`wats-accel schema-scan` writes such a file)" in capsys.readouterr().err
    (tmp_path / "db.yaml").write_text("version: 1\ntabels: {}\n")
    assert dispatch(["check", "--config", str(path)]) == 2
    assert (
        f"{tmp_path / 'db.yaml'}:2:1: tabels: unknown key; did you mean 'tables'?" in capsys.readouterr().err
    )
    (tmp_path / "db.yaml").write_text("version: 1\ntables: [t]\n")
    assert dispatch(["check", "--config", str(path)]) == 0
