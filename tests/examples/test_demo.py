"""The demo compares two runs answer by answer and prints only what was measured."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

Load = Callable[[str], Any]
EXAMPLE = Path(__file__).resolve().parents[2] / "docs" / "examples" / "legacy_wats"
SHORT = ("--hours", "0.1", "--seed", "3")


def run(script: str, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(EXAMPLE / script), *arguments],
        cwd=cwd,
        env={**os.environ, "PYTHONUTF8": "1"},  # the messages have accents, whatever the console's code page
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )


# --- the programs themselves --------------------------------------------------------------------


def test_two_plain_runs_do_not_differ(tmp_path: Path) -> None:
    done = run("demo.py", "--plain-twice", *SHORT, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert " answers compared, 0 different." in done.stdout
    assert "SELECTs that reached the database" in done.stdout
    assert done.stderr == "", "no progress bar where there is no terminal"
    for folder in ("plain", "plain-again"):
        result = (tmp_path / ".demo" / folder / "result.json").read_text(encoding="utf-8")
        assert '"accelerator_was_imported": false' in result


def test_the_demo_declines_databases_that_it_cannot_fill(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DB_TYPE", "sqlserver")
    done = run("demo.py", cwd=tmp_path)
    assert done.returncode == 2
    assert "not on sqlserver" in done.stdout


@pytest.mark.usefixtures("postgresql")
def test_on_a_postgresql_of_its_own_the_demo_opens_few_connections_and_gets_the_same_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DB_TYPE", "postgresql")
    done = run("demo.py", *SHORT, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert " answers compared, 0 different." in done.stdout
    assert "Connection Pool initialized (size=5, overflow=10)" in done.stdout
    plain, accelerated = (
        json.loads((tmp_path / ".demo" / folder / "result.json").read_text(encoding="utf-8"))
        for folder in ("plain", "accelerated")
    )
    assert plain["connections"] > 30
    assert accelerated["connections"] <= 15
    pool = accelerated["statistics"]["pools"]["pyodbc:connect"]
    assert pool["opened"] == accelerated["connections"]
    assert pool["checked_out"] == pool["direct"] == pool["bare"] == 0


@pytest.mark.parametrize("missing", ["server", "driver", "pyodbc"])
def test_without_postgresql_the_demo_says_what_to_install(
    load: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any, missing: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DB_TYPE", "postgresql")
    demo = load("demo")
    server = load("simulation.private_postgresql")

    def nowhere() -> Path:
        raise server.ServerMissingError("PostgreSQL is not installed")

    drivers = [] if missing == "driver" else [server.DRIVER]
    pyodbc = None if missing == "pyodbc" else SimpleNamespace(drivers=lambda: drivers)
    monkeypatch.setattr(server, "programs", nowhere)
    monkeypatch.setitem(sys.modules, "pyodbc", pyodbc)
    assert demo.main([]) == 2
    assert "is not installed. Install Debian's packages postgresql," in capsys.readouterr().out


def test_the_demo_uses_the_server_that_it_is_told(
    load: Load, make_settings: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    demo = load("demo")
    monkeypatch.setattr(demo, "private_postgresql", lambda: pytest.fail("there is one"))
    settings = make_settings(DB_TYPE="postgresql", DB_SERVER="db.example")
    with demo.database_server(settings):
        assert (settings.DB_SERVER, settings.DB_ODBC) == ("db.example", "")


def test_the_demo_says_when_a_run_failed(tmp_path: Path) -> None:
    done = run("demo.py", "--plain-twice", "--hours", "0.1", "--users-online", "-5", cwd=tmp_path)
    assert done.returncode == 2
    assert "The plain run ended with exit code 1." in done.stdout


def test_the_application_runs_from_anywhere_and_makes_its_own_database(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DB_DATABASE", str(tmp_path / "data" / "wats.db"))
    done = run("run.py", "--hours", "0.1", "--answers", "answers.jsonl", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    log = (tmp_path / "wats_app.log").read_text(encoding="utf-8")
    assert " [INFO] run.py:" in log
    assert log.splitlines()[-1].endswith("WATS encerrado.")
    assert log.splitlines()[-1] in done.stderr
    assert (tmp_path / "answers.jsonl").read_text(encoding="utf-8").count("\n") > 5


def test_the_application_reads_its_env_file_without_overruling_the_environment(
    load: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / ".env"
    file.write_text("# banco\nDB_SERVER='srv'\nDB_UID = ana\nnada\nDB_PORT=\"1\"\n", encoding="utf-8")
    monkeypatch.setenv("DB_UID", "bia")
    # So that what the file brings is taken away again after the test.
    for name in ("DB_SERVER", "DB_PORT"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    load("run").carregar_env(file)
    load("run").carregar_env(tmp_path / "none")
    settings = load("src.wats.config.settings").Settings()
    assert (settings.DB_SERVER, settings.DB_UID, settings.DB_PORT) == ("srv", "bia", "1")


# --- the report ---------------------------------------------------------------------------------


@pytest.fixture
def make_run(load: Load, tmp_path: Path) -> Callable[..., Any]:
    """A measured run with these calls."""

    def build(name: str, calls: list[Any], **result: Any) -> Any:
        answers = tmp_path / f"{name}.jsonl"
        answers.write_text("".join(call.as_json() + "\n" for call in calls), encoding="utf-8")
        counts = {"selects": 10, "others": 4, "pings": 0, "connections": 0}
        return load("simulation.report").Run(name, answers, tmp_path / f"{name}.log", {**counts, **result})

    return build


@pytest.fixture
def calls(load: Load) -> list[Any]:
    """A hundred reads that took 1 ms, 2 ms, and so on, and one write of a second."""
    call = load("simulation.recording").Call
    reads = [call(n, "UserRepository.get_user_role", "'x'", "1", n / 1000) for n in range(1, 101)]
    return [*reads, call(101, "UserRepository.admin_create_user", "'y'", "1", 1.0)]


def test_equal_runs_have_no_differences(load: Load, make_run: Any, calls: list[Any]) -> None:
    slower = [replace(call, seconds=9.0) for call in calls]
    found = load("simulation.report").compare(make_run("a", calls), make_run("b", slower))
    assert (found.compared, found.different, found.first_differences) == (101, 0, ())


@pytest.mark.parametrize(
    ("change", "said"),
    [
        pytest.param({"answer": "'s3cret'"}, "another answer", id="answer"),
        pytest.param(
            {"arguments": "'z'"}, "the other run called UserRepository.get_user_role('z')", id="call"
        ),
    ],
)
def test_a_difference_is_described_without_the_values(
    load: Load, make_run: Any, calls: list[Any], change: dict[str, str], said: str
) -> None:
    changed = [*calls[:6], replace(calls[6], **change), *calls[7:]]
    found = load("simulation.report").compare(make_run("a", calls), make_run("b", changed))
    assert (found.compared, found.different) == (101, 1)
    assert found.first_differences == (f"#7 UserRepository.get_user_role('x'): {said}",)


def test_a_missing_call_is_a_difference(load: Load, make_run: Any, calls: list[Any]) -> None:
    found = load("simulation.report").compare(make_run("a", calls), make_run("b", calls[:-1]))
    assert found.different == 1
    assert "only one run made this call" in found.first_differences[0]


def test_only_the_first_differences_are_described(load: Load, make_run: Any, calls: list[Any]) -> None:
    changed = [replace(call, answer="2") for call in calls]
    found = load("simulation.report").compare(make_run("a", calls), make_run("b", changed), shown=3)
    assert (found.different, len(found.first_differences)) == (101, 3)


def test_the_headline_shows_counts_percentiles_and_savings(
    load: Load, make_run: Any, calls: list[Any]
) -> None:
    faster = [replace(call, seconds=call.seconds / 4) for call in calls]
    text = load("simulation.report").headline(make_run("plain", calls), make_run("fast", faster, selects=3))
    lines = [line.split() for line in text.splitlines()]
    assert ["SELECTs", "that", "reached", "the", "database", "10", "3", "70.0", "%"] in lines
    assert ["connections", "opened", "0", "0", "-"] in lines
    assert ["p50", "per", "read", "(ms)", "50.000", "12.500", "75.0", "%"] in lines
    assert ["p95", "per", "read", "(ms)", "95.000", "23.750", "75.0", "%"] in lines
    assert len({len(line) for line in text.splitlines()}) == 1


def test_hit_rates_stand_beside_what_was_hoped_for(load: Load, make_run: Any, calls: list[Any]) -> None:
    numbers = {"hits": 9, "misses": 1, "hit_rate": 90.0, "invalidated": 2, "expired": 3, "saved_seconds": 0.5}
    statistics = {
        "namespaces": {"users": numbers, "other": numbers},
        "methods": {"src.x:A.slow": numbers, "src.x:B.slower": {**numbers, "saved_seconds": 1.5}},
    }
    measured = make_run("fast", calls, statistics=statistics)
    report = load("simulation.report")
    lines = [line.split() for line in report.namespaces(measured).splitlines()]
    assert lines[2:] == [
        ["other", "9", "1", "90.0", "%", "-", "2", "3"],
        ["users", "9", "1", "90.0", "%", "90-95", "%", "2", "3"],
    ]
    assert [line.split()[0] for line in report.methods(measured).splitlines()[2:]] == ["B.slower", "A.slow"]


def test_what_became_of_the_connections_stands_in_a_table(
    load: Load, make_run: Any, calls: list[Any]
) -> None:
    numbers = {"opened": 8, "reused": 3379, "direct": 0, "bare": 1, "checked_out": 1, "idle": 2}
    pools = {"pyodbc:connect": {**numbers, "discarded": {"recycled": 7}}}
    measured = make_run("fast", calls, statistics={"pools": pools})
    (line,) = load("simulation.report").pools(measured).splitlines()[2:]
    assert line.split() == ["pyodbc:connect", "8", "3,379", "0", "1", "3", "7", "recycled"]
    unused = {"sqlite3:connect": dict.fromkeys((*numbers, "discarded"), 0)}
    idle = make_run("idle", calls, statistics={"pools": unused})
    assert load("simulation.report").pools(idle) == "  (no connection was asked of a pool)"


def test_the_pools_tests_of_connections_are_counted_apart(
    load: Load, make_run: Any, calls: list[Any]
) -> None:
    text = load("simulation.report").headline(make_run("plain", calls), make_run("fast", calls, pings=9))
    assert ["the", "pool's", "tests", "of", "connections", "0", "9", "-"] in map(str.split, text.splitlines())


def test_the_log_excerpt_has_the_first_line_of_each_kind_and_the_last_statistics(
    load: Load, make_run: Any, calls: list[Any]
) -> None:
    measured = make_run("fast", calls)
    report = load("simulation.report")
    lines = ["Cache stats: 1", "Cache HIT: a", "noise", "Cache HIT: b", "Cache MISS: c", "Cache stats: 2"]
    measured.log_file.write_text("\n".join(lines), encoding="utf-8")
    assert report.log_excerpt(measured).split("\n") == [
        "  Cache MISS: c",
        "  Cache HIT: a",
        "  Cache stats: 2",
    ]
    measured.log_file.write_text("noise", encoding="utf-8")
    assert report.log_excerpt(measured) == "  (no such lines)"
